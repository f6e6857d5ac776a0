//! The plan: nodes, each after the nodes it is made of.

use seg_data::{AttributeId, EventId, PropertyId, Type, Value, Zone};
use seg_hir::hir::{
    Aggregate, ArithmeticOp, CalendarPart, ChainOrder, CompareOp, DayOffset, End, IdTest, Interval, Length, ListRef,
    Moment, OfHistory, PeriodUnit, TextOp,
};
use std::hash::{Hash, Hasher};

/// A node, by its position in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

impl NodeId {
    /// For indexing.
    pub fn idx(self) -> usize {
        self.0 as usize
    }
}

/// All segments of a program as one graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// INVARIANT: a node stands after all nodes it refers to, and no two are
    /// equal.
    pub(crate) nodes: Vec<Node>,
    /// In the order of the module's segments.
    pub(crate) roots: Vec<Root>,
}

impl Plan {
    /// The nodes, each after those it is made of.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// What each segment is, in the order of the module's segments.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// A node by id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.idx())
    }
}

/// A segment and the condition that decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The segment's name.
    pub name: String,
    /// A condition about a person.
    pub node: NodeId,
}

/// A value in a plan: equal when it prints alike, so that it can be shared.
#[derive(Debug, Clone)]
pub struct Literal(pub Value);

impl PartialEq for Literal {
    fn eq(&self, other: &Literal) -> bool {
        match (&self.0, &other.0) {
            (Value::Number(a), Value::Number(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        }
    }
}

impl Eq for Literal {}

impl Hash for Literal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(&self.0).hash(state);
        match &self.0 {
            Value::Boolean(b) => b.hash(state),
            Value::Integer(i) | Value::Money(i) => i.hash(state),
            Value::Number(n) => n.to_bits().hash(state),
            Value::Text(t) => t.hash(state),
            Value::Timestamp(t) => t.hash(state),
            Value::Date(d) => d.hash(state),
            Value::List(items) => items.iter().for_each(|i| Literal(i.clone()).hash(state)),
        }
    }
}

/// Which events: of some names, inside an interval, meeting a condition on one
/// event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// In the schema's order.
    pub events: Vec<EventId>,
    /// Around `now`.
    pub interval: Interval,
    /// A condition that may name properties.
    pub filter: Option<NodeId>,
    /// Later events than at this moment do not exist.
    pub known_at: Option<Moment>,
}

/// An event sequence behind the one at hand; see [`seg_hir::hir::Chain`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Chain {
    pub order: ChainOrder,
    pub steps: Vec<ChainStep>,
    pub whole: Option<Length>,
    pub same: Vec<Vec<(EventId, PropertyId)>>,
}

/// A step of an event sequence; see [`seg_hir::hir::ChainStep`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct ChainStep {
    pub query: Query,
    pub within: Option<Length>,
    pub none_between: Option<Query>,
}

/// Who computes a node where native code runs a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Native {
    /// Native code.
    Itself,
    /// The kernel of this name of the plan evaluator, for all rows when the plan is
    /// compiled; native code reads what it found.
    ByKernel(&'static str),
}

