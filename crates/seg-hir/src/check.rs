//! Syntax trees to HIR: every segment of a project, with every problem.

use crate::hir::{Cond, ListRef, Module, Segment, SegmentId};
use crate::lower::Lower;
use crate::names::suggestion;
use seg_data::schema::fold_name;
use seg_data::{Schema, WeekStart, Zone};
use seg_syntax::Parse;
use seg_syntax::ast::{self, Item};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::{SourceMap, Span};
use std::collections::{HashMap, HashSet};

/// What a project says about all its segments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Whose calendar; without one, calendar words are errors.
    pub zone: Option<Zone>,
    /// When weeks begin.
    pub week_start: WeekStart,
}

/// The meaning of a project's segments with every problem found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// As complete as can be; to be run only when no diagnostic is an error.
    pub module: Module,
    /// Problems of names, types and windows. Those of syntax are the parses'.
    pub diagnostics: Vec<Diagnostic>,
}

/// What a project declares besides its segments, with their names.
#[derive(Default)]
pub(crate) struct Declared<'a> {
    pub segments: SegmentNames,
    /// By name, as names are compared.
    pub definitions: HashMap<String, &'a ast::Definition>,
    pub lists: HashMap<String, ListRef>,
}

/// The names of all segments, and of those that could not be parsed.
#[derive(Default)]
pub(crate) struct SegmentNames {
    ids: HashMap<String, SegmentId>,
    broken: HashSet<String>,
}

impl SegmentNames {
    /// The segment of a name; an unknown name is reported unless its segment
    /// is broken, for then that has been reported.
    pub(crate) fn resolve(&self, title: &ast::Title) -> Result<SegmentId, Option<Box<Diagnostic>>> {
        if let Some(id) = self.ids.get(&title.text) {
            return Ok(*id);
        }
        if self.broken.contains(&title.text) {
            return Err(None);
        }
        let message = format!("there is no segment \"{}\"", title.text);
        let mut diagnostic = Diagnostic::new(Code::UnknownSegment, title.span, message).label("unknown segment");
        if let Some(near) = suggestion(&title.text, self.ids.keys().map(String::as_str)) {
            diagnostic = diagnostic.fix(title.span, format!("\"{near}\""), format!("did you mean `\"{near}\"`?"));
        }
        Err(Some(Box::new(diagnostic)))
    }
}

/// Resolves and types all segments of the parsed files. Never fails: what is
/// wrong is reported and becomes a condition that is never true.
pub fn check<'a>(
    parses: impl IntoIterator<Item = &'a Parse>,
    sources: &SourceMap,
    schema: &Schema,
    settings: Settings,
) -> Checked {
    let mut checked = Checked::default();
    let mut declared = Declared::default();
    let mut segments: Vec<&ast::Segment> = Vec::new();
    for item in parses.into_iter().flat_map(|parse| &parse.file.items) {
        match item {
            Item::Error { declares, .. } => declared.segments.broken.extend(declares.clone()),
            Item::Definition(definition) => {
                declared.definitions.insert(fold_name(&definition.name.text), definition);
            }
            Item::List(_) => {}
            Item::Segment(segment) => {
                let id = SegmentId(segments.len() as u32);
                if let Some(first) = declared.segments.ids.get(&segment.name.text) {
                    let first = segments.get(first.idx()).map_or(segment.name.span, |s| s.name.span);
                    checked.diagnostics.push(duplicate(segment, first, sources));
                } else {
                    declared.segments.ids.insert(segment.name.text.clone(), id);
                }
                segments.push(segment);
            }
        }
    }
    let mut references: Vec<Vec<Reference>> = Vec::with_capacity(segments.len());
    for segment in segments {
        let mut lower = Lower::new(schema, settings, &declared, sources);
        let include = lower.expr(&segment.include).cond;
        let excludes = segment.excludes.iter().map(|e| lower.expr(e).cond).collect();
        checked.module.segments.push(Segment {
            name: segment.name.text.clone(),
            span: segment.name.span,
            include,
            excludes,
        });
        references.push(lower.references);
        checked.diagnostics.extend(lower.diagnostics);
    }
    order(&mut checked, &references);
    seg_syntax::diag::sort(&mut checked.diagnostics);
    checked
}

/// Where a segment refers to another.
pub(crate) struct Reference {
    pub to: SegmentId,
    pub at: Span,
}

fn duplicate(segment: &ast::Segment, first: Span, sources: &SourceMap) -> Diagnostic {
    let name = &segment.name.text;
    let diagnostic =
        Diagnostic::new(Code::DuplicateSegment, segment.name.span, format!("two segments are called \"{name}\""))
            .label("the second")
            .help("give one of them another name");
    if first.source == segment.name.span.source {
        return diagnostic.also(first, "the first");
    }
    match sources.get(first.source) {
        Some(file) => {
            diagnostic.note(format!("the first is in {}, line {}", file.name, file.line_column(first.start).0))
        }
        None => diagnostic,
    }
}

/// Orders segments so that each comes after those it refers to, and reports
/// every cycle once. Iterative, for a chain of references may be as long as
/// the project.
fn order(checked: &mut Checked, references: &[Vec<Reference>]) {
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
