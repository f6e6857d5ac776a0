//! What a condition asks that time alone can change, whoever it is asked of.

use super::moments::{Calendars, all_day_starts, calendar_of, passes_day};
use super::values::Data;
use crate::plan::{Literal, Node, NodeId, Plan, Query, Root};
use crate::reach::reached_from;
use seg_data::{AttributeId, EventId, Period, Timestamp, Value, Zone};
use seg_hir::hir::{CompareOp, DayOffset, Interval, Moment, OfHistory};

/// How a value is made of `now`.
#[derive(Debug, Clone, PartialEq)]
enum OfNow {
    /// Not at all, or only by the windows of its queries.
    No,
    Moment(Moment),
    Today(Zone, DayOffset),
    /// As the time since another, which this node is.
    Elapsed(NodeId),
    /// Otherwise: it can change as a day of these zones begins.
    Days(Vec<Zone>),
}

/// What a condition asks, by what can change its answer.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Events whose coming is asked about; of all names, where `every_event`.
    events: Vec<EventId>,
    every_event: bool,
    /// Attributes that are read; a value that is set can change the answer.
    attributes: Vec<AttributeId>,
    /// Edges of windows, or moments up to which events are known, of events of some names;
    /// of all names without any.
    pub(super) windows: Vec<(Vec<EventId>, Moment)>,
    /// Windows that stretches of a history lie in.
    pub(super) stretches: Vec<(AttributeId, Interval)>,
    /// Values that are compared with a moment, a day off today, or a length of time.
    pub(super) moments: Vec<(NodeId, Moment)>,
    pub(super) days: Vec<(NodeId, Zone, DayOffset)>,
    pub(super) lengths: Vec<(NodeId, i64)>,
    /// Calendars of which every day can change the answer: as far as the horizon.
    pub(super) calendars: Vec<Zone>,
    /// Comparisons of a time that passes with a value of the person's: whether the one is
    /// less, equal, or greater.
    orders: Vec<Plan>,
}

impl Asked {
    /// Of the only root of a plan.
    pub fn of(plan: &Plan) -> Asked {
        Asked::of_nodes(plan, plan.roots().iter().map(|root| root.node).collect())
    }

    /// Of some nodes of a plan.
    fn of_nodes(plan: &Plan, nodes: Vec<NodeId>) -> Asked {
        let mut asked = Asked::default();
        for id in reached_from(plan, nodes, |node| [node.children(), node.inner()].concat()) {
            let Some(node) = plan.node(id) else { continue };
            node.queries().into_iter().for_each(|query| asked.query(query));
            asked.node(plan, node);
        }
        asked.events.sort_unstable();
        asked.events.dedup();
        asked.attributes.sort_unstable();
        asked.attributes.dedup();
        asked.calendars.sort_unstable_by_key(|zone| zone.name());
        asked.calendars.dedup();
        asked
    }

    /// Whether what it asks comes again for ever, so that only a horizon ends it.
    pub fn has_calendars(&self) -> bool {
        !self.calendars.is_empty()
    }

    /// Whether nothing that it asks changes by time alone.
    pub fn stands_still(&self) -> bool {
        self.windows.is_empty()
            && self.stretches.is_empty()
            && self.moments.is_empty()
            && self.days.is_empty()
            && self.lengths.is_empty()
            && self.calendars.is_empty()
            && self.orders.is_empty()
    }

    /// Whether its edges are known within a range alone.
    pub fn is_bounded(&self) -> bool {
        !(self.calendars.is_empty() && self.stretches.is_empty() && self.orders.is_empty())
    }

    /// Plans of three conditions each: whether a time that passes is less than what it is
    /// compared with, as much, or more. Between two edges that changes in this order or in
    /// the other, for both grow evenly or not at all.
    pub fn orders(&self) -> &[Plan] {
        &self.orders
    }

    fn query(&mut self, query: &Query) {
        self.events.extend(&query.events);
        let bounds = [query.interval.from, query.interval.to].into_iter().flatten();
        for moment in bounds.map(|bound| bound.moment).chain(query.known_at) {
            self.windows.push((query.events.clone(), moment));
        }
    }

