//! At which instants it begins or ceases to matter that something happens to a person.
//!
//! What happens at an instant is as old as nothing at that instant, so that it stands to the
//! ends of windows always in one way. It matters otherwise when something known crosses a
//! window, when it is a length of time that a condition speaks of away from something known,
//! when it passes an instant that is written out, or as a day begins by whose calendar it is
//! judged.

use super::moments::{Calendars, all_day_starts, days_after};
use super::values::Data;
use super::{CALENDAR_DAYS, Edges, Leaf};
use crate::plan::{Literal, Node};
use crate::reach::reached;
use seg_data::{AttributeId, Batch, Timestamp, Type, Value, Zone};
use seg_hir::hir::{CalendarPart, Length, Moment};

/// So many days are looked through for times of the day, which come again each day.
const CLOCK_DAYS: i64 = 8;
const MICROS_A_DAY: i64 = seg_data::time::DAY;

/// What a condition says of an event besides windows, by what its time can meet.
#[derive(Debug, Default)]
struct Said {
    /// From something known to what happens, either way.
    lengths: Vec<Length>,
    instants: Vec<Timestamp>,
    /// Calendars by whose days it is judged.
    calendars: Vec<Zone>,
    /// Lengths of time after midnight.
    clocks: Vec<i64>,
}

impl Edges {
    /// The instants after another one, ascending, at which time alone can change something for
    /// the only person of a batch of what is known by then. What comes again for ever is looked
    /// at up to [`CALENDAR_DAYS`] ahead.
    pub fn passing_at(&self, known: &Batch, now: Timestamp) -> Vec<Timestamp> {
        let mut calendars = Calendars::default();
        let mut found: Vec<i64> = Vec::new();
        for leaf in &self.leaves {
            let data = Data { plan: &leaf.plan, batch: known, row: 0, now };
            leaf.asked.edges(data, (now, days_after(now, CALENDAR_DAYS)), &mut calendars, &mut found);
        }
        after(found, now)
    }

    /// Instants after another one, ascending, between which it makes no difference when
    /// something happens to the only person of a batch of what is known by then: not to whether
    /// they are in a segment at the instant at which it happens. What comes again for ever is
    /// looked at up to [`CALENDAR_DAYS`] ahead. Two lengths of time that are compared with each
    /// other, as usual gaps are, may meet in between.
    pub fn happening_at(&self, known: &Batch, now: Timestamp) -> Vec<Timestamp> {
        let horizon = days_after(now, CALENDAR_DAYS);
        let mut calendars = Calendars::default();
        let mut found: Vec<i64> = vec![horizon.0];
        for leaf in &self.leaves {
            let data = Data { plan: &leaf.plan, batch: known, row: 0, now };
            leaf.asked.edges(data, (now, horizon), &mut calendars, &mut found);
            Said::by(leaf).edges(data, (now, horizon), &mut found);
        }
        after(found, now)
    }
}

/// Those after an instant, ascending, each once.
fn after(mut found: Vec<i64>, now: Timestamp) -> Vec<Timestamp> {
    found.retain(|at| now.0 < *at && *at <= Timestamp::MAX.0);
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(Timestamp).collect()
}

impl Said {
    fn by(leaf: &Leaf) -> Said {
        let mut said = Said::default();
        for node in reached(&leaf.plan).into_iter().filter_map(|id| leaf.plan.node(id)) {
            for query in node.queries() {
                let bounds = [query.interval.from, query.interval.to].into_iter().flatten();
                bounds.for_each(|bound| said.moment(bound.moment));
            }
            said.node(node);
        }
        said
    }

    fn moment(&mut self, moment: Moment) {
        match moment {
            Moment::At(at) => self.instants.push(at),
            Moment::Before(..) | Moment::After(..) | Moment::StartOf(..) => {}
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Chain(chain) => {
                self.lengths.extend(chain.whole);
                self.lengths.extend(chain.steps.iter().filter_map(|step| step.within));
            }
            Node::MostWithin { within, .. } => self.lengths.push(*within),
            Node::Shift { by, .. } => self.lengths.push(*by),
            Node::Moment(moment) => self.moment(*moment),
            Node::Literal(Literal(Value::Timestamp(at))) => self.instants.push(*at),
            Node::Literal(Literal(Value::Integer(n))) => {
                if let Ok(micros) = i64::try_from(*n) {
                    self.clocks.push(micros);
                    self.lengths.push(Length { period: seg_data::Period::Fixed(micros), zone: Zone::UTC });
                }
            }
            Node::OneOf(_, literals) => {
                for literal in literals {
                    self.node(&Node::Literal(literal.clone()));
                }
            }
            Node::Part(CalendarPart::Weekday | CalendarPart::Month | CalendarPart::TimeOfDay, _, zone)
            | Node::DayOf(_, zone)
            | Node::Today { zone, .. }
            | Node::Periods { zone, .. } => self.calendars.push(*zone),
            Node::Literal(_)
            | Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Known(_)
            | Node::Compare(..)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::InList(..)
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::Attribute(..)
            | Node::Property(..)
            | Node::Seen(..)
            | Node::Time
            | Node::Field { .. }
            | Node::Element { .. }
            | Node::History { .. }
            | Node::HeldValue { .. }
            | Node::Anniversary(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::EventTime { .. }
            | Node::Missing => {}
        }
    }

    fn edges(&self, data: Data<'_>, range: (Timestamp, Timestamp), out: &mut Vec<i64>) {
        let near = |at: Timestamp| [at.0.saturating_sub(1), at.0, at.0.saturating_add(1)];
        out.extend(self.instants.iter().copied().flat_map(near));
        let times = known_times(data);
        for length in &self.lengths {
            let meets = times.iter().flat_map(|time| [length.after(*time), length.before(*time)]);
            out.extend(meets.flat_map(near));
        }
        for zone in &self.calendars {
            all_day_starts(*zone, range, out);
            let (first, clocks) = (zone.date(range.0), self.clocks.iter().filter(|at| (0..MICROS_A_DAY).contains(*at)));
            for clock in clocks {
                let starts = (0..CLOCK_DAYS).map(|day| zone.start_of_day(first.plus_days(day)));
                out.extend(starts.flat_map(|start| near(Timestamp(start.0.saturating_add(*clock)))));
            }
        }
    }
}

/// Every instant that is known of a person: of events, of values, and values that are instants.
fn known_times(data: Data<'_>) -> Vec<Timestamp> {
    let mut times = data.all_times();
    for (id, field) in (0..).map(AttributeId).zip(&data.batch.schema().attributes) {
        times.extend(data.set_at(id));
        if field.ty == Type::Timestamp {
            times.extend(data.batch.attribute(id, data.row, data.now).and_then(|value| match value {
                Value::Timestamp(at) => Some(at),
                _ => None,
            }));
        }
    }
    times
}
