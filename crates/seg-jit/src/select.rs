//! Conditions of a plan to shapes, with the parameters that make them whole.

use crate::bound::Binding;
use crate::shape::{
    Calendar, Column, Cond, Function, List, Merged, Nulls, Query, Row, Set, Slot, Source, Store, Value, ZoneOffsets,
};
use crate::tables::{self, ColumnRef, Tables, Texts};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;
use seg_data::batch::{Events, Layout};
use seg_data::{Batch, EventId, Instant, Type, Zone};
use seg_hir::hir::{Aggregate, End, PeriodUnit, horizon};
use seg_plan::{Kernels, Literal, Node, NodeId, Plan};
use std::collections::BTreeSet;
use std::sync::Arc;

mod condition;
mod derived;
mod value;

pub(crate) use condition::KEYS_MAX;

/// A shape with its parameters.
pub struct Selected {
    pub cond: Cond,
    pub params: Vec<u64>,
    /// Where only people with a late time can meet it: the latest times of people,
    /// and the least that will do.
    pub least: Option<(Arc<Layout>, i64)>,
    /// How many words of scratch memory it works in.
    pub n_scratch: usize,
}

/// Selects shapes for the conditions of one plan over one batch.
pub struct Select<'p, 'b: 'p> {
    plan: &'p Plan,
    batch: &'b Batch,
    now: Instant,
    /// Which texts are compared with each other: their ranks are of one kind.
    ranked: BTreeSet<Texts>,
    pub tables: Tables<'b>,
    /// Computes what no code is made for.
    kernels: Kernels<'p>,
    needs_kernel: Vec<Needs>,
    params: Vec<u64>,
    n_scratch: usize,
    binding: Binding,
    least: Option<(Arc<Layout>, i64)>,
}

/// About what a node is: a person, or an event of a name.
type Domain = Option<EventId>;

/// What stands below a node, without what is about events of its queries.
#[derive(Clone, Copy, Default)]
struct Needs {
    /// Something that a precompiled kernel computes.
    kernel: bool,
    /// Something that is gathered over a person's events.
    gathers: bool,
}

/// What stands below each node.
fn needs_kernel(plan: &Plan) -> Vec<Needs> {
    let mut needs: Vec<Needs> = Vec::with_capacity(plan.nodes().len());
    for node in plan.nodes() {
        let of = |id: &NodeId| needs.get(id.idx()).copied().unwrap_or_default();
        let mut own = Needs {
            kernel: node.kernel().is_some(),
            gathers: node.query().is_some() || matches!(node, Node::Seen(..)),
        };
        for child in node.children() {
            own.kernel |= of(&child).kernel;
            own.gathers |= of(&child).gathers;
        }
        // A filter is a condition of its own; a measure is part of the value.
        if let Node::Aggregate { measure: Some((measure, _)), .. } = node {
            own.kernel |= of(measure).kernel || of(measure).gathers;
        }
        needs.push(own);
    }
    needs
}

