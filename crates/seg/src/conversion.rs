//! What people do once they are in a segment: how many reach a goal, how soon, and what it
//! brings.

mod goal;
mod holdout;
mod sentence;
mod winners;

use crate::compile::Program;
use crate::error::EvaluateError;
use crate::figures::percentile;
pub use crate::figures::{Difference, Share};
use crate::options::Options;
use crate::spells::{Crossing, Spells};
use goal::Deeds;
pub use goal::{Goal, GoalError, GoalWords};
use holdout::Holdout;
use seg_data::money::divide_half_even;
use seg_data::time::DAY;
use seg_data::{Batch, Mask, Timestamp, Type, Value, Zone, parallel};
use seg_hir::hir::Aggregate;
use std::collections::BTreeMap;
use std::sync::Arc;
pub use winners::Winners;

/// People are looked at so many at a time.
const CHUNK: usize = 2_048;
/// Whoever reaches a goal so soon after what made them a member may only have gone on with it.
const SOON: i64 = 3_600_000_000;

/// What is asked.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The segments as a program.
    pub program: &'a Program,
    /// The people, with all that they did.
    pub batch: &'a Batch,
    /// What they are hoped to do.
    pub goal: &'a Goal,
    /// Which segments, by their positions among those that are run.
    pub segments: &'a [usize],
    /// People count who enter from the first instant on and before the second.
    pub period: (Timestamp, Timestamp),
    /// What comes later does not exist.
    pub at: Timestamp,
    /// Whose days are told apart.
    pub zone: Zone,
    /// The name by which people are held out of the segments, where some are.
    pub holdout: Option<&'a str>,
    /// How to evaluate.
    pub options: &'a Options,
}

/// Why it cannot be answered.
#[derive(Debug, Clone)]
pub enum ConversionError {
    /// The data cannot be evaluated.
    Evaluate(EvaluateError),
    /// A segment holds nobody out by that name, or in several ways.
    NoHoldout {
        /// The segment.
        segment: String,
    },
}

impl From<EvaluateError> for ConversionError {
    fn from(error: EvaluateError) -> ConversionError {
        ConversionError::Evaluate(error)
    }
}

/// What came of the people of some segments.
#[derive(Debug, Clone)]
pub struct Conversions {
    /// The newest event of any kind up to the instant that is asked about: goals are looked
    /// for up to there. None where there are no events.
    pub data_end: Option<Timestamp>,
    /// Of each segment that was asked for.
    pub segments: Vec<Conversion>,
    /// Everybody once, by the segment that they go to, where several of those that were asked
    /// for have an order and nobody is held out.
    pub winners: Option<Winners>,
}

/// What came of the people who entered a segment.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// Its position among the segments that are run.
    pub segment: usize,
    /// How many were in it when the period began; they entered before it.
    pub already_in: u64,
    /// How often somebody entered within it.
    pub entries: u64,
    /// Everybody who entered, each by the first time.
    pub all: Group,
    /// Those who are held out, and the others, where some are.
    pub split: Option<Split>,
    /// People who were not in it, where nobody is held out.
    pub outside: Option<Outside>,
}

/// People who are held out beside those who are not.
#[derive(Debug, Clone)]
pub struct Split {
    /// Who is held out.
    pub held_out: Group,
    /// Who is not.
    pub others: Group,
}

impl Split {
    /// How much higher the rate of those is who are not held out.
    pub fn difference(&self) -> Option<Difference> {
        self.others.converted().above(self.held_out.converted())
    }
}

/// What came of some people who entered.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// How many entered. Where people count from what they are sent on, those who were sent
    /// something.
    pub people: u64,
    /// How many were not sent anything, where they would count from that on.
    pub not_sent: u64,
    /// How many of the people had all of their time before the data ended: they alone count.
    pub complete: u64,
    /// How many of the others reached the goal already.
    pub incomplete_with_goal: u64,
    /// How long it took those who reached it in time, in microseconds, ascending.
    pub times: Vec<i64>,
    /// How many of them took less than an hour after an event of the goal's name by which
    /// they entered.
    pub soon: u64,
    /// What it brought in all; none where that was not asked for, or is too large to say.
    pub revenue: Option<Value>,
}

impl Group {
    /// How many of those whose time is over reached the goal.
    pub fn converted(&self) -> Share {
        Share { part: self.times.len() as u64, whole: self.complete }
    }

