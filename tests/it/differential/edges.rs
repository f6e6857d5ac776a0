//! When answers change, against the reference evaluator.
//!
//! What the plan says of an answer, when it changes next or at which instants of a period
//! it does, is compared with the answers themselves: just before each change, at it and just
//! after it; at instants found by other means than the plan's, which are every time that is
//! known of a person, so many lengths of time away, and the midnights around; and at
//! instants by chance in between.

use super::{AROUND, header, now, profiles, runner, schema_with_histories, sentences};
use proptest::prelude::*;
use seg::{Batch, Program, Project, Settings, Timestamp, Zone};
use seg_data::{AttributeId, Date, EventId, PropertyId, Value};
use seg_hir::Evaluator;
use seg_plan::{Edges, Stays};
use seg_tests::people;
use std::cell::Cell;
use std::sync::Arc;

const DAY: i64 = 86_400_000_000;
/// Sentences beside each other.
const SENTENCES: usize = 20;
/// People of a case.
const PEOPLE: usize = 12;
/// A period on either side of now.
const PERIOD: i64 = 45 * DAY;
/// The zones of the calendars that the segments follow.
const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Asia/Tokyo"];
/// What few sentences ask, and what crosses calendars.
pub(super) const MORE: &[&str] = &[
    "city was \"a\" at any time between 1 month ago and 3 days ago",
    "city was known at any time last month",
    "not (city was \"a\" at any time in the past 2 full months)",
    "score has been at least 1 for at least 1 month",
    "did Order Completed in the past 1 month but not in the past 30 days",
    "anniversary of birthday is within the next 30 days and no Order Completed in the past 2 months",
    "time since their last Order Completed is more than 1.5 times their usual gap",
    "time since their first Email Opened is less than 3 days",
    "time since their first Order Completed times 0.3 is more than time since their last Order Completed",
    "birthday is within the next 7 days or last_order_date is in the past 1 month",
    "last_order_date is within 3 days after their last Signed In and Signed In in the past 7 days",
];

/// Numbers by chance, the same in every run.
pub(super) struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    pub fn between(&mut self, (from, to): (i64, i64)) -> i64 {
        from + self.below((to - from).unsigned_abs().max(1)) as i64
    }
}

/// Everything that has a time, of one person.
fn known_times(batch: &Batch) -> Vec<Timestamp> {
    let schema = batch.schema();
    let zones = ZONES.map(|name| Zone::parse(name).expect(name));
    let mut times: Vec<Timestamp> = vec![now()];
    let mut add = |value: Option<Value>| match value {
        Some(Value::Timestamp(time)) => times.push(time),
        Some(Value::Date(day)) => times.extend(zones.map(|zone| zone.start_of_day(day))),
        _ => {}
    };
    for (event, of) in schema.events.iter().zip(0..) {
        let Some(events) = batch.events(EventId(of)) else { continue };
        for idx in events.range(0) {
            add(Some(Value::Timestamp(events.time(idx))));
            (0..event.properties.len() as u32).for_each(|property| add(events.property(PropertyId(property), idx)));
        }
    }
    for id in (0..schema.attributes.len() as u32).map(AttributeId) {
        match batch.history(id) {
            Some(history) => history.range(0).for_each(|idx| {
                add(Some(Value::Timestamp(history.time(idx))));
                add(history.value(idx));
            }),
            None => add(batch.attribute(id, 0, now())),
        }
    }
    for day in ["2026-06-01", "2026-05-31", "2026-05-30", "2026-05-29", "2026-03-29", "2025-01-01"] {
        add(Date::parse(day).map(Value::Date));
    }
    times.retain(|time| *time > Timestamp::MIN);
    times
}