/// A condition or a value. What names a property is about one event, all else
/// about a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Node {
    // Conditions.
    Const(bool),
    All(Vec<NodeId>),
    Any(Vec<NodeId>),
    /// At least `min` and at most `max` of the members, which ascend; one may
    /// be there more than once.
    Cardinality {
        min: u64,
        max: Option<u64>,
        members: Vec<NodeId>,
    },
    Not(NodeId),
    Known(NodeId),
    Compare(CompareOp, NodeId, NodeId),
    OneOf(NodeId, Vec<Literal>),
    Text {
        op: TextOp,
        value: NodeId,
        text: String,
        ignore_case: bool,
    },
    Has(NodeId, Literal),
    FirstOrLastN {
        end: End,
        n: u32,
        query: Query,
        filter: NodeId,
    },
    /// Whether other events follow the one at hand.
    Chain(Chain),
    /// Whether all, or any, of the records of a list are as asked.
    Items {
        is_all: bool,
        list: Vec<(EventId, PropertyId)>,
        filter: NodeId,
    },
    Sample {
        name: String,
        below: u64,
        is_complement: bool,
    },
    InList(NodeId, ListRef),
    Profile(IdTest),
    /// Of the items of a person's list.
    Elements {
        is_all: bool,
        list: AttributeId,
        filter: NodeId,
    },
    // Values.
    Literal(Literal),
    Attribute(AttributeId, Type),
    Property(Vec<(EventId, PropertyId)>, Type),
    Moment(Moment),
    Today {
        zone: Zone,
        offset: DayOffset,
    },
    Seen(End, Option<Moment>),
    /// When the event at hand was.
    Time,
    /// A field of the record at hand.
    Field {
        list: Vec<(EventId, PropertyId)>,
        field: u32,
        ty: Type,
    },
    Element {
        list: AttributeId,
        field: Option<u32>,
        ty: Type,
    },
    /// Over the stretches of an attribute's history that the filter holds of.
    History {
        attribute: AttributeId,
        filter: NodeId,
        of: OfHistory,
    },
    /// The value at hand of a history, or the one before it.
    HeldValue {
        attribute: AttributeId,
        is_before: bool,
        ty: Type,
    },
    Shift {
        of: NodeId,
        by: Length,
        is_back: bool,
    },
    DayOf(NodeId, Zone),
    Part(CalendarPart, NodeId, Zone),
    Anniversary(NodeId, NodeId),
    Elapsed(NodeId),
    /// To a place, of which these are the bits of its degrees.
    Distance {
        latitude: NodeId,
        longitude: NodeId,
        to: [u64; 2],
    },
    UsualGap(Query),
    MostWithin {
        query: Query,
        within: Length,
    },
    Arithmetic(ArithmeticOp, NodeId, NodeId),
    Scale {
        money: NodeId,
        numerator: i128,
        denominator: i128,
    },
    Convert(NodeId, Type),
    FoldCase(NodeId),
    ListLength(NodeId),
    /// Over a measure of this type, or over nothing for a count.
    Aggregate {
        function: Aggregate,
        measure: Option<(NodeId, Type)>,
        /// Over the records of a list of the events.
        items: Option<Vec<(EventId, PropertyId)>>,
        query: Query,
    },
    Periods {
        unit: PeriodUnit,
        zone: Zone,
        query: Query,
    },
    /// When the n-th event from one end was; `n` counts from 1.
    EventTime {
        end: End,
        n: u32,
        query: Query,
    },
    /// A value that is never there.
    Missing,
}

impl Node {
    /// Whether it is true or false rather than a value.
    pub fn is_condition(&self) -> bool {
        match self {
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
            | Node::InList(..) => true,
            Node::Literal(_)
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
            | Node::Missing => false,
        }
    }

    /// Who computes it where native code runs the plan.
    pub fn native(&self) -> Native {
        Native::ByKernel(match self {
            Node::Chain(_) => "chain",
            Node::Items { .. }
            | Node::Field { .. }
            | Node::Property(_, Type::Records(_))
            | Node::Aggregate { items: Some(_), .. } => "items",
            Node::Sample { .. } => "sample",
            Node::InList(..) => "list",
            Node::Profile(_) => "profile id",
            Node::Elements { .. } | Node::Element { .. } | Node::Attribute(_, Type::Records(_)) => "elements",
            Node::History { .. } | Node::HeldValue { .. } => "attribute history",
            Node::Time => "event time",
            Node::Shift { .. } | Node::DayOf(..) | Node::Part(..) | Node::Elapsed(_) => "calendar",
            Node::Anniversary(..) => "anniversary",
            Node::Distance { .. } => "distance",
            Node::UsualGap(_) => "usual gap",
            Node::MostWithin { .. } => "most within",
            Node::Aggregate { function, items: None, .. } => match function {
                Aggregate::MostFrequent => "most frequent",
                Aggregate::Count
                | Aggregate::CountDifferent
                | Aggregate::Total
                | Aggregate::Average
                | Aggregate::Smallest
                | Aggregate::Largest => return Native::Itself,
            },
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
            | Node::Literal(_)
            | Node::Attribute(..)
            | Node::Property(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Seen(..)
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => return Native::Itself,
        })
    }

    /// The kernel of the plan evaluator that computes it for whole columns, where
    /// native code does not itself: its name.
    pub fn kernel(&self) -> Option<&'static str> {
        match self.native() {
            Native::Itself => None,
            Native::ByKernel(name) => Some(name),
        }
    }

