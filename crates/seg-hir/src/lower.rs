//! Conditions as written to conditions as meant.

mod condition;
mod event;
mod group;
mod left_over;
mod names;
mod time;
mod value;
mod verbs;

use crate::hir::{Cond, Moment, Query};
use crate::names::{Declared, Reference, Settings};
use seg_data::{AttributeId, EventId, PropertyId, Schema, Type, Zone};
use seg_syntax::ast;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::source::{SourceMap, Span};
use std::cmp::Ordering;
use std::collections::HashSet;

/// How many problems of one segment are shown at once.
const PROBLEMS_MAX: usize = 100;

/// What lowering one segment needs, and what it gathers.
pub(crate) struct Lower<'a> {
    schema: &'a Schema,
    settings: Settings,
    pub declared: &'a Declared<'a>,
    pub sources: &'a SourceMap,
    /// The values of the definition that is being read, under their names.
    parameters: Vec<(String, ast::LiteralAt)>,
    /// The definitions that are being read, the innermost last.
    reading: Vec<String>,
    /// How many definitions the use that is being read has written out.
    n_written_out: usize,
    /// At which moment events are known, where that is not `now`.
    pub known_at: Option<Moment>,
    /// The problems found inside definitions, so that each shows once.
    in_definitions: HashSet<(Span, &'static str)>,
    /// The events whose rhythm `their usual gap` means.
    rhythm: Option<Vec<EventId>>,
    /// The phrases that have become part of the meaning of the condition at hand.
    read: Vec<Span>,
    /// Whether anything has followed the calendar of the zone at hand.
    is_zone_read: bool,
    /// The other segments it refers to.
    pub references: Vec<Reference>,
    /// What is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
    /// What is likely not meant, whatever the segment allows.
    pub warnings: Vec<Diagnostic>,
    /// The names reported as unknown: each is one problem, however often it stands.
    unknown: HashSet<String>,
    /// Comparisons of a value beside one that leaves people without it out.
    known_besides: Vec<Span>,
    /// The lists of which it is said beside the condition at hand what becomes of people
    /// without one.
    known_lists: Vec<String>,
}

