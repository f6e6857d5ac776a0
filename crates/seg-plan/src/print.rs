//! The plan as text: a line a node, then what each segment is, which values
//! several conditions share, and what it reads.

use crate::needs::needs;
use crate::plan::{ChainStep, Literal, Node, NodeId, Plan, Query};
use seg_data::{EventId, PropertyId, Schema};
use seg_hir::hir::ChainOrder;
use std::fmt::Write;

/// Prints a plan with the schema's names, and what it reads.
pub fn print(plan: &Plan, schema: &Schema) -> String {
    print_graph(plan, schema) + &needs(plan).describe(schema)
}

/// Prints the nodes of a plan, the segments and the shared aggregates alone.
pub fn print_graph(plan: &Plan, schema: &Schema) -> String {
    let mut out = String::new();
    for (idx, node) in plan.nodes().iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(out, "n{idx} = {}", describe(node, schema));
    }
    for root in plan.roots() {
        let _ = writeln!(out, "segment {:?} = n{}", root.name, root.node.0);
    }
    for shared in crate::shared_aggregates(plan, &crate::conditions(plan)) {
        // Users with other nodes ask for the same time in other windows.
        let of = |id: &NodeId| plan.node(*id).map(Node::children).unwrap_or_default();
        let is_windowed = shared.users.iter().any(|user| of(user).first() != Some(&shared.node));
        let windows = if is_windowed { " without its window" } else { "" };
        let _ = writeln!(out, "shared n{}{windows}, computed once for {}", shared.node.0, nodes(&shared.users));
    }
    out
}

fn describe(node: &Node, schema: &Schema) -> String {
    let text = format_node(node, schema);
    // What no code is made for says by which kernel of the plan evaluator it runs.
    let history = |id| schema.attribute(id).is_some_and(|a| a.keeps_history);
    match node.kernel() {
        None if matches!(node, Node::Attribute(id, _) if history(*id)) => {
            format!("{text}  [kernel: latest value of a history]")
        }
        Some(kernel) => format!("{text}  [kernel: {kernel}]"),
        None => text,
    }
}

