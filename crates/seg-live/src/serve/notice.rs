//! What an operator is told of as it happens. Nothing in it names a person.

use crate::limits::Counts;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Requests are taken.
    Listening {
        /// Where records are posted.
        intake: SocketAddr,
        /// Where operators look.
        admin: SocketAddr,
    },
    /// Segments were read again.
    Reloaded {
        /// Their version, where they mean something else than before.
        program: Option<u32>,
        /// How many people wait to be judged by them.
        n_stale: usize,
    },
    /// Segments were changed and have errors; those before stay.
    Broken,
    /// The clock of the machine jumped.
    ClockJumped {
        /// By so many seconds, backwards where it is negative.
        seconds: i64,
    },
    /// No records are taken any more; what was taken is written.
    Draining,
    /// What became of the records that came, when none comes any more.
    Taken(Counts),
    /// Everything is written.
    Drained,
}

/// Whoever is told of it.
pub type Log = Arc<dyn Fn(Notice) + Send + Sync>;

impl Notice {
    /// Its name, the same in every version.
    pub fn name(&self) -> &'static str {
        match self {
            Notice::Listening { .. } => "listening",
            Notice::Reloaded { .. } => "reloaded",
            Notice::Broken => "broken",
            Notice::ClockJumped { .. } => "clock_jumped",
            Notice::Draining => "draining",
            Notice::Taken(_) => "taken",
            Notice::Drained => "drained",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Listening { intake, admin } => {
                write!(f, "records are taken at http://{intake}, operators look at http://{admin}")
            }
            Notice::Reloaded { program: None, .. } => f.write_str("the segments were read again and mean the same"),
            Notice::Reloaded { program: Some(program), n_stale } => {
                write!(f, "the segments mean something else: version {program}; {n_stale} people are judged again")
            }
            Notice::Broken => f.write_str("the segments have errors; memberships go on with those before"),
            Notice::ClockJumped { seconds } => write!(f, "the clock of the machine jumped by {seconds} seconds"),
            Notice::Draining => f.write_str("no more records are taken; those that were are written"),
            Notice::Taken(counts) => {
                write!(f, "{} records came", counts.received)?;
                if counts.repeated > 0 {
                    write!(f, "; {} came again, and were taken once", counts.repeated)?;
                }
                for (why, n) in &counts.refused {
                    write!(f, "; {n} refused: {}", why.words())?;
                }
                match counts.unfit {
                    0 => Ok(()),
                    n => write!(f, "; {n} values are not of the type that the schema gives"),
                }
            }
            Notice::Drained => f.write_str("everything is written"),
        }
    }
}
