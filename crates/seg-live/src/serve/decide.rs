//! The thread that owns the state: it takes records, judges people as their time comes, and
//! answers questions.

use super::metrics::Metrics;
use super::notice::{Log, Notice};
use super::pending::{Pending, Reply};
use super::sent::Sent;
use crate::clock::{machine_now, until_due};
use crate::core::Core;
use crate::error::LiveError;
use seg::unstable::data::time::SECOND;
use seg::unstable::io::facts::{FactLine, Names};
use seg::{Prepared, Schema, Timestamp, Zone};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Records that are judged together at most.
const TOGETHER: usize = 2_000;
/// People whose time has come who are judged between records.
const TURN: usize = 256;
/// The clock of the machine is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A jump of the clock that is told of.
const JUMP: i64 = 60 * SECOND;

/// What the thread is asked.
pub(super) enum Ask {
    /// To take records.
    Records(Vec<FactLine>, Reply),
    /// To tell of the state as it is.
    Look(Box<dyn FnOnce(&Core) + Send>),
    /// To go on with other segments, and with the zone of a time without an offset.
    Reload(Box<Prepared>, Option<Zone>),
    /// To end, when everything that was asked before is done.
    End,
}

/// By what records are read.
#[derive(Clone)]
pub(super) struct Reading {
    pub schema: Arc<Schema>,
    pub names: Arc<Names>,
    pub zone: Option<Zone>,
}

impl Reading {
    pub fn of(core: &Core, zone: Option<Zone>) -> Reading {
        Reading { schema: Arc::clone(core.schema()), names: Arc::new(core.names().clone()), zone }
    }
}

/// What is shared with those who read records.
pub(super) type Readings = Arc<RwLock<Reading>>;

pub(super) struct Decide {
    pub core: Core,
    pub asks: Receiver<Ask>,
    pub pending: Arc<Pending>,
    pub readings: Readings,
    pub metrics: Arc<Metrics>,
    pub sent: Sent,
    pub log: Log,
}

impl Decide {
    /// Goes on until it is asked to end, or nobody can ask any more.
    pub fn run(mut self) {
        let mut clock = Watched::new();
        let ended = loop {
            match self.turn(&mut clock) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match ended {
            Ok(()) => {
                (self.log)(Notice::Taken(self.core.counts().clone()));
                self.pending.close();
            }
            Err(error) => self.pending.fail(error),
        }
    }

    /// Takes what has come, and judges whoever is due. Says whether it goes on.
    fn turn(&mut self, clock: &mut Watched) -> Result<bool, LiveError> {
        let wait = match self.core.is_settled() {
            true => until_due(&self.core, LOOK_EVERY),
            false => Duration::ZERO,
        };
        let first = match self.asks.recv_timeout(wait) {
            Ok(ask) => Some(ask),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
        };
        if let Some(by) = clock.jump() {
            self.metrics.jumps.inc();
            (self.log)(Notice::ClockJumped { seconds: by / SECOND });
        }
        let begun = Instant::now();
        let (mut lines, mut replies, mut has_ended) = (Vec::new(), Vec::new(), false);
        let mut next = first;
        while let Some(ask) = next {
            match ask {
                Ask::Records(records, reply) => {
                    lines.extend(records);
                    replies.push(reply);
                }
                // Records that came before are taken before.
                Ask::Look(look) => {
                    self.take(&mut lines, &mut replies)?;
                    look(&self.core);
                }
                Ask::Reload(prepared, zone) => {
                    self.take(&mut lines, &mut replies)?;
                    self.reload(&prepared, zone);
                }
                Ask::End => {
                    has_ended = true;
                    break;
                }
            }
            next = if lines.len() < TOGETHER { self.asks.try_recv().ok() } else { None };
        }
        let has_records = !replies.is_empty();
        self.take(&mut lines, &mut replies)?;
        let now = machine_now();
        self.sent.note(&mut self.core, false);
        let turn = self.core.turn(now, TURN)?;
        if has_records {
            self.metrics.decide.observe(begun.elapsed().as_secs_f64());
        }
        let behind = self.core.next_due().map_or(0, |due| now.0.saturating_sub(due.0).max(0));
        self.metrics.behind.set(behind / SECOND);
        self.metrics.stale.set(self.core.n_stale() as i64);
        // That time has passed is not worth a commit.
        let is_idle = turn.changes.is_empty() && turn.writes.len() <= 1;
        let is_written = is_idle || self.pending.add(turn, Vec::new());
        Ok(is_written && !has_ended && !self.pending.has_failed())
    }

    /// Takes records that have come, all of which arrive now.
    fn take(&mut self, lines: &mut Vec<FactLine>, replies: &mut Vec<Reply>) -> Result<(), LiveError> {
        if replies.is_empty() {
            return Ok(());
        }
        self.sent.note(&mut self.core, true);
        let step = self.core.step(lines, machine_now())?;
        lines.clear();
        self.pending.add(step, std::mem::take(replies));
        Ok(())
    }

    fn reload(&mut self, prepared: &Prepared, zone: Option<Zone>) {
        let before = self.core.program();
        self.core.reload(prepared);
        let mut reading = self.readings.write().unwrap_or_else(PoisonError::into_inner);
        *reading = Reading::of(&self.core, zone);
        drop(reading);
        self.metrics.forget_sizes();
        let program = (self.core.program() != before).then(|| self.core.program());
        (self.log)(Notice::Reloaded { program, n_stale: self.core.n_stale() });
    }
}

/// The clock of the machine beside one that never jumps.
struct Watched {
    wall: Timestamp,
    steady: Instant,
}

impl Watched {
    fn new() -> Watched {
        Watched { wall: machine_now(), steady: Instant::now() }
    }

    /// By how many microseconds the clock jumped since it was looked at before, if it did.
    fn jump(&mut self) -> Option<i64> {
        let passed = i64::try_from(self.steady.elapsed().as_micros()).unwrap_or(i64::MAX);
        let now = Watched::new();
        let by = now.wall.0.saturating_sub(self.wall.0).saturating_sub(passed);
        *self = now;
        (by.abs() > JUMP).then_some(by)
    }
}
