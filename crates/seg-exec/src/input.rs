//! What is executed: a plan over a batch as of an instant, and what its nodes are
//! there.

use crate::kernels::Range;
use crate::options::ExecOptions;
use crate::tables::{ColumnRef, Texts};
use seg_data::{Batch, EventId, Period, Timestamp, Type, Value};
use seg_hir::hir::{Bound, CompareOp, Interval, Length, Moment};
use seg_hir::text::fold_case;
use seg_plan::{Compared, Comparison, Literal, Node, NodeId, Plan, Query, Test};

/// What a node is about: a person, or an event of a name.
pub(crate) type Domain = Option<EventId>;

/// A plan over a batch.
#[derive(Clone, Copy)]
pub(crate) struct Input<'p> {
    pub plan: &'p Plan,
    pub batch: &'p Batch,
    pub now: Timestamp,
    pub options: &'p ExecOptions,
}

/// A text in a sentence.
pub(crate) enum Text {
    Literal(String),
    Column(Texts),
}

/// A value that is the same for everybody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Constant {
    Int(i64),
    /// Beyond 64 bits.
    Wide(i128),
    Number(f64),
}

/// A condition that compares a value with a bound of 64 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounded<'p> {
    pub compared: Compared<'p>,
    /// The node of what is compared.
    pub node: NodeId,
    /// `None` where it asks whether there is a value.
    pub bound: Option<(CompareOp, i64)>,
}

impl Bounded<'_> {
    /// Which values will do, where not all do.
    pub fn range(&self) -> Option<Range<i64>> {
        self.bound.map(|(op, bound)| Range::<i64>::of(op, bound))
    }

    /// The least value that will do, where all above it do as well.
    pub fn least(&self) -> Option<i64> {
        match self.bound? {
            (CompareOp::GreaterOrEqual, bound) => Some(bound),
            (CompareOp::Greater, bound) => Some(bound.saturating_add(1)),
            (CompareOp::Equal | CompareOp::Less | CompareOp::LessOrEqual, _) => None,
        }
    }
}

/// A bound that is none of the extremes, to which values beyond 64 bits are cut.
fn inner(bound: i64) -> Option<i64> {
    (bound != i64::MIN && bound != i64::MAX).then_some(bound)
}

impl<'p> Input<'p> {
    /// A node of the plan.
    pub fn node(self, id: NodeId) -> &'p Node {
        const MISSING: &Node = &Node::Missing;
        self.plan.node(id).unwrap_or(MISSING)
    }

    /// Which column a node reads, where it is one.
    pub fn column_ref(self, id: NodeId, domain: Domain) -> Option<ColumnRef> {
        match (self.node(id), domain) {
            (Node::Attribute(id, _), _) => Some(ColumnRef::Attribute(*id)),
            (Node::Property(ids, _), Some(event)) => {
                ids.iter().find(|(of, _)| *of == event).map(|(event, p)| ColumnRef::Property(*event, *p))
            }
            _ => None,
        }
    }

    /// A node as a text, where it is one.
    pub fn text(self, id: NodeId, domain: Domain) -> Option<Text> {
        match self.node(id) {
            Node::FoldCase(inner) => Some(match self.text(*inner, domain)? {
                Text::Literal(text) => Text::Literal(fold_case(&text)),
                Text::Column(texts) => Text::Column(Texts { is_folded: true, ..texts }),
            }),
            Node::Attribute(_, Type::Text) | Node::Property(_, Type::Text) => {
                let column = self.column_ref(id, domain)?;
                Some(Text::Column(Texts { column, is_folded: false }))
            }
            node => match literal(node)? {
                Value::Text(text) => Some(Text::Literal(text.clone())),
                _ => None,
            },
        }
    }

    /// A node as a value that is the same for everybody, where it is one; texts and
    /// lists are none.
    pub fn constant(self, id: NodeId) -> Option<(Constant, Type)> {
        match self.node(id) {
            Node::Literal(Literal(value)) => constant(value),
            Node::Moment(moment) => Some((Constant::Int(moment.at(self.now).0), Type::Timestamp)),
            Node::Today { zone, offset } => {
                let day = offset.from(zone.date(self.now));
                Some((Constant::Int(day.0.into()), Type::Date))
            }
            _ => None,
        }
    }

    /// What a condition about people compares, and which values will do; `None`
    /// where it compares none with a bound of 64 bits.
    pub fn comparison(self, id: NodeId) -> Option<Bounded<'p>> {
        self.bounded(&Comparison::of(self.node(id), |id| self.plan.node(id))?)
    }

    /// The bound of a comparison, where it is one of 64 bits.
    pub fn bounded(self, comparison: &Comparison<'p>) -> Option<Bounded<'p>> {
        let Comparison { compared, node, test } = *comparison;
        let bound = match test {
            Test::IsValid => None,
            Test::Value(op, other) => Some((op, self.bound(other)?)),
            Test::Edge(op, moment) => Some((op, inner(moment.at(self.now).0)?)),
        };
        Some(Bounded { compared, node, bound })
    }

    /// A bound that a value of 64 bits is compared with.
    fn bound(self, id: NodeId) -> Option<i64> {
        let (Constant::Int(bound), Type::Integer | Type::Money | Type::Timestamp) = self.constant(id)? else {
            return None;
        };
        inner(bound)
    }

    /// The only event of a query that asks for nothing but a window up to now, and
    /// when that begins.
    pub fn plain_but_window(self, query: &Query) -> Option<(EventId, i64)> {
        let [event] = query.events.as_slice() else { return None };
        if query.filter.is_some() || query.known_at.is_some() || !ends_now(query) {
            return None;
        }
        Some((*event, query.interval.from.map_or(i64::MIN, |bound| self.first_instant(bound))))
    }

    /// The first instant of a window that begins so.
    pub fn first_instant(self, bound: Bound) -> i64 {
        bound.moment.at(self.now).0.saturating_add(i64::from(!bound.is_closed))
    }

    /// The last instant of a window that ends so.
    pub fn last_instant(self, bound: Bound) -> i64 {
        bound.moment.at(self.now).0.saturating_sub(i64::from(!bound.is_closed))
    }
}

