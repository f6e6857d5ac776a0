//! Records from a stream of lines, changes onto another, and the clock between them.

use crate::change::Change;
use crate::clock::{machine_now, until_due};
use crate::error::LiveError;
use crate::session::Session;
use crate::sinks::Sinks;
use crate::store::{KEPT_DAYS, Store};
use seg::unstable::data::time::DAY;
use seg::unstable::io::facts::{FactLine, read_facts};
use seg::{Timestamp, Zone};
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// People whose time has come who are judged between records.
const TURN: usize = 256;
/// It is looked at the clock at least this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Pieces that were read and not yet taken.
const PIECES_AHEAD: usize = 4;
/// Pieces that are there are taken together up to so many bytes: one commit for all of them is
/// as dear as one for each.
const TOGETHER: usize = 512 << 10;
/// Rows that wait for a commit before there is one, where records say when they arrive.
const ROWS_A_COMMIT: usize = 4_000;
/// A line is no longer than this, many times what a record may be, so that one without an end takes
/// no more memory.
const LINE_BYTES: usize = 16 << 20;
/// What the number of changes that were sent is called among the inputs.
const SENT: &str = "changes sent";

/// Which clock there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// That of the machine: records arrive when they are read.
    Machine,
    /// That of the records: each arrives when it says that it was received, or else at its time.
    Records,
}

/// How records are taken from a stream.
#[derive(Debug, Clone)]
pub struct Pipe {
    /// What the input is called, if it begins again at its beginning in another process: what
    /// was taken of it is passed over then.
    pub name: Option<String>,
    /// Whose clock a time without an offset means.
    pub zone: Option<Zone>,
    /// Which clock decides when records arrive.
    pub clock: Clock,
    /// To which instant the clock goes on when the input has ended.
    pub until: Option<Timestamp>,
}

/// Why a pipe ended before its input did.
#[derive(Debug)]
pub enum PipeError {
    /// Memberships cannot be kept.
    Live(LiveError),
    /// The input cannot be read.
    Input(io::Error),
    /// The changes cannot be written.
    Changes(io::Error),
}

impl From<LiveError> for PipeError {
    fn from(error: LiveError) -> PipeError {
        PipeError::Live(error)
    }
}

/// Lines that were read together, each with its end.
type Piece = io::Result<Vec<u8>>;

impl Pipe {
    /// Takes records until the input ends, and writes changes as they are known, an object a
    /// line. Changes that were known before and perhaps not written come first.
    ///
    /// # Errors
    /// See [`PipeError`].
    pub fn run<S: Store>(
        &self,
        session: &mut Session<S>,
        input: impl BufRead + Send + 'static,
        changes: &mut dyn Write,
    ) -> Result<(), PipeError> {
        self.run_with(session, (input, changes), None)
    }

    /// The same, and tells sinks of changes when they are durable.
    ///
    /// # Errors
    /// See [`PipeError`].
    pub fn run_with<S: Store>(
        &self,
        session: &mut Session<S>,
        (input, changes): (impl BufRead + Send + 'static, &mut dyn Write),
        sinks: Option<&Sinks>,
    ) -> Result<(), PipeError> {
        let mut sent = session.core().input(SENT);
        loop {
            let rows = session.store().changes_from(sent + 1, 1_000).map_err(LiveError::from)?;
            if rows.is_empty() {
                break;
            }
            sent += rows.len() as u64;
            rows.iter().try_for_each(|row| put_line(changes, row)).map_err(PipeError::Changes)?;
        }
        // Nobody asks for what was written long ago. By the times of records it is not known how long
        // ago that was: half a year of them passes in seconds.
        if self.clock == Clock::Machine {
            let day = session.core().now().0.div_euclid(DAY) - KEPT_DAYS;
            session.store_mut().drop_changes_before(day as i32).map_err(LiveError::from)?;
        }
        if let Some(sinks) = sinks {
            sinks.after_commit(session);
        }
        let (sender, receiver) = sync_channel(PIECES_AHEAD);
        std::thread::spawn(move || read_pieces(input, &sender));
        let n_known = self.name.as_ref().map_or(0, |name| session.core().input(name));
        let mut taking = Taking { pipe: self, session, changes, sinks, n_lines: 0, n_known };
        taking.take_all(&receiver)?;
        taking.end()
    }
}

/// Reads lines as they come, those that are there together.
fn read_pieces(mut input: impl BufRead, sender: &SyncSender<Piece>) {
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let bytes = match input.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                // Whoever listens no more need not know.
                let _ = sender.send(Err(error));
                return;
            }
        };
        let n = bytes.len();
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (whole, begun) = bytes.split_at_checked(if n == 0 { 0 } else { end }).unwrap_or((bytes, &[]));
        let mut piece = std::mem::take(&mut rest);
        piece.extend_from_slice(whole);
        if end == 0 {
            piece.extend_from_slice(begun);
            rest = std::mem::take(&mut piece);
        } else {
            rest.extend_from_slice(begun);
        }
        input.consume(n);
        if rest.len() > LINE_BYTES {
            let why = format!("a line is longer than {} MiB: records end with their line", LINE_BYTES >> 20);
            let _ = sender.send(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
            return;
        }
        if n == 0 {
            // A last line may have no end.
            let _ = if rest.is_empty() { Ok(()) } else { sender.send(Ok(rest)) };
            return;
        }
        if !piece.is_empty() && sender.send(Ok(piece)).is_err() {
            return;
        }
    }
}

