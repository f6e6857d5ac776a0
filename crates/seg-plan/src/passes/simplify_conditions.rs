//! Leaves out conditions that others imply, and decides rows of conditions that
//! contradict each other or leave nothing out.
//!
//! Conditions have two values, but a comparison is false where its value is
//! missing, so the laws of arithmetic do not negate it: `not (x < 5)` is not
//! `x >= 5`. What holds is that a comparison implies that its value is known.

use super::rewrite::{keep, rewrite};
use crate::build::Builder;
use crate::compared::{Compared, Comparison, NthTime, Test};
use crate::plan::{Literal, Node, NodeId, Plan};
use seg_data::{Date, Period, Timestamp, Value};
use seg_hir::hir::{CompareOp, End, Moment};

/// More members are left alone: every member is compared with every other.
const MEMBERS_MAX: usize = 64;
/// How deep implication looks into combinations of combinations.
const DEPTH_MAX: usize = 4;

pub(crate) fn run(plan: &Plan) -> Plan {
    rewrite(plan, |builder, node| match node {
        Node::All(members) => row(builder, &members, true),
        Node::Any(members) => row(builder, &members, false),
        other => keep(builder, other),
    })
}

/// Conditions of which all, or any, must hold.
fn row(builder: &mut Builder, members: &[NodeId], is_all: bool) -> NodeId {
    // Members that have changed may be several themselves, or decided.
    let row = if is_all { builder.all(members.to_vec()) } else { builder.any(members.to_vec()) };
    let mut members = match (builder.node(row), is_all) {
        (Some(Node::All(members)), true) | (Some(Node::Any(members)), false) => members.clone(),
        _ => return row,
    };
    if members.len() > MEMBERS_MAX {
        return row;
    }
    let pairs = |members: &[NodeId]| -> Vec<(NodeId, NodeId)> {
        members.iter().flat_map(|a| members.iter().filter(move |b| a < b).map(move |b| (*a, *b))).collect()
    };
    for (a, b) in pairs(&members) {
        let decides = match is_all {
            true => excludes(builder, a, b, DEPTH_MAX),
            false => covers(builder, a, b, DEPTH_MAX),
        };
        if decides {
            return builder.constant(!is_all);
        }
    }
    // Of two that imply each other one stays, since the other is gone by then.
    for at in (0..members.len()).rev() {
        if is_redundant(builder, &members, at, is_all) {
            members.remove(at);
        }
    }
    if is_all { builder.all(members) } else { builder.any(members) }
}

/// Whether a member changes nothing beside another.
fn is_redundant(builder: &Builder, members: &[NodeId], at: usize, is_all: bool) -> bool {
    let Some(member) = members.get(at).copied() else { return false };
    members.iter().filter(|other| **other != member).any(|other| match is_all {
        true => implies(builder, *other, member, DEPTH_MAX),
        false => implies(builder, member, *other, DEPTH_MAX),
    })
}

/// How a condition of a row changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redundancy {
    /// It stands there twice.
    SaidTwice,
    /// Another implies it, or is implied by it where any will do.
    Implied,
}

/// For each row of roots whether one of them changes nothing beside another, in a plan
/// in which counts are looks at times already.
pub(super) fn redundant(plan: Plan, rows: &[(bool, usize)]) -> Vec<Option<Redundancy>> {
    let (builder, roots) = Builder::of(plan);
    let mut roots = roots.iter().map(|root| root.node);
    let mut redundancy = |(is_all, n): &(bool, usize)| {
        let row: Vec<NodeId> = roots.by_ref().take(*n).collect();
        if row.len() > MEMBERS_MAX {
            return None;
        }
        if row.iter().enumerate().any(|(at, id)| row.iter().skip(at + 1).any(|other| other == id)) {
            return Some(Redundancy::SaidTwice);
        }
        (0..row.len()).any(|at| is_redundant(&builder, &row, at, *is_all)).then_some(Redundancy::Implied)
    };
    rows.iter().map(&mut redundancy).collect()
}

