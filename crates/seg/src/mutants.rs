//! Whether a project's tests notice when one clause of its segments is changed.
//!
//! Mutation testing as in R. A. DeMillo, R. J. Lipton and F. G. Sayward, "Hints on test data
//! selection", IEEE Computer 11(4), 1978: what no test notices could be wrong today without
//! anybody being told.

mod changes;

use crate::compile::{Program, check, compile, parse};
use crate::diagnostics::Diagnostics;
use crate::project::Project;
use crate::testing::{batches, comes_true};
use changes::{Change, How, change};
use seg_data::Batch;
use seg_hir::hir::Expectation;
use seg_syntax::Parse;
use seg_syntax::diag::Diagnostic;
use seg_syntax::source::Span;

/// A change of one clause, after which the segments mean something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The words that were changed.
    pub span: Span,
    /// These words.
    pub before: String,
    /// What they became, in words.
    pub after: String,
    /// Whether a test fails by it.
    pub is_noticed: bool,
}

/// The changes that were tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutants {
    /// Those after which the segments mean something else, in the order of the text.
    pub mutants: Vec<Mutant>,
    /// How many gave what is no sentence, or one of the same meaning: there is nothing for a
    /// test to notice.
    pub passed_over: usize,
}

impl Mutants {
    /// Those that no test notices.
    pub fn surviving(&self) -> impl Iterator<Item = &Mutant> {
        self.mutants.iter().filter(|mutant| !mutant.is_noticed)
    }
}

/// Changes one clause after the other, and runs the tests. Expectations that do not come true
/// without any change notice nothing.
///
/// # Errors
/// Every problem of the project, when at least one of them is an error.
pub fn mutants(project: &Project) -> Result<Mutants, Diagnostics> {
    let program = compile(project)?;
    let parses = parse(project);
    let batches = batches(project, program.module())?;
    let tests = program.module().tests.iter().zip(&batches);
    let prepared = program.prepare();
    let expected = tests.flat_map(|(test, batch)| test.expectations.iter().map(move |expected| (expected, batch)));
    let expected: Vec<(&Expectation, &Batch)> =
        expected.filter(|(expected, batch)| comes_true(&prepared, batch, expected)).collect();
    let mut found = Mutants { mutants: Vec::new(), passed_over: 0 };
    for at in 0..parses.len() {
        let Some(parse) = parses.get(at) else { continue };
        let changes = (0..).map_while(|number| change(&parse.file, number, &project.schema));
        for (file, change) in changes {
            let mut changed = parses.clone();
            changed.get_mut(at).into_iter().for_each(|parse: &mut Parse| parse.file = file.clone());
            match mutant(project, &program, &changed) {
                Some(mutant) => {
                    let prepared = mutant.prepare();
                    let is_noticed = expected.iter().any(|(expected, batch)| !comes_true(&prepared, batch, expected));
                    found.mutants.push(told(project, &change, is_noticed));
                }
                None => found.passed_over += 1,
            }
        }
    }
    found.mutants.sort_by_key(|mutant| (mutant.span.source, mutant.span.start));
    Ok(found)
}

/// The changed project as a program; none where it has an error, or means the same.
fn mutant(project: &Project, program: &Program, parses: &[Parse]) -> Option<Program> {
    let checked = check(project, parses);
    if checked.diagnostics.iter().any(Diagnostic::is_error) {
        return None;
    }
    let before = program.module();
    let is_same = before.precedence == checked.module.precedence
        && seg_plan::passes::mean_the_same(before, &checked.module).into_iter().all(|is_same| is_same);
    (!is_same).then(|| Program::of_module(checked.module, &project.schema))
}

fn told(project: &Project, Change { at, how }: &Change, is_noticed: bool) -> Mutant {
    let before = project.sources.text(*at).split_whitespace().collect::<Vec<_>>().join(" ");
    let after = match how {
        How::Dropped => "left out".to_owned(),
        How::Negated => format!("not ({before})"),
        How::Replaced { from, to } => match from.iter().find(|from| before.contains(from.as_str())) {
            Some(from) => before.replacen(from.as_str(), &with_blank(from, to), 1),
            None if from.is_empty() => to.clone(),
            None => format!("{to} in its place"),
        },
    };
    Mutant { span: *at, before, after, is_noticed }
}

/// A word that stands for another which ends in a blank does so, too.
fn with_blank(from: &str, to: &str) -> String {
    if from.ends_with(' ') { format!("{to} ") } else { to.to_owned() }
}