    /// How many have not had their time yet.
    pub fn incomplete(&self) -> u64 {
        self.people - self.complete
    }

    /// How long it took those who reached it, in microseconds, at a percentile by nearest rank.
    pub fn time(&self, percent: u64) -> Option<i64> {
        percentile(&self.times, percent)
    }

    /// What a person who entered brought, of those whose time is over.
    pub fn revenue_per_person(&self) -> Option<Value> {
        if self.complete == 0 {
            return None;
        }
        match self.revenue.as_ref()? {
            Value::Money(scaled) => divide_half_even(*scaled, i128::from(self.complete)).map(Value::Money),
            Value::Integer(whole) => Some(Value::Number(*whole as f64 / self.complete as f64)),
            Value::Number(number) => Some(Value::Number(number / self.complete as f64)),
            Value::Boolean(_) | Value::Text(_) | Value::Timestamp(_) | Value::Date(_) | Value::List(_) => None,
        }
    }

    /// Whether a tenth of those who reached the goal may only have gone on with what made them
    /// members.
    pub fn may_be_same_act(&self) -> bool {
        self.soon > 0 && self.soon * 10 >= self.times.len() as u64
    }
}

/// People who were not in a segment, on the days on which others entered it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outside {
    /// The days of the period whose goals are all known.
    pub days: Vec<OutsideDay>,
}

/// The people who were not in a segment when a day began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutsideDay {
    /// When it began.
    pub day: Timestamp,
    /// How many entered the segment, first, on it.
    pub entered: u64,
    /// How many existed and were not in it when it began, and how many of them reached the
    /// goal in the time from then on.
    pub outside: Share,
}

impl Outside {
    /// The rate of a day, weighed by how many entered on it.
    pub fn rate(&self) -> Option<f64> {
        let weighed = self.days.iter().filter_map(|day| Some((day.entered as f64, day.outside.rate()?)));
        let (sum, n) = weighed.fold((0.0, 0.0), |(sum, n), (entered, rate)| (sum + entered * rate, n + entered));
        (n > 0.0).then(|| sum / n)
    }
}

/// Says what came of the people who entered segments.
///
/// # Errors
/// See [`ConversionError`].
pub fn conversions(of: Asked<'_>) -> Result<Conversions, ConversionError> {
    let from = of.period.0;
    let (before, last) = looked_at(&of);
    let mut judged: Vec<(Spells, Option<Mask>)> = Vec::with_capacity(of.segments.len());
    match of.holdout {
        None => {
            let spells = of.program.prepare().spells(of.batch, (before, last), of.segments, of.options)?;
            judged.extend(spells.into_iter().map(|spells| (spells, None)));
        }
        Some(name) => {
            for segment in of.segments {
                judged.push(without_holdout(&of, *segment, (before, last), name)?);
            }
        }
    }
    let first: Vec<BTreeMap<u32, Crossing>> = judged.iter().map(|(spells, _)| first_entries(spells, from)).collect();
    let mut entered = vec![false; of.batch.len()];
    for row in first.iter().flat_map(BTreeMap::keys) {
        entered.get_mut(*row as usize).into_iter().for_each(|has_entered| *has_entered = true);
    }
    let people = gather(&of, &entered)?;
    let data_end = data_end(of.batch, of.at);
    let segments = of.segments.iter().zip(&judged).zip(&first).map(|((segment, (spells, held_out)), first)| {
        let group = |is_in: &dyn Fn(u32) -> bool| {
            let members = first.values().filter(|entry| is_in(entry.row));
            group(&of, members.filter_map(|entry| Some((*entry, people.deeds.get(&entry.row)?))), data_end)
        };
        let is_held_out = |mask: &Mask, row: u32| mask.get(row as usize);
        let is_entry = |crossing: &&Crossing| crossing.is_entry && from <= crossing.at;
        Conversion {
            segment: *segment,
            already_in: spells.members.count() as u64,
            entries: spells.crossings.iter().filter(is_entry).count() as u64,
            all: group(&|_| true),
            split: held_out.as_ref().map(|mask| Split {
                held_out: group(&|row| is_held_out(mask, row)),
                others: group(&|row| !is_held_out(mask, row)),
            }),
            outside: held_out.is_none().then(|| outside(&of, (spells, first), &people.times, data_end)),
        }
    });
    let segments = segments.collect();
    let winners = winners::winners(&of, &people.deeds, data_end)?;
    Ok(Conversions { data_end, segments, winners })
}