/// Instants of a range at which something might change, by other means than the plan's.
fn candidates(batch: &Batch, range: (i64, i64), n: usize, chance: &mut Chance) -> Vec<Timestamp> {
    const SECOND: i64 = 1_000_000;
    let lengths = [0, SECOND, 2 * 3600 * SECOND, 12 * 3600 * SECOND, DAY];
    let days = [2, 3, 4, 7, 9, 14, 15, 21, 28, 30, 31, 60, 61, 90, 100, 365, 366, 730].map(|days| days * DAY);
    let zone = Zone::parse("Europe/Berlin").expect("a zone");
    let mut found: Vec<i64> = Vec::new();
    for time in known_times(batch) {
        for length in lengths.iter().chain(&days) {
            found.extend([time.0 - length, time.0 + length]);
        }
        for months in [1, 2, 3, 6, 12, 24] {
            found.extend([zone.plus_months(time, months).0, zone.plus_months(time, -months).0]);
        }
    }
    let n_days = (range.1 - range.0) / DAY;
    for zone in ZONES.map(|name| Zone::parse(name).expect(name)) {
        let first = zone.date(Timestamp(range.0));
        found.extend((0..n_days).map(|days| zone.start_of_day(first.plus_days(days)).0));
    }
    let mut found: Vec<i64> = found.into_iter().flat_map(|at| [at - 1, at, at + 1]).collect();
    found.retain(|at| range.0 <= *at && *at <= range.1);
    found.sort_unstable();
    found.dedup();
    // A share of them, where there are many, and some by chance.
    while found.len() > n {
        let at = chance.below(found.len() as u64) as usize;
        found.swap_remove(at);
    }
    found.extend((0..n / 4).map(|_| chance.between(range)));
    found.into_iter().map(Timestamp).collect()
}

/// The program of some sentences, and its people.
pub(super) fn program_of(
    profiles: &[String],
    sentences: &[String],
) -> Result<(Project, Program, Batch, Vec<String>), TestCaseError> {
    let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
    let lines: Vec<String> = profiles.iter().enumerate().map(|(n, p)| format!("{{\"id\": \"{n}\"{p}}}")).collect();
    let said = sentences.iter().map(String::as_str).chain(MORE.iter().copied());
    let texts: Vec<String> = said
        .enumerate()
        .map(|(n, s)| format!("segment \"{n}\" {} include people who {s}", header(n)))
        .chain(AROUND.iter().map(|s| (*s).to_owned()))
        .collect();
    let mut project = Project::from_text(&schema_with_histories(), [("g.seg", texts.join("\n").as_str())], settings);
    project.add_list("texts.csv", ["a", "DE", "straße"].map(str::to_owned));
    let program = seg::compile(&project).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let batch = people(&lines.join("\n"), &Arc::clone(project.schema()), settings.zone, now());
    for at in 0..batch.n_columns() {
        batch.check_column(at).map_err(|e| TestCaseError::fail(e.to_string()))?;
    }
    Ok((project, program, batch, texts))
}

/// What the reference evaluator says of one person as of an instant, a bit a segment.
fn reference(program: &Program, person: &Batch, at: Timestamp) -> Vec<bool> {
    let masks = Evaluator::new(seg::unstable::module(program), at).evaluate(person);
    masks.iter().map(|mask| mask.get(0)).collect()
}

/// How much was compared.
#[derive(Default)]
struct Seen {
    pairs: Cell<u64>,
    changes: Cell<u64>,
    instants: Cell<u64>,
    /// How often a person was to be looked at again, and how often something changed then.
    looks: Cell<u64>,
    wakes: Cell<u64>,
}

/// A case, and the words for what is wrong in it.
struct Told<'t> {
    texts: &'t [String],
    line: &'t str,
    as_of: Timestamp,
}

impl Told<'_> {
    fn wrong(&self, segment: usize, at: Timestamp, what: &str) -> TestCaseError {
        let text = self.texts.get(segment).map_or("?", String::as_str);
        TestCaseError::fail(format!("{text}\n{}\nas of {}, at {at}: {what}", self.line, self.as_of))
    }
}

