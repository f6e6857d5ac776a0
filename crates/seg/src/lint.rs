//! Lints that the plan sees: what can never be so, what always is, and what is
//! the same twice.

use seg_hir::hir::{Cond, Module};
use seg_plan::passes::Redundancy;
use seg_plan::{Node, NodeId, Plan};
use seg_syntax::diag::{Code, Diagnostic};
use std::collections::HashMap;

/// What is likely wrong with segments whose plan is at hand.
pub fn lints(module: &Module, plan: &Plan) -> Vec<Diagnostic> {
    let mut found = redundant_conditions(module);
    let mut first: HashMap<NodeId, usize> = HashMap::new();
    let run: Vec<_> = module.run().collect();
    for (at, ((_, segment), root)) in run.iter().zip(plan.roots()).enumerate() {
        let says_everyone = segment.include == Cond::Const(true) && segment.excludes.is_empty();
        let lint = match plan.node(root.node) {
            Some(Node::Const(false)) => {
                Some((Code::NeverTrue, "nobody can ever be in", "its conditions contradict each other"))
            }
            Some(Node::Const(true)) if !says_everyone => {
                Some((Code::AlwaysTrue, "everybody is always in", "its conditions leave nobody out"))
            }
            Some(Node::Const(_)) => None,
            _ => match first.get(&root.node).and_then(|at| run.get(*at)) {
                Some((_, other)) => {
                    let message = format!("\"{}\" means the same as \"{}\"", segment.name, other.name);
                    let diagnostic = Diagnostic::new(Code::SameMeaning, segment.span, message)
                        .label("the same people, always")
                        .help(format!("keep one of them, or write `in segment \"{}\"`", other.name));
                    found.extend(Some(diagnostic).filter(|_| !allows(segment, Code::SameMeaning)));
                    None
                }
                None => {
                    first.insert(root.node, at);
                    None
                }
            },
        };
        if let Some((code, message, label)) = lint.filter(|(code, ..)| !allows(segment, *code)) {
            found.push(
                Diagnostic::new(code, segment.span, format!("{message} \"{}\"", segment.name))
                    .label(label)
                    .help("read its conditions aloud, and change the one that is not meant so"),
            );
        }
    }
    found
}

/// Conditions that another of the same segment implies. What rules ask for may
/// be said again, and a grace period says everything twice.
fn redundant_conditions(module: &Module) -> Vec<Diagnostic> {
    let redundancies = seg_plan::passes::redundant_conditions(module);
    let segments = module.run().map(|(_, segment)| segment).zip(redundancies);
    let lint = |(segment, redundancy): (&seg_hir::hir::Segment, Option<Redundancy>)| {
        let redundancy = redundancy.filter(|_| !allows(segment, Code::ImpliedCondition))?;
        let name = &segment.name;
        let (message, label, help) = match redundancy {
            Redundancy::SaidTwice => {
                (format!("\"{name}\" says one condition twice"), "one of them changes nothing", "leave one of them out")
            }
            Redundancy::Implied => (
                format!("a condition of \"{name}\" changes nothing beside another"),
                "who meets the narrower one meets both",
                "leave the wider one out, or change the one that is not meant so",
            ),
        };
        let allow = "if it is meant: `allow W0806 because \"…\"` under the segment's name";
        Some(Diagnostic::new(Code::ImpliedCondition, segment.span, message).label(label).help(help).note(allow))
    };
    segments.filter_map(lint).collect()
}

fn allows(segment: &seg_hir::hir::Segment, code: Code) -> bool {
    segment.header.allowed.iter().any(|allowed| allowed == code.number())
}
