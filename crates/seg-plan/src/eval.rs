//! The plan evaluator: whole columns at a time, each node once a batch.

mod chain;
mod column;
mod elements;
mod evaluator;
mod history;
mod query;

pub use evaluator::{Evaluated, PlanEvaluator};

use crate::level::{Level, levels};
use crate::plan::{Literal, Node, NodeId, Plan};
use crate::reach::reached_by;
use column::Column;
use elements::{ElementRows, is_of_records};
use hashbrown::HashMap;
use history::StretchRows;
use query::{EventRows, ItemRows};
use seg_data::{AttributeId, Batch, EventId, Mask, Money, Place, PropertyId, Timestamp, Type, Value};
use seg_hir::hir::{CompareOp, IdTest, TextOp};
use seg_hir::text::{compile_pattern, fold_value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

/// Who of a batch is in each segment, evaluated as of `now`: one mask a segment.
/// Nobody is in any before they exist.
pub fn evaluate(plan: &Plan, batch: &Batch, now: Timestamp) -> Vec<Mask> {
    let batch = batch.as_of(now);
    let mut eval = Eval::new(plan, &batch, now);
    // Nodes stand after what they are made of, so a walk in their order needs
    // no recursion, however long a chain of segments is.
    for id in reached_by(plan, Node::children) {
        eval.column(id, Domain::People);
    }
    let existing = batch.existing(now);
    let members = plan.roots().iter().map(|root| match eval.column(root.node, Domain::People).as_ref() {
        Column::Bools(bits) => Mask::from_bools(bits.iter().copied()),
        _ => Mask::none(batch.len()),
    });
    members.map(|mask| existing.as_ref().map_or(mask.clone(), |existing| mask.and(existing))).collect()
}

/// What the rows of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Domain {
    /// The profiles of the batch.
    People,
    /// Their events of one name, those of one profile after another.
    Events(EventId),
    /// The records of a list of those events.
    Items(EventId, PropertyId),
    /// The items of a list of the people.
    Elements(AttributeId),
    /// The stretches of the history of an attribute.
    Stretches(AttributeId),
}

/// Conditions of a plan over whole columns, for engines that make no code for
/// them; see [`Node::kernel`].
pub struct Kernels<'a> {
    eval: Eval<'a>,
}

impl<'a> Kernels<'a> {
    /// The kernels of a plan over a batch, of which the columns that it reads
    /// were checked, as of `now`, as the batch is.
    pub fn new(plan: &'a Plan, batch: &'a Batch, now: Timestamp) -> Kernels<'a> {
        Kernels { eval: Eval::new(plan, batch, now) }
    }

    /// For which people a condition about people holds.
    pub fn of_people(&mut self, id: NodeId) -> Vec<bool> {
        self.eval.bools(id, Domain::People)
    }

    /// A value of each event of a name, by their positions in the batch's column.
    pub fn values_of_events(&mut self, id: NodeId, event: EventId) -> Vec<Option<Value>> {
        let column = self.eval.column(id, Domain::Events(event));
        let rows = self.eval.event_rows(event);
        let mut values = vec![None; self.eval.batch.events(event).map_or(0, |events| events.len())];
        for (row, idx) in rows.idx.iter().enumerate() {
            if let Some(value) = values.get_mut(*idx as usize) {
                *value = column.value(row);
            }
        }
        values
    }

    /// For which events of a name a condition holds, by their positions in the
    /// batch's column.
    pub fn of_events(&mut self, id: NodeId, event: EventId) -> Vec<bool> {
        let holds = self.eval.bools(id, Domain::Events(event));
        let rows = self.eval.event_rows(event);
        let mut bits = vec![false; self.eval.batch.events(event).map_or(0, |events| events.len())];
        for (idx, holds) in rows.idx.iter().zip(holds) {
            if let Some(bit) = bits.get_mut(*idx as usize) {
                *bit = holds;
            }
        }
        bits
    }
}

