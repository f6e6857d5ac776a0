//! What a project declares: names, each of one thing, and what refers to them.

use super::Lists;
use crate::hir::{Header, List, ListRef, Module, SegmentId};
use crate::names::{Declared, DeclaredList, Reference};
use seg_data::Schema;
use seg_data::schema::fold_name;
use seg_syntax::Parse;
use seg_syntax::ast::{self, Item, Title};
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::{SourceMap, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// All items of a project, sorted.
#[derive(Default)]
pub(crate) struct Items<'a> {
    pub segments: Vec<&'a ast::Segment>,
    pub rules: Vec<&'a ast::Rule>,
    pub precedence: Option<&'a ast::Precedence>,
    pub tests: Vec<&'a ast::Test>,
    pub declared: Declared<'a>,
}

impl<'a> Items<'a> {
    /// A segment as it is written, with the rules that hold for it.
    pub(crate) fn segment(&self, id: SegmentId, module: &Module) -> Option<(&'a ast::Segment, Vec<&'a ast::Expr>)> {
        let header = &module.segments.get(id.idx())?.header;
        let rules = if header.regardless.is_some() { Vec::new() } else { self.applying(header) };
        Some((self.segments.get(id.idx())?, rules))
    }

    /// The universal rules of a segment's channels, and those for all that are used.
    pub(super) fn applying(&self, header: &Header) -> Vec<&'a ast::Expr> {
        let is_used_over = |channel: &str| {
            let mut channels = header.uses.iter().flat_map(|u| &u.channels);
            channels.any(|c| fold_name(c) == fold_name(channel))
        };
        let applies = |rule: &&&'a ast::Rule| match &rule.channel {
            Some(channel) => is_used_over(&channel.text),
            None => !header.uses.is_empty(),
        };
        self.rules.iter().filter(applies).map(|rule| &rule.body).collect()
    }
}

/// Names what is declared; a second declaration of a name is refused.
pub(super) fn items<'a>(
    parses: impl IntoIterator<Item = &'a Parse>,
    sources: &SourceMap,
    schema: &Schema,
    lists: &Lists,
    diagnostics: &mut Vec<Diagnostic>,
) -> Items<'a> {
    let mut items = Items::default();
    let mut tests: HashMap<&str, Span> = HashMap::new();
    for item in parses.into_iter().flat_map(|parse| &parse.file.items) {
        match item {
            Item::Error { declares, .. } => items.declared.segments.broken.extend(declares.clone()),
            Item::Segment(segment) => {
                let id = SegmentId(items.segments.len() as u32);
                let segments = &mut items.declared.segments;
                if let Some(first) = segments.ids.get(&segment.name.text) {
                    let first = items.segments.get(first.idx()).map_or(segment.name.span, |s| s.name.span);
                    diagnostics.push(duplicate(Code::DuplicateSegment, "segments", &segment.name, first, sources));
                } else {
                    segments.ids.insert(segment.name.text.clone(), id);
                }
                items.segments.push(segment);
            }
            Item::Definition(definition) => {
                let key = fold_name(&definition.name.text);
                if !schema.lookup(&definition.name.text).is_empty() {
                    diagnostics.push(taken(&definition.name));
                }
                if let Some(first) = items.declared.definitions.get(&key) {
                    let (code, first) = (Code::DuplicateDeclaration, first.name.span);
                    diagnostics.push(duplicate(code, "definitions", &definition.name, first, sources));
                } else {
                    items.declared.definitions.insert(key, definition);
                }
            }
            Item::List(list) => declare_list(&mut items, list, lists, diagnostics),
            Item::Rule(rule) => {
                if let Some(channel) = &rule.channel {
                    check_channel(schema, channel, diagnostics);
                }
                items.rules.push(rule);
            }
            Item::Precedence(order) => match items.precedence {
                None => items.precedence = Some(order),
                Some(first) => diagnostics.push(
                    Diagnostic::new(Code::DuplicateDeclaration, order.span, "a project has one order of precedence")
                        .label("the second")
                        .note(place(first.span, sources))
                        .help("put all its segments into one list"),
                ),
            },
            Item::Test(test) => {
                if let Some(first) = tests.insert(&test.name.text, test.name.span) {
                    diagnostics.push(duplicate(Code::DuplicateDeclaration, "tests", &test.name, first, sources));
                }
                items.tests.push(test);
            }
        }
    }
    items
}

