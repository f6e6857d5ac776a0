//! Problems of a schema as diagnostics.

use seg_data::schema::{ProblemKind, Schema, SchemaProblem, Target};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::is_bare;
use seg_syntax::source::{SourceId, Span};
use std::collections::HashSet;
use std::ops::Range;

/// What reading a schema found wrong, and which of its names sentences must
/// write in quotes.
pub fn diagnostics(schema: &Schema, problems: &[SchemaProblem], source: SourceId) -> Vec<Diagnostic> {
    let mut out: Vec<Diagnostic> = problems.iter().map(|p| problem(p, source)).collect();
    let names: Vec<_> = schema.all_names().collect();
    let mut reserved = HashSet::new();
    for (at, (name, target, place)) in names.iter().enumerate() {
        // Beside another name that reads well, the main one may need quotes, and is the
        // first of them. Another name was given to be written without.
        let is_main = at == 0 || names.get(at - 1).is_none_or(|(_, before, _)| before != target);
        let has_bare = names.iter().any(|(n, t, _)| t == target && is_bare(n));
        let reads_well = is_bare(name) || is_main && has_bare;
        let first = name.split(' ').next().unwrap_or(name);
        let is_form = match target {
            Target::Event(id) => schema.event(*id).is_some_and(|event| event.words.iter().any(|word| word == name)),
            Target::Attribute(_) | Target::Group(_) => false,
        };
        if is_form && !is_bare(first) {
            // Its other forms begin alike.
            if !reserved.insert((target, first)) {
                continue;
            }
            out.push(
                Diagnostic::new(Code::SchemaName, span(source, place), format!("`{name}` begins with a reserved word"))
                    .label(format!("no sentence can begin a name with `{first}`"))
                    .help(format!("use another verb or noun, or give it as another name: `also = [\"{name}\"]`")),
            );
            continue;
        }
        if !reads_well && !name.is_empty() {
            out.push(
                Diagnostic::new(
                    Code::NameNeedsQuotes,
                    span(source, place),
                    format!("`{name}` must be written in quotes"),
                )
                .label("holds a reserved word, a number or a symbol")
                .note(format!("sentences write `\"{name}\"`, or give it another name with `also = [\"…\"]`")),
            );
        }
    }
    seg_syntax::diag::sort(&mut out);
    out
}

fn problem(problem: &SchemaProblem, source: SourceId) -> Diagnostic {
    let code = match problem.kind {
        ProblemKind::Syntax => Code::SchemaSyntax,
        ProblemKind::Name => Code::SchemaName,
        ProblemKind::Reference => Code::SchemaReference,
        ProblemKind::Value => Code::SchemaValue,
    };
    let mut diagnostic = Diagnostic::new(code, span(source, &problem.at), problem.message.clone()).label("here");
    diagnostic.helps.extend(problem.help.clone());
    diagnostic
}

fn span(source: SourceId, at: &Range<usize>) -> Span {
    Span::new(source, at.start as u32, at.end as u32)
}