/// From when to when entries and exits are looked at.
fn looked_at(of: &Asked<'_>) -> (Timestamp, Timestamp) {
    let (from, to) = of.period;
    // Who enters at the first instant enters within the period.
    let before = Timestamp(from.0.saturating_sub(1)).in_range().unwrap_or(from);
    (before, Timestamp(to.0.saturating_sub(1)).min(of.at))
}

/// The entries and exits of a segment as it is without its holdout, and who is held out.
fn without_holdout(
    of: &Asked<'_>,
    segment: usize,
    period: (Timestamp, Timestamp),
    name: &str,
) -> Result<(Spells, Option<Mask>), ConversionError> {
    let module = of.program.module();
    let own = module.run().nth(segment);
    let holdout = own.and_then(|(id, _)| Holdout::of(module, id, name));
    let Some(holdout) = holdout else {
        let segment = own.map_or(String::new(), |(_, segment)| segment.name.clone());
        return Err(ConversionError::NoHoldout { segment });
    };
    let held_out = holdout.people(of.batch, name);
    let prepared = Program::of_module(holdout.module, of.program.schema()).prepare();
    let spells = prepared.spells(of.batch, period, &[segment], of.options)?;
    let spells = spells.into_iter().next();
    Ok((
        spells.unwrap_or_else(|| Spells { members: Mask::none(of.batch.len()), crossings: Vec::new() }),
        Some(held_out),
    ))
}

/// The first entry of each person from an instant on.
fn first_entries(spells: &Spells, from: Timestamp) -> BTreeMap<u32, Crossing> {
    let mut first = BTreeMap::new();
    for entry in spells.crossings.iter().filter(|crossing| crossing.is_entry && from <= crossing.at) {
        first.entry(entry.row).or_insert(*entry);
    }
    first
}

/// What people did.
struct People {
    /// When each person reached the goal, ascending.
    times: Vec<Vec<Timestamp>>,
    /// All that may count of those who entered.
    deeds: BTreeMap<u32, Deeds>,
}

fn gather(of: &Asked<'_>, entered: &[bool]) -> Result<People, EvaluateError> {
    let (batch, n) = (of.batch, of.batch.len());
    let cancelled = || of.options.cancel.as_ref().is_some_and(seg_data::Cancel::is_cancelled);
    let chunk = |first: usize| -> Result<People, EvaluateError> {
        if cancelled() {
            return Err(EvaluateError::Cancelled);
        }
        let len = CHUNK.min(n - first);
        let part = Batch::new(Arc::clone(batch.schema()), batch.records().slice(first, len))?;
        let mut people = People { times: Vec::new(), deeds: BTreeMap::new() };
        let own = entered.get(first..first + len).unwrap_or(&[]);
        if own.contains(&true) {
            let deeds = of.goal.deeds(&part, of.at)?;
            people.times = deeds.iter().map(|deeds| deeds.reached.iter().map(|deed| deed.at).collect()).collect();
            let rows = deeds.into_iter().zip(own).enumerate().filter(|(_, (_, has_entered))| **has_entered);
            people.deeds = rows.map(|(row, (deeds, _))| ((first + row) as u32, deeds)).collect();
        } else {
            people.times = of.goal.times(&part, of.at)?;
        }
        Ok(people)
    };
    let per_thread = parallel::share_len(n, of.options.threads, CHUNK).next_multiple_of(CHUNK);
    let stretches = parallel::map_ranges(n, per_thread, |rows| {
        rows.step_by(CHUNK).map(chunk).collect::<Result<Vec<People>, EvaluateError>>()
    });
    let mut people = People { times: Vec::with_capacity(n), deeds: BTreeMap::new() };
    for stretch in stretches {
        for part in stretch? {
            people.times.extend(part.times);
            people.deeds.extend(part.deeds);
        }
    }
    Ok(people)
}

/// The newest event of any kind up to an instant.
fn data_end(batch: &Batch, at: Timestamp) -> Option<Timestamp> {
    let newest = batch.all_events().filter_map(|events| match events.extent() {
        Some((_, last)) if last <= at => Some(last),
        Some((first, _)) if first <= at => {
            let times = (0..events.n_profiles()).flat_map(|row| events.range(row)).map(|idx| events.time(idx));
            times.filter(|time| *time <= at).max()
        }
        Some(_) | None => None,
    });
    newest.max()
}