fn declare_list(items: &mut Items<'_>, list: &ast::ListDeclaration, lists: &Lists, diagnostics: &mut Vec<Diagnostic>) {
    let values = match lists.get(&list.path.text) {
        Some(Ok(values)) => values.clone(),
        other => {
            let why = match other {
                Some(Err(why)) => why.clone(),
                _ => "it was not given to the compiler".to_owned(),
            };
            diagnostics.push(
                Diagnostic::new(
                    Code::UnreadableList,
                    list.path.span,
                    format!("the list \"{}\" cannot be read", list.path.text),
                )
                .label(why)
                .help("paths are relative to the project: `\"lists/vip.csv\"`, whose first column counts"),
            );
            Default::default()
        }
    };
    let name = list.name.text.clone();
    let declared = ListRef(Arc::new(List { name: name.clone(), values, ignores_case: false }));
    let declared = DeclaredList::new(declared);
    if items.declared.lists.insert(name, declared).is_some() {
        diagnostics.push(
            Diagnostic::new(
                Code::DuplicateDeclaration,
                list.name.span,
                format!("two lists are called \"{}\"", list.name.text),
            )
            .label("the second")
            .help("give one of them another name"),
        );
    }
}

/// A channel that the schema does not have must not skip consent by a typo.
pub(super) fn check_channel(schema: &Schema, channel: &Title, diagnostics: &mut Vec<Diagnostic>) {
    let fits = |name: &str| fold_name(name) == fold_name(&channel.text);
    if schema.channels.iter().any(|c| fits(&c.name)) {
        return;
    }
    let names: Vec<&str> = schema.channels.iter().map(|c| c.name.as_str()).collect();
    let message = format!("the schema declares no channel `{}`", channel.text);
    let diagnostic = Diagnostic::new(Code::UnknownChannel, channel.span, message).label("unknown channel");
    diagnostics.push(match crate::names::suggestion(&channel.text, names.iter().copied()) {
        Some(near) => diagnostic.fix(channel.span, near, format!("did you mean `{near}`?")),
        None if names.is_empty() => {
            diagnostic.note("declare it in the schema: `[channels.sms]` with `consent = \"…\"`")
        }
        None => diagnostic.help(format!("the channels are {}", names.join(", "))),
    });
}

fn taken(name: &Title) -> Diagnostic {
    Diagnostic::new(Code::AmbiguousName, name.span, format!("the schema has a `{}` already", name.text))
        .label("the name of an attribute or an event")
        .help("give the definition another name")
}

fn duplicate(code: Code, what: &str, name: &Title, first: Span, sources: &SourceMap) -> Diagnostic {
    let diagnostic = Diagnostic::new(code, name.span, format!("two {what} are called \"{}\"", name.text))
        .label("the second")
        .help("give one of them another name");
    if first.source == name.span.source {
        return diagnostic.also(first, "the first");
    }
    diagnostic.note(place(first, sources))
}

fn place(first: Span, sources: &SourceMap) -> String {
    match sources.get(first.source) {
        Some(file) => format!("the first is in {}, line {}", file.name, file.line_column(first.start).0),
        None => "the first stands elsewhere".to_owned(),
    }
}

/// Nobody may refer to an archived segment.
pub(super) fn check_archived(module: &Module, references: &[Vec<Reference>], diagnostics: &mut Vec<Diagnostic>) {
    for (segment, references) in module.segments.iter().zip(references) {
        for reference in references.iter().filter(|_| !segment.header.is_archived) {
            if let Some(to) = module.segments.get(reference.to.idx()).filter(|s| s.header.is_archived) {
                diagnostics.push(archived(&to.name, reference.at));
            }
        }
    }
}

pub(super) fn archived(name: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::ArchivedReference, at, format!("the segment \"{name}\" is archived"))
        .label("an archived segment is not run")
        .help("refer to another segment, or take `archived` out of its declaration")
}

/// The segments that compete for people, each once.
pub(super) fn precedence(items: &Items<'_>, module: &Module, diagnostics: &mut Vec<Diagnostic>) -> Vec<SegmentId> {
    let mut order = Vec::new();
    for title in items.precedence.iter().flat_map(|p| &p.names) {
        match items.declared.segments.resolve(title) {
            Ok(id) if order.contains(&id) => diagnostics.push(
                Diagnostic::new(
                    Code::DuplicateDeclaration,
                    title.span,
                    format!("\"{}\" stands here twice", title.text),
                )
                .label("the second time")
                .help("a segment has one place in the order"),
            ),
            Ok(id) => match module.segments.get(id.idx()) {
                Some(segment) if segment.header.is_archived => diagnostics.push(archived(&title.text, title.span)),
                _ => order.push(id),
            },
            Err(diagnostic) => diagnostics.extend(diagnostic.map(|d| *d)),
        }
    }
    order
}
