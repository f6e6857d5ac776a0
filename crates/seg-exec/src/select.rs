//! Conditions and values of a plan to kernel templates, with the parameters that
//! make them whole.

use crate::input::{Constant, Domain, Input, constant};
use crate::tables::{ColumnRef, Tables, Texts};
use arrow_buffer::BooleanBuffer;
use seg_data::{EventId, Timestamp, Type, Zone};
use seg_hir::hir::{Bound, End, Interval, Moment, PeriodUnit, horizon};
use seg_jit::Parameters;
use seg_jit::template::{self, Calendar, Class, Column, Cond, List, Query, Set, Slot, Template, Value};
use seg_plan::{Kernels, Node, NodeId, NthTime, Plan};
use std::collections::BTreeSet;

mod condition;
mod value;

pub(crate) use condition::mirrored;

/// A template with its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub template: Template,
    pub parameters: Parameters,
    /// The conditions that kernels of the plan evaluator have decided for it.
    pub precomputed: Vec<NodeId>,
}

/// Selects templates for the conditions of one plan over one batch.
pub(crate) struct Select<'p> {
    pub input: Input<'p>,
    pub tables: Tables<'p>,
    /// Which texts are compared with each other: their ranks are of one kind.
    ranked: BTreeSet<Texts>,
    /// Computes what no code is made for, as soon as there is such a thing.
    kernels: Option<Kernels<'p>>,
    needs: Vec<Needs>,
    parameters: Parameters,
    precomputed: Vec<NodeId>,
    /// Whether something was met that code is not made for.
    is_unsupported: bool,
}

/// What stands below a node, without what is about events of its queries.
#[derive(Clone, Copy, Default)]
struct Needs {
    /// Something that a kernel of the plan evaluator computes.
    kernel: bool,
    /// Something that is gathered over a person's events.
    gathers: bool,
}

