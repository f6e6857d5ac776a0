//! Fixes that keep what they promise.
//!
//! A fix is found where a problem is found, by code that sees a part of a sentence. Here
//! it is applied to the whole item and checked: it stays only if the problem is gone and
//! no other has come.

use crate::check::{Lists, check};
use crate::names::Settings;
use seg_data::Schema;
use seg_syntax::ast::Item;
use seg_syntax::diag::{Code, Diagnostic};
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
    }
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