    fn node(&mut self, plan: &Plan, node: &Node) {
        match node {
            Node::Compare(_, left, right) => self.compared(plan, *left, *right),
            Node::OneOf(value, literals) => self.one_of(plan, *value, literals),
            Node::Seen(_, known_at) => {
                self.every_event = true;
                self.windows.extend(known_at.iter().map(|moment| (Vec::new(), *moment)));
            }
            Node::Attribute(id, _)
            | Node::Elements { list: id, .. }
            | Node::Element { list: id, .. }
            | Node::HeldValue { attribute: id, .. } => self.attributes.push(*id),
            Node::History { attribute, of, .. } => {
                self.attributes.push(*attribute);
                match of {
                    OfHistory::Stretches(interval) | OfHistory::Changes(interval) => {
                        self.stretches.push((*attribute, *interval));
                    }
                    OfHistory::Since => {}
                }
            }
            // Whether a value is there, and what hands a value on: whoever compares it
            // sees to it.
            Node::Known(_)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Elapsed(_)
            | Node::Shift { .. }
            | Node::DayOf(..)
            | Node::Part(..)
            | Node::Anniversary(..)
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_) => {}
            // These ask of their members, of events and of values that do not pass.
            Node::Const(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Cardinality { .. }
            | Node::Not(_)
            | Node::Text { .. }
            | Node::Has(..)
            | Node::FirstOrLastN { .. }
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::InList(..)
            | Node::Profile(_)
            | Node::Literal(_)
            | Node::Property(..)
            | Node::Time
            | Node::Field { .. }
            | Node::Distance { .. }
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => {
                // Were one of `now` among what they are made of, each day would be an edge.
                for child in [node.children(), node.inner()].concat() {
                    let is_value = plan.node(child).is_some_and(|child| !child.is_condition());
                    if is_value {
                        self.each_day(&of_now(plan, child));
                    }
                }
            }
        }
    }

    fn compared(&mut self, plan: &Plan, left: NodeId, right: NodeId) {
        match (of_now(plan, left), of_now(plan, right)) {
            (OfNow::No, OfNow::No) => {}
            (OfNow::Moment(moment), OfNow::No) => self.moments.push((right, moment)),
            (OfNow::No, OfNow::Moment(moment)) => self.moments.push((left, moment)),
            (OfNow::Today(zone, offset), OfNow::No) => self.days.push((right, zone, offset)),
            (OfNow::No, OfNow::Today(zone, offset)) => self.days.push((left, zone, offset)),
            (OfNow::Elapsed(of), OfNow::No) if literal(plan, right).is_some() => {
                self.lengths.extend(literal(plan, right).map(|length| (of, length)));
            }
            (OfNow::No, OfNow::Elapsed(of)) if literal(plan, left).is_some() => {
                self.lengths.extend(literal(plan, left).map(|length| (of, length)));
            }
            (one, other) => {
                self.each_day(&one);
                self.each_day(&other);
                self.orders.push(order(plan, left, right));
            }
        }
    }

    fn one_of(&mut self, plan: &Plan, value: NodeId, literals: &[Literal]) {
        match of_now(plan, value) {
            OfNow::No => {}
            OfNow::Elapsed(of) => {
                let lengths = literals.iter().filter_map(|literal| length(&literal.0));
                self.lengths.extend(lengths.map(|length| (of, length)));
            }
            // Nothing that can be written asks so.
            other @ (OfNow::Moment(_) | OfNow::Today(..) | OfNow::Days(_)) => self.each_day(&other),
        }
    }

    fn each_day(&mut self, of_now: &OfNow) {
        match of_now {
            OfNow::No | OfNow::Elapsed(_) => {}
            OfNow::Moment(moment) => self.calendars.extend(calendar_of(*moment)),
            OfNow::Today(zone, _) => self.calendars.push(*zone),
            OfNow::Days(zones) => self.calendars.extend(zones),
        }
    }

    /// Adds the instants at which the answer for a person may change, in any order, also
    /// some outside of `range`. Between two of them it does not change, but for `orders`.
    pub fn edges(&self, data: Data<'_>, range: (Timestamp, Timestamp), calendars: &mut Calendars, out: &mut Vec<i64>) {
        let all = if self.every_event || self.windows.iter().any(|(events, _)| events.is_empty()) {
            data.all_times()
        } else {
            Vec::new()
        };
        let times = |events: &[EventId]| if events.is_empty() { all.clone() } else { data.times_of(events) };
        out.extend(data.times_of(&self.events).into_iter().map(|time| time.0));
        let mut attributes = self.attributes.clone();
        if self.every_event {
            out.extend(all.iter().map(|time| time.0));
            attributes.extend(data.batch.schema().first_seen);
        }
        out.extend(attributes.into_iter().flat_map(|id| data.set_at(id)).map(|time| time.0));
        for (events, moment) in &self.windows {
            times(events).into_iter().for_each(|time| calendars.passes(*moment, time, out));
        }
        for (attribute, interval) in &self.stretches {
            self.of_stretches(data.set_at(*attribute), *interval, range, calendars, out);
        }
        for (value, moment) in &self.moments {
            for value in data.possible(*value) {
                if let Value::Timestamp(time) = value {
                    calendars.passes(*moment, time, out);
                }
            }
        }
        for (value, zone, offset) in &self.days {
            for value in data.possible(*value) {
                if let Value::Date(day) = value {
                    passes_day(*zone, *offset, day, out);
                }
            }
        }
        for (of, length) in &self.lengths {
            for value in data.possible(*of) {
                if let Value::Timestamp(time) = value {
                    calendars.passes(Moment::Before(Period::Fixed(*length), Zone::UTC), time, out);
                }
            }
        }
        self.calendars.iter().for_each(|zone| all_day_starts(*zone, range, out));
    }