/// What stands below each node.
fn needs(plan: &Plan) -> Vec<Needs> {
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

impl<'p> Select<'p> {
    /// For a plan over a batch.
    pub fn new(input: Input<'p>) -> Select<'p> {
        let mut select = Select {
            input,
            tables: Tables::new(input.batch),
            ranked: BTreeSet::new(),
            kernels: None,
            needs: needs(input.plan),
            parameters: Parameters::new(),
            precomputed: Vec::new(),
            is_unsupported: false,
        };
        select.find_ranked();
        select
    }

    /// The template of a condition about people; `None` where something of it is for
    /// the plan evaluator.
    pub fn condition(&mut self, id: NodeId) -> Option<Selected> {
        self.begin();
        let template = Template::Condition(self.cond(id, None));
        self.selected(template)
    }

    /// The template that computes a value about people, as 64 bits; none for values
    /// of other kinds, and those that are never there.
    pub fn shared_value(&mut self, id: NodeId) -> Option<Selected> {
        self.begin();
        let (value, ty) = self.value(id, None);
        let is_whole = matches!(ty, Some(Type::Integer | Type::Money | Type::Timestamp));
        let fits = is_whole && !matches!(value, Value::Missing(_)) && value.class() != Class::Number;
        self.selected(Template::Value(value)).filter(|_| fits)
    }

    /// The template that computes the time of an event about people; a last one only
    /// as far as it is not before an instant.
    pub fn shared_time(&mut self, time: &NthTime<'_>, least: Option<i64>) -> Option<Selected> {
        self.begin();
        // A walk from behind is over there; a first time lies there only where none is
        // earlier. What is read from columns needs no edge.
        let least = least.filter(|_| time.end == End::Last && !self.reads_times(time));
        let from = least.map(|least| Bound { moment: Moment::At(Timestamp(least)), is_closed: true });
        let value = self.event_time(time.end, time.n, &time.query(Interval { from, to: None }));
        self.selected(Template::Value(value))
    }

    fn begin(&mut self) {
        self.parameters = Parameters::new();
        self.precomputed.clear();
        self.is_unsupported = false;
    }

    fn selected(&mut self, template: Template) -> Option<Selected> {
        let (parameters, precomputed) = (std::mem::take(&mut self.parameters), std::mem::take(&mut self.precomputed));
        (!self.is_unsupported).then_some(Selected { template, parameters, precomputed })
    }

    /// Whether a condition that is no combination needs what code is not made for.
    pub fn is_precomputed(&self, id: NodeId, domain: Domain) -> bool {
        let is_combination =
            matches!(self.input.node(id), Node::All(_) | Node::Any(_) | Node::Cardinality { .. } | Node::Not(_));
        let needs = self.needs.get(id.idx()).copied().unwrap_or_default();
        // Inside a filter, what is gathered over the person is the same for all
        // of their events, so it is not gathered again for each.
        !is_combination && (needs.kernel || domain.is_some() && needs.gathers)
    }

    /// A condition that a kernel of the plan evaluator has decided for all rows: a
    /// bit each.
    pub fn precomputed(&mut self, id: NodeId, domain: Domain) -> BooleanBuffer {
        if !self.precomputed.contains(&id) {
            self.precomputed.push(id);
        }
        let Input { plan, batch, now, .. } = self.input;
        let kernels = self.kernels.get_or_insert_with(|| Kernels::new(plan, batch, now));
        self.tables.bits(id, domain, || match domain {
            None => kernels.of_people(id),
            Some(event) => kernels.of_events(id, event),
        })
    }

    /// Every column whose texts stand where one text is compared with another or
    /// counted.
    fn find_ranked(&mut self) {
        let n_events = self.input.batch.schema().events.len() as u32;
        let domains: Vec<Domain> = std::iter::once(None).chain((0..n_events).map(|e| Some(EventId(e)))).collect();
        for node in self.input.plan.nodes() {
            let is_literal = |id: &NodeId| crate::input::literal(self.input.node(*id)).is_some();
            let values: Vec<NodeId> = match node {
                Node::Compare(_, left, right) if !is_literal(left) && !is_literal(right) => vec![*left, *right],
                Node::Aggregate { measure: Some((measure, _)), .. } => vec![*measure],
                _ => continue,
            };
            for (value, domain) in values.iter().flat_map(|v| domains.iter().map(move |d| (*v, *d))) {
                if let Some(crate::input::Text::Column(texts)) = self.input.text(value, domain) {
                    self.ranked.insert(texts);
                }
            }
        }
    }

    fn int(&mut self, value: i64) -> Slot {
        self.parameters.int(value)
    }

    fn constant(&mut self, constant: Constant) -> Value {
        match constant {
            Constant::Int(int) => Value::Int(self.parameters.int(int)),
            Constant::Wide(wide) => {
                let (low, high) = self.parameters.wide(wide);
                Value::Wide(low, high)
            }
            Constant::Number(number) => Value::Number(self.parameters.float(number)),
        }
    }

    /// A literal that is no text and no list, with its type.
    fn literal(&mut self, value: &seg_data::Value) -> Option<(Value, Type)> {
        let (value, ty) = constant(value)?;
        Some((self.constant(value), ty))
    }

    fn column(&mut self, of: ColumnRef) -> Option<Column> {
        self.parameters.column(of.domain(), of.of(self.input.batch)?)
    }

    /// The keys of a column of texts.
    fn keys(&mut self, of: ColumnRef) -> Option<Column> {
        of.of(self.input.batch).filter(|c| *c.ty() == Type::Text)?;
        self.column(of)
    }

    /// A column of lists and whether its items' case is folded.
    fn list(&mut self, id: NodeId, domain: Domain) -> Option<(List, ColumnRef, bool)> {
        if let Node::FoldCase(inner) = self.input.node(id) {
            return self.list(*inner, domain).map(|(list, of, _)| (list, of, true));
        }
        let of = self.input.column_ref(id, domain)?;
        let column = of.of(self.input.batch)?;
        let Type::List(element) = column.ty() else { return None };
        let keys = if element.ty() == Type::Text { self.tables.item_keys(of) } else { None };
        Some((self.parameters.list(of.domain(), column, keys)?, of, false))
    }

    /// A query with a source for each of its names; `inner` says what is computed
    /// of each event besides.
    fn query(&mut self, query: &seg_plan::Query, is_ordered: bool, inner: Inner) -> Query {
        let (from, to) = self.interval(query);
        let mut names = Vec::new();
        let mut sources = Vec::new();
        for event in &query.events {
            let Some(events) = self.input.batch.events(*event) else { continue };
            let filter = query.filter.map(|f| self.cond(f, Some(*event)));
            if filter == Some(Cond::Const(false)) {
                continue;
            }
            let measure = match inner {
                Inner::Measure(measure) => Some(self.value(measure, Some(*event)).0),
                Inner::None | Inner::Predicate(_) => None,
            };
            let predicate = match inner {
                Inner::Predicate(predicate) => Some(Box::new(self.cond(predicate, Some(*event)))),
                Inner::None | Inner::Measure(_) => None,
            };
            let filter = filter.filter(|f| *f != Cond::Const(true));
            sources.push(template::Source { filter, measure, predicate, ..self.parameters.events(events) });
            names.push(*event);
        }
        let from = from.map(|from| self.int(from));
        let to = self.int(to);
        let is_plain = || match names.as_slice() {
            [] => true,
            [one] => self.input.batch.is_ordered(*one),
            _ => false,
        };
        let merged = is_ordered && !is_plain();
        let merged = merged.then(|| self.parameters.merged(self.tables.merged(&names)));
        Query { from, to, sources, merged }
    }

    /// The least and the greatest time that counts: nothing is later than what
    /// is known, at most now.
    fn interval(&self, query: &seg_plan::Query) -> (Option<i64>, i64) {
        let from = query.interval.from.map(|bound| self.input.first_instant(bound));
        let to = query.interval.to.map_or(i64::MAX, |bound| self.input.last_instant(bound));
        (from, to.min(horizon(query.known_at, self.input.now).0))
    }

    /// A hash table for as many different values as one person can have.
    fn set(&mut self, query: &seg_plan::Query) -> Set {
        let events = query.events.iter().filter_map(|event| self.input.batch.events(*event));
        let n_most: usize = events.map(|events| events.longest()).sum();
        let n_entries = (2 * n_most).next_power_of_two().max(2);
        Set::Table(self.int(n_entries as i64 - 1))
    }

    fn periods(&mut self, unit: PeriodUnit, zone: Zone, query: &seg_plan::Query) -> Value {
        let (from, to) = self.interval(query);
        let batch = self.input.batch;
        let extents = query.events.iter().filter_map(|e| batch.events(*e)?.extent()).map(|(a, b)| (a.0, b.0));
        let extent = extents.reduce(|(least, greatest), (first, last)| (least.min(first), greatest.max(last)));
        let Some((first, last)) = extent else { return Value::Int(self.int(0)) };
        let (first, last) = (first.max(from.unwrap_or(first)), last.min(to));
        if first > last {
            return Value::Int(self.int(0));
        }
        let periods = self.tables.periods(unit, zone, first, last);
        let n_periods = periods.n_periods;
        let offsets = self.parameters.zone(&periods.offsets);
        let first_day = self.parameters.int(periods.first_day);
        let table = periods.table.as_ref().map(|table| {
            let last = self.parameters.int(table.len() as i64 - 1);
            (self.parameters.ints32(table), last)
        });
        let calendar = Calendar { offsets, first_day, table };
        let set = if n_periods <= 64 { Set::Word } else { self.set(query) };
        let query = self.query(query, false, Inner::None);
        Value::Periods { calendar, set, query }
    }
}

/// What a query computes of its events besides finding them.
#[derive(Clone, Copy)]
enum Inner {
    None,
    Measure(NodeId),
    Predicate(NodeId),
}
