//! What a made-up person may be given: the values, times and numbers that conditions speak of,
//! and those beside them.

use seg_data::money::MONEY_SCALE;
use seg_data::time::{DAY, SECOND};
use seg_data::{AttributeId, Date, EventId, Place, PropertyId, Schema, Timestamp, Type, Value, Zone};
use seg_hir::hir::{ChainOrder, Cond, Expr, ExprKind, IdTest, Interval, Module, Moment, OfHistory, Query};
use std::collections::BTreeMap;

/// So many values of a list are looked at, and so many times something is given to somebody.
const LIST_MAX: usize = 2;
/// Events that are asked for any time before an instant are given to people within so many days
/// of it.
const OPEN_DAYS: i64 = 20;
/// No more events of one kind than this.
const COUNT_MAX: i128 = 60;

/// A value, and how near it is to what a condition says: 0 at the edge, 1 a least step from it,
/// 2 for any other.
pub(crate) type Ranked<T> = (T, u8);

/// Where a value belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    Attribute(AttributeId),
    Property(EventId, PropertyId),
    /// Of the records of a list.
    Field(EventId, PropertyId, u32),
}

/// What there is to give.
#[derive(Debug)]
pub(crate) struct Pool {
    /// As of when people are judged: nothing of theirs is later.
    pub now: Timestamp,
    pub slots: BTreeMap<Slot, Vec<Ranked<Value>>>,
    pub events: Vec<EventId>,
    /// When events may have been, those inside of windows first.
    pub times: Vec<Ranked<Timestamp>>,
    /// How many events of a kind.
    pub counts: Vec<u64>,
    /// Lengths of time, in microseconds.
    pub lengths: Vec<i64>,
    pub ids: Vec<String>,
    /// Events that are to come one after another.
    pub sequences: Vec<Vec<EventId>>,
    /// Whether it matters what somebody's id is.
    pub is_by_id: bool,
}

/// Looks through conditions for what they speak of.
pub(crate) struct Collect<'a> {
    pub module: &'a Module,
    pub schema: &'a Schema,
    pub now: Timestamp,
    pub zone: Zone,
    pub pool: Pool,
}

impl Pool {
    pub fn new(now: Timestamp) -> Pool {
        let (slots, events, times) = (BTreeMap::new(), Vec::new(), Vec::new());
        let (counts, lengths, ids, sequences) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Pool { now, slots, events, times, counts, lengths, ids, sequences, is_by_id: false }
    }
}

