//! Fixes that keep what they promise.
//!
//! A fix is found where a problem is found, by code that sees a part of a sentence. Here
//! it is applied to the whole item and checked: it stays only if the problem is gone and
//! no other has come.

use crate::check::{Lists, check};
use crate::names::Settings;
use seg_data::Schema;
use seg_syntax::ast::Item;
use seg_syntax::diag::{Code, Diagnostic, Fix};
use seg_syntax::names::display;
use seg_syntax::source::{SourceMap, Span};
use seg_syntax::{Parse, parse};
use std::collections::HashMap;

/// How many problems of a run have their fixes tried; of the rest all are kept.
const PROBLEMS_MAX: usize = 60;

/// Items longer than this are not checked again, in bytes.
const ITEM_MAX: u32 = 4096;

/// What a project means besides the text that is tried.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What sentences speak of.
    pub schema: &'a Schema,
    /// The zone and the start of weeks.
    pub settings: Settings,
    /// The contents of lists.
    pub lists: &'a Lists,
}

/// Takes away the fixes that do not mend the problem they belong to, or that bring
/// another.
pub fn keep_those_that_compile(
    diagnostics: &mut [Diagnostic],
    parses: &[Parse],
    sources: &SourceMap,
    context: Context<'_>,
) {
    offer_quotes(diagnostics, parses, sources, context.schema);
    let mut before: HashMap<Span, Counts> = HashMap::new();
    let has_fixes = |d: &&mut Diagnostic| !d.fixes.is_empty() && !is_of_other_items(d.code);
    for diagnostic in diagnostics.iter_mut().filter(has_fixes).take(PROBLEMS_MAX) {
        let Some((item, is_test)) = item_of(diagnostic.primary.span, parses) else { continue };
        if is_test || item.end - item.start > ITEM_MAX {
            continue;
        }
        let text = sources.text(item);
        let counts = before.entry(item).or_insert_with(|| Counts::of(text, context)).clone();
        let (code, mut dropped) = (diagnostic.code.number(), Vec::new());
        diagnostic.fixes.retain(|fix| {
            let keeps = applied(text, item, fix.span, &fix.replacement)
                .is_some_and(|mended| Counts::of(&mended, context).mends(&counts, code));
            if !keeps {
                dropped.push(fix.title.clone());
            }
            keeps
        });
        diagnostic.helps.retain(|help| !dropped.contains(help));
        // What was meant is worth knowing, though more stands in the way.
        if let (Some(title), Code::UnknownName | Code::UnexpectedText) = (dropped.first(), diagnostic.code)
            && diagnostic.helps.is_empty()
            && diagnostic.notes.is_empty()
        {
            let title = title.trim_end_matches('?');
            diagnostic.notes.push(format!("{title}; the rest of the sentence needs a change, too"));
        }
    }
}

/// Offers to write a name of the schema in quotes where it holds a reserved word and a
/// sentence does not parse at it, or right behind it: `engaged with email`.
fn offer_quotes(diagnostics: &mut [Diagnostic], parses: &[Parse], sources: &SourceMap, schema: &Schema) {
    let unparsed = |d: &&mut Diagnostic| d.code == Code::UnexpectedText;
    if !diagnostics.iter().any(|d| d.code == Code::UnexpectedText) {
        return;
    }
    let needs_quotes = schema.all_names().map(|(name, ..)| name).filter(|name| display(name).starts_with('"'));
    let names: Vec<String> = needs_quotes.map(str::to_lowercase).collect();
    for diagnostic in diagnostics.iter_mut().filter(unparsed).take(PROBLEMS_MAX) {
        let Some((item, _)) = item_of(diagnostic.primary.span, parses) else { continue };
        let before = Span { end: diagnostic.primary.span.end, ..item };
        let (text, whole) = (sources.text(before).to_lowercase(), sources.text(item).to_lowercase());
        // Case may change how long a text is, and then nothing is offered.
        if text.len() != sources.text(before).len() || whole.len() != sources.text(item).len() {
            continue;
        }
        for name in &names {
            let at = whole.match_indices(name.as_str()).map(|(at, _)| at).take_while(|at| *at < text.len()).last();
            let Some(at) = at.filter(|at| is_whole_word(&whole, *at, name.len())) else { continue };
            let start = item.start + at as u32;
            let span = Span { start, end: start + name.len() as u32, ..item };
            let quoted = format!("\"{}\"", sources.text(span));
            let title = format!("if it is the schema's name, which holds a reserved word: `{quoted}`");
            diagnostic.helps.push(title.clone());
            diagnostic.fixes.push(Fix { span, replacement: quoted, title });
        }
    }
}

/// Whether a name stands in a text as words of its own, not in quotes.
fn is_whole_word(text: &str, at: usize, len: usize) -> bool {
    let is_outside = |c: Option<char>| c.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '"')));
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    let after = text.get(at + len..).and_then(|after| after.chars().next());
    is_outside(before) && is_outside(after)
}

/// How many problems of each kind a text has.
#[derive(Clone)]
struct Counts(HashMap<&'static str, usize>);

impl Counts {
    fn of(text: &str, context: Context<'_>) -> Counts {
        let mut sources = SourceMap::default();
        let parsed = parse(sources.add("fix.seg", text), text);
        let checked = check([&parsed], &sources, context.schema, context.settings, context.lists);
        let mut counts = HashMap::new();
        for diagnostic in parsed.diagnostics.iter().chain(&checked.diagnostics).filter(|d| d.is_error()) {
            *counts.entry(diagnostic.code.number()).or_default() += 1;
        }
        Counts(counts)
    }

    /// Whether a problem is gone and none has come.
    fn mends(&self, before: &Counts, code: &str) -> bool {
        let allowed = |kind: &str| before.0.get(kind).copied().unwrap_or(0).saturating_sub(usize::from(kind == code));
        self.0.iter().all(|(kind, n)| *n <= allowed(kind))
    }
}

/// Whether a problem is about what other items declare, which are not looked at here;
/// their names are right as they are.
fn is_of_other_items(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownSegment
            | Code::UnknownDefinition
            | Code::UnknownList
            | Code::WrongValues
            | Code::ArchivedReference
            | Code::SegmentCycle
            | Code::DefinitionCycle
    )
}

/// The item that a problem is in, and whether it is a test.
fn item_of(at: Span, parses: &[Parse]) -> Option<(Span, bool)> {
    let items = parses.iter().flat_map(|parse| &parse.file.items);
    let mut items = items.map(|item| (item.span(), matches!(item, Item::Test(_))));
    items.find(|(item, _)| item.source == at.source && item.start <= at.start && at.end <= item.end)
}

/// The text of an item with an edit; nothing where the edit is not in it.
fn applied(text: &str, item: Span, at: Span, replacement: &str) -> Option<String> {
    let start = at.start.checked_sub(item.start)? as usize;
    let end = at.end.checked_sub(item.start)? as usize;
    Some(format!("{}{replacement}{}", text.get(..start)?, text.get(end..)?))
}