/// The next change of each segment is its first.
fn next_changes_are_exact(
    case: (&Program, &Batch, &Edges),
    row: usize,
    chance: &mut Chance,
    told: &Told<'_>,
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let (program, batch, edges) = case;
    let as_of = told.as_of;
    let known = batch.known_at(row..row + 1, as_of).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let next = edges.walk().next_changes(batch, row, as_of).expect("there is such a row");
    let before = reference(program, &known, as_of);
    let range = (as_of.0, as_of.0 + 2 * PERIOD);
    let mut instants = candidates(&known, range, 60, chance);
    for at in next.iter().filter_map(|next| next.at) {
        instants.extend([at.0 - 1, at.0, at.0 + 1, chance.between((as_of.0, at.0 + 1))].map(Timestamp));
    }
    instants.sort_unstable();
    instants.dedup();
    for at in instants.into_iter().filter(|at| *at >= as_of && at.is_in_range()) {
        let answers = reference(program, &known, at);
        for (segment, (next, (before, answer))) in next.iter().zip(before.iter().zip(answers)).enumerate() {
            // Beyond the horizon of what comes again for ever nothing is said.
            let is_told = next.until.is_none_or(|until| at <= until);
            if is_told && next.at.is_none_or(|next| at < next) && answer != *before {
                return Err(told.wrong(segment, at, &format!("it changed before {:?}", next.at)));
            }
            if next.at == Some(at) && answer == *before {
                return Err(told.wrong(segment, at, "it did not change, as it was said to"));
            }
        }
        seen.instants.set(seen.instants.get() + 1);
    }
    seen.changes.set(seen.changes.get() + next.iter().filter(|next| next.at.is_some()).count() as u64);
    Ok(())
}

/// Whoever keeps memberships looks at a person again no later than one of them changes, and
/// mostly just then.
fn nobody_is_looked_at_too_late(
    case: (&Program, &Batch, &Edges),
    stays: &Stays,
    row: usize,
    told: &Told<'_>,
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let (program, batch, edges) = case;
    let as_of = told.as_of;
    let known = batch.known_at(row..row + 1, as_of).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let next = edges.walk().next_changes(batch, row, as_of).expect("there is such a row");
    let exact = next.iter().filter_map(|next| next.at).min();
    let begins = batch.exists_from(row).filter(|begins| *begins > as_of);
    let before = reference(program, &known, as_of);
    let mut walk = stays.walk();
    // Of all people together, and of one who is alone, whose later events are cut away.
    for (batch, row) in [(batch, row), (&known, 0)] {
        let of_then = batch.as_of(as_of);
        let mut evaluated = stays.evaluator().over(&of_then, as_of);
        if evaluated.segments(row) != before {
            return Err(told.wrong(0, as_of, "the answers are others"));
        }
        let until = walk.until(&mut evaluated, row, begins);
        // Beyond the horizon of what comes again for ever nothing is said.
        let is_early = until.is_some_and(|until| until > as_of && exact.is_none_or(|exact| until <= exact));
        if !is_early && (exact.is_some() || until.is_some()) {
            return Err(told.wrong(0, as_of, &format!("to be looked at again {until:?}; it changes {exact:?}")));
        }
        seen.looks.set(seen.looks.get() + u64::from(until.is_some()));
        seen.wakes.set(seen.wakes.get() + u64::from(until.is_some() && until == exact));
    }
    Ok(())
}

/// The answers of a period, with what happens coming as it does, are those of a timeline.
fn timelines_are_exact(
    case: (&Program, &Batch, &Edges),
    row: usize,
    chance: &mut Chance,
    told: &Told<'_>,
    seen: &Seen,
) -> Result<(), TestCaseError> {
    let (program, batch, edges) = case;
    let (from, to) = (Timestamp(told.as_of.0 - PERIOD), Timestamp(told.as_of.0 + PERIOD));
    let person = batch.known_at(row..row + 1, to).map_err(|e| TestCaseError::fail(e.to_string()))?;
    let timelines = edges.walk().timelines(batch, row, (from, to));
    let over = edges.over(batch, to);
    if edges.walk_over(&over).timelines(batch, row, (from, to)) != timelines {
        return Err(told.wrong(0, to, "it is told otherwise for all people together"));
    }
    let first = reference(program, &person, from);
    let mut instants = candidates(&person, (from.0, to.0), 60, chance);
    for at in timelines.iter().flatten().flat_map(|timeline| &timeline.changes) {
        instants.extend([at.0 - 1, at.0, at.0 + 1].map(Timestamp));
    }
    instants.sort_unstable();
    instants.dedup();
    for at in instants.into_iter().filter(|at| from <= *at && *at <= to) {
        for (segment, answer) in reference(program, &person, at).into_iter().enumerate() {
            let told_of = timelines.as_ref().map_or(first[segment], |timelines| timelines[segment].at(at));
            if told_of != answer {
                let timeline = timelines.as_ref().map(|timelines| &timelines[segment]);
                return Err(told.wrong(segment, at, &format!("it is {answer}; told of are {timeline:?}")));
            }
        }
        seen.instants.set(seen.instants.get() + 1);
    }
    // Since when the last answer of the period has been so is its last change.
    let wanted = vec![true; first.len()];
    let last = edges.walk().last_changes_of(batch, row, to, &wanted).expect("there is such a row");
    for (segment, last) in last.into_iter().enumerate() {
        let expected = timelines.as_ref().and_then(|timelines| timelines[segment].changes.last().copied());
        if expected.is_some() && last != expected || expected.is_none() && last.is_some_and(|last| last > from) {
            return Err(told.wrong(segment, to, &format!("it changed last at {expected:?}, and it says {last:?}")));
        }
    }
    let n_changes = timelines.iter().flatten().map(|timeline| timeline.changes.len() as u64).sum::<u64>();
    seen.changes.set(seen.changes.get() + n_changes);
    Ok(())
}