impl Collect<'_> {
    pub fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Const(_) => {}
            Cond::Sample { .. } => self.pool.is_by_id = true,
            Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
                members.iter().for_each(|member| self.cond(member));
            }
            Cond::Not(inner) => self.cond(inner),
            Cond::InSegment(id) => {
                if let Some(segment) = self.module.segments.get(id.idx()) {
                    self.cond(&segment.include);
                    segment.excludes.iter().for_each(|exclude| self.cond(exclude));
                }
            }
            Cond::Known(value) => self.compared(&[value], Vec::new()),
            Cond::Compare(_, left, right) => self.compared(&[left, right], Vec::new()),
            Cond::OneOf(value, values) => self.compared(&[value], values.clone()),
            Cond::Text(_, value, text) => self.compared(&[value], vec![Value::Text(text.clone())]),
            Cond::Has(value, item) => self.compared(&[value], vec![item.clone()]),
            Cond::InList(value, list) => {
                let mut values: Vec<&String> = list.0.values.iter().collect();
                values.sort_unstable();
                let values = values.into_iter().take(LIST_MAX).map(|text| Value::Text(text.clone()));
                self.compared(&[value], values.collect());
            }
            Cond::FirstOrLastN { n, query, filter, .. } => {
                self.count(i128::from(*n));
                self.query(query);
                self.cond(filter);
            }
            Cond::Chain(chain) => {
                self.pool.lengths.extend(chain.whole.map(|length| self.micros(length.before(self.now))));
                for step in &chain.steps {
                    self.query(&step.query);
                    step.none_between.iter().for_each(|query| self.query(query));
                    self.pool.lengths.extend(step.within.map(|length| self.micros(length.before(self.now))));
                }
                for (event, property) in chain.same.iter().flatten() {
                    self.pool.slots.entry(Slot::Property(*event, *property)).or_default();
                }
            }
            Cond::Items { filter, .. } | Cond::Elements { filter, .. } => self.cond(filter),
            Cond::Profile(test) => self.id_test(test),
        }
    }

    fn id_test(&mut self, test: &IdTest) {
        self.pool.is_by_id = true;
        match test {
            IdTest::OneOf(ids) => self.pool.ids.extend(ids.iter().take(LIST_MAX).cloned()),
            IdTest::InList(list) => {
                let mut ids: Vec<&String> = list.0.values.iter().collect();
                ids.sort_unstable();
                self.pool.ids.extend(ids.into_iter().take(LIST_MAX).cloned());
            }
            IdTest::Text(_, text) => self.pool.ids.push(text.clone()),
        }
    }

    /// How long ago an instant is.
    fn micros(&self, at: Timestamp) -> i64 {
        self.now.0.saturating_sub(at.0)
    }

    fn count(&mut self, n: i128) {
        let counts = [n, n - 1, n + 1].into_iter().filter(|n| (2..=COUNT_MAX).contains(n));
        self.pool.counts.extend(counts.map(|n| n as u64));
    }

    /// Values that are compared, with others: what is known of the person takes on what it is
    /// compared with.
    fn compared(&mut self, sides: &[&Expr], mut values: Vec<Value>) {
        let mut slots = Vec::new();
        sides.iter().for_each(|side| self.expr(side, &mut slots, &mut values));
        for number in &values {
            if let Value::Integer(n) = number {
                self.count(*n);
            }
        }
        for slot in slots {
            let Some(ty) = self.type_of(&slot) else { continue };
            let mut found: Vec<Ranked<Value>> = Vec::new();
            for value in &values {
                let Some(value) = fitted(value, &ty, self.zone) else { continue };
                let beside = beside(&value);
                found.push((value, 0));
                found.extend(beside.into_iter().map(|value| (value, 1)));
            }
            self.pool.slots.entry(slot).or_default().extend(found);
        }
    }

    /// What a value is made of: slots to fill, and values to fill them with.
    fn expr(&mut self, expr: &Expr, slots: &mut Vec<Slot>, values: &mut Vec<Value>) {
        match &expr.kind {
            ExprKind::Literal(Value::Integer(micros)) if expr.ty == Type::Duration => {
                let micros = i64::try_from(*micros).unwrap_or(0);
                self.pool.lengths.push(micros);
                self.moment_at(Timestamp(self.now.0.saturating_sub(micros)), values);
            }
            ExprKind::Literal(value) => values.push(value.clone()),
            ExprKind::Attribute(id)
            | ExprKind::Element { list: id, .. }
            | ExprKind::HeldValue { attribute: id, .. } => {
                slots.push(Slot::Attribute(*id));
            }
            ExprKind::Property(of) => slots.extend(of.iter().map(|(event, id)| Slot::Property(*event, *id))),
            ExprKind::Field { list, field } => {
                slots.extend(list.iter().map(|(event, id)| Slot::Field(*event, *id, *field)));
            }
            ExprKind::Moment(moment) => self.moment_at(moment.at(self.now), values),
            ExprKind::Today { zone, offset } => {
                let day = offset.from(zone.date(self.now));
                values.push(Value::Date(day));
                self.moment_at(zone.start_of_day(day), values);
            }
            ExprKind::History { filter, of, attribute } => {
                slots.push(Slot::Attribute(*attribute));
                if let OfHistory::Stretches(interval) | OfHistory::Changes(interval) = of {
                    self.interval(interval, None);
                }
                self.cond(filter);
            }
            ExprKind::Shift { by, .. } => self.pool.lengths.push(self.micros(by.before(self.now))),
            ExprKind::Distance { to: Place { latitude, longitude }, .. } => {
                values.extend([latitude, longitude].into_iter().filter_map(|degrees| Value::number(*degrees)));
            }
            ExprKind::UsualGap(query) => {
                // There are gaps from three events on.
                self.count(3);
                self.query(query);
            }
            ExprKind::Periods { query, .. } | ExprKind::EventTime { query, .. } => {
                self.query(query);
            }
            ExprKind::MostWithin { query, within } => {
                self.pool.lengths.push(self.micros(within.before(self.now)));
                self.query(query);
            }
            ExprKind::Aggregate { measure, query, .. } => {
                if let Some(measure) = measure {
                    self.expr(measure, slots, values);
                }
                self.query(query);
            }
            ExprKind::Part(..) => self.all_through_the_calendar(values),
            // Any event will do.
            ExprKind::Seen(..) => self.pool.events.extend((0..self.schema.events.len().min(1) as u32).map(EventId)),
            ExprKind::Time
            | ExprKind::DayOf(..)
            | ExprKind::Anniversary(..)
            | ExprKind::Elapsed(_)
            | ExprKind::Arithmetic(..)
            | ExprKind::Scale { .. }
            | ExprKind::Convert(_)
            | ExprKind::FoldCase(_)
            | ExprKind::ListLength(_)
            | ExprKind::Error => {}
        }
        expr.operands().into_iter().for_each(|operand| self.expr(operand, slots, values));
    }

    /// An instant that something is compared with.
    fn moment_at(&mut self, at: Timestamp, values: &mut Vec<Value>) {
        values.push(Value::Timestamp(at));
        let around = [(0, 0), (-SECOND, 1), (SECOND, 1), (-DAY, 2), (DAY, 2)];
        self.pool.times.extend(around.map(|(by, rank)| (Timestamp(at.0.saturating_add(by)), rank)));
    }

    fn query(&mut self, query: &Query) {
        self.pool.events.extend(&query.events);
        self.interval(&query.interval, query.known_at);
        if let Some(filter) = &query.filter {
            self.cond(filter);
            self.sequences(query, filter);
        }
    }

    /// The sequences that begin with an event of a query, by what is asked of it.
    fn sequences(&mut self, query: &Query, filter: &Cond) {
        match filter {
            Cond::Chain(chain) => {
                let steps = chain.steps.iter().map(|step| &step.query);
                let mut sequence: Vec<EventId> =
                    [query].into_iter().chain(steps).filter_map(|query| query.events.first().copied()).collect();
                if chain.order == ChainOrder::Before {
                    sequence.reverse();
                }
                self.pool.sequences.push(sequence);
            }
            Cond::All(members) | Cond::Any(members) => {
                members.iter().for_each(|member| self.sequences(query, member));
            }
            Cond::Not(inner) => self.sequences(query, inner),
            Cond::Const(_)
            | Cond::Cardinality { .. }
            | Cond::InSegment(_)
            | Cond::Known(_)
            | Cond::Compare(..)
            | Cond::OneOf(..)
            | Cond::Text(..)
            | Cond::Has(..)
            | Cond::FirstOrLastN { .. }
            | Cond::Items { .. }
            | Cond::Sample { .. }
            | Cond::InList(..)
            | Cond::Profile(_)
            | Cond::Elements { .. } => {}
        }
    }

    fn interval(&mut self, interval: &Interval, known_at: Option<Moment>) {
        let to = interval.to.map_or(self.now, |to| to.moment.at(self.now)).min(self.now);
        let to = known_at.map_or(to, |known_at| known_at.at(self.now).min(to));
        let from = interval.from.map(|from| from.moment.at(self.now));
        let start = from.unwrap_or(Timestamp(to.0.saturating_sub(OPEN_DAYS * DAY)));
        // Somewhere inside of it, as whole as its length lets it be.
        let middle = Timestamp(to.0 - (to.0 - start.0) / 2);
        let unit = [DAY, 3600 * SECOND, 60 * SECOND].into_iter().find(|unit| to.0 - middle.0 >= *unit).unwrap_or(1);
        let inside = Timestamp(self.now.0 - (self.now.0 - middle.0).div_euclid(unit) * unit);
        self.pool.times.push((inside, 2));
        // That nothing is later than now is no edge.
        for edge in from.into_iter().chain(interval.to.map(|_| to)).filter(|edge| *edge < self.now) {
            let around = [(0, 0), (-SECOND, 1), (SECOND, 1)];
            self.pool.times.extend(around.map(|(by, rank)| (Timestamp(edge.0.saturating_add(by)), rank)));
        }
    }

    /// Times on every day of the week, in every month and at any time of the day.
    fn all_through_the_calendar(&mut self, values: &mut Vec<Value>) {
        let days = (1..=7).map(|day| day * DAY);
        let months = (1..=12).map(|month| month * 30 * DAY);
        let hours = (1..=23).map(|hour| hour * 3600 * SECOND);
        let times = days.chain(months).chain(hours).map(|ago| Timestamp(self.now.0 - ago));
        for at in times {
            self.pool.times.push((at, 2));
            values.push(Value::Timestamp(at));
        }
    }

    fn type_of(&self, slot: &Slot) -> Option<Type> {
        let property = |event: &EventId, id: &PropertyId| self.schema.event(*event)?.properties.get(id.idx());
        match slot {
            Slot::Attribute(id) => self.schema.attribute(*id).map(|field| field.ty.clone()),
            Slot::Property(event, id) => property(event, id).map(|field| field.ty.clone()),
            Slot::Field(event, id, field) => {
                let Type::Records(fields) = &property(event, id)?.ty else { return None };
                fields.get(*field as usize).map(|(_, ty)| ty.clone())
            }
        }
    }

    /// What was found, each once, with a value for whatever none was said of.
    pub fn finish(mut self) -> Pool {
        let slots: Vec<Slot> = self.pool.slots.keys().cloned().collect();
        for slot in slots {
            let allowed = self.allowed(&slot);
            let others = self.type_of(&slot).map(|ty| others(&ty, &allowed, self.now, self.zone)).unwrap_or_default();
            if let Some(values) = self.pool.slots.get_mut(&slot) {
                values.extend(others.into_iter().map(|value| (value, 2)));
                let mut seen: Vec<Value> = Vec::new();
                values.retain(|(value, _)| {
                    let is_new = !seen.contains(value) && allowed.is_none_or_has(value);
                    if is_new {
                        seen.push(value.clone());
                    }
                    is_new
                });
            }
        }
        let pool = &mut self.pool;
        pool.events.sort_unstable();
        pool.events.dedup();
        pool.counts.sort_unstable();
        pool.counts.dedup();
        pool.lengths.sort_unstable();
        pool.lengths.dedup();
        pool.times.retain(|(at, _)| *at <= self.now && at.is_in_range());
        // Those inside first, and of one instant the nearest to an edge.
        pool.times.sort_by_key(|(at, rank)| (std::cmp::Reverse(*rank), std::cmp::Reverse(at.0)));
        let mut seen: Vec<Timestamp> = Vec::new();
        pool.times.retain(|(at, _)| {
            let is_new = !seen.contains(at);
            seen.push(*at);
            is_new
        });
        if pool.times.is_empty() {
            pool.times.push((Timestamp(self.now.0.saturating_sub(DAY)), 2));
        }
        pool.ids.sort_unstable();
        pool.ids.dedup();
        self.pool
    }

    fn allowed(&self, slot: &Slot) -> Allowed {
        let field = match slot {
            Slot::Attribute(id) => self.schema.attribute(*id),
            Slot::Property(event, id) => self.schema.event(*event).and_then(|event| event.properties.get(id.idx())),
            Slot::Field(..) => None,
        };
        Allowed(field.and_then(|field| field.allowed.clone()))
    }
}