fn group<'d>(
    of: &Asked<'_>,
    members: impl Iterator<Item = (Crossing, &'d Deeds)>,
    data_end: Option<Timestamp>,
) -> Group {
    let mut group = Group::default();
    let mut values = Vec::new();
    for (entry, deeds) in members {
        let window_end = of.goal.within().after(entry.at);
        let start = match of.goal.counts_from_sent() {
            true => deeds.sent.iter().copied().find(|at| entry.at <= *at && *at <= window_end),
            false => Some(entry.at),
        };
        let Some(start) = start else {
            group.not_sent += 1;
            continue;
        };
        group.people += 1;
        let end = of.goal.within().after(start);
        // An event of the entry's own order has the value that the entry has.
        let same: Vec<&Value> = deeds.others.iter().filter(|(at, _)| *at == entry.at).map(|(_, value)| value).collect();
        let is_another =
            |other: &Option<Value>| same.is_empty() || other.as_ref().is_some_and(|other| !same.contains(&other));
        let mut in_time =
            deeds.reached.iter().filter(|deed| start < deed.at && deed.at <= end && is_another(&deed.other)).peekable();
        let took = in_time.peek().map(|deed| deed.at.0 - start.0);
        if data_end.is_none_or(|data_end| data_end < end) {
            group.incomplete_with_goal += u64::from(took.is_some());
            continue;
        }
        group.complete += 1;
        let is_by_goal = entry.by_event && deeds.reached.iter().any(|deed| deed.at == entry.at);
        group.soon += u64::from(is_by_goal && took.is_some_and(|took| took <= SOON));
        group.times.extend(took);
        values.extend(in_time.filter_map(|deed| deed.revenue.clone()));
        let less = deeds.less.iter().filter(|(at, _)| start < *at && *at <= end);
        values.extend(less.map(|(_, value)| taken_off(value)));
    }
    group.times.sort_unstable();
    group.revenue = of.goal.revenue_type().and_then(|ty| total(values, ty));
    group
}

/// What is taken off counts against the rest, whether it was kept with a sign or without.
fn taken_off(value: &Value) -> Value {
    match value {
        Value::Integer(whole) => Value::Integer(-whole.saturating_abs()),
        Value::Money(scaled) => Value::Money(-scaled.saturating_abs()),
        Value::Number(number) => Value::Number(-number.abs()),
        other @ (Value::Boolean(_) | Value::Text(_) | Value::Timestamp(_) | Value::Date(_) | Value::List(_)) => {
            other.clone()
        }
    }
}

fn total(values: Vec<Value>, ty: &Type) -> Option<Value> {
    seg_hir::aggregate(Aggregate::Total, values, ty)
}

/// The people who were not in a segment on the days of the period.
fn outside(
    of: &Asked<'_>,
    (spells, first): (&Spells, &BTreeMap<u32, Crossing>),
    times: &[Vec<Timestamp>],
    data_end: Option<Timestamp>,
) -> Outside {
    let days = days(of.period, of.zone);
    let ends = days.iter().copied().skip(1).chain([of.period.1]);
    let mut found = Outside::default();
    for (day, next) in days.iter().copied().zip(ends) {
        let end = of.goal.within().after(day);
        if data_end.is_none_or(|data_end| data_end < end) {
            continue;
        }
        let (members, existing) = (spells.members_at(day), of.batch.existing(day));
        let is_outside = |row: &usize| !members.get(*row) && existing.as_ref().is_none_or(|mask| mask.get(*row));
        let (mut part, mut whole) = (0, 0);
        for row in (0..times.len()).filter(is_outside) {
            let own = times.get(row).map_or(&[][..], Vec::as_slice);
            let next_goal = own.get(own.partition_point(|at| *at <= day));
            whole += 1;
            part += u64::from(next_goal.is_some_and(|at| *at <= end));
        }
        let entered = first.values().filter(|entry| day <= entry.at && entry.at < next).count() as u64;
        found.days.push(OutsideDay { day, entered, outside: Share { part, whole } });
    }
    found
}

/// The beginnings of the days of a period, by the clocks of the zone.
fn days((from, to): (Timestamp, Timestamp), zone: Zone) -> Vec<Timestamp> {
    let local = from.0.saturating_add(zone.offset(from));
    let later = (1..).map_while(|day: i64| zone.instant_of(Timestamp(local.checked_add(day.checked_mul(DAY)?)?)));
    std::iter::once(from).chain(later).take_while(|day| *day < to).collect()
}
