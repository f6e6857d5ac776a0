//! Changes on their way to those who want to know: at least once, in the order of `seq`.
//!
//! Each sink has a thread, a cursor and a receiver of its own. The thread reads changes from the
//! [`Outbox`] and hands them over, as often as it takes; whoever keeps memberships only tells
//! how far changes are durable, and never waits. Cursors are kept in the store with the next
//! commit, so that a sink goes on after a crash from a change that it may have sent already.

mod lines;
#[cfg(feature = "nats")]
mod nats;
mod parcel;
mod schedule;
mod secret;
mod webhook;
mod worker;

pub use lines::added_to;
pub use schedule::Schedule;
pub use secret::Secret;

use crate::core::Core;
use crate::outbox::Outbox;
use crate::session::Session;
use crate::store::Store;
use lines::Lines;
use parcel::Receiver;
use seg::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use webhook::Webhook;
use worker::{Progress, Told, Worker};

/// Where changes go, and which.
pub struct SinkSettings {
    /// Its name, which no other sink has: the cursor is kept by it.
    pub name: String,
    /// The segments whose changes it wants; without any, all.
    pub segments: BTreeSet<String>,
    /// Who receives them.
    pub to: SinkTo,
    /// When it is tried again.
    pub schedule: Schedule,
}

/// Who receives changes.
pub enum SinkTo {
    /// A web server, by POST with the headers of the Standard Webhooks specification, 1.0.0.
    Webhook {
        /// `http:` or `https:`.
        url: String,
        /// By each of which every post is signed.
        secrets: Vec<Secret>,
        /// How long an answer may take.
        time_out: Duration,
    },
    /// A subject of a NATS server, whose stream (JetStream) takes in a message a change. Its id is
    /// that of the change, so that the stream passes over what it has already.
    #[cfg(feature = "nats")]
    Nats {
        /// `nats:` or `tls:`.
        url: String,
        /// The subject.
        subject: String,
        /// The text of a `.creds` file.
        credentials: Option<String>,
        /// How long the server may take.
        time_out: Duration,
    },
    /// A file, to which a line of JSON a change is added. It is opened anew each time, so that it
    /// may be moved away.
    File(PathBuf),
    /// A stream, to which the same lines are written.
    Stream(Box<dyn Write + Send>),
}

/// What is known of a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkState {
    /// Its name.
    pub name: String,
    /// The `seq` of the last change that it is done with.
    pub delivered: u64,
    /// How many changes come after that and are durable.
    pub n_waiting: u64,
    /// What went wrong last, in words, if it has not gone well since.
    pub error: Option<String>,
    /// Since when it goes wrong.
    pub failing_since: Option<Timestamp>,
    /// How often something was sent again.
    pub n_retries: u64,
    /// How often changes had been dropped before they were sent.
    pub n_gaps: u64,
    /// Whether the receiver wants no more.
    pub is_stopped: bool,
}

/// A sink that cannot be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkError {
    /// Which.
    pub name: String,
    /// Why, in words.
    pub why: String,
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "changes cannot go to `{}`: {}", self.name, self.why)
    }
}

impl std::error::Error for SinkError {}

/// Sinks at work. They end when this is dropped, with what they are sending then.
pub struct Sinks {
    told: Arc<Told>,
    all: Vec<(String, Arc<Progress>)>,
}

/// What the cursor of a sink is called among the inputs of a store.
pub fn cursor_name(sink: &str) -> String {
    format!("sink {sink}")
}

impl Sinks {
    /// Begins to send, each sink after the change that its cursor says; one without a cursor
    /// begins with the first change. Nothing is sent before [`Sinks::tell`]. Waits differ by
    /// chance, which `seed` decides.
    ///
    /// # Errors
    /// The first sink that cannot work: two of one name, an address or a file that is none.
    pub fn start(
        settings: Vec<SinkSettings>,
        outbox: &Outbox,
        cursors: &BTreeMap<String, u64>,
        seed: u64,
    ) -> Result<Sinks, SinkError> {
        let mut sinks = Sinks { told: Arc::default(), all: Vec::new() };
        let mut workers = Vec::new();
        for (nth, SinkSettings { name, segments, to, schedule }) in (1..).zip(settings) {
            let failed = |why: String| SinkError { name: name.clone(), why };
            if sinks.all.iter().any(|(other, _)| *other == name) {
                return Err(failed("another sink has this name".to_owned()));
            }
            let receiver: Box<dyn Receiver> = match to {
                SinkTo::Webhook { url, secrets, time_out } => {
                    Box::new(Webhook::new(&url, secrets, time_out).map_err(failed)?)
                }
                #[cfg(feature = "nats")]
                SinkTo::Nats { url, subject, credentials, time_out } => {
                    Box::new(nats::Nats::new(url, subject, credentials, time_out).map_err(failed)?)
                }
                SinkTo::File(path) => Box::new(Lines::to_file(path).map_err(failed)?),
                SinkTo::Stream(stream) => Box::new(Lines::to_stream(stream)),
            };
            let progress = Arc::new(Progress::after(cursors.get(&name).copied().unwrap_or(0)));
            sinks.all.push((name.clone(), Arc::clone(&progress)));
            let (outbox, told) = (outbox.clone(), Arc::clone(&sinks.told));
            // Sinks that begin together do not try again together.
            let chance = schedule::Chance::new(seed.wrapping_add(nth));
            workers.push((name, Worker { segments, outbox, told, progress, receiver, schedule, chance }));
        }
        for (name, worker) in workers {
            sinks.told.begin_worker();
            let thread = std::thread::Builder::new().name(cursor_name(&name));
            if let Err(error) = thread.spawn(move || worker.run()) {
                sinks.told.end_worker();
                return Err(SinkError { name, why: error.to_string() });
            }
        }
        Ok(sinks)
    }

    /// Says that all changes up to a `seq` are durable.
    pub fn tell(&self, seq: u64) {
        self.told.tell(seq);
    }

    /// The `seq` of the last change that each sink is done with, by its name.
    pub fn cursors(&self) -> Vec<(String, u64)> {
        self.all.iter().map(|(name, progress)| (name.clone(), progress.cursor())).collect()
    }

    /// After a commit, of which nothing is pending: tells how far changes are durable, and notes
    /// cursors that moved, durable with the next commit.
    pub fn after_commit<S: Store>(&self, session: &mut Session<S>) {
        self.tell(session.core().seq());
        self.note(session.core_mut());
    }

    /// Notes cursors that moved, durable with the next commit.
    pub(crate) fn note(&self, core: &mut Core) {
        for (name, progress) in &self.all {
            let (name, seq) = (cursor_name(name), progress.cursor());
            if core.input(&name) != seq {
                core.note_input(&name, seq);
            }
        }
    }

    /// What is known of each sink.
    pub fn states(&self) -> Vec<SinkState> {
        let durable = self.told.durable();
        self.all.iter().map(|(name, progress)| progress.state(name, durable)).collect()
    }

    /// Lets sinks end: each goes on with what is durable until it has sent all, or something goes
    /// wrong. Returns when all have ended, or after so long.
    pub fn stop(&self, deadline: Duration) {
        self.told.stop(deadline);
    }
}

impl Drop for Sinks {
    fn drop(&mut self) {
        self.told.stop(Duration::ZERO);
    }
}