/// The only texts that a slot may hold, where there are such.
struct Allowed(Option<Vec<String>>);

impl Allowed {
    fn is_none_or_has(&self, value: &Value) -> bool {
        match (&self.0, value) {
            (Some(allowed), Value::Text(text)) => allowed.contains(text),
            _ => true,
        }
    }
}

/// A value as one of a type, where it is one.
fn fitted(value: &Value, ty: &Type, zone: Zone) -> Option<Value> {
    let is_own = |is: bool| is.then(|| value.clone());
    match ty {
        Type::Boolean => is_own(matches!(value, Value::Boolean(_))),
        Type::Integer => match value {
            Value::Number(n) => Some(Value::Integer(n.round() as i128)),
            Value::Money(scaled) => Some(Value::Integer(scaled / i128::from(MONEY_SCALE))),
            value => is_own(matches!(value, Value::Integer(_))),
        },
        Type::Number => match value {
            Value::Integer(n) => Value::number(*n as f64),
            value => is_own(matches!(value, Value::Number(_))),
        },
        Type::Money => match value {
            Value::Integer(n) => seg_data::Money::from_integer(*n).map(Value::from),
            value => is_own(matches!(value, Value::Money(_))),
        },
        Type::Text => is_own(matches!(value, Value::Text(_))),
        Type::Timestamp => match value {
            Value::Date(day) => Some(Value::Timestamp(zone.start_of_day(*day))),
            value => is_own(matches!(value, Value::Timestamp(_))),
        },
        Type::Date => match value {
            Value::Timestamp(at) => Some(Value::Date(zone.date(*at))),
            value => is_own(matches!(value, Value::Date(_))),
        },
        Type::List(element) => match value {
            Value::List(_) => Some(value.clone()),
            item => Some(Value::List(vec![fitted(item, &element.ty(), zone)?])),
        },
        Type::Duration | Type::Records(_) => None,
    }
}

