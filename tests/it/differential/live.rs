//! Live memberships against the reference evaluator.
//!
//! Histories are made by chance: records in and out of order, told twice, ahead of the clock,
//! without a time; ids that become one person, and that turn out not to be; people who are
//! forgotten; a store that fails at each kind of moment. After each step, what everybody is in
//! must be what a batch run over the records that had arrived says: at the instant of the step,
//! just before the next timer of each person, and somewhere in between. Changes must fold to
//! memberships, their numbers have no gap, and nothing that was acknowledged may be lost.

mod disk;
mod log;
mod reload;
mod torn;

use super::edges::{Chance, MORE};
use super::{AROUND, header, now, profiles, runner_of, schema_with_histories, sentences};
use disk::{Crash, Mounted};
use log::{Log, Sent};
use proptest::prelude::*;
use seg::{Batch, Prepared, Program, Project, Settings, Timestamp, Zone};
use seg_hir::Evaluator;
use seg_io::facts::read_facts;
use seg_live::fault::Fault;
use seg_live::{Change, Direction, Limits, Session, Store};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;
/// Sentences beside each other.
const SENTENCES: usize = 6;
/// Histories of one program.
const HISTORIES: u64 = 6;
/// People whose facts a history is made of; they share ids.
const PEOPLE: usize = 4;

/// What was compared.
#[derive(Default)]
struct Seen {
    histories: Cell<u64>,
    steps: Cell<u64>,
    answers: Cell<u64>,
    changes: Cell<u64>,
    by_time: Cell<u64>,
    merges: Cell<u64>,
    crashes: Cell<u64>,
    forgotten: Cell<u64>,
}

fn add(to: &Cell<u64>, n: u64) {
    to.set(to.get() + n);
}

/// A program of sentences.
struct Case {
    project: Project,
    program: Program,
    prepared: Prepared,
    texts: Vec<String>,
}

impl Case {
    fn of(sentences: &[String], chance: &mut Chance) -> Result<Case, TestCaseError> {
        let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
        let more = (0..2).map(|_| MORE[chance.below(MORE.len() as u64) as usize]);
        let said: Vec<&str> = sentences.iter().map(String::as_str).chain(more).collect();
        let segments = said.iter().enumerate();
        let texts: Vec<String> = segments
            .map(|(n, s)| format!("segment \"{n}\" {} include people who {s}", header(n)))
            .chain(AROUND.iter().map(|s| (*s).to_owned()))
            .collect();
        let mut project =
            Project::from_text(&schema_with_histories(), [("g.seg", texts.join("\n").as_str())], settings);
        project.add_list("texts.csv", ["a", "DE", "straße"].map(str::to_owned));
        let program = seg::compile(&project).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let prepared = program.prepare();
        Ok(Case { project, program, prepared, texts })
    }

    fn zone(&self) -> Option<Zone> {
        Zone::parse("Europe/Berlin")
    }

    /// Whom the reference evaluator has in which segment, by the records that had arrived.
    fn reference(&self, batch: &Batch, row: usize, at: Timestamp) -> BTreeSet<String> {
        let person = Batch::new(Arc::clone(self.project.schema()), batch.records().slice(row, 1)).expect("a row");
        for column in 0..person.n_columns() {
            person.check_column(column).expect("a column");
        }
        let masks = Evaluator::new(seg::unstable::module(&self.program), at).evaluate(&person);
        let names = self.program.segment_names().zip(&masks);
        names.filter(|(_, mask)| mask.get(0)).map(|(name, _)| name.to_owned()).collect()
    }
}

/// A run of one history.
struct Run<'r> {
    case: &'r Case,
    chance: &'r mut Chance,
    seen: &'r Seen,
    disk: Mounted,
    session: Session<Mounted>,
    fault: Option<Fault>,
    log: Log,
    /// How many of the records were acknowledged.
    n_acknowledged: u64,
    /// The latest instant, whatever is on disk.
    latest: Timestamp,
}

