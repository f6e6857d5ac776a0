//! What segments ask about and the data lack, and what settings leave open.

use super::{Examined, Finding, FindingKind};
use crate::lists::{Source, any_text, source_name, sources_of};
use seg_data::Value;
use seg_data::schema::fold_name;
use seg_hir::fold_case;
use seg_hir::hir::CompareOp;
use seg_io::ProblemKind;
use seg_plan::{Literal, Node, NodeId, Plan};
use std::collections::BTreeSet;

pub(super) fn tell(of: Examined<'_>, findings: &mut Vec<Finding>) {
    let mut find = |about: Vec<String>, says: String, write: String| {
        findings.push(Finding { kind: FindingKind::Inputs, about, says, write, figure: None, limit: None });
    };
    let problems = of.report.problems.iter().filter(|problem| is_lack(problem.kind));
    for problem in problems {
        let write = "mend the name in seg.toml or the schema, or have it sent".to_owned();
        find(vec![problem.column.clone()], problem.to_string(), write);
    }
    for (name, value) in unmet(of) {
        let says = format!("no row has {value} as `{name}`, which a segment asks about");
        find(vec![name], says, "compare its spelling with the data's; `seg schema check` lists values".to_owned());
    }
    let module = of.program.module();
    let channels: BTreeSet<&str> = module
        .run()
        .flat_map(|(_, segment)| &segment.header.uses)
        .flat_map(|used| &used.channels)
        .map(String::as_str)
        .collect();
    for name in channels {
        let mut declared = of.program.schema().channels.iter();
        let has_consent =
            declared.any(|channel| fold_name(&channel.name) == fold_name(name) && channel.consent.is_some());
        if !has_consent {
            let says = format!("segments go over {name}, and the schema names no consent for it");
            find(vec![name.to_owned()], says, format!("`consent = \"…\"` under `[channels.{name}]` in the schema"));
        }
    }
    if of.zone.is_none() {
        let says = "no time zone is set: nothing can speak of days of the calendar, and days here are those of UTC";
        find(Vec::new(), says.to_owned(), "`timezone = \"Europe/Berlin\"` in seg.toml, for example".to_owned());
    }
}

/// Whether segments ask about something that is not there.
fn is_lack(kind: ProblemKind) -> bool {
    match kind {
        ProblemKind::AbsentColumn
        | ProblemKind::AbsentEvent
        | ProblemKind::EmptyColumn
        | ProblemKind::EmptyList
        | ProblemKind::UnmetList => true,
        ProblemKind::UnknownColumn
        | ProblemKind::OldData
        | ProblemKind::BrokenRow
        | ProblemKind::MissingId
        | ProblemKind::MissingEvent
        | ProblemKind::UnknownEvent
        | ProblemKind::ImpossibleTime
        | ProblemKind::UnparsableValue
        | ProblemKind::TooFine
        | ProblemKind::TooLarge
        | ProblemKind::ValueNotAllowed
        | ProblemKind::RequiredMissing
        | ProblemKind::RepeatedProfile
        | ProblemKind::UnlistedProfile
        | ProblemKind::RepeatedEvent
        | ProblemKind::Blanks
        | ProblemKind::UnixTimes(_)
        | ProblemKind::RepeatedHeader
        | ProblemKind::Encoding
        | ProblemKind::RepeatedColumn
        | ProblemKind::SharedDevice
        | ProblemKind::SameContent
        | ProblemKind::NotPacked
        | ProblemKind::PackedBefore
        | ProblemKind::ListHeader => false,
    }
}

/// Texts that a segment compares a column with and that no row of it has, each with the name
/// of the column.
fn unmet(of: Examined<'_>) -> BTreeSet<(String, String)> {
    let plan = seg_plan::lower(of.program.module());
    let mut found = BTreeSet::new();
    for node in plan.nodes() {
        for (value, literal) in texts_asked(&plan, node) {
            let folded = if let Some(Node::FoldCase(inner)) = plan.node(value) { Some(*inner) } else { None };
            let (value, is_folded) = (folded.unwrap_or(value), folded.is_some());
            // What is calculated has no column of its own.
            if !matches!(plan.node(value), Some(Node::Attribute(..) | Node::Property(..))) {
                continue;
            }
            let mut sources: BTreeSet<Source> = BTreeSet::new();
            sources_of(&plan, value, &mut sources);
            let is_it = |text: &str| if is_folded { fold_case(text) == fold_case(literal) } else { text == literal };
            let any = |holds: &dyn Fn(&str) -> bool| sources.iter().any(|source| any_text(of.batch, *source, holds));
            // A column without any value is told of as such.
            if any(&|_| true) && !any(&is_it) {
                let names = sources.iter().map(|source| source_name(of.batch.schema(), *source));
                found.extend(names.map(|name| (name.to_owned(), format!("\"{literal}\""))));
            }
        }
    }
    found
}

/// The texts that a condition compares a value with for equality.
fn texts_asked<'p>(plan: &'p Plan, node: &'p Node) -> Vec<(NodeId, &'p str)> {
    let asked: Vec<(NodeId, &'p Value)> = if let Node::Compare(CompareOp::Equal, left, right) = node {
        let literal = if let Some(Node::Literal(Literal(value))) = plan.node(*right) { Some(value) } else { None };
        literal.map(|literal| (*left, literal)).into_iter().collect()
    } else if let Node::OneOf(value, literals) = node {
        literals.iter().map(|Literal(literal)| (*value, literal)).collect()
    } else if let Node::Has(list, Literal(value)) = node {
        vec![(*list, value)]
    } else {
        Vec::new()
    };
    let text = |value: &'p Value| if let Value::Text(text) = value { Some(text.as_str()) } else { None };
    asked.into_iter().filter_map(|(of, value)| Some((of, text(value)?))).collect()
}