    /// A stretch touches a window by its own ends and by those of the window, which may
    /// also pass each other.
    fn of_stretches(
        &self,
        set: Vec<Timestamp>,
        interval: Interval,
        range: (Timestamp, Timestamp),
        calendars: &mut Calendars,
        out: &mut Vec<i64>,
    ) {
        let near = |time: Timestamp| [-1, 0, 1].map(|by| Timestamp(time.0.saturating_add(by)));
        let ends: Vec<Moment> = [interval.from, interval.to].into_iter().flatten().map(|bound| bound.moment).collect();
        for moment in &ends {
            if let Moment::At(at) = moment {
                out.extend(near(*at).map(|at| at.0));
            }
            set.iter().copied().flat_map(near).for_each(|time| calendars.passes(*moment, time, out));
        }
        let [from, to] = ends.as_slice() else { return };
        for (one, other) in [(from, to), (to, from)] {
            match one {
                // It stands still, and the other may pass it.
                Moment::At(at) => near(*at).into_iter().for_each(|at| calendars.passes(*other, at, out)),
                Moment::StartOf(_, _, zone) => {
                    let mut starts = Vec::new();
                    all_day_starts(*zone, range, &mut starts);
                    for start in &starts {
                        near(one.at(Timestamp(*start))).into_iter().for_each(|at| calendars.passes(*other, at, out));
                    }
                    out.extend(starts);
                }
                Moment::Before(Period::Fixed(_), _) | Moment::After(Period::Fixed(_), _) => {}
                Moment::Before(Period::Months(months), zone) => {
                    of_days(calendars, (*zone, months.saturating_neg()), range, out);
                }
                Moment::After(Period::Months(months), zone) => of_days(calendars, (*zone, *months), range, out),
            }
        }
    }
}

/// Every instant of a range at which so many months later is another length of time away.
fn of_days(calendars: &mut Calendars, (zone, months): (Zone, i64), range: (Timestamp, Timestamp), out: &mut Vec<i64>) {
    let (mut day, last) = (zone.date(range.0), zone.date(range.1));
    while day <= last {
        out.extend(calendars.pieces(zone, months, day).iter().map(|(start, _)| *start));
        day = day.plus_days(1);
    }
}

/// Whether time alone does not change a value.
pub(super) fn value_stands_still(plan: &Plan, id: NodeId) -> bool {
    of_now(plan, id) == OfNow::No && Asked::of_nodes(plan, vec![id]).stands_still()
}

fn of_now(plan: &Plan, id: NodeId) -> OfNow {
    let Some(node) = plan.node(id) else { return OfNow::No };
    match node {
        Node::Moment(Moment::At(_)) => OfNow::No,
        Node::Moment(moment) => OfNow::Moment(*moment),
        Node::Today { zone, offset } => OfNow::Today(*zone, *offset),
        Node::Elapsed(of) => OfNow::Elapsed(*of),
        Node::Shift { .. }
        | Node::DayOf(..)
        | Node::Part(..)
        | Node::Anniversary(..)
        | Node::Arithmetic(..)
        | Node::Scale { .. }
        | Node::Convert(..)
        | Node::FoldCase(_)
        | Node::ListLength(_)
        | Node::Distance { .. } => {
            let mut zones = Vec::new();
            let mut is_of_now = false;
            for child in node.children() {
                match of_now(plan, child) {
                    OfNow::No => continue,
                    OfNow::Moment(moment) => zones.extend(calendar_of(moment)),
                    OfNow::Today(zone, _) => zones.push(zone),
                    OfNow::Days(more) => zones.extend(more),
                    OfNow::Elapsed(_) => {}
                }
                is_of_now = true;
            }
            if let (true, Node::DayOf(_, zone) | Node::Part(_, _, zone)) = (is_of_now, node) {
                zones.push(*zone);
            }
            if is_of_now { OfNow::Days(zones) } else { OfNow::No }
        }
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
        | Node::Seen(..)
        | Node::Time
        | Node::Field { .. }
        | Node::Element { .. }
        | Node::History { .. }
        | Node::HeldValue { .. }
        | Node::UsualGap(_)
        | Node::MostWithin { .. }
        | Node::Aggregate { .. }
        | Node::Periods { .. }
        | Node::EventTime { .. }
        | Node::Missing => OfNow::No,
    }
}

/// A length of time that is written out.
fn literal(plan: &Plan, id: NodeId) -> Option<i64> {
    match plan.node(id) {
        Some(Node::Literal(Literal(value))) => length(value),
        _ => None,
    }
}

fn length(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(micros) => i64::try_from(*micros).ok(),
        _ => None,
    }
}

/// A plan that says whether one value is less than another, as large, or larger.
fn order(plan: &Plan, left: NodeId, right: NodeId) -> Plan {
    let mut nodes = plan.nodes().to_vec();
    let ops = [CompareOp::Less, CompareOp::Equal, CompareOp::Greater];
    let roots = ops.map(|op| {
        nodes.push(Node::Compare(op, left, right));
        Root { name: String::new(), node: NodeId(nodes.len() as u32 - 1) }
    });
    crate::passes::part(&Plan { nodes, roots: Vec::new() }, &roots)
}