impl<'r> Run<'r> {
    fn new(case: &'r Case, chance: &'r mut Chance, seen: &'r Seen, fault: Option<Fault>) -> Result<Run<'r>, String> {
        let disk = Mounted::default();
        let session = open(case, &disk, fault)?;
        Ok(Run {
            case,
            chance,
            seen,
            disk,
            session,
            fault,
            log: Log::default(),
            n_acknowledged: 0,
            latest: Timestamp::MIN,
        })
    }

    /// Takes records at an instant, and judges whoever is due.
    fn step(&mut self, lines: Vec<Sent>, at: Timestamp) -> Result<(), String> {
        let at = at.max(self.session.core().now());
        self.latest = self.latest.max(at);
        let text: String = lines.iter().map(|sent| format!("{}\n", sent.line)).collect();
        let core = self.session.core();
        let read = read_facts((core.schema(), core.names()), self.case.zone(), &text).map_err(|e| e.to_string())?;
        self.log.arrive(lines, at);
        self.session.note_input("sim", self.log.len());
        self.session.step(&read, at).map_err(|e| e.to_string())?;
        // A few turns may lie between steps and their commit.
        let limit = [0, 1, 1000][self.chance.below(3) as usize];
        self.session.turn(at, limit).map_err(|e| e.to_string())?;
        if self.commit()? {
            self.settle()?;
        }
        self.check()
    }

    /// Lets time pass.
    fn wait(&mut self, until: Timestamp) -> Result<(), String> {
        let until = until.max(self.session.core().now());
        self.latest = self.latest.max(until);
        self.session.turn(until, 1).map_err(|e| e.to_string())?;
        self.commit()?;
        self.settle()?;
        self.check()
    }

    fn settle(&mut self) -> Result<(), String> {
        let now = self.session.core().now();
        let mut n_turns = 0;
        while !self.session.core().is_settled() {
            self.session.turn(now, 3).map_err(|e| e.to_string())?;
            n_turns += 1;
            if n_turns > 20_000 {
                return Err("it is never settled".to_owned());
            }
        }
        self.commit()?;
        Ok(())
    }

    /// Commits, which may fail; then the process begins anew. Says whether it did not.
    fn commit(&mut self) -> Result<bool, String> {
        if self.chance.below(12) == 0 {
            let crash = [Crash::BeforeWriting, Crash::AfterWriting][self.chance.below(2) as usize];
            self.disk.0.crash_at_next(crash);
        }
        let n_taken = self.log.len();
        match self.session.commit() {
            Ok(_) => {
                self.n_acknowledged = n_taken;
                // A commit of nothing does not fail, and the next may come much later.
                self.disk.0.crash_no_more();
                if self.chance.below(40) == 0 {
                    self.begin_anew()?;
                    return Ok(false);
                }
                Ok(true)
            }
            Err(_) => {
                if self.session.commit().is_ok() {
                    return Err("it went on after a commit had failed".to_owned());
                }
                self.begin_anew()?;
                Ok(false)
            }
        }
    }

    /// Begins from what is on disk, as after the end of a process.
    fn begin_anew(&mut self) -> Result<(), String> {
        add(&self.seen.crashes, 1);
        self.disk.0.crash_no_more();
        self.session = open(self.case, &self.disk, self.fault)?;
        let n_kept = self.session.core().input("sim");
        if n_kept < self.n_acknowledged {
            return Err(format!("{} records were acknowledged, and {n_kept} are there", self.n_acknowledged));
        }
        // What was not acknowledged and is not there is sent again.
        let lost = self.log.cut(n_kept);
        let at = self.latest.max(self.session.core().now());
        if lost.is_empty() {
            return self.settle();
        }
        self.step(lost, at)
    }

    /// Compares everything.
    fn check(&mut self) -> Result<(), String> {
        add(&self.seen.steps, 1);
        let batch = self.log.batch(self.case.project.schema(), self.case.zone());
        let core = self.session.core();
        let at = core.now();
        let kept: BTreeMap<&str, _> = core.people().collect();
        let mut n_people = 0;
        for row in 0..batch.as_ref().map_or(0, Batch::len) {
            let Some(batch) = &batch else { break };
            let id = batch.id(row);
            n_people += 1;
            let Some(kept) = kept.get(id) else { return Err(self.told(id, at, "nothing is kept of them")) };
            let is_in: BTreeSet<String> = core.segments_of(kept).into_iter().map(str::to_owned).collect();
            let mut instants = vec![at];
            let end = kept.until.unwrap_or(Timestamp(at.0 + 1_000 * DAY));
            if end > at {
                let just_before = Timestamp(end.0 - 1);
                instants.extend([just_before, Timestamp(self.chance.between((at.0, just_before.0 + 1)))]);
            } else {
                return Err(self.told(id, at, &format!("their timer of {end} has passed")));
            }
            for instant in instants.into_iter().filter(|instant| instant.is_in_range()) {
                let expected = self.case.reference(batch, row, instant);
                add(&self.seen.answers, 1);
                if expected != is_in {
                    let what = format!("at {instant} a batch has them in {expected:?}, and kept is {kept:?} {is_in:?}");
                    return Err(self.told(id, at, &what));
                }
            }
        }
        if n_people != kept.len() {
            return Err(self.told("", at, &format!("{n_people} people are known, and kept are {:?}", kept.keys())));
        }
        self.check_changes()
    }

    /// The changes that are on disk fold to the memberships.
    fn check_changes(&self) -> Result<(), String> {
        let core = self.session.core();
        let rows = self.disk.changes_from(1, usize::MAX).map_err(|e| e.to_string())?;
        let mut members: BTreeSet<(String, String)> = BTreeSet::new();
        for (row, seq) in rows.iter().zip(1..) {
            let change: Change = serde_json::from_slice(row).map_err(|e| e.to_string())?;
            if change.seq != seq || change.id != format!("sim-{seq}") {
                return Err(format!("change {seq} is {change:?}"));
            }
            let member = (change.person.clone(), change.segment.clone());
            let is_new = match change.change {
                Direction::Entered => members.insert(member),
                Direction::Left => members.remove(&member),
            };
            if !is_new {
                return Err(format!("{change:?} changes nothing"));
            }
        }
        if core.seq() != rows.len() as u64 && self.fault.is_none() {
            return Err(format!("there were {} changes, and {} are on disk", core.seq(), rows.len()));
        }
        let kept = core.people().flat_map(|(id, kept)| {
            core.segments_of(kept).into_iter().map(|segment| (id.to_owned(), segment.to_owned())).collect::<Vec<_>>()
        });
        let kept: BTreeSet<(String, String)> = kept.collect();
        if kept != members && self.fault != Some(Fault::AcknowledgedFirst) {
            return Err(format!("changes fold to {members:?}, and kept is {kept:?}"));
        }
        Ok(())
    }

    fn told(&self, id: &str, at: Timestamp, what: &str) -> String {
        let texts = self.case.texts.join("\n");
        format!("{texts}\n{}\n`{id}` as of {at}: {what}", self.log)
    }
}

fn open(case: &Case, disk: &Mounted, fault: Option<Fault>) -> Result<Session<Mounted>, String> {
    let session = Session::open(&case.prepared, disk.clone(), Limits::default(), "sim");
    let mut session = session.map_err(|e| e.to_string())?;
    fault.into_iter().for_each(|fault| session.set_fault(fault));
    Ok(session)
}

/// Runs a history through.
fn history(run: &mut Run<'_>, people: &[String]) -> Result<(), String> {
    let mut records = log::records(people, now(), run.chance);
    let n_records = records.len();
    let mut clock = Timestamp(now().0 - 40 * DAY);
    let mut sent: Vec<Sent> = Vec::new();
    records.reverse();
    while let Some(first) = records.pop() {
        let mut lines = vec![first];
        for _ in 0..run.chance.below(3) {
            lines.extend(records.pop());
        }
        if run.chance.below(5) == 0 && !sent.is_empty() {
            lines.push(sent[run.chance.below(sent.len() as u64) as usize].clone());
        }
        sent.extend(lines.iter().cloned());
        // Mostly records come just after their time, some before it.
        let latest = lines.iter().filter_map(|line| line.time).max().unwrap_or(clock);
        let delay = [0, 1, 1_000_000, 3_600_000_000, -3_600_000_000, -DAY][run.chance.below(6) as usize];
        clock = clock.max(Timestamp(latest.0 + delay));
        run.step(lines, clock)?;
        clock = run.session.core().now();
        match run.chance.below(8) {
            0 => {
                let at = Timestamp(clock.0 + run.chance.between((1, 3 * DAY)));
                run.wait(at)?;
            }
            1 | 2 => {
                let due = run.session.core().next_due().filter(|due| due.0 < now().0 + 30 * DAY);
                let off = [-1, 0, 1][run.chance.below(3) as usize];
                if let Some(due) = due {
                    run.wait(Timestamp(due.0 + off))?;
                }
            }
            3 if n_records > 8 => {
                if let Some(line) = run.log.forget(run.case.project.schema(), run.case.zone(), run.chance) {
                    add(&run.seen.forgotten, 1);
                    run.step(vec![line], clock)?;
                }
            }
            _ => {}
        }
    }
    // Then nothing comes any more.
    for days in [1, 31, 200, 450] {
        let off = run.chance.between((0, DAY));
        let at = Timestamp(run.session.core().now().0 + days * DAY + off);
        run.wait(at)?;
    }
    add(&run.seen.histories, 1);
    add(&run.seen.merges, run.log.n_ties());
    let rows = run.disk.changes_from(1, usize::MAX).map_err(|e| e.to_string())?;
    let by_time = rows.iter().filter(|row| String::from_utf8_lossy(row).contains("\"cause\":\"time\"")).count();
    add(&run.seen.changes, rows.len() as u64);
    add(&run.seen.by_time, by_time as u64);
    Ok(())
}

fn strategy() -> impl Strategy<Value = (Vec<Vec<String>>, Vec<String>)> {
    let people = proptest::collection::vec(profiles::person(), PEOPLE);
    (proptest::collection::vec(people, HISTORIES as usize), proptest::collection::vec(sentences::sentence(), SENTENCES))
}

/// Histories until so many were run, or one of them fails.
fn run(number: u8, n_histories: u64, fault: Option<Fault>) -> Result<Seen, String> {
    let seed = super::asked_seed();
    let seen = Seen::default();
    let chance = std::cell::RefCell::new(Chance(u64::from(number) * 7 + seed.unwrap_or(3) + 1));
    let n_cases = n_histories.div_ceil(HISTORIES).max(1) as u32;
    // Chance goes on from history to history, so that there is nothing to shrink.
    let mut runner = runner_of((n_cases, 0), number, seed);
    let outcome = runner.run(&strategy(), |(histories, sentences)| {
        let case = Case::of(&sentences, &mut chance.borrow_mut())?;
        for people in &histories {
            let chance = &mut *chance.borrow_mut();
            let mut run = Run::new(&case, chance, &seen, fault).map_err(TestCaseError::fail)?;
            history(&mut run, people).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    outcome.map_err(|failure| failure.to_string())?;
    Ok(seen)
}

/// In CI a share of what `SEG_LIVE` asks for in a long run: so many histories.
#[test]
fn live_memberships_are_those_of_a_batch_run() {
    let asked = std::env::var("SEG_LIVE").ok().and_then(|n| n.parse::<u64>().ok());
    let n_histories = asked.unwrap_or(160);
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(22, n_histories / 2, None).map(Totals::of));
        (run(21, n_histories / 2, None).map(Totals::of), other.join())
    });
    let one = one.unwrap_or_else(|failure| panic!("{failure}"));
    let two = two.expect("no panic").unwrap_or_else(|failure| panic!("{failure}"));
    let [histories, steps, answers, changes, by_time, ties, crashes, forgotten] =
        std::array::from_fn(|at| one.0[at] + two.0[at]);
    println!(
        "{histories} histories of {steps} steps, people compared {answers} times, {changes} changes, {by_time} of them by \
         time alone, {ties} ties of ids, {crashes} new beginnings, {forgotten} people forgotten"
    );
    // Where hardly anything happens, little is proved.
    assert!(changes > histories * 20 && by_time > histories * 2, "{changes} changes, {by_time} by time");
    assert!(ties > histories && crashes > histories && forgotten * 4 > histories, "{ties} {crashes} {forgotten}");
}

struct Totals([u64; 8]);

impl Totals {
    fn of(seen: Seen) -> Totals {
        let Seen { histories, steps, answers, changes, by_time, merges, crashes, forgotten } = seen;
        Totals([histories, steps, answers, changes, by_time, merges, crashes, forgotten].map(Cell::into_inner))
    }
}

#[test]
fn faults_of_live_memberships_are_found() {
    // Without one nothing is found in the same histories.
    run(23, 24, None).map(|_| ()).unwrap_or_else(|failure| panic!("{failure}"));
    for fault in Fault::ALL {
        let found = run(23, 24, Some(*fault)).map(|_| ());
        assert!(found.is_err(), "{fault:?} was not noticed");
    }
}
