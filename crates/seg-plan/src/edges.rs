//! When the answer for one person can change though nothing new happens: as an
//! event or a value crosses the edge of a window, a day of the calendar begins, or
//! the person comes to exist.

use crate::plan::{Literal, Node, Plan};
use crate::reach::reached;
use seg_data::{Batch, EventId, Period, Timestamp, Value, Zone};
use seg_hir::hir::Moment;
use std::collections::BTreeSet;

/// How many days ahead calendars are looked at.
const DAYS_AHEAD: i64 = 400;
/// More instants than this are not looked at.
const INSTANTS_MAX: usize = 20_000;

/// The first instant after `now` at which a segment, a root of the plan, has
/// another answer for a person, a row of the batch, if nothing else happens. What
/// the batch knows of that comes after `now`, events and values with a date, has
/// not happened.
///
/// Looks at every instant at which an event or a value crosses the edge of a
/// window, at the one from which the person exists and at the days of the next 400; `None` when none of them changes the
/// answer, and outside the years 1 to 9999.
pub fn next_change(plan: &Plan, root: usize, batch: &Batch, row: usize, now: Timestamp) -> Option<Timestamp> {
    let now = now.in_range().ok()?;
    let root = plan.roots().get(root)?.clone();
    let plan = Plan { nodes: plan.nodes().to_vec(), roots: vec![root] };
    crate::needs(&plan).check(batch).ok()?;
    let person = batch.known_at(row..row.checked_add(1)?, now).ok()?;
    let is_in = |at: Timestamp| crate::evaluate(&plan, &person, at).first().is_some_and(|mask| mask.get(0));
    let today = is_in(now);
    let mut before = now;
    for at in edges(&plan, &person, now) {
        if is_in(at) == today {
            before = at;
            continue;
        }
        // It changed at some instant since the one before.
        let (mut same, mut other) = (before.0, at.0);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            match is_in(Timestamp(middle)) == today {
                true => same = middle,
                false => other = middle,
            }
        }
        return Some(Timestamp(other));
    }
    None
}

/// The instants after `now` that are worth looking at, ascending.
fn edges(plan: &Plan, person: &Batch, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let (periods, zones) = periods(plan);
    let mut edges = BTreeSet::new();
    for time in times(person, now) {
        for (period, zone) in &periods {
            let edge = period.after(time, *zone);
            // Windows are closed or open: either side of the edge may be it.
            edges.extend([edge, Timestamp(edge.0.saturating_add(1))]);
        }
    }
    // Who does not exist yet will, whatever happens.
    edges.extend(person.exists_from(0));
    for zone in zones {
        let today = zone.date(now);
        edges.extend((1..=DAYS_AHEAD).map(|n| zone.start_of_day(seg_data::Date(today.0.saturating_add(n as i32)))));
    }
    edges.into_iter().filter(move |edge| *edge > now && edge.is_in_range()).take(INSTANTS_MAX)
}

/// When something happened to the person, or will: dates among the attributes may
/// lie ahead.
fn times(person: &Batch, now: Timestamp) -> BTreeSet<Timestamp> {
    let schema = person.schema();
    let mut times = BTreeSet::new();
    for id in (0..schema.events.len() as u32).map(EventId) {
        let Some(events) = person.events(id) else { continue };
        times.extend(events.range(0).map(|idx| events.time(idx)));
    }
    for id in (0..schema.attributes.len() as u32).map(seg_data::AttributeId) {
        match person.attribute(id, 0, now) {
            Some(Value::Timestamp(time)) => drop(times.insert(time)),
            Some(Value::Date(day)) => drop(times.insert(Zone::UTC.start_of_day(day))),
            _ => {}
        }
        let history = person.history(id);
        times.extend(history.into_iter().flat_map(|history| history.range(0).map(|at| history.time(at))));
    }
    times
}

/// The lengths of windows, none first, with the zones of their calendars.
fn periods(plan: &Plan) -> (Vec<(Period, Zone)>, Vec<Zone>) {
    let mut periods = vec![(Period::Fixed(0), Zone::UTC)];
    let mut zones = vec![Zone::UTC];
    let mut moment = |moment: Moment| match moment {
        Moment::Before(period, zone) => {
            periods.push((period, zone));
            zones.push(zone);
        }
        Moment::After(Period::Fixed(micros), zone) => periods.push((Period::Fixed(micros.saturating_neg()), zone)),
        Moment::After(Period::Months(months), zone) => periods.push((Period::Months(months.saturating_neg()), zone)),
        Moment::StartOf(_, _, zone) => zones.push(zone),
        Moment::At(_) => {}
    };
    let mut lengths = Vec::new();
    for node in reached(plan).into_iter().filter_map(|id| plan.node(id)) {
        for query in node.queries() {
            [query.interval.from, query.interval.to].into_iter().flatten().for_each(|bound| moment(bound.moment));
            query.known_at.into_iter().for_each(&mut moment);
        }
        match node {
            Node::Moment(at) => moment(*at),
            Node::History { of, .. } => {
                let bounds = of.interval().into_iter().flat_map(|interval| [interval.from, interval.to]);
                bounds.flatten().for_each(|bound| moment(bound.moment));
            }
            Node::Literal(Literal(Value::Integer(micros))) => lengths.extend(i64::try_from(*micros)),
            Node::Chain(chain) => {
                let within = chain.steps.iter().filter_map(|step| step.within).chain(chain.whole);
                within.for_each(|length| moment(Moment::Before(length.period, length.zone)));
            }
            Node::Seen(_, known_at) => known_at.iter().for_each(|at| moment(*at)),
            Node::Shift { by, is_back: false, .. } => moment(Moment::Before(by.period, by.zone)),
            Node::Shift { by, is_back: true, .. } => moment(Moment::After(by.period, by.zone)),
            // These change as a day begins.
            Node::Today { zone, .. } | Node::DayOf(_, zone) | Node::Part(_, _, zone) | Node::Periods { zone, .. } => {
                moment(Moment::Before(Period::Fixed(0), *zone));
            }
            // These are what they are made of, or have windows of their own, which are
            // above, or never change by themselves.
            Node::Const(_) | Node::All(_) | Node::Any(_) | Node::Cardinality { .. } | Node::Not(_) => {}
            Node::Known(_) | Node::Compare(..) | Node::OneOf(..) | Node::Text { .. } | Node::Has(..) => {}
            Node::FirstOrLastN { .. } | Node::Items { .. } | Node::Sample { .. } | Node::InList(..) => {}
            Node::Profile(_) | Node::Elements { .. } | Node::Element { .. } | Node::HeldValue { .. } => {}
            Node::Literal(_) | Node::Attribute(..) | Node::Property(..) | Node::Time | Node::Field { .. } => {}
            Node::Anniversary(..) | Node::Elapsed(_) | Node::Distance { .. } | Node::UsualGap(_) => {}
            Node::MostWithin { .. } | Node::Arithmetic(..) | Node::Scale { .. } | Node::Convert(..) => {}
            Node::FoldCase(_) | Node::ListLength(_) | Node::Aggregate { .. } | Node::EventTime { .. } => {}
            Node::Missing => {}
        }
    }
    // A number may be a length of time that something is compared with.
    periods.extend(lengths.into_iter().map(|micros| (Period::Fixed(micros), Zone::UTC)));
    zones.sort_unstable_by_key(|zone| zone.name());
    zones.dedup();
    periods.sort_unstable_by_key(|(period, zone)| (format!("{period}"), zone.name()));
    periods.dedup();
    (periods, zones)
}