/// In CI a share of what `SEG_EDGES` asks for in a long run: so many pairs of a segment and a
/// person.
#[test]
fn answers_change_at_their_edges_and_nowhere_else() {
    let asked = std::env::var("SEG_EDGES").ok().and_then(|n| n.parse::<u64>().ok());
    let n_pairs = asked.unwrap_or(14_000);
    let n_each = (SENTENCES + MORE.len() + AROUND.len()) as u64 * PEOPLE as u64;
    let seed = super::asked_seed();
    let run = |number: u8| {
        let (seen, mut chance) = (Seen::default(), Chance(u64::from(number) + seed.unwrap_or(7)));
        let chances = std::cell::RefCell::new(&mut chance);
        let strategy = (
            proptest::collection::vec(profiles::person(), PEOPLE),
            proptest::collection::vec(sentences::sentence(), SENTENCES),
        );
        let n_cases = (n_pairs / n_each / 2).max(1) as u32;
        let outcome = runner(n_cases, number, seed).run(&strategy, |(profiles, sentences)| {
            let (_, program, batch, texts) = program_of(&profiles, &sentences)?;
            let plan = seg::unstable::plan_of(&program);
            let roots: Vec<usize> = (0..plan.roots().len()).collect();
            let edges = Edges::of(plan, &roots);
            let stays = Stays::of(&Arc::new(plan.clone()));
            let chance = &mut **chances.borrow_mut();
            for (row, line) in profiles.iter().enumerate() {
                let days = [0, 0, 1, 3, 28, 31, 33, 62][chance.below(8) as usize];
                let as_of = Timestamp(now().0 - days * DAY);
                let told = Told { texts: &texts, line, as_of };
                let case = (&program, &batch, &edges);
                match row % 2 {
                    0 => {
                        next_changes_are_exact(case, row, chance, &told, &seen)?;
                        nobody_is_looked_at_too_late(case, &stays, row, &told, &seen)?;
                    }
                    _ => timelines_are_exact(case, row, chance, &told, &seen)?,
                }
                seen.pairs.set(seen.pairs.get() + roots.len() as u64);
            }
            Ok(())
        });
        let of = [&seen.pairs, &seen.changes, &seen.instants, &seen.looks, &seen.wakes];
        outcome.map(|()| of.map(Cell::get)).map_err(|e| e.to_string())
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(12));
        (run(11), other.join())
    });
    let one = one.unwrap_or_else(|failure| panic!("{failure}"));
    let two = two.expect("no panic").unwrap_or_else(|failure| panic!("{failure}"));
    let [pairs, changes, instants, looks, wakes] = [0, 1, 2, 3, 4].map(|at| one[at] + two[at]);
    println!("{looks} looks again, at {wakes} of which something changes");
    println!("{pairs} pairs of a segment and a person with {changes} changes, looked at at {instants} instants");
    // Where hardly anything changes, little is proved.
    assert!(changes * 4 > pairs, "{changes} changes of {pairs} pairs");
}
