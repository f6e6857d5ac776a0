//! Syntax trees to HIR: every segment of a project, with every problem.

mod declare;
mod order;
mod segment;
mod test;

use crate::hir::Module;
use crate::lower::Lower;
use crate::names::{Reference, Settings};
use seg_data::Schema;
use seg_syntax::Parse;
use seg_syntax::diag::Diagnostic;
use seg_syntax::source::SourceMap;
use std::collections::{HashMap, HashSet};

/// The meaning of a project's segments with every problem found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// As complete as can be; to be run only when no diagnostic is an error.
    pub module: Module,
    /// Problems of names, types and windows. Those of syntax are the parses'.
    pub diagnostics: Vec<Diagnostic>,
}

/// The contents of lists from files, by the path that their declarations name;
/// what could not be read says why.
pub type Lists = HashMap<String, Result<HashSet<String>, String>>;

/// Resolves and types all segments of the parsed files. Never fails: what is
/// wrong is reported and becomes a condition that is never true.
pub fn check<'a>(
    parses: impl IntoIterator<Item = &'a Parse>,
    sources: &SourceMap,
    schema: &Schema,
    settings: Settings,
    lists: &Lists,
) -> Checked {
    let mut checked = Checked::default();
    let items = declare::items(parses, sources, schema, lists, &mut checked.diagnostics);
    let mut references: Vec<Vec<Reference>> = Vec::with_capacity(items.segments.len());
    for segment in &items.segments {
        let mut lower = Lower::new(schema, settings, &items.declared, sources);
        checked.module.segments.push(segment::lower(&mut lower, segment, &items));
        references.push(lower.references);
        checked.diagnostics.extend(lower.diagnostics);
    }
    for rule in &items.rules {
        let mut lower = Lower::new(schema, settings, &items.declared, sources);
        lower.expr(&rule.body);
        checked.diagnostics.extend(lower.diagnostics);
        for reference in &lower.references {
            let to = checked.module.segments.get(reference.to.idx());
            let found = to.filter(|s| s.header.is_archived).map(|s| declare::archived(&s.name, reference.at));
            checked.diagnostics.extend(found);
        }
    }
    order::order(&mut checked, &references);
    declare::check_archived(&checked.module, &references, &mut checked.diagnostics);
    checked.module.precedence = declare::precedence(&items, &checked.module, &mut checked.diagnostics);
    for test in &items.tests {
        let mut lower = Lower::new(schema, settings, &items.declared, sources);
        checked.module.tests.extend(test::lower(&mut lower, test));
        checked.diagnostics.extend(lower.diagnostics);
    }
    seg_syntax::diag::sort(&mut checked.diagnostics);
    checked
}

/// The items of a project, for whoever explains them.
pub(crate) fn declared_items<'a>(
    parses: &'a [Parse],
    sources: &SourceMap,
    schema: &Schema,
    lists: &Lists,
) -> declare::Items<'a> {
    declare::items(parses, sources, schema, lists, &mut Vec::new())
}