/// The pairs of roots of which the first holds nowhere but where the second does, in a plan
/// in which counts are looks at times already.
pub(super) fn contained(plan: Plan) -> Vec<(usize, usize)> {
    let (builder, roots) = Builder::of(plan);
    let is_const = |id: NodeId, value: bool| builder.node(id) == Some(&Node::Const(value));
    let mut pairs = Vec::new();
    for (at, a) in roots.iter().enumerate() {
        for (other, b) in roots.iter().enumerate().filter(|(other, _)| *other != at) {
            if is_const(a.node, false) || is_const(b.node, true) || implies(&builder, a.node, b.node, DEPTH_MAX) {
                pairs.push((at, other));
            }
        }
    }
    pairs
}

/// For each of the first `n` roots whether it holds exactly where the one `n` further does.
pub(super) fn equal(plan: Plan, n: usize) -> Vec<bool> {
    let (builder, roots) = Builder::of(plan);
    let pairs = roots.iter().zip(roots.iter().skip(n)).take(n);
    let both = |a, b| implies(&builder, a, b, DEPTH_MAX) && implies(&builder, b, a, DEPTH_MAX);
    pairs.map(|(a, b)| both(a.node, b.node)).collect()
}

/// Whether `a` and `b` never hold together.
fn excludes(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    match (builder.node(a), builder.node(b)) {
        (Some(Node::Not(not_a)), _) if implies(builder, b, *not_a, depth) => true,
        (_, Some(Node::Not(not_b))) => implies(builder, a, *not_b, depth),
        (Some(a), Some(b)) => Bounded::of(builder, a).zip(Bounded::of(builder, b)).is_some_and(|(a, b)| a.excludes(b)),
        _ => false,
    }
}

/// Whether `a` or `b` always holds.
fn covers(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    match (builder.node(a), builder.node(b)) {
        (Some(Node::Not(not_a)), _) if implies(builder, *not_a, b, depth) => true,
        (_, Some(Node::Not(not_b))) => implies(builder, *not_b, a, depth),
        _ => false,
    }
}

/// Whether `b` holds wherever `a` does. `false` when that is not seen.
fn implies(builder: &Builder, a: NodeId, b: NodeId, depth: usize) -> bool {
    if a == b {
        return true;
    }
    let (Some(depth), Some(from), Some(to)) = (depth.checked_sub(1), builder.node(a), builder.node(b)) else {
        return false;
    };
    match (from, to) {
        (Node::Not(not_a), Node::Not(not_b)) => implies(builder, *not_b, *not_a, depth),
        (Node::Any(members), _) => members.iter().all(|m| implies(builder, *m, b, depth)),
        (_, Node::All(members)) => members.iter().all(|m| implies(builder, a, *m, depth)),
        (Node::All(members), _) if members.iter().any(|m| implies(builder, *m, b, depth)) => true,
        (_, Node::Any(members)) => members.iter().any(|m| implies(builder, a, *m, depth)),
        (from, Node::Known(value)) if looks_at(builder, from, *value) => true,
        (from, to) => {
            Bounded::of(builder, from).zip(Bounded::of(builder, to)).is_some_and(|(from, to)| from.implies(to))
        }
    }
}

/// A condition that compares a value with a bound.
#[derive(Clone, Copy)]
struct Bounded<'b> {
    value: Compared<'b>,
    test: Test,
    /// The bound beside others, whatever now is; `None` where there is none that can
    /// be compared.
    bound: Option<(CompareOp, Position)>,
}

/// A kind of bounds, and a position on its line.
type Position = (u8, i128);