fn format_node(node: &Node, schema: &Schema) -> String {
    let property = |ids: &[(EventId, PropertyId)]| {
        let first = ids.first().and_then(|(e, p)| schema.event(*e)?.properties.get(p.idx()));
        format!("{:?}", first.map_or("?", |p| &p.name))
    };
    match node {
        Node::Const(value) => value.to_string(),
        Node::All(members) => format!("all({})", nodes(members)),
        Node::Any(members) => format!("any({})", nodes(members)),
        Node::Cardinality { min, max, members } => {
            let max = max.map_or(String::new(), |max| format!(" to {max}"));
            format!("several({min}{max} of {})", nodes(members))
        }
        Node::Not(a) => format!("not n{}", a.0),
        Node::Known(a) => format!("known n{}", a.0),
        Node::Compare(op, a, b) => format!("n{} {} n{}", a.0, op.symbol(), b.0),
        Node::OneOf(a, values) => format!("n{} in [{}]", a.0, literals(values)),
        Node::Text { op, value, text, ignore_case } => {
            let case = if *ignore_case { ", ignoring case" } else { "" };
            format!("{} n{} {text:?}{case}", op.word(), value.0)
        }
        Node::Has(a, value) => format!("n{} has {}", a.0, value.0),
        Node::FirstOrLastN { end, n, query, filter } => {
            format!("{} {n} of {}: n{}", end.word(), describe_query(query, schema), filter.0)
        }
        Node::Chain(chain) => {
            let (first, next) = match chain.order {
                ChainOrder::After => ("followed by", ", then"),
                ChainOrder::Before => ("preceded by", ", then"),
                ChainOrder::Any => ("among", ", and"),
            };
            let mut out = first.to_owned();
            for (idx, ChainStep { query, within, none_between }) in chain.steps.iter().enumerate() {
                let then = if idx == 0 { "" } else { next };
                let within = within.map_or(String::new(), |within| format!(" within {within}"));
                let none =
                    none_between.as_ref().map(|none| format!(" with no {} in between", describe_query(none, schema)));
                let _ = write!(out, "{then} {}{within}{}", describe_query(query, schema), none.unwrap_or_default());
            }
            if let Some(whole) = chain.whole {
                let _ = write!(out, ", all within {whole}");
            }
            for same in &chain.same {
                let _ = write!(out, ", same {}", property(same));
            }
            out
        }
        Node::Items { is_all, list, filter } => {
            format!("{} of items {}: n{}", if *is_all { "all" } else { "any" }, property(list), filter.0)
        }
        Node::Sample { name, below, is_complement } => {
            format!("sample {name:?} {} {below}", if *is_complement { ">=" } else { "<" })
        }
        Node::Elements { is_all, list, filter } => {
            let list = schema.attribute(*list).map_or("?", |a| &a.name);
            format!("{} of elements {list:?}: n{}", if *is_all { "all" } else { "any" }, filter.0)
        }
        Node::History { attribute, filter, of } => {
            let interval = of.interval().map_or(String::new(), |interval| format!(" {interval}"));
            let attribute = schema.attribute(*attribute).map_or("?", |a| &a.name);
            format!("{} of history {attribute:?}{interval}: n{}", of.word(), filter.0)
        }
        Node::HeldValue { is_before, ty, .. } => format!("{}: {ty}", if *is_before { "value before" } else { "held" }),
        Node::Element { field: None, ty, .. } => format!("element: {ty}"),
        Node::Element { field: Some(field), ty, .. } => format!("field {field} of the element: {ty}"),
        Node::Profile(test) => seg_hir::hir::describe_id_test(test),
        Node::InList(a, list) => format!("n{} in list {:?}", a.0, list.0.name),
        Node::Time => "time of the event".to_owned(),
        Node::Field { list, field, ty } => format!("field {field} of items {}: {ty}", property(list)),
        Node::Shift { of, by, is_back } => format!("n{} {} {by}", of.0, if *is_back { "-" } else { "+" }),
        Node::DayOf(a, zone) => format!("day n{} ({})", a.0, zone.name()),
        Node::Part(part, a, zone) => format!("{} n{} ({})", part.word(), a.0, zone.name()),
        Node::Anniversary(day, from) => format!("anniversary of n{} from n{}", day.0, from.0),
        Node::Elapsed(a) => format!("elapsed n{}", a.0),
        Node::Distance { latitude, longitude, to } => {
            let [north, east] = to.map(f64::from_bits);
            format!("km from (n{}, n{}) to ({north}, {east})", latitude.0, longitude.0)
        }
        Node::UsualGap(query) => format!("usual-gap({})", describe_query(query, schema)),
        Node::MostWithin { query, within } => format!("most-within {within}({})", describe_query(query, schema)),
        Node::Literal(value) => value.0.to_string(),
        Node::Attribute(id, ty) => format!("attribute {:?}: {ty}", schema.attribute(*id).map_or("?", |a| &a.name)),
        Node::Property(ids, ty) => {
            format!("property {}: {ty}", property(ids))
        }
        Node::Moment(moment) => moment.to_string(),
        Node::Today { zone, offset } => format!("today({}){offset}", zone.name()),
        Node::Seen(end, None) => format!("{}-seen", end.word()),
        Node::Seen(end, Some(at)) => format!("{}-seen known at {at}", end.word()),
        Node::Arithmetic(op, a, b) => format!("n{} {} n{}", a.0, op.symbol(), b.0),
        Node::Scale { money, numerator, denominator } => format!("n{} * {numerator}/{denominator}", money.0),
        Node::Convert(a, ty) => format!("{ty} n{}", a.0),
        Node::FoldCase(a) => format!("fold n{}", a.0),
        Node::ListLength(a) => format!("length n{}", a.0),
        Node::Aggregate { function, measure, items, query } => {
            let of = measure.as_ref().map_or(String::new(), |(m, _)| format!("n{} of ", m.0));
            let items = items.as_ref().map_or(String::new(), |list| format!("items {} of ", property(list)));
            format!("{}({of}{items}{})", function.word(), describe_query(query, schema))
        }
        Node::Periods { unit, zone, query } => {
            format!("{}({}, {})", unit.word(), zone.name(), describe_query(query, schema))
        }
        Node::EventTime { end, n: 1, query } => format!("{}-time({})", end.word(), describe_query(query, schema)),
        Node::EventTime { end, n, query } => format!("{}-time {n}({})", end.word(), describe_query(query, schema)),
        Node::Missing => "missing".to_owned(),
    }
}

fn describe_query(query: &Query, schema: &Schema) -> String {
    let name = |id: &EventId| schema.event(*id).map_or("?", |e| &e.name).to_owned();
    let names: Vec<String> = query.events.iter().map(name).collect();
    let mut out = format!("{:?}", names.join(" | "));
    if query.interval != Default::default() {
        let _ = write!(out, " in {}", query.interval);
    }
    if let Some(filter) = query.filter {
        let _ = write!(out, " where n{}", filter.0);
    }
    if let Some(at) = query.known_at {
        let _ = write!(out, " known at {at}");
    }
    out
}

fn nodes(ids: &[NodeId]) -> String {
    ids.iter().map(|id| format!("n{}", id.0)).collect::<Vec<_>>().join(", ")
}

fn literals(values: &[Literal]) -> String {
    values.iter().map(|v| v.0.to_string()).collect::<Vec<_>>().join(", ")
}
