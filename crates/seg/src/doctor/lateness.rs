//! How long after they happened events arrived, and what a run of then took for an entry.

use super::entries::steps;
use super::words::{lasting, percent, written};
use super::{Examined, Finding, FindingKind, evaluate};
use crate::error::EvaluateError;
use crate::figures::percentile;
use seg_data::schema::{Event, Field};
use seg_data::shown::grouped;
use seg_data::{Batch, EventId, Mask, Period, PropertyId, Schema, Timestamp, Type, Value, Zone};
use seg_io::manifest::Data;
use std::sync::Arc;

/// The property that holds when an event arrived, in a schema that [`with_received`] made.
pub const RECEIVED: &str = "$received";

/// A schema and the sources of data in which events have a property [`RECEIVED`], where a
/// source of events says which of its columns is that.
pub fn with_received(schema: &Schema, data: &Data) -> Option<(Schema, Data)> {
    let (mut schema, mut data) = (schema.clone(), data.clone());
    let mut is_said = false;
    for source in &mut data.events {
        if let Some(column) = &source.received {
            source.reading.columns.insert(RECEIVED.to_owned(), column.clone());
            is_said = true;
        }
    }
    // A store was packed without it.
    if !is_said || data.store.is_some() {
        return None;
    }
    schema.events.iter_mut().for_each(|event| event.properties.push(received(event)));
    Some((schema, data))
}

fn received(event: &Event) -> Field {
    Field {
        name: RECEIVED.to_owned(),
        also: Vec::new(),
        description: None,
        ty: Type::Timestamp,
        is_required: false,
        recurring: None,
        keeps_history: false,
        allowed: None,
        declared_at: event.declared_at.clone(),
    }
}

/// How long after they happened the events of one name arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Lateness {
    /// Their name.
    pub event: String,
    /// How many of them say when they arrived.
    pub events: u64,
    /// The delay at the percentiles 50, 95 and 99 by nearest rank, in microseconds; below 0
    /// for what arrived before it happened.
    pub p50: i64,
    /// See `p50`.
    pub p95: i64,
    /// See `p50`.
    pub p99: i64,
    /// How late they may arrive by the schema, in microseconds, where it says so.
    pub arrives_within: Option<i64>,
    /// How many arrived later than that.
    pub over: u64,
    /// How many arrived before they happened.
    pub below_zero: u64,
}

/// The people whom a run of each of the last days would have taken for new in a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LateEntries {
    /// How many entries there were with what had arrived.
    entries: u64,
    /// How many of them are none, now that everything that happened by then is known.
    none: u64,
}

/// The property of an event that says when it arrived.
fn received_of(batch: &Batch, id: EventId) -> Option<PropertyId> {
    batch.schema().event(id)?.properties.iter().position(|field| field.name == RECEIVED).map(|at| PropertyId(at as u32))
}

fn arrival(batch: &Batch, id: EventId, idx: usize) -> Option<Timestamp> {
    let value = batch.events(id)?.property(received_of(batch, id)?, idx)?;
    if let Value::Timestamp(at) = value { Some(at) } else { None }
}

/// Of each name of which some event says when it arrived.
pub(super) fn of(of: Examined<'_>) -> Vec<Lateness> {
    let mut all = Vec::new();
    for (at, event) in of.batch.schema().events.iter().enumerate() {
        let id = EventId(at as u32);
        let Some(events) = of.batch.events(id) else { continue };
        let ids = (0..events.n_profiles()).flat_map(|row| events.range(row));
        let known = ids.filter(|idx| events.time(*idx) <= of.now);
        let delay = |idx| arrival(of.batch, id, idx).map(|at| at.0.saturating_sub(events.time(idx).0));
        let mut delays: Vec<i64> = known.filter_map(delay).collect();
        delays.sort_unstable();
        let at = |percent| percentile(&delays, percent);
        let (Some(p50), Some(p95), Some(p99)) = (at(50), at(95), at(99)) else { continue };
        // A length in months is that up to now.
        let arrives_within = event.arrives_within.map(|period| match period {
            Period::Fixed(micros) => micros,
            Period::Months(_) => of.now.0.saturating_sub(period.before(of.now, of.zone.unwrap_or(Zone::UTC)).0),
        });
        let n_over = |limit: i64| delays.len() - delays.partition_point(|delay| *delay <= limit);
        all.push(Lateness {
            event: event.name.clone(),
            events: delays.len() as u64,
            p50,
            p95,
            p99,
            arrives_within,
            over: arrives_within.map_or(0, |limit| n_over(limit) as u64),
            below_zero: delays.partition_point(|delay| *delay < 0) as u64,
        });
    }
    all
}