impl<'b> Bounded<'b> {
    fn of(builder: &'b Builder, condition: &Node) -> Option<Bounded<'b>> {
        let Comparison { compared, test, .. } = Comparison::of(condition, |id| builder.node(id))?;
        let bound = match test {
            Test::IsValid => None,
            Test::Value(op, bound) => position(builder, bound).map(|position| (op, position)),
            Test::Edge(op, moment) => of_moment(moment).map(|position| (op, position)),
        };
        Some(Bounded { value: compared, test, bound })
    }

    /// Whether both never hold together.
    fn excludes(self, other: Bounded<'_>) -> bool {
        self.value == other.value && self.bound.zip(other.bound).is_some_and(|(a, b)| apart(a, b))
    }

    /// Whether the other holds wherever this does.
    fn implies(self, other: Bounded<'_>) -> bool {
        if other.test == Test::IsValid {
            // Both are false where there is no value.
            return self.value == other.value || self.is_further(other, |_| true);
        }
        let is_stronger = self.bound.zip(other.bound).is_some_and(|(bound, other)| stronger(bound, other));
        // The k-th last is not before a bound when one further back is not.
        let is_late = match self.test {
            Test::IsValid => false,
            Test::Value(op, _) | Test::Edge(op, _) => is_lower(op),
        };
        (is_stronger || self.test == other.test)
            && (self.value == other.value || is_late && self.is_further(other, |end| end == End::Last))
    }

    /// Whether the values are times of the same events, this one as far from its end
    /// as the other or further: there is a third last only where there is a second,
    /// and it is earlier.
    fn is_further(self, other: Bounded<'_>, may_be: impl Fn(End) -> bool) -> bool {
        let (Compared::Time(a), Compared::Time(b)) = (self.value, other.value) else { return false };
        may_be(a.end) && may_be(b.end) && a.n >= b.n && a == NthTime { end: a.end, n: a.n, ..b }
    }
}

fn is_lower(op: CompareOp) -> bool {
    matches!(op, CompareOp::Greater | CompareOp::GreaterOrEqual)
}

/// Where a bound stands among those that can be compared with it.
fn position(builder: &Builder, bound: NodeId) -> Option<Position> {
    match builder.node(bound)? {
        Node::Literal(Literal(Value::Integer(n))) => Some((0, *n)),
        Node::Literal(Literal(Value::Money(n))) => Some((1, *n)),
        Node::Literal(Literal(Value::Date(Date(n)))) => Some((2, i128::from(*n))),
        Node::Literal(Literal(Value::Timestamp(at))) => of_moment(Moment::At(*at)),
        Node::Moment(moment) => of_moment(*moment),
        _ => None,
    }
}

fn of_moment(moment: Moment) -> Option<Position> {
    match moment {
        Moment::At(Timestamp(n)) => Some((3, i128::from(n))),
        Moment::Before(Period::Fixed(n), _) => Some((4, -i128::from(n))),
        Moment::After(Period::Fixed(n), _) => Some((4, i128::from(n))),
        Moment::Before(Period::Months(_), _) | Moment::After(Period::Months(_), _) | Moment::StartOf(..) => None,
    }
}

/// Whether what compares so with one bound compares so with the other.
fn stronger((op, a): (CompareOp, Position), (other_op, b): (CompareOp, Position)) -> bool {
    use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let ((kind, a), (other_kind, b)) = (a, b);
    kind == other_kind
        && match (op, other_op) {
            (Greater, Greater) | (Greater | GreaterOrEqual, GreaterOrEqual) => a >= b,
            (GreaterOrEqual | Equal, Greater) => a > b,
            (Less, Less) | (Less | LessOrEqual, LessOrEqual) => a <= b,
            (LessOrEqual | Equal, Less) => a < b,
            (Equal, GreaterOrEqual) => a >= b,
            (Equal, LessOrEqual) => a <= b,
            (Equal, Equal) => a == b,
            _ => false,
        }
}

/// Whether nothing compares so with both bounds.
fn apart((op, a): (CompareOp, Position), (other_op, b): (CompareOp, Position)) -> bool {
    use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let ((kind, a), (other_kind, b)) = (a, b);
    kind == other_kind
        && match (op, other_op) {
            (Greater | GreaterOrEqual | Equal, Less) | (Greater, LessOrEqual | Equal) => a >= b,
            (GreaterOrEqual | Equal, LessOrEqual) | (GreaterOrEqual, Equal) => a > b,
            (Less, GreaterOrEqual | Greater | Equal) | (LessOrEqual | Equal, Greater) => a <= b,
            (LessOrEqual, GreaterOrEqual | Equal) | (Equal, GreaterOrEqual) => a < b,
            (Equal, Equal) => a != b,
            _ => false,
        }
}

/// Whether a condition can only hold where a value is there.
fn looks_at(builder: &Builder, condition: &Node, value: NodeId) -> bool {
    // A folded text is there exactly where the text is.
    let is_it = |id: &NodeId| *id == value || matches!(builder.node(*id), Some(Node::FoldCase(a)) if *a == value);
    match condition {
        Node::Compare(_, left, right) => is_it(left) || is_it(right),
        Node::OneOf(a, _) | Node::Has(a, _) | Node::Text { value: a, .. } => is_it(a),
        _ => false,
    }
}
