//! What a segment is made of, by the names in the table of the differential
//! test.

use seg_data::Schema;
use seg_hir::hir::{Aggregate, Bound, ChainOrder, CompareOp, Moment, OfHistory};
use seg_plan::{Node, NodeId, Plan, Query};
use std::collections::BTreeMap;

/// The constructs of a segment, from the plan as it was lowered: one name for
/// each way in which engines could go wrong, with the kernel of the plan evaluator
/// that computes it where native code does not itself.
pub fn constructs(plan: &Plan, root: NodeId, schema: &Schema) -> BTreeMap<String, Option<&'static str>> {
    let mut names = BTreeMap::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let Some(node) = plan.node(id) else { continue };
        name(plan, node, &mut names);
        if let Node::Attribute(id, ty) = node
            && schema.attribute(*id).is_some_and(|a| a.keeps_history)
        {
            names.insert(format!("history of {ty}"), None);
        }
        open.extend(node.children());
        open.extend(node.inner());
    }
    names
}

fn name(plan: &Plan, node: &Node, names: &mut BTreeMap<String, Option<&'static str>>) {
    let mut add = |name: &str| {
        names.insert(name.to_owned(), node.kernel());
    };
    match node {
        Node::All(_) => add("all of"),
        Node::Any(_) => add("any of"),
        Node::Cardinality { .. } => add("cardinality of a group"),
        Node::Not(_) => add("not"),
        Node::Known(value) => {
            add("known");
            if let Some(Node::EventTime { query, .. }) = plan.node(*value)
                && let Some(Node::Compare(CompareOp::Equal, property, text)) = query.filter.and_then(|f| plan.node(f))
                && let (Some(Node::Property(..)), Some(Node::Literal(_))) = (plan.node(*property), plan.node(*text))
            {
                add("text of an event");
            }
        }
        Node::Compare(op, left, right) => {
            let is_literal = |id: &NodeId| matches!(plan.node(*id), Some(Node::Literal(_)));
            if !is_literal(left) && !is_literal(right) {
                add("compare two values");
            }
            add(&format!("compare {}", op.symbol()))
        }
        Node::OneOf(..) => add("one of"),
        Node::Text { op, ignore_case, .. } => {
            if *ignore_case {
                add("pattern ignoring case");
            }
            add(&format!("text {}", op.word()))
        }
        Node::Has(..) => add("list has"),
        Node::FirstOrLastN { end, .. } => add(&format!("{} n all", end.word())),
        Node::Attribute(_, ty) => add(&format!("attribute {ty}")),
        Node::Property(ids, ty) => {
            if ids.len() > 1 {
                add("property of several events");
            }
            add(&format!("property {ty}"))
        }
        Node::Today { .. } => add("calendar day of now"),
        Node::Seen(end, known_at) => {
            if known_at.is_some() {
                add("seen, known earlier");
            }
            add(&format!("{} seen", end.word()))
        }
        Node::Chain(chain) => {
            if !chain.same.is_empty() {
                add("event sequence, the same");
            }
            if chain.whole.is_some() {
                add("event sequence, all within");
            }
            if chain.steps.iter().any(|step| step.within.is_some()) {
                add("event sequence, each within");
            }
            if chain.steps.iter().any(|step| step.none_between.is_some()) {
                add("event sequence, none in between");
            }
            match (chain.order, chain.steps.len()) {
                (ChainOrder::Before, _) => add("preceded by"),
                (ChainOrder::After, 1) => add("followed by"),
                (ChainOrder::After, _) => add("event sequence"),
                (ChainOrder::Any, _) => add("events in any order"),
            }
        }
        Node::Items { is_all, .. } => add(if *is_all { "all records" } else { "any record" }),
        Node::Sample { is_complement, .. } => add(if *is_complement { "other sample" } else { "sample" }),
        Node::InList(..) => add("in list"),
        Node::Profile(_) => add("profile id"),
        Node::Elements { is_all, .. } => add(if *is_all { "all items of a list" } else { "any item of a list" }),
        Node::Element { .. } => {}
        Node::History { of, .. } => add(match of {
            OfHistory::Stretches(_) => "a value at any time",
            OfHistory::Changes(_) => "changes of an attribute",
            OfHistory::Since => "held since",
        }),
        Node::HeldValue { .. } => {}
        Node::Time => add("time of the event"),
        Node::Field { .. } => add("field of a record"),
        Node::Shift { .. } => add("shifted time"),
        Node::DayOf(..) => add("day of a time"),
        Node::Part(part, ..) => add(part.word()),
        Node::Anniversary(..) => add("anniversary"),
        Node::Elapsed(_) => add("time since"),
        Node::Distance { .. } => add("distance"),
        Node::UsualGap(_) => add("usual gap"),
        Node::MostWithin { .. } => add("most within"),
        Node::Arithmetic(op, ..) => add(&format!("arithmetic {}", op.symbol())),
        Node::Scale { .. } => add("money by a fraction"),
        Node::Convert(_, ty) => add(&format!("integer as {ty}")),
        Node::FoldCase(_) => add("ignoring case"),
        Node::ListLength(_) => add("list length"),
        Node::Aggregate { function, items: Some(_), .. } => add(&format!("{} of records", function.word())),
        Node::Aggregate { function, measure, .. } => match (function, measure) {
            (Aggregate::Count, _) => add("count"),
            (function, Some((_, ty))) => add(&format!("{} of {ty}", function.word())),
            (function, None) => add(function.word()),
        },
        Node::Periods { unit, .. } => add(&format!("different {}", unit.word())),
        Node::EventTime { end, .. } => add(&format!("time of {} event", end.word())),
        Node::Const(_) | Node::Literal(_) | Node::Moment(_) | Node::Missing => {}
    };
    for query in node.queries() {
        window(query, names);
    }
}

fn window(query: &Query, names: &mut BTreeMap<String, Option<&'static str>>) {
    let mut add = |name: String| {
        names.insert(name, None);
    };
    if query.events.len() > 1 {
        add("several events".into());
    }
    if query.filter.is_some() {
        add("where".into());
    }
    if query.known_at.is_some() {
        add("events known earlier".into());
    }
    let side = |bound: &Option<Bound>| {
        bound.map(|b| {
            let moment = match b.moment {
                Moment::At(_) => "date",
                Moment::Before(..) | Moment::After(..) => "age",
                Moment::StartOf(..) => "calendar",
            };
            format!("{}, {moment}", if b.is_closed { "included" } else { "excluded" })
        })
    };
    if let Some(from) = side(&query.interval.from) {
        add(format!("window from {from}"));
    }
    if let Some(to) = side(&query.interval.to) {
        add(format!("window to {to}"));
    }
}
