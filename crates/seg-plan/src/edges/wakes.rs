//! What of a segment changes by time alone, and whether it is known to the microsecond when.

use super::asked::Asked;
use super::{Edges, Leaf};
use crate::plan::{Node, NodeId, Plan, Root};
use crate::reach::reached_by;
use seg_data::time::CalendarUnit;
use seg_data::{AttributeId, EventId, Period, Zone};
use seg_hir::hir::{ArithmeticOp, Bound, Interval, Moment};

/// By what an answer changes though nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// So long after something.
    After(Period),
    /// So long before something that is still to come.
    Before(Period),
    /// As a period of a calendar begins.
    Begins(CalendarUnit, Zone),
    /// As a day comes that something names, or goes, or is so many days away.
    Day(Zone),
    /// As any day begins.
    EveryDay(Zone),
    /// As a time that has passed since something becomes longer than another.
    Overtakes,
}

/// What such a change depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WakeOf {
    /// Events of these names.
    Events(Vec<EventId>),
    /// Whatever somebody does.
    AnyEvent,
    /// The value of an attribute.
    Attribute(AttributeId),
    /// Something that is computed, or nothing but the calendar.
    Other,
}

impl Edges {
    /// By what a segment changes though nothing happens, each once: of the segments that these
    /// edges are of, by its position. Records with times to come change it as well.
    pub fn wakes(&self, segment: usize) -> Vec<(Wake, WakeOf)> {
        let mut found = Vec::new();
        for leaf in self.leaves_of(segment) {
            for wake in leaf.asked.wakes(&leaf.plan) {
                if !found.contains(&wake) {
                    found.push(wake);
                }
            }
        }
        found
    }

    /// Whether the instants at which a segment changes are found to the microsecond, all of them.
    ///
    /// They are not where two times that pass are compared which are multiplied or divided, so that
    /// they have to be rounded, and neither grows faster than the other by a whole number: then each
    /// may be ahead of the other for a microsecond, again and again.
    pub fn is_exact(&self, segment: usize) -> bool {
        self.leaves_of(segment).all(Leaf::is_exact)
    }
}

impl Leaf {
    fn is_exact(&self) -> bool {
        let all = reached_by(&self.plan, |node| [node.children(), node.inner()].concat());
        all.into_iter().filter_map(|id| self.plan.node(id)).all(|node| match node {
            Node::Compare(_, left, right) => {
                Growth::of(&self.plan, *left).minus(Growth::of(&self.plan, *right)).has_one_way()
            }
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Known(_)
            | Node::OneOf(..)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::InList(..)
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::Literal(_)
            | Node::Attribute(..)
            | Node::Property(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Seen(..)
            | Node::Time
            | Node::Field { .. }
            | Node::Element { .. }
            | Node::History { .. }
            | Node::HeldValue { .. }
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => true,
        })
    }
}

/// By how much a value may grow from one microsecond to the next between two edges: at least and
/// at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Growth(i128, i128);

impl Growth {
    const NONE: Growth = Growth(0, 0);

    fn of(plan: &Plan, id: NodeId) -> Growth {
        match plan.node(id) {
            Some(Node::Elapsed(_)) => Growth(1, 1),
            Some(Node::Arithmetic(op, left, right)) => {
                let (left, right) = (Growth::of(plan, *left), Growth::of(plan, *right));
                match op {
                    ArithmeticOp::Add => left.minus(right.negated()),
                    ArithmeticOp::Subtract => left.minus(right),
                    // Of two times that pass there is neither a product nor a ratio.
                    ArithmeticOp::Multiply | ArithmeticOp::Divide => Growth::NONE,
                }
            }
            Some(Node::Scale { money, numerator, denominator }) => {
                Growth::of(plan, *money).scaled(*numerator, *denominator)
            }
            // Everything else stands still between two edges.
            Some(
                Node::Const(_)
                | Node::All(_)
                | Node::Any(_)
                | Node::Cardinality { .. }
                | Node::Not(_)
                | Node::Known(_)
                | Node::Compare(..)
                | Node::OneOf(..)
                | Node::Text { .. }
                | Node::Has(..)
                | Node::FirstOrLastN { .. }
                | Node::Chain(_)
                | Node::Items { .. }
                | Node::Sample { .. }
                | Node::InList(..)
                | Node::Profile(_)
                | Node::Elements { .. }
                | Node::Literal(_)
                | Node::Attribute(..)
                | Node::Property(..)
                | Node::Moment(_)
                | Node::Today { .. }
                | Node::Seen(..)
                | Node::Time
                | Node::Field { .. }
                | Node::Element { .. }
                | Node::History { .. }
                | Node::HeldValue { .. }
                | Node::Shift { .. }
                | Node::DayOf(..)
                | Node::Part(..)
                | Node::Anniversary(..)
                | Node::Distance { .. }
                | Node::UsualGap(_)
                | Node::MostWithin { .. }
                | Node::Convert(..)
                | Node::FoldCase(_)
                | Node::ListLength(_)
                | Node::Aggregate { .. }
                | Node::Periods { .. }
                | Node::EventTime { .. }
                | Node::Missing,
            )
            | None => Growth::NONE,
        }
    }