/// An input that is being taken.
struct Taking<'t, S> {
    pipe: &'t Pipe,
    session: &'t mut Session<S>,
    changes: &'t mut dyn Write,
    sinks: Option<&'t Sinks>,
    n_lines: u64,
    /// So many lines were taken before.
    n_known: u64,
}

impl<S: Store> Taking<'_, S> {
    fn take_all(&mut self, receiver: &Receiver<Piece>) -> Result<(), PipeError> {
        loop {
            let wait = match (self.session.core().is_settled(), self.pipe.clock) {
                (false, Clock::Machine) => Duration::ZERO,
                (true, Clock::Machine) => until_due(self.session.core(), LOOK_EVERY),
                (_, Clock::Records) => LOOK_EVERY,
            };
            match receiver.recv_timeout(wait) {
                Ok(piece) => {
                    let (mut piece, mut failed) = (piece.map_err(PipeError::Input)?, None);
                    while piece.len() < TOGETHER
                        && failed.is_none()
                        && let Ok(next) = receiver.try_recv()
                    {
                        match next {
                            Ok(next) => piece.extend(next),
                            Err(error) => failed = Some(error),
                        }
                    }
                    self.take(&piece)?;
                    if let Some(error) = failed {
                        // What was read before it is kept.
                        self.commit()?;
                        return Err(PipeError::Input(error));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if self.pipe.clock == Clock::Machine {
                self.session.turn(machine_now(), TURN)?;
            }
            self.commit()?;
        }
    }

    /// Takes lines, but those that were taken in another process.
    fn take(&mut self, piece: &[u8]) -> Result<(), PipeError> {
        let text = String::from_utf8_lossy(piece);
        let n_lines = text.lines().count() as u64;
        let n_passed = self.n_known.saturating_sub(self.n_lines).min(n_lines);
        self.n_lines += n_lines;
        let new: String = text.split_inclusive('\n').skip(n_passed as usize).collect();
        let core = self.session.core();
        let lines = read_facts((core.schema(), core.names()), self.pipe.zone, &new).map_err(LiveError::from)?;
        if self.n_lines > self.n_known
            && let Some(name) = &self.pipe.name
        {
            self.session.note_input(name, self.n_lines);
        }
        match self.pipe.clock {
            Clock::Machine => self.session.step(&lines, machine_now())?,
            Clock::Records => self.take_as_of_their_times(&lines)?,
        }
        Ok(())
    }

    /// Takes records at the instants at which they arrived, those of one instant together.
    fn take_as_of_their_times(&mut self, lines: &[FactLine]) -> Result<(), PipeError> {
        let arrival = |line: &FactLine| line.received.or(line.time).unwrap_or(Timestamp::MIN);
        let mut rest = lines;
        while let Some(first) = rest.first() {
            let at = arrival(first).max(self.session.core().now());
            let n = rest.iter().take_while(|line| arrival(line) <= at).count().max(1);
            let (together, later) = rest.split_at_checked(n).unwrap_or((rest, &[]));
            self.session.step(together, at)?;
            rest = later;
            // What was due before the next record is told of before it.
            let until = rest.first().map(|next| Timestamp(arrival(next).0.saturating_sub(1)));
            self.go_on(until.unwrap_or(at))?;
        }
        Ok(())
    }

    /// Lets the clock go on, so that everybody who is due by then is judged.
    fn go_on(&mut self, until: Timestamp) -> Result<(), PipeError> {
        let core = self.session.core();
        if core.is_settled() && core.next_due().is_none_or(|due| due > until) {
            return Ok(());
        }
        let until = until.max(core.now());
        loop {
            self.session.turn(until, TURN)?;
            if self.session.n_pending() >= ROWS_A_COMMIT {
                self.commit()?;
            }
            if self.session.core().is_settled() {
                return Ok(());
            }
        }
    }

    /// Judges whoever is due when the input has ended.
    fn end(mut self) -> Result<(), PipeError> {
        let now = match self.pipe.clock {
            Clock::Machine => machine_now(),
            Clock::Records => self.session.core().now(),
        };
        self.go_on(self.pipe.until.unwrap_or(now))?;
        self.session.turn(self.pipe.until.unwrap_or(now), TURN)?;
        self.commit()?;
        // That the last changes were written is durable as well.
        self.session.turn(Timestamp::MIN, 0)?;
        self.commit()
    }

    /// Makes what came in durable, and then known.
    fn commit(&mut self) -> Result<(), PipeError> {
        let changes: Vec<Change> = self.session.commit()?;
        if let Some(sinks) = self.sinks {
            sinks.after_commit(self.session);
        }
        let Some(last) = changes.last() else { return Ok(()) };
        for change in &changes {
            let line = serde_json::to_vec(change).unwrap_or_default();
            put_line(self.changes, &line).map_err(PipeError::Changes)?;
        }
        self.changes.flush().map_err(PipeError::Changes)?;
        self.session.note_input(SENT, last.seq);
        Ok(())
    }
}

fn put_line(to: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    to.write_all(line)?;
    to.write_all(b"\n")
}