/// Where a name is looked up first.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// In conditions about a person: attributes and events.
    Person,
    /// In filters and measures: the properties of these events.
    Event(&'a [EventId]),
    /// In what is asked of the records of a list: their fields.
    Item(&'a Items),
    /// In what is asked of the records of a person's list: their fields, then what is
    /// about the person.
    Element(&'a Elements),
}

/// A list of a person.
pub(crate) struct Elements {
    list: AttributeId,
    /// Of records.
    fields: Vec<(String, Type)>,
}

/// A list of records on events.
pub(crate) struct Items {
    events: Vec<EventId>,
    list: Vec<(EventId, PropertyId)>,
    fields: Vec<(String, Type)>,
}

/// A lowered condition with what its neighbours need to know of it.
pub(crate) struct Lowered {
    /// What it means.
    pub cond: Cond,
    facts: Facts,
}

/// What a condition looks like to the others in its chain.
enum Facts {
    /// Nothing of interest.
    Plain,
    /// It is about events.
    Event(EventFacts),
    /// It was not understood, and that has been reported.
    Error,
}

struct EventFacts {
    events: Vec<EventId>,
    /// The window it names, other than `ever`.
    window: Option<Span>,
    /// Whether it neither names a window nor says `ever` or `never`.
    is_open: bool,
    /// A `where` without brackets, which may seem to reach further.
    open_filter: Option<Span>,
    /// Whether it is about an event sequence.
    is_row: bool,
    /// `followed by …` and what stands behind it: a window stands before.
    followed: Option<Span>,
    /// Its negative word.
    negative: Option<Span>,
    /// Whether it only says that the event happened, perhaps in a window.
    is_simple: bool,
    /// What is said of it besides windows, with these: counts, filters and their like.
    trailing: Option<Trailing>,
    /// Whether nothing at all is said of it, so that what stands behind the next may
    /// be said of both.
    is_unmodified: bool,
    /// Whether it only says that one event did not happen.
    is_plain_negative: bool,
    /// Whether it is nothing but a name, perhaps with a window.
    is_bare: bool,
    /// Whether it says that every event of its names is in its window, as the first of
    /// them is: there, ever and in the window are one.
    has_all_in_window: bool,
    /// The whole condition.
    at: Span,
}

/// What is said of an event that has no word before it.
struct Trailing {
    /// From its subject's end on.
    at: Span,
    /// The properties that its filters name.
    properties: Vec<String>,
}

impl Lowered {
    fn plain(cond: Cond) -> Lowered {
        Lowered { cond, facts: Facts::Plain }
    }

    /// What stands for something already reported.
    fn error() -> Lowered {
        Lowered { cond: Cond::Const(false), facts: Facts::Error }
    }

    /// Without what its neighbours would need to know of it.
    fn alone(self) -> Lowered {
        match self.facts {
            Facts::Error => self,
            Facts::Plain | Facts::Event(_) => Lowered::plain(self.cond),
        }
    }

    fn is_error(&self) -> bool {
        matches!(self.facts, Facts::Error)
    }

    /// The opposite, where it was said.
    fn negated(self, is_negative: bool) -> Lowered {
        match self.facts {
            Facts::Plain | Facts::Event(_) if is_negative => Lowered::plain(self.cond.negate()),
            Facts::Plain | Facts::Event(_) | Facts::Error => self,
        }
    }
}

impl<'a> Lower<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        settings: Settings,
        declared: &'a Declared<'a>,
        sources: &'a SourceMap,
    ) -> Lower<'a> {
        Lower {
            schema,
            settings,
            declared,
            sources,
            parameters: Vec::new(),
            reading: Vec::new(),
            n_written_out: 0,
            known_at: None,
            in_definitions: HashSet::new(),
            rhythm: None,
            read: Vec::new(),
            is_zone_read: false,
            references: Vec::new(),
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            known_lists: Vec::new(),
            unknown: HashSet::new(),
            known_besides: Vec::new(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        match self.diagnostics.len().cmp(&PROBLEMS_MAX) {
            Ordering::Less => self.diagnostics.push(diagnostic),
            Ordering::Equal => {
                let name = "this segment has more problems than these";
                self.diagnostics.push(diagnostic.note(format!("{name}; the rest show when they are mended")));
            }
            Ordering::Greater => {}
        }
    }

    /// What segments are about.
    pub(crate) fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// The calendar that everything follows from here on.
    pub(crate) fn set_zone(&mut self, zone: Option<Zone>) {
        self.settings.zone = zone;
    }

    /// A segment by its name.
    pub(crate) fn resolve_segment(&self, title: &ast::Title) -> Result<crate::hir::SegmentId, Option<Box<Diagnostic>>> {
        self.declared.segments.resolve(title)
    }

    /// A literal where a value of a type is wanted.
    pub(crate) fn value_of_literal(&mut self, literal: &ast::Literal, span: Span, ty: &Type) -> crate::hir::Expr {
        self.literal(literal, span, Scope::Person, Some(ty))
    }

    /// The user's words under a span, on one line and short.
    pub(crate) fn words(&self, span: Span) -> String {
        let text = self.sources.text(span);
        let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((at, _)) = words.char_indices().nth(160) {
            words.truncate(at);
            words.push('…');
        }
        words
    }

    /// The zone that calendar words follow; reported when there is none.
    pub(crate) fn zone(&mut self, span: Span) -> Option<Zone> {
        self.is_zone_read = true;
        if self.settings.zone.is_none() {
            let words = self.words(span);
            self.report(
                Diagnostic::new(Code::MissingZone, span, format!("`{words}` needs a time zone"))
                    .label("whose calendar?")
                    .help("say it in `seg.toml`, for example: timezone = \"Europe/Berlin\"")
                    .note("calendar days, months and years begin at other instants in other zones"),
            );
        }
        self.settings.zone
    }

    /// A condition about a person.
    pub(crate) fn expr(&mut self, expr: &ast::Expr) -> Lowered {
        self.expr_in(expr, Scope::Person)
    }

    fn expr_in(&mut self, expr: &ast::Expr, scope: Scope<'_>) -> Lowered {
        match expr {
            ast::Expr::Error(_) => Lowered::error(),
            ast::Expr::Group(group) => self.group(group, scope),
            ast::Expr::Not(inner, _) => self.expr_in(inner, scope).negated(true),
            ast::Expr::Condition(condition) => self.condition(condition, scope),
            other if !matches!(scope, Scope::Person) => self.not_in_filter(other.span()),
            ast::Expr::Everyone(_) => Lowered::plain(Cond::Const(true)),
            ast::Expr::InSegment(title) => self.in_segment(title),
            ast::Expr::Sample(sample) => self.sample(sample),
            ast::Expr::Near(near) => self.near_any_place(near),
            ast::Expr::Use(used) => self.definition(&used.name, &used.values, used.span),
        }
    }

    fn not_in_filter(&mut self, span: Span) -> Lowered {
        let words = self.words(span);
        self.report(
            Diagnostic::new(Code::OperatorNeedsType, span, format!("`{words}` is about a person, not about one event"))
                .label("inside `where`")
                .help("close the brackets of `where` first, then go on with `and`"),
        );
        Lowered::error()
    }

    fn in_segment(&mut self, title: &ast::Title) -> Lowered {
        match self.declared.segments.resolve(title) {
            Ok(to) => {
                self.references.push(Reference { to, at: title.span });
                Lowered::plain(Cond::InSegment(to))
            }
            Err(diagnostic) => {
                self.diagnostics.extend(diagnostic.map(|d| *d));
                Lowered::error()
            }
        }
    }

    /// A condition inside `where` or `had`, about one event.
    fn filter(&mut self, expr: &ast::Expr, events: &[EventId]) -> Cond {
        self.expr_in(expr, Scope::Event(events)).cond
    }

    /// Events of some names, whenever they were.
    fn query(&self, events: Vec<EventId>) -> Query {
        Query::of(events, self.known_at)
    }
}