    fn negated(self) -> Growth {
        Growth(self.1.saturating_neg(), self.0.saturating_neg())
    }

    fn minus(self, other: Growth) -> Growth {
        Growth(self.0.saturating_sub(other.1), self.1.saturating_sub(other.0))
    }

    /// What is rounded grows by the whole numbers around what it would grow by.
    fn scaled(self, numerator: i128, denominator: i128) -> Growth {
        let is_negative = (numerator < 0) != (denominator < 0);
        let (n, d) = (numerator.saturating_abs(), denominator.saturating_abs().max(1));
        let floor = |by: i128| by.saturating_mul(n).div_euclid(d);
        let ceil = |by: i128| floor(by.saturating_neg()).saturating_neg();
        let scaled = Growth(floor(self.0), ceil(self.1));
        if is_negative { scaled.negated() } else { scaled }
    }

    /// What never falls, or never grows, passes each value once.
    fn has_one_way(self) -> bool {
        self.0 >= 0 || self.1 <= 0
    }
}

impl Asked {
    fn wakes(&self, plan: &Plan) -> Vec<(Wake, WakeOf)> {
        let mut found = Vec::new();
        for (events, moment) in &self.windows {
            let of = if events.is_empty() { WakeOf::AnyEvent } else { WakeOf::Events(events.clone()) };
            found.extend(wake(*moment).map(|wake| (wake, of)));
        }
        for (attribute, Interval { from, to }) in &self.stretches {
            for Bound { moment, .. } in [from, to].into_iter().flatten() {
                found.extend(wake(*moment).map(|wake| (wake, WakeOf::Attribute(*attribute))));
            }
        }
        for (value, moment) in &self.moments {
            found.extend(wake(*moment).map(|wake| (wake, of_value(plan, *value))));
        }
        for (value, zone, _) in &self.days {
            found.push((Wake::Day(*zone), of_value(plan, *value)));
        }
        for (value, length) in &self.lengths {
            found.push((Wake::After(Period::Fixed(*length)), of_value(plan, *value)));
        }
        found.extend(self.calendars.iter().map(|zone| (Wake::EveryDay(*zone), WakeOf::Other)));
        if !self.orders().is_empty() && self.calendars.is_empty() {
            found.push((Wake::Overtakes, WakeOf::Other));
        }
        found
    }
}

/// What a moment meets as it passes; nothing where it stands still, or where it is now, which what
/// happened has passed.
fn wake(moment: Moment) -> Option<Wake> {
    match moment {
        Moment::At(_) | Moment::Before(Period::Fixed(0), _) | Moment::After(Period::Fixed(0), _) => None,
        Moment::Before(period, _) => Some(Wake::After(period)),
        Moment::After(period, _) => Some(Wake::Before(period)),
        Moment::StartOf(unit, _, zone) => Some(Wake::Begins(unit, zone)),
    }
}

/// Whose value it is, where it is made of one thing.
fn of_value(plan: &Plan, id: NodeId) -> WakeOf {
    let own = Plan { nodes: plan.nodes().to_vec(), roots: vec![Root { name: String::new(), node: id }] };
    let mut found: Vec<WakeOf> = Vec::new();
    for node in reached_by(&own, Node::children).into_iter().filter_map(|id| own.node(id)) {
        let of = match node {
            Node::Attribute(id, _) | Node::HeldValue { attribute: id, .. } | Node::History { attribute: id, .. } => {
                WakeOf::Attribute(*id)
            }
            Node::EventTime { query, .. } => WakeOf::Events(query.events.clone()),
            Node::Seen(..) => WakeOf::AnyEvent,
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Known(_)
            | Node::Compare(..)
            | Node::OneOf(..)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::InList(..)
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::Literal(_)
            | Node::Property(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Time
            | Node::Field { .. }
            | Node::Element { .. }
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Elapsed(_)
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::Missing => continue,
        };
        if !found.contains(&of) {
            found.push(of);
        }
    }
    match <[WakeOf; 1]>::try_from(found) {
        Ok([of]) => of,
        Err(_) => WakeOf::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_grows_by_whole_numbers() {
        let passing = Growth(1, 1);
        assert_eq!(passing.scaled(1, 2), Growth(0, 1));
        assert_eq!(passing.scaled(5, 2), Growth(2, 3));
        assert_eq!(passing.scaled(3, 1), Growth(3, 3));
        assert_eq!(passing.scaled(-3, 2), Growth(-2, -1));
        let is_exact = |left: Growth, right: Growth| left.minus(right).has_one_way();
        assert!(is_exact(passing.scaled(1, 2), passing) && is_exact(passing, passing.scaled(3, 2)));
        assert!(is_exact(passing.scaled(1, 2).minus(passing.scaled(-1, 2)), Growth::NONE));
        assert!(!is_exact(passing.scaled(1, 2), passing.scaled(1, 2)));
        assert!(!is_exact(passing.scaled(3, 2), passing.scaled(6, 5)));
        // Brute force: halves of two times that are an odd number of microseconds apart.
        let half = |at: i64| (at + 1).div_euclid(2);
        let ahead: Vec<bool> = (0..10).map(|at| half(at + 1) > half(at)).collect();
        assert_eq!(ahead.windows(2).filter(|pair| pair[0] != pair[1]).count(), 9);
    }
}