/// A text that is equal exactly where values of one type are.
pub(crate) fn value_key(value: &Value) -> String {
    query::key(value)
}

struct Eval<'a> {
    plan: &'a Plan,
    batch: &'a Batch,
    now: Timestamp,
    levels: Cow<'a, [Level]>,
    /// By node: the columns of people.
    of_people: Vec<Option<Rc<Column>>>,
    /// Those of all else.
    columns: HashMap<(NodeId, Domain), Rc<Column>>,
    rows: HashMap<EventId, Rc<EventRows>>,
    items: HashMap<(EventId, PropertyId), Rc<ItemRows>>,
    elements: HashMap<AttributeId, Rc<ElementRows>>,
    stretches: HashMap<AttributeId, Rc<StretchRows>>,
}

impl<'a> Eval<'a> {
    fn new(plan: &'a Plan, batch: &'a Batch, now: Timestamp) -> Eval<'a> {
        Eval::with_levels(plan, Cow::Owned(levels(plan)), batch, now)
    }

    fn with_levels(plan: &'a Plan, levels: Cow<'a, [Level]>, batch: &'a Batch, now: Timestamp) -> Eval<'a> {
        Eval {
            plan,
            batch,
            now,
            levels,
            of_people: vec![None; plan.nodes().len()],
            columns: HashMap::new(),
            rows: HashMap::new(),
            items: HashMap::new(),
            elements: HashMap::new(),
            stretches: HashMap::new(),
        }
    }

    fn column(&mut self, id: NodeId, domain: Domain) -> Rc<Column> {
        let found = match domain {
            Domain::People => self.of_people.get(id.idx()).and_then(Option::as_ref),
            Domain::Events(_) | Domain::Items(..) | Domain::Elements(_) | Domain::Stretches(_) => {
                self.columns.get(&(id, domain))
            }
        };
        if let Some(column) = found {
            return Rc::clone(column);
        }
        let plan = self.plan;
        let level = self.levels.get(id.idx()).copied().unwrap_or(Level::Person);
        let column = match plan.node(id) {
            // What is about a person is the same for all of their events.
            Some(node) if level == Level::Person && domain != Domain::People && is_gathered(node) => {
                let people = self.column(id, Domain::People);
                Rc::new(self.spread((*people).clone(), domain))
            }
            Some(_) if level == Level::Event && matches!(domain, Domain::Items(..)) => {
                let Domain::Items(event, property) = domain else { return Rc::new(Column::missing(0)) };
                let events = self.column(id, Domain::Events(event));
                Rc::new(events.take(&self.item_rows(event, property).owner))
            }
            Some(node) => Rc::new(self.compute(node, domain)),
            None => Rc::new(Column::missing(self.len(domain))),
        };
        match (domain, self.of_people.get_mut(id.idx())) {
            (Domain::People, Some(slot)) => *slot = Some(Rc::clone(&column)),
            (_, _) => drop(self.columns.insert((id, domain), Rc::clone(&column))),
        }
        column
    }

    /// The one value that a node has for everybody, where that is plain to see.
    fn repeated(&self, id: NodeId) -> Option<Cow<'a, Value>> {
        match self.plan.node(id)? {
            Node::Literal(Literal(value)) => Some(Cow::Borrowed(value)),
            Node::Moment(moment) => Some(Cow::Owned(Value::Timestamp(moment.at(self.now)))),
            Node::Today { zone, offset } => Some(Cow::Owned(Value::Date(offset.from(zone.date(self.now))))),
            _ => None,
        }
    }

    fn len(&mut self, domain: Domain) -> usize {
        match domain {
            Domain::People => self.batch.len(),
            Domain::Events(event) => self.event_rows(event).idx.len(),
            Domain::Items(event, property) => self.item_rows(event, property).idx.len(),
            Domain::Elements(list) => self.element_rows(list).owner.len(),
            Domain::Stretches(attribute) => self.stretch_rows(attribute).owner.len(),
        }
    }

    fn compute(&mut self, node: &Node, domain: Domain) -> Column {
        let len = self.len(domain);
        match node {
            Node::Const(value) => Column::Bools(vec![*value; len]),
            Node::All(members) => self.combine(members, domain, true),
            Node::Any(members) => self.combine(members, domain, false),
            Node::Cardinality { min, max, members } => {
                let mut counts = vec![0_u64; len];
                for member in members {
                    let bits = self.bools(*member, domain);
                    counts.iter_mut().zip(bits).for_each(|(n, bit)| *n += u64::from(bit));
                }
                Column::Bools(counts.iter().map(|n| min <= n && max.is_none_or(|max| *n <= max)).collect())
            }
            Node::Not(a) => Column::Bools(self.bools(*a, domain).iter().map(|b| !b).collect()),
            Node::Known(a) => {
                let column = self.column(*a, domain);
                Column::Bools((0..len).map(|row| column.is_known(row)).collect())
            }
            Node::Compare(op, left, right) => {
                if let Some(than) = self.repeated(*right) {
                    return compare_with(*op, &self.column(*left, domain), &than, len);
                }
                let (left, right) = (self.column(*left, domain), self.column(*right, domain));
                Column::Bools(compare(*op, &left, &right, len))
            }
            Node::OneOf(a, values) => {
                let column = self.column(*a, domain);
                column.test(|v| values.iter().any(|Literal(o)| seg_hir::compare(v, o) == Some(Ordering::Equal)))
            }
            Node::Text { op, value, text, ignore_case } => {
                let column = self.column(*value, domain);
                text_test(&column, *op, text, *ignore_case)
            }
            Node::Has(a, Literal(value)) => {
                let is_it = |item: &Value| seg_hir::compare(item, value) == Some(Ordering::Equal);
                self.column(*a, domain).test(|v| matches!(v, Value::List(items) if items.iter().any(is_it)))
            }
            Node::FirstOrLastN { end, n, query, filter } => self.few(*end, *n, query, *filter),
            Node::Chain(chain) => match domain {
                Domain::Events(event) => Column::Bools(self.chain(chain, event)),
                _ => Column::Bools(vec![false; len]),
            },
            Node::Items { is_all, list, filter } => match domain {
                Domain::Events(event) => self.items(*is_all, list, *filter, event),
                _ => Column::Bools(vec![false; len]),
            },
            Node::Sample { name, below, is_complement } => {
                let place = |row| seg_data::sample::place(name, self.batch.id(row));
                Column::Bools((0..len).map(|row| (place(row) < *below) != *is_complement).collect())
            }
            Node::Elements { is_all, list, filter } => self.elements(*is_all, *list, *filter),
            Node::Profile(test) => {
                let pattern = match test {
                    IdTest::Text(TextOp::Matches, text) => compile_pattern(text, false).ok(),
                    IdTest::Text(..) | IdTest::OneOf(_) | IdTest::InList(_) => None,
                };
                let is_like = |op, own: &str, text: &str| {
                    text_holds(op, own, text, |text| pattern.as_ref().is_some_and(|p| p.is_match(text)))
                };
                let holds = |row| test.holds(self.batch.id(row), self.batch.merged_ids(row), is_like);
                Column::Bools((0..len).map(holds).collect())
            }
            Node::InList(a, list) => {
                let is_in = |v: &Value| matches!(v, Value::Text(text) if list.0.values.contains(text));
                self.column(*a, domain).test(is_in)
            }
            _ => self.value(node, domain, len),
        }
    }

    fn value(&mut self, node: &Node, domain: Domain, len: usize) -> Column {
        match node {
            Node::Literal(Literal(value)) => Column::repeated(value, len),
            Node::Moment(moment) => Column::repeated(&Value::Timestamp(moment.at(self.now)), len),
            Node::Today { zone, offset } => Column::repeated(&Value::Date(offset.from(zone.date(self.now))), len),
            Node::Attribute(id, ty) => {
                let people = match self.batch.attribute_column(*id) {
                    Some(column) => Column::read(column, 0..self.batch.len()),
                    None => Column::missing_of(ty, self.batch.len()),
                };
                self.spread(people, domain)
            }
            Node::Property(ids, ty) => self.property(ids, ty, domain, len),
            Node::Seen(end, known_at) => self.seen(*end, *known_at),
            Node::Time => match domain {
                Domain::Events(event) => {
                    let rows = self.event_rows(event);
                    Column::of(rows.time.iter().map(|t| Some(Value::Timestamp(*t))))
                }
                _ => Column::missing(len),
            },
            Node::Element { list, field, ty } => match domain {
                Domain::Elements(of) if of == *list => self.element(of, *field, ty),
                _ => Column::missing_of(ty, len),
            },
            Node::History { attribute, filter, of } => self.of_history(*attribute, *filter, *of),
            Node::HeldValue { attribute, is_before, ty } => match domain {
                Domain::Stretches(of) if of == *attribute => self.held(of, *is_before),
                _ => Column::missing_of(ty, len),
            },
            Node::Field { list, field, ty } => {
                let Domain::Items(event, property) = domain else { return Column::missing_of(ty, len) };
                let is_its = list.contains(&(event, property));
                let column = self.batch.events(event).and_then(|e| e.property_column(property));
                match column.filter(|_| is_its).and_then(|c| c.fields().get(*field as usize)) {
                    Some(column) => {
                        let rows = self.item_rows(event, property);
                        Column::read(column, rows.idx.iter().map(|idx| *idx as usize))
                    }
                    None => Column::missing_of(ty, len),
                }
            }
            Node::Shift { of, by, is_back } => {
                self.column(*of, domain).map(|value| seg_hir::shift(value, *by, *is_back))
            }
            Node::DayOf(of, zone) => self.column(*of, domain).map(|value| match value {
                Value::Timestamp(time) => Some(Value::Date(zone.date(time))),
                other => Some(other),
            }),
            Node::Part(part, of, zone) => {
                self.column(*of, domain).map(|value| seg_hir::calendar_part(*part, &value, *zone))
            }
            Node::Anniversary(day, from) => {
                let (days, froms) = (self.column(*day, domain), self.column(*from, domain));
                Column::of((0..len).map(|row| match (days.value(row)?, froms.value(row)?) {
                    (Value::Date(day), Value::Date(from)) => Some(Value::Date(day.anniversary_from(from))),
                    _ => None,
                }))
            }
            Node::Elapsed(of) => {
                let now = self.now;
                self.column(*of, domain).map(|value| match value {
                    Value::Timestamp(time) => Some(Value::Integer(i128::from(now.0) - i128::from(time.0))),
                    _ => None,
                })
            }
            Node::Distance { latitude, longitude, to } => {
                let (north, east) = (self.column(*latitude, domain), self.column(*longitude, domain));
                let [to_north, to_east] = to.map(f64::from_bits);
                let to = Place { latitude: to_north, longitude: to_east };
                Column::of((0..len).map(|row| seg_hir::distance(&north.value(row)?, &east.value(row)?, to)))
            }
            Node::UsualGap(query) => self.usual_gap(query),
            Node::MostWithin { query, within } => self.most_within(query, *within),
            Node::Arithmetic(op, left, right) => {
                let (left, right) = (self.column(*left, domain), self.column(*right, domain));
                let results = (0..len).map(|row| seg_hir::arithmetic(*op, &left.value(row)?, &right.value(row)?));
                Column::of(results)
            }
            Node::Scale { money, numerator, denominator } => {
                self.column(*money, domain).map(|value| seg_hir::scale(&value, *numerator, *denominator))
            }
            Node::Convert(a, ty) => self.column(*a, domain).map(|value| match (value, ty) {
                (Value::Integer(n), Type::Money) => Money::from_integer(n).map(Value::from),
                (Value::Integer(n), _) => Value::number(n as f64),
                (value, _) => Some(value),
            }),
            Node::FoldCase(a) => self.column(*a, domain).map(|value| Some(fold_value(value))),
            Node::ListLength(a) if self.plan.node(*a).is_some_and(is_of_records) => self.n_records(*a, domain),
            Node::ListLength(a) => self.column(*a, domain).map(|value| match value {
                Value::List(items) => Some(Value::Integer(items.len() as i128)),
                _ => None,
            }),
            Node::Aggregate { function, measure, items, query } => {
                self.aggregate(*function, measure.as_ref(), items.as_deref(), query)
            }
            Node::Periods { unit, zone, query } => self.periods(*unit, *zone, query),
            Node::EventTime { end, n, query } => self.event_time(*end, *n, query),
            Node::Missing => Column::missing(len),
            // These are conditions, decided before.
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
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::InList(..) => Column::Bools(vec![false; len]),
        }
    }

    fn bools(&mut self, id: NodeId, domain: Domain) -> Vec<bool> {
        match self.column(id, domain).as_ref() {
            Column::Bools(bits) => bits.clone(),
            other => vec![false; other.len()],
        }
    }

    fn combine(&mut self, members: &[NodeId], domain: Domain, is_all: bool) -> Column {
        let mut bits = vec![is_all; self.len(domain)];
        for member in members {
            // What is decided for everybody needs no further members.
            if bits.iter().all(|bit| *bit != is_all) {
                break;
            }
            if let Column::Bools(other) = self.column(*member, domain).as_ref() {
                for (bit, other) in bits.iter_mut().zip(other) {
                    *bit = if is_all { *bit && *other } else { *bit || *other };
                }
            }
        }
        Column::Bools(bits)
    }
}