impl<'p, 'b: 'p> Select<'p, 'b> {
    pub fn new(plan: &'p Plan, batch: &'b Batch, now: Instant, binding: Binding) -> Select<'p, 'b> {
        let mut select = Select {
            plan,
            batch,
            now,
            ranked: BTreeSet::new(),
            tables: Tables::new(batch),
            kernels: Kernels::new(plan, batch, now),
            needs_kernel: needs_kernel(plan),
            params: Vec::new(),
            n_scratch: 2,
            binding,
            least: None,
        };
        select.find_ranked();
        select
    }

    /// The shape of a condition about people.
    pub fn select(&mut self, id: NodeId) -> Selected {
        self.params = Vec::new();
        self.n_scratch = 2;
        self.least = None;
        let cond = self.cond(id, None);
        self.find_least(id);
        // A kernel may look at its first parameter before it knows that it has
        // nothing to do.
        if self.params.is_empty() {
            self.params.push(0);
        }
        let (params, least) = (std::mem::take(&mut self.params), self.least.take());
        Selected { cond, params, least, n_scratch: self.n_scratch }
    }

    /// The shape that gathers a value about people, as 64 bits; none for values
    /// of other kinds, and those that are never there.
    pub fn gather(&mut self, id: NodeId) -> Option<Selected> {
        self.params = vec![0];
        self.n_scratch = 2;
        let needs = self.needs_kernel.get(id.idx()).copied().unwrap_or_default();
        let (value, ty) = if needs.kernel { return None } else { self.value(id, None) };
        let is_whole = matches!(ty, Some(Type::Integer | Type::Money | Type::Timestamp));
        let fits = is_whole && !matches!(value, Value::Missing(_)) && value.class() != crate::shape::Class::Number;
        let params = std::mem::take(&mut self.params);
        let cond = Cond::Gather(value);
        fits.then_some(Selected { cond, params, least: None, n_scratch: self.n_scratch })
    }

    /// The batch at hand.
    pub fn batch(&self) -> &'b Batch {
        self.batch
    }

    /// Whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.binding.cancel.is_cancelled()
    }

    /// When everything is judged.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Every column whose texts stand where one text is held against another
    /// or counted.
    fn find_ranked(&mut self) {
        let n_events = self.batch.schema().events.len() as u32;
        let domains: Vec<Domain> = std::iter::once(None).chain((0..n_events).map(|e| Some(EventId(e)))).collect();
        for node in self.plan.nodes() {
            let values: Vec<NodeId> = match node {
                Node::Compare(_, left, right) if ![left, right].iter().any(|n| literal(self.node(**n)).is_some()) => {
                    vec![*left, *right]
                }
                Node::Aggregate { measure: Some((measure, _)), .. } => vec![*measure],
                _ => continue,
            };
            for (value, domain) in values.iter().flat_map(|v| domains.iter().map(move |d| (*v, *d))) {
                if let Some(Text::Column(texts)) = self.text(value, domain) {
                    self.ranked.insert(texts);
                }
            }
        }
    }

    fn slot(&mut self, bits: u64) -> Slot {
        self.params.push(bits);
        (self.params.len() - 1) as Slot
    }

    fn int(&mut self, value: i64) -> Slot {
        self.slot(value as u64)
    }

    fn address<T>(&mut self, address: *const T) -> Slot {
        self.slot(address as u64)
    }

    /// Both halves of a 128-bit integer.
    fn wide(&mut self, value: i128) -> (Slot, Slot) {
        (self.slot(value as u64), self.slot((value >> 64) as u64))
    }

    fn node(&self, id: NodeId) -> &'p Node {
        const MISSING: &Node = &Node::Missing;
        self.plan.node(id).unwrap_or(MISSING)
    }

    /// Which column a node reads, where it is one.
    fn column_ref(&self, id: NodeId, domain: Domain) -> Option<ColumnRef> {
        match (self.node(id), domain) {
            (Node::Attribute(id, _), _) => Some(ColumnRef::Attribute(*id)),
            (Node::Property(ids, _), Some(event)) => {
                ids.iter().find(|(of, _)| *of == event).map(|(event, p)| ColumnRef::Property(*event, *p))
            }
            _ => None,
        }
    }

    fn nulls(&mut self, nulls: Option<&NullBuffer>) -> Option<Nulls> {
        let nulls = nulls.filter(|n| n.null_count() > 0)?;
        let bits = self.address(nulls.validity().as_ptr());
        let offset = self.int(nulls.offset() as i64);
        Some(Nulls { bits, offset })
    }

    fn column(&mut self, of: ColumnRef) -> Option<Column> {
        let column = of.of(self.batch)?;
        let row = if matches!(of, ColumnRef::Attribute(_)) { Row::Person } else { Row::Event };
        self.array(column.ty(), column.array(), row)
    }

    /// The keys of a column of texts.
    fn keys(&mut self, of: ColumnRef) -> Option<Column> {
        of.of(self.batch).filter(|c| *c.ty() == Type::Text)?;
        self.column(of)
    }

    /// An array in the layout of its type.
    fn array(&mut self, ty: &Type, array: &ArrayRef, row: Row) -> Option<Column> {
        let nulls = self.nulls(array.nulls());
        let (store, values) = match ty {
            Type::Boolean => {
                let bits = array.as_boolean_opt()?.values();
                let offset = self.int(bits.offset() as i64);
                (Store::Bit(offset), self.address(bits.values().as_ptr()))
            }
            Type::Integer | Type::Money | Type::Duration => {
                (Store::I64, self.address(array.as_primitive_opt::<Int64Type>()?.values().as_ptr()))
            }
            Type::Timestamp => {
                (Store::I64, self.address(array.as_primitive_opt::<TimestampMicrosecondType>()?.values().as_ptr()))
            }
            Type::Date => (Store::I32, self.address(array.as_primitive_opt::<Date32Type>()?.values().as_ptr())),
            Type::Number => (Store::F64, self.address(array.as_primitive_opt::<Float64Type>()?.values().as_ptr())),
            Type::Text => {
                let keys = array.as_dictionary_opt::<arrow_array::types::Int32Type>()?.keys();
                (Store::I32, self.address(keys.values().as_ptr()))
            }
            Type::List(_) | Type::Records(_) => return None,
        };
        Some(Column { row, store, values, nulls })
    }

    /// A column of lists and whether its items' case is folded.
    fn list(&mut self, id: NodeId, domain: Domain) -> Option<(List, ColumnRef, bool)> {
        if let Node::FoldCase(inner) = self.node(id) {
            return self.list(*inner, domain).map(|(list, of, _)| (list, of, true));
        }
        let of = self.column_ref(id, domain)?;
        let column = of.of(self.batch)?;
        let Type::List(element) = column.ty() else { return None };
        let array = column.array().as_list_opt::<i32>()?;
        let row = if matches!(of, ColumnRef::Attribute(_)) { Row::Person } else { Row::Event };
        let offsets = self.address(array.value_offsets().as_ptr());
        let nulls = self.nulls(array.nulls());
        let items = match element.ty() {
            Type::Text => {
                let values = self.tables.coded(of);
                let values = self.address(values);
                let nulls = self.nulls(array.values().nulls());
                Column { row: Row::Person, store: Store::I32, values, nulls }
            }
            ty => self.array(&ty, array.values(), Row::Person)?,
        };
        Some((List { row, offsets, nulls, items }, of, false))
    }

    /// A query with a source for each of its names; `inner` says what is asked
    /// of each event besides.
    fn query(&mut self, query: &seg_plan::Query, is_ordered: bool, inner: Inner) -> Query {
        let (from, to) = self.interval(query);
        let mut names = Vec::new();
        let mut sources = Vec::new();
        for event in &query.events {
            let Some(events) = self.batch.events(*event) else { continue };
            let filter = query.filter.map(|f| self.cond(f, Some(*event)));
            if filter == Some(Cond::Const(false)) {
                continue;
            }
            let measure = match inner {
                Inner::Measure(measure) => Some(self.value(measure, Some(*event)).0),
                _ => None,
            };
            let asked = match inner {
                Inner::Asked(asked) => Some(Box::new(self.cond(asked, Some(*event)))),
                _ => None,
            };
            let filter = filter.filter(|f| *f != Cond::Const(true));
            sources.push(self.source(events, filter, measure, asked));
            names.push(*event);
        }
        let from = from.map(|from| self.int(from));
        let to = self.int(to);
        let is_plain = || match names.as_slice() {
            [] => true,
            [one] => tables::is_ordered(self.batch, *one),
            _ => false,
        };
        let merged = if is_ordered && !is_plain() { Some(self.merged(&names)) } else { None };
        Query { from, to, sources, merged }
    }

    fn source(
        &mut self,
        events: &Events,
        filter: Option<Cond>,
        measure: Option<Value>,
        asked: Option<Box<Cond>>,
    ) -> Source {
        let offsets = self.address(events.offsets().as_ptr());
        let base = (events.base() != 0).then(|| self.int(events.base() as i64));
        let nulls = self.nulls(events.list_nulls());
        let times = self.address(events.times().as_ptr());
        Source { offsets, base, nulls, times, filter, measure, asked }
    }

    fn merged(&mut self, names: &[EventId]) -> Merged {
        let order = self.tables.order(names);
        let (wide, narrow) =
            ([order.offsets.as_ptr(), order.times.as_ptr()], [order.source.as_ptr(), order.place.as_ptr()]);
        let [offsets, times] = wide.map(|a| self.address(a));
        let [source, place] = narrow.map(|a| self.address(a));
        Merged { offsets, times, source, place }
    }

    /// The least and the greatest time that counts: nothing is later than what
    /// is known, at most now.
    fn interval(&self, query: &seg_plan::Query) -> (Option<i64>, i64) {
        let interval = query.interval;
        let from = interval.from.map(|b| {
            let at = b.moment.at(self.now).0;
            if b.is_closed { at } else { at.saturating_add(1) }
        });
        let to = interval.to.map_or(i64::MAX, |b| {
            let at = b.moment.at(self.now).0;
            if b.is_closed { at } else { at.saturating_sub(1) }
        });
        (from, to.min(horizon(query.known_at, self.now).0))
    }

    /// A hash table for as many different values as one person can have.
    fn set(&mut self, query: &seg_plan::Query) -> Set {
        let events: Vec<&Events> = query.events.iter().filter_map(|e| self.batch.events(*e)).collect();
        let n_values = |row| events.iter().map(|e| e.range(row).len()).sum::<usize>();
        let n_most = (0..self.batch.len()).map(n_values).max().unwrap_or(0);
        let n_entries = (2 * n_most).next_power_of_two().max(2);
        self.n_scratch = self.n_scratch.max(2 + 2 * n_entries);
        Set::Table(self.int(n_entries as i64 - 1))
    }

    fn periods(&mut self, unit: PeriodUnit, zone: Zone, query: &seg_plan::Query) -> Value {
        let (from, to) = self.interval(query);
        let extents = query.events.iter().filter_map(|e| self.batch.events(*e)?.extent()).map(|(a, b)| (a.0, b.0));
        let extent = extents.reduce(|(least, greatest), (first, last)| (least.min(first), greatest.max(last)));
        let Some((first, last)) = extent else { return Value::Int(self.int(0)) };
        let (first, last) = (first.max(from.unwrap_or(first)), last.min(to));
        if first > last {
            return Value::Int(self.int(0));
        }
        let periods = self.tables.periods(unit, zone, first, last);
        let (first_day, n_periods, n_offsets) = (periods.first_day, periods.n_periods, periods.offsets.len());
        let offset = periods.offsets.first().map_or(0, |(_, o)| *o);
        let (offsets, table) = (periods.offsets.as_ptr(), periods.table.as_ref().map(|t| t.as_ptr()));
        let offsets = match n_offsets {
            0 | 1 => ZoneOffsets::Fixed(self.int(offset)),
            n => ZoneOffsets::Steps { table: self.address(offsets), last: self.int(n as i64 - 1) },
        };
        let calendar =
            Calendar { offsets, first_day: self.int(first_day), table: table.map(|table| self.address(table)) };
        let set = if n_periods <= 64 { Set::Word } else { self.set(query) };
        let query = self.query(query, false, Inner::None);
        Value::Periods { calendar, set, query }
    }
}