    /// The queries inside it.
    pub fn queries(&self) -> Vec<&Query> {
        match self {
            // The steps first, so that the number of a step is that of its query.
            Node::Chain(chain) => {
                let steps = chain.steps.iter().map(|step| &step.query);
                steps.chain(chain.steps.iter().filter_map(|step| step.none_between.as_ref())).collect()
            }
            other => other.query().into_iter().collect(),
        }
    }

    /// The query inside it, if it has one.
    pub fn query(&self) -> Option<&Query> {
        match self {
            Node::UsualGap(query)
            | Node::MostWithin { query, .. }
            | Node::FirstOrLastN { query, .. }
            | Node::Aggregate { query, .. }
            | Node::Periods { query, .. }
            | Node::EventTime { query, .. } => Some(query),
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
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
            | Node::Profile(_)
            | Node::Elements { .. }
            | Node::InList(..)
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
            | Node::Arithmetic(..)
            | Node::Scale { .. }
            | Node::Convert(..)
            | Node::FoldCase(_)
            | Node::ListLength(_)
            | Node::Missing => None,
        }
    }

    /// The nodes it is made of in the same scope; those that are about one of
    /// its query's events are [`Node::inner`].
    pub fn children(&self) -> Vec<NodeId> {
        match self {
            Node::All(members) | Node::Any(members) | Node::Cardinality { members, .. } => members.clone(),
            Node::Not(a)
            | Node::Known(a)
            | Node::OneOf(a, _)
            | Node::Has(a, _)
            | Node::Convert(a, _)
            | Node::FoldCase(a)
            | Node::ListLength(a)
            | Node::Text { value: a, .. }
            | Node::InList(a, _)
            | Node::Shift { of: a, .. }
            | Node::DayOf(a, _)
            | Node::Part(_, a, _)
            | Node::Elapsed(a)
            | Node::Scale { money: a, .. } => vec![*a],
            Node::Compare(_, a, b)
            | Node::Arithmetic(_, a, b)
            | Node::Anniversary(a, b)
            | Node::Distance { latitude: a, longitude: b, .. } => vec![*a, *b],
            Node::Const(_)
            | Node::FirstOrLastN { .. }
            | Node::Chain(_)
            | Node::Items { .. }
            | Node::Sample { .. }
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
            | Node::UsualGap(_)
            | Node::MostWithin { .. }
            | Node::Aggregate { .. }
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => Vec::new(),
        }
    }

    /// The nodes that are about one of its query's events.
    pub fn inner(&self) -> Vec<NodeId> {
        let own = match self {
            Node::FirstOrLastN { filter, .. }
            | Node::Items { filter, .. }
            | Node::Elements { filter, .. }
            | Node::History { filter, .. } => Some(*filter),
            Node::Aggregate { measure, .. } => measure.as_ref().map(|(m, _)| *m),
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
            | Node::Chain(_)
            | Node::Sample { .. }
            | Node::Profile(_)
            | Node::InList(..)
            | Node::Literal(_)
            | Node::Attribute(..)
            | Node::Property(..)
            | Node::Moment(_)
            | Node::Today { .. }
            | Node::Seen(..)
            | Node::Time
            | Node::Field { .. }
            | Node::Element { .. }
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
            | Node::Periods { .. }
            | Node::EventTime { .. }
            | Node::Missing => None,
        };
        self.queries().into_iter().filter_map(|q| q.filter).chain(own).collect()
    }
}