/// Whether a node looks at more than its children: such are computed once a
/// person.
fn is_gathered(node: &Node) -> bool {
    !node.queries().is_empty()
        || matches!(
            node,
            Node::Attribute(..)
                | Node::Seen(..)
                | Node::Sample { .. }
                | Node::Profile(_)
                | Node::Elements { .. }
                | Node::History { .. }
        )
}

fn compare(op: CompareOp, left: &Column, right: &Column, len: usize) -> Vec<bool> {
    if let (Some((l, l_known)), Some((r, r_known))) = (left.ints(), right.ints()) {
        let pairs = l.iter().zip(r).zip(l_known.iter().zip(r_known));
        return pairs.map(|((l, r), (a, b))| *a && *b && op.holds(l.cmp(r))).collect();
    }
    let holds = |row| {
        let ordering = left.value(row).zip(right.value(row)).and_then(|(l, r)| seg_hir::compare(&l, &r));
        ordering.is_some_and(|o| op.holds(o))
    };
    (0..len).map(holds).collect()
}

/// The same where the right side is one value for everybody.
fn compare_with(op: CompareOp, left: &Column, right: &Value, len: usize) -> Column {
    if let (Some((values, known)), Some(right)) = (left.ints(), Column::int(right)) {
        return Column::Bools(values.iter().zip(known).map(|(l, known)| *known && op.holds(l.cmp(&right))).collect());
    }
    if left.len() != len {
        return Column::Bools(vec![false; len]);
    }
    left.test(|value| seg_hir::compare(value, right).is_some_and(|order| op.holds(order)))
}

/// A test of texts runs once over the dictionary.
fn text_test(column: &Column, op: TextOp, text: &str, ignore_case: bool) -> Column {
    let pattern = match op {
        TextOp::Matches => compile_pattern(text, ignore_case).ok(),
        _ => None,
    };
    column.test(|value| match value {
        Value::Text(value) => text_holds(op, value, text, |value| pattern.as_ref().is_some_and(|p| p.is_match(value))),
        _ => false,
    })
}

fn text_holds(op: TextOp, value: &str, text: &str, matches: impl FnOnce(&str) -> bool) -> bool {
    match op {
        TextOp::Contains => value.contains(text),
        TextOp::StartsWith => value.starts_with(text),
        TextOp::EndsWith => value.ends_with(text),
        TextOp::Matches => matches(value),
    }
}