/// For each segment the entries of the last days as runs of then would have seen them: a
/// person who is in at the end of a day by what had arrived, and was not at its beginning.
/// One who is not in by what is known today never was one. None without arrivals.
pub(super) fn entries(of: Examined<'_>) -> Result<Vec<LateEntries>, EvaluateError> {
    let has_arrivals =
        (0..of.batch.schema().events.len()).any(|at| received_of(of.batch, EventId(at as u32)).is_some());
    if !has_arrivals {
        return Ok(Vec::new());
    }
    let program = of.program;
    let bare = |batch: &Batch| Batch::new(Arc::clone(program.schema()), batch.records().clone());
    let whole = bare(of.batch)?;
    let mut found = vec![LateEntries::default(); program.segment_names().count()];
    let mut before: Option<Vec<Mask>> = None;
    for at in steps(of.now, of.limits.entry_days) {
        // What does not say when it arrived arrived when it happened.
        let arrived = of.batch.with_events(|id, idx| arrival(of.batch, id, idx).is_none_or(|arrived| arrived <= at))?;
        let (live, known) = (evaluate(of, &bare(&arrived)?, at)?, evaluate(of, &whole, at)?);
        if let Some(before) = &before {
            for (((found, live), before), known) in found.iter_mut().zip(&live).zip(before).zip(&known) {
                let entered = live.without(before);
                found.entries += entered.count() as u64;
                found.none += entered.without(known).count() as u64;
            }
        }
        before = Some(live);
    }
    Ok(found)
}

pub(super) fn tell(of: Examined<'_>, all: &[Lateness], entries: &[LateEntries], findings: &mut Vec<Finding>) {
    for late in all {
        let share = late.over as f64 / late.events as f64;
        if let Some(limit) = late.arrives_within.filter(|_| share > of.limits.late) {
            let (p99, grace) = (lasting(late.p99), written(late.p99));
            findings.push(Finding {
                kind: FindingKind::Late,
                about: vec![late.event.clone()],
                says: format!(
                    "{} of `{}` arrive later than {}; 99 of 100 are there within {p99}",
                    percent(share),
                    late.event,
                    lasting(limit)
                ),
                write: format!(
                    "`arrives_within = \"{grace}\"` in the schema, and `grace period {grace}` where its absence counts"
                ),
                figure: Some(share),
                limit: Some(of.limits.late),
            });
        }
        if late.below_zero > 0 {
            let share = late.below_zero as f64 / late.events as f64;
            findings.push(Finding {
                kind: FindingKind::Late,
                about: vec![late.event.clone()],
                says: format!("{} of `{}` arrive before they happen", percent(share), late.event),
                write: "compare the clocks and the time zones of both columns".to_owned(),
                figure: Some(share),
                limit: Some(0.0),
            });
        }
    }
    let longest = all.iter().map(|late| late.p99).max().unwrap_or(0);
    for ((_, segment), late) in of.program.module().run().zip(entries).filter(|(_, late)| late.none > 0) {
        let (n, days) = (grouped(late.none), of.limits.entry_days);
        findings.push(Finding {
            kind: FindingKind::Late,
            about: vec![segment.name.clone()],
            says: format!(
                "of {} entries of \"{}\" in {days} days {n} are none once every event is known",
                grouped(late.entries),
                segment.name
            ),
            write: format!("`grace period {}` below the name of \"{}\"", written(longest), segment.name),
            figure: Some(late.none as f64),
            limit: Some(0.0),
        });
    }
}