/// What a query asks of its events besides finding them.
#[derive(Clone, Copy)]
enum Inner {
    None,
    Measure(NodeId),
    Asked(NodeId),
}

/// A text in a sentence.
enum Text {
    Literal(String),
    Column(Texts),
}

/// What a literal is.
fn literal(node: &Node) -> Option<&seg_data::Value> {
    match node {
        Node::Literal(Literal(value)) => Some(value),
        _ => None,
    }
}

/// The function of an aggregate over values of a type.
fn function(aggregate: Aggregate, ty: &Type) -> Function {
    match (aggregate, ty) {
        // The most frequent value is a kernel's.
        (Aggregate::Count | Aggregate::CountDifferent | Aggregate::MostFrequent, _) => Function::Count,
        (Aggregate::Total, Type::Number) => Function::TotalNumbers,
        (Aggregate::Total, _) => Function::TotalInts,
        (Aggregate::Average, Type::Number) => Function::AverageNumbers,
        (Aggregate::Average, Type::Money) => Function::AverageMoney,
        (Aggregate::Average, _) => Function::AverageInts,
        (Aggregate::Smallest | Aggregate::Largest, ty) => {
            let end = if aggregate == Aggregate::Smallest { End::First } else { End::Last };
            let class = if *ty == Type::Number { crate::shape::Class::Number } else { crate::shape::Class::Int };
            Function::Extreme(end, class)
        }
    }
}
