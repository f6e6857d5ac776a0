//! Which segments refer to which.

use super::Checked;
use crate::hir::{Cond, Module, SegmentId};
use crate::names::Reference;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::Span;

/// Orders segments so that each comes after those it refers to, and reports
/// every cycle once. Iterative, for a chain of references may be as long as
/// the project.
pub(super) fn order(checked: &mut Checked, references: &[Vec<Reference>]) {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; references.len()];
    let mut in_cycle: Vec<SegmentId> = Vec::new();
    for root in 0..references.len() {
        let mut path: Vec<(usize, usize)> = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let Some(state) = states.get_mut(node) else { break };
            if *state == State::Done {
                path.pop();
                continue;
            }
            *state = State::Open;
            let reference = references.get(node).and_then(|r| r.get(*next));
            *next += 1;
            let Some(reference) = reference else {
                *state = State::Done;
                checked.module.order.push(SegmentId(node as u32));
                path.pop();
                continue;
            };
            let to = reference.to.idx();
            match states.get(to) {
                Some(State::New) => path.push((to, 0)),
                Some(State::Open) => {
                    let from = path.iter().position(|(n, _)| *n == to).unwrap_or(0);
                    let cycle: Vec<usize> = path.iter().skip(from).map(|(n, _)| *n).collect();
                    let diagnostic = cycle_diagnostic(&checked.module, &cycle, reference.at);
                    checked.diagnostics.push(diagnostic);
                    in_cycle.extend(cycle.iter().map(|&n| SegmentId(n as u32)));
                }
                _ => {}
            }
        }
    }
    // A module with errors is not run, but what prints or walks it must not
    // meet a circle.
    for id in in_cycle {
        if let Some(segment) = checked.module.segments.get_mut(id.idx()) {
            segment.include = Cond::Const(false);
            segment.excludes.clear();
        }
    }
}

fn cycle_diagnostic(module: &Module, cycle: &[usize], at: Span) -> Diagnostic {
    const SHOWN: usize = 12;
    let name = |n: &usize| module.segments.get(*n).map_or(String::new(), |s| format!("\"{}\"", s.name));
    let mut steps: Vec<String> = cycle.iter().take(SHOWN).map(name).collect();
    if cycle.len() > SHOWN {
        steps.push(format!("… {} more …", cycle.len() - SHOWN));
    }
    steps.extend(cycle.first().map(name));
    let message = match cycle {
        [_] => "a segment refers to itself".to_owned(),
        _ => "segments refer to each other in a circle".to_owned(),
    };
    Diagnostic::new(Code::SegmentCycle, at, message)
        .label("this reference closes the circle")
        .help("leave one of these references out")
        .note(steps.join(" → "))
}