/// The values a least step away from one.
fn beside(value: &Value) -> Vec<Value> {
    match value {
        Value::Boolean(is_so) => vec![Value::Boolean(!is_so)],
        Value::Integer(n) => vec![Value::Integer(n + 1), Value::Integer(n - 1)],
        Value::Number(n) => [n + 0.01, n - 0.01].into_iter().filter_map(Value::number).collect(),
        Value::Money(scaled) => vec![Value::Money(scaled + 100), Value::Money(scaled - 100)],
        Value::Text(_) => Vec::new(),
        Value::Timestamp(at) => {
            let steps = [SECOND, -SECOND, DAY, -DAY];
            steps.map(|by| Value::Timestamp(Timestamp(at.0.saturating_add(by)))).to_vec()
        }
        Value::Date(day) => [1, -1].map(|by| Value::Date(day.plus_days(by))).to_vec(),
        Value::List(items) => items.iter().flat_map(beside).map(|item| Value::List(vec![item])).collect(),
    }
}

/// Some values of a type, whatever is said of it.
fn others(ty: &Type, allowed: &Allowed, now: Timestamp, zone: Zone) -> Vec<Value> {
    match ty {
        Type::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        Type::Integer => vec![Value::Integer(1), Value::Integer(0), Value::Integer(1_000)],
        Type::Number => [1.0, 0.0, 1_000.0].into_iter().filter_map(Value::number).collect(),
        Type::Money => [1, 0, 1_000].into_iter().filter_map(seg_data::Money::from_integer).map(Value::from).collect(),
        Type::Text => match &allowed.0 {
            Some(allowed) => allowed.iter().map(|text| Value::Text(text.clone())).collect(),
            None => vec![Value::Text("other".to_owned())],
        },
        Type::Timestamp => [1, 40, 400, -1, -40].map(|days| Value::Timestamp(Timestamp(now.0 - days * DAY))).to_vec(),
        Type::Date => {
            let today: Date = zone.date(now);
            [0, -1, 1, -7, 7, -40, 40, -400, -10_957].map(|days| Value::Date(today.plus_days(days))).to_vec()
        }
        Type::List(element) => {
            let items = others(&element.ty(), allowed, now, zone);
            [items.iter().take(1).cloned().collect(), items].map(Value::List).to_vec()
        }
        Type::Duration | Type::Records(_) => Vec::new(),
    }
}