/// What a literal is.
pub(crate) fn literal(node: &Node) -> Option<&Value> {
    match node {
        Node::Literal(Literal(value)) => Some(value),
        _ => None,
    }
}

/// A value as a constant with its type.
pub(crate) fn constant(value: &Value) -> Option<(Constant, Type)> {
    let whole = |value: i128| i64::try_from(value).map_or(Constant::Wide(value), Constant::Int);
    Some(match value {
        Value::Boolean(b) => (Constant::Int(i64::from(*b)), Type::Boolean),
        Value::Integer(i) => (whole(*i), Type::Integer),
        Value::Money(m) => (whole(*m), Type::Money),
        Value::Number(n) => (Constant::Number(*n), Type::Number),
        Value::Timestamp(t) => (Constant::Int(t.0), Type::Timestamp),
        Value::Date(d) => (Constant::Int(d.0.into()), Type::Date),
        Value::Text(_) | Value::List(_) => return None,
    })
}

/// An integer as a number, where it is one exactly.
pub(crate) fn exact(int: i64) -> Option<f64> {
    const EXACT: i64 = 1 << 53;
    (-EXACT..=EXACT).contains(&int).then_some(int as f64)
}

/// The text of a literal.
pub(crate) fn literal_text(literal: &Literal) -> Option<&str> {
    match &literal.0 {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The only event of a query that asks for nothing but its filter.
pub(crate) fn plain(query: &Query) -> Option<EventId> {
    let is_plain = query.interval == Interval::default() && query.known_at.is_none();
    match query.events.as_slice() {
        [one] if is_plain => Some(*one),
        _ => None,
    }
}

/// Whether a window reaches to now.
pub(crate) fn ends_now(query: &Query) -> bool {
    let now = |bound: Bound| matches!(bound, Bound { moment: Moment::Before(Period::Fixed(0), _), is_closed: true });
    query.interval.to.is_none_or(now)
}

/// A length of fixed size; `None` for one of the calendar.
#[allow(clippy::option_option)] // Whether it can be said, and whether there is one.
pub(crate) fn fixed(length: Option<Length>) -> Option<Option<i64>> {
    match length.map(|l| l.period) {
        None => Some(None),
        Some(Period::Fixed(micros)) => Some(Some(micros)),
        Some(Period::Months(_)) => None,
    }
}
