//! Names to what they stand for.

use crate::hir::{End, Expr, ExprKind};
use crate::lower::{Lower, Scope};
use crate::names::{shortened, suggestion};
use seg_data::schema::{Field, Target, fold_name};
use seg_data::{AttributeId, EventId, PropertyId, Type};
use seg_syntax::ast::Name;
use seg_syntax::diag::{Code, Diagnostic};
use seg_syntax::names::{display, reserved_word_like};
use seg_syntax::source::Span;

/// What the subject of a condition turned out to be.
pub(in crate::lower) enum Subject {
    /// Something with a value.
    Value(Expr),
    /// Events of some names.
    Events(Vec<EventId>),
    /// The first or last of them.
    Ends(End, Vec<EventId>),
    /// Something already reported.
    Error,
}

/// Which of several things of one name the words around it speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lower) enum Speaks {
    /// Of any of them.
    Any,
    /// Of events: `who signed up`, `then signed up`.
    Events,
    /// Of what has a value: `whose signed up is …`.
    Values,
}

impl Lower<'_> {
    pub(in crate::lower) fn resolve(&mut self, name: &Name, scope: Scope<'_>) -> Subject {
        self.resolve_as(name, scope, Speaks::Any)
    }

    /// Resolves a name by the words around it where it fits an attribute and an event.
    pub(in crate::lower) fn resolve_as(&mut self, name: &Name, scope: Scope<'_>, speaks: Speaks) -> Subject {
        match self.try_resolve_as(name, scope, speaks) {
            Some(Subject::Value(Expr { ty: Type::Records(_), .. })) => {
                let (message, words) = (format!("`{}` is a list of records", name.text), &name.text);
                self.report(
                    Diagnostic::new(Code::OperatorNeedsType, name.span, message).label("of which of them?").note(
                        format!("write `any of {words} has (…)`, `all of {words} have (…)` or `no {words} have (…)`"),
                    ),
                );
                Subject::Error
            }
            Some(subject) => subject,
            None if !self.unknown.insert(name.text.clone()) => Subject::Error,
            None => {
                let diagnostic = match scope {
                    Scope::Event(events) => self.unknown_property(name, events),
                    Scope::Item(items) => Self::unknown_field(name, &items.fields),
                    Scope::Element(elements) => Self::unknown_field(name, &elements.fields),
                    Scope::Person => self.unknown_name(name),
                };
                self.report(diagnostic);
                Subject::Error
            }
        }
    }

    /// Resolves a name without reporting it when nothing fits.
    pub(in crate::lower) fn try_resolve(&mut self, name: &Name, scope: Scope<'_>) -> Option<Subject> {
        self.try_resolve_as(name, scope, Speaks::Any)
    }

    /// The same by the words around it.
    pub(in crate::lower) fn try_resolve_as(
        &mut self,
        name: &Name,
        scope: Scope<'_>,
        speaks: Speaks,
    ) -> Option<Subject> {
        if let Scope::Item(items) = scope {
            let field = Lower::field(name, items).filter(|_| !name.their).map(Subject::Value);
            return field.or_else(|| self.try_resolve(name, Scope::Event(&items.events)));
        }
        if let Scope::Element(elements) = scope {
            let field = elements.field(name).filter(|_| !name.their).map(Subject::Value);
            let of_person = |lower: &mut Self| match lower.try_resolve(name, Scope::Person) {
                Some(Subject::Events(_) | Subject::Ends(..)) | None => None,
                other => other,
            };
            return field.or_else(|| of_person(self));
        }
        if let Scope::Event(events) = scope
            && !name.their
            && let Some(property) = self.property(name, events)
        {
            return Some(property);
        }
        let targets = self.schema.lookup(&name.text);
        let ends = self.ends(name);
        if let [target] = targets
            && ends.is_none()
        {
            return self.one_target(*target, scope);
        }
        let of_kind = |target: &&Target| matches!(target, Target::Attribute(_)) == (speaks == Speaks::Values);
        let one = targets
            .iter()
            .position(|target| of_kind(&target))
            .filter(|_| speaks != Speaks::Any && ends.is_none() && targets.iter().filter(of_kind).count() == 1);
        let targets = match one {
            Some(at) => targets.get(at..=at).unwrap_or(targets),
            None => targets,
        };
        if targets.len() > 1 || (!targets.is_empty() && ends.is_some()) {
            let mut readings: Vec<String> =
                targets.iter().map(|t| format!("{} `{}`", kind(*t), self.schema.name_of(*t))).collect();
            readings.extend(ends.map(|_| "the first or last of an event".to_owned()));
            let mut diagnostic =
                Diagnostic::new(Code::AmbiguousName, name.span, format!("`{}` fits more than one thing", name.text))
                    .label(readings.join(", or "));
            // A name that is written exactly as the schema has it is that one.
            for target in targets {
                let exact = self.schema.name_of(*target).to_owned();
                if self.schema.lookup(&exact) == [*target] {
                    let shown = display(&exact);
                    let title = format!("for {} `{exact}`, write `{shown}`", kind(*target));
                    diagnostic = diagnostic.fix(name.span, shown, title);
                }
            }
            self.report(diagnostic);
            return Some(Subject::Error);
        }
        match targets.first() {
            Some(target) => self.one_target(*target, scope),
            None => ends.or_else(|| self.seen(name)),
        }
    }

    /// What a target is; nothing for an event where none is spoken of.
    fn one_target(&self, target: Target, scope: Scope<'_>) -> Option<Subject> {
        match target {
            Target::Attribute(id) => Some(Subject::Value(self.attribute(id))),
            Target::Event(_) | Target::Group(_) => match scope {
                Scope::Person => Some(Subject::Events(self.events_of(target))),
                Scope::Event(_) | Scope::Item(_) | Scope::Element(_) => None,
            },
        }
    }

    /// The members of an event or a group, in the schema's order.
    fn events_of(&self, target: Target) -> Vec<EventId> {
        match target {
            Target::Event(id) => vec![id],
            Target::Group(id) => {
                let mut events = self.schema.group(id).map_or(Vec::new(), |g| g.events.clone());
                events.sort_unstable();
                events.dedup();
                events
            }
            Target::Attribute(_) => Vec::new(),
        }
    }

    pub(in crate::lower) fn attribute(&self, id: AttributeId) -> Expr {
        let field = self.schema.attribute(id);
        Expr {
            kind: ExprKind::Attribute(id),
            ty: field.map_or(Type::Text, |f| f.ty.clone()),
            may_be_missing: !field.is_some_and(|f| f.is_required),
        }
    }

    /// `last Order Completed`, `most recent order`.
    fn ends(&self, name: &Name) -> Option<Subject> {
        if name.is_quoted {
            return None;
        }
        let folded = fold_name(&name.text);
        let prefixes = [("first ", End::First), ("last ", End::Last), ("most recent ", End::Last)];
        prefixes.iter().find_map(|(prefix, end)| {
            folded.strip_prefix(prefix)?;
            let event = name.text.get(prefix.len()..)?;
            match self.schema.lookup(event) {
                [Target::Attribute(_)] => None,
                [target] => Some(Subject::Ends(*end, self.events_of(*target))),
                _ => None,
            }
        })
    }

    /// A property that every one of the events has, with one type.
    fn property(&mut self, name: &Name, events: &[EventId]) -> Option<Subject> {
        let found: Vec<(EventId, PropertyId)> =
            events.iter().filter_map(|e| Some((*e, self.schema.event(*e)?.property(&name.text)?))).collect();
        if found.is_empty() {
            return None;
        }
        if let Some(lacking) = events.iter().find(|e| !found.iter().any(|(has, _)| has == *e)) {
            let event = self.schema.event(*lacking).map_or("", |e| &e.name).to_owned();
            self.report(
                Diagnostic::new(Code::UnknownProperty, name.span, format!("`{event}` has no property `{}`", name.text))
                    .label("not on every one of these events")
                    .help("use events that all have it, or give each its own condition"),
            );
            return Some(Subject::Error);
        }
        let fields: Vec<&Field> =
            found.iter().filter_map(|(e, p)| self.schema.event(*e)?.properties.get(p.idx())).collect();
        let first = *fields.first()?;
        if let Some(other) = fields.iter().find(|f| f.ty != first.ty) {
            let message = format!("`{}` is {} on one of these events and {} on another", name.text, first.ty, other.ty);
            self.report(
                Diagnostic::new(Code::TypeMismatch, name.span, message)
                    .label("two types")
                    .help("give each event its own condition"),
            );
            return Some(Subject::Error);
        }
        let ty = first.ty.clone();
        let may_be_missing = fields.iter().any(|f| !f.is_required);
        Some(Subject::Value(Expr { kind: ExprKind::Property(found), ty, may_be_missing }))
    }

    fn unknown_field(name: &Name, fields: &[(String, Type)]) -> Diagnostic {
        let message = format!("these records have no field `{}`", shortened(&name.text));
        let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let diagnostic = Diagnostic::new(Code::UnknownProperty, name.span, message).label("unknown field");
        match suggestion(&name.text, known.iter().copied()) {
            Some(near) => diagnostic.fix(name.span, display(near), format!("did you mean `{}`?", display(near))),
            None => diagnostic.note(format!("they have {}", quoted_list(&known))),
        }
    }

    pub(crate) fn unknown_property(&self, name: &Name, events: &[EventId]) -> Diagnostic {
        let event = events.first().and_then(|e| self.schema.event(*e));
        let of = event.map_or("this event", |e| &e.name);
        let message = format!("`{of}` has no property `{}`", shortened(&name.text));
        let diagnostic = Diagnostic::new(Code::UnknownProperty, name.span, message).label("unknown property");
        let known: Vec<&str> = event.map_or(Vec::new(), |e| e.properties.iter().map(|p| p.name.as_str()).collect());
        match suggestion(&name.text, known.iter().copied()) {
            Some(near) => diagnostic.fix(name.span, display(near), format!("did you mean `{}`?", display(near))),
            None if known.is_empty() => diagnostic.note(format!("`{of}` has no properties at all")),
            None => diagnostic.note(format!("it has {}", quoted_list(&known))),
        }
    }

    /// A name that is not known, where nothing is known of what it stands for.
    pub(crate) fn not_known(&self, name: &Name) -> Diagnostic {
        Diagnostic::new(
            Code::UnknownName,
            name.span,
            format!("the schema has no attribute or event `{}`", self.written(name)),
        )
        .label("unknown name")
    }

    pub(crate) fn unknown_name(&self, name: &Name) -> Diagnostic {
        let diagnostic = self.not_known(name);
        if let Some((twice, at)) = self.said_once(name) {
            return diagnostic.fix(at, twice.as_str(), format!("behind a name that ends so, say it again: `{twice}`"));
        }
        if !name.is_quoted && !self.schema.lookup(&format!("be {}", name.text)).is_empty() {
            let right = format!("was {}", self.words(name.span));
            return diagnostic.fix(name.span, right.as_str(), format!("for what was done to them: `{right}`"));
        }
        if let Some((whole, at)) = self.rejoined(name) {
            return diagnostic.fix(at, format!("\"{whole}\""), format!("write `\"{whole}\"` in quotes"));
        }
        if let Some((span, right)) = self.counted_amiss(name) {
            return diagnostic.fix(span, right, format!("did you mean `{right}`?"));
        }
        if let Some(unknown) = suggestion(&name.text, ["unknown"]).filter(|_| self.stands_behind_or(name)) {
            return diagnostic.fix(name.span, unknown, format!("did you mean `{unknown}`?"));
        }
        // `last Odrer Completed`: the end of an event's history.
        let ended = ["first ", "last ", "most recent "].iter().find_map(|end| {
            let event = name.text.get(end.len()..).filter(|_| fold_name(&name.text).starts_with(end))?;
            Some(format!("{}{}", name.text.get(..end.len())?, display(suggestion(event, self.names_of_events())?)))
        });
        if let Some(ended) = ended.filter(|_| !name.is_quoted) {
            return diagnostic.fix(name.span, ended.as_str(), format!("did you mean `{ended}`?"));
        }
        let names = self.schema.all_names().map(|(n, ..)| n);
        if let Some(near) = suggestion(&name.text, names) {
            return diagnostic.fix(name.span, display(near), format!("did you mean `{}`?", display(near)));
        }
        if let Some(meant) = self.meant(name) {
            return meant.told(diagnostic);
        }
        if let Some(found) = self.runs_on(name) {
            return self.rest_of_run(diagnostic, &found);
        }
        match self.is_property_of(name) {
            Some(event) => {
                let words = &name.text;
                diagnostic.note(format!("`{event}` has a property of this name, which is asked for behind the event: `did {event} where {words} …`"))
            }
            None => match self.nearest(&name.text).as_slice() {
                [] => match self.what_there_is().as_slice() {
                    [] => diagnostic.note("a schema declares what sentences can speak of"),
                    lines => lines.iter().fold(diagnostic, |diagnostic, line| diagnostic.note(line.as_str())),
                },
                near => diagnostic.note(format!("the nearest names of the schema: {}", quoted_list(near))),
            },
        }
    }

    fn stands_behind_or(&self, name: &Name) -> bool {
        let before = Span::new(name.span.source, name.span.start.saturating_sub(4), name.span.start);
        !name.is_quoted && self.sources.text(before).to_ascii_lowercase().ends_with(" or ")
    }

    /// A name as it is written: a number may stand within it.
    fn written(&self, name: &Name) -> String {
        if name.is_quoted { name.text.clone() } else { self.words(name.span) }
    }

    /// `ordered at least three tims`: the word behind a number, where it is no noun but a
    /// slip in what is counted.
    fn counted_amiss(&self, name: &Name) -> Option<(Span, &'static str)> {
        let text = self.sources.text(name.span);
        let n = text.split_whitespace().count();
        if name.is_quoted || n == name.text.split(' ').count() {
            return None;
        }
        let (last, from) = split_words(text, n.checked_sub(1)?)?;
        let right = suggestion(last, ["times", "days", "weeks", "months", "hours", "minutes", "years"])?;
        let start = name.span.start + from as u32;
        Some((Span::new(name.span.source, start, start + last.len() as u32), right))
    }

    /// What stands behind a known name and does not belong to it.
    fn rest_of_run(&self, diagnostic: Diagnostic, found: &RunsOn) -> Diagnostic {
        let RunsOn { known, rest, rest_at } = found;
        let words: Vec<&str> = rest.iter().map(|(word, _)| word.as_str()).collect();
        let words = words.join(" ");
        let diagnostic = diagnostic.label(format!("`{known}` is known, but not with `{words}` after it"));
        for (word, span) in rest {
            if let Some(right) = reserved_word_like(word) {
                return diagnostic.fix(*span, right, format!("did you mean `{right}` after `{known}`?"));
            }
        }
        let rest = &words;
        let is_article = ["the", "a", "an", "their"].iter().any(|word| rest.eq_ignore_ascii_case(word));
        let is_twice = known.rsplit(' ').next().is_some_and(|last| last.eq_ignore_ascii_case(rest));
        match is_article || is_twice {
            true => diagnostic.fix(*rest_at, "", format!("leave `{rest}` out")),
            false => match self.property_of(known, rest) {
                Some((right, title)) => diagnostic.fix(*rest_at, right, title),
                None => diagnostic.note("two conditions are joined with `and`"),
            },
        }
    }

    fn names_of_events(&self) -> impl Iterator<Item = &'_ str> {
        self.schema.all_names().filter(|(_, target, _)| !matches!(target, Target::Attribute(_))).map(|(n, ..)| n)
    }

    /// The three names that have most in common with what was written, if that is much.
    fn nearest(&self, written: &str) -> Vec<&str> {
        const LIKE: f64 = 0.85;
        if written.len() > 120 {
            return Vec::new();
        }
        let folded = fold_name(written);
        let mut scored: Vec<(f64, &str)> =
            self.schema.all_names().map(|(name, ..)| (strsim::jaro_winkler(&folded, &fold_name(name)), name)).collect();
        scored.retain(|(score, _)| *score >= LIKE);
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scored.dedup_by(|a, b| fold_name(a.1) == fold_name(b.1));
        scored.into_iter().take(3).map(|(_, name)| name).collect()
    }

    fn is_property_of(&self, name: &Name) -> Option<String> {
        self.schema.events.iter().find(|e| e.property(&name.text).is_some()).map(|e| display(&e.name))
    }

    /// `logged` in `logged in the past 3 days`, where `logged in` is a name: the word
    /// belongs to the name and to the window.
    fn said_once(&self, name: &Name) -> Option<(String, Span)> {
        let after = self.sources.get(name.span.source)?.text.get(name.span.end as usize..)?;
        let word = after
            .split_whitespace()
            .next()
            .filter(|word| ["in", "on"].iter().any(|known| known.eq_ignore_ascii_case(word)))?;
        if name.is_quoted || self.schema.lookup(&format!("{} {word}", name.text)).is_empty() {
            return None;
        }
        let at = after.find(word)? + word.len();
        let span = Span { end: name.span.end + u32::try_from(at).ok()?, ..name.span };
        Some((format!("{} {word} {word}", self.words(name.span)), span))
    }

    /// `Show` in `no Show`, when `No Show` is an event: the name with up to
    /// three of the words around it.
    fn rejoined(&self, name: &Name) -> Option<(String, Span)> {
        let file = self.sources.get(name.span.source)?;
        let before = file.text.get(..name.span.start as usize)?;
        let after = file.text.get(name.span.end as usize..)?;
        let left = word_starts_backwards(before);
        let right = word_ends(after);
        for (l, start) in left.iter().enumerate() {
            for (r, end) in right.iter().enumerate() {
                if l + r == 0 {
                    continue;
                }
                let (from, to) = (*start, name.span.end as usize + end);
                let words = file.text.get(from..to)?.split_whitespace().collect::<Vec<_>>().join(" ");
                if let [target] = self.schema.lookup(&words) {
                    let known =
                        self.schema.all_names().find(|(n, t, _)| t == target && fold_name(n) == fold_name(&words));
                    let span = Span::new(name.span.source, from as u32, to as u32);
                    return Some((known.map_or(words, |(n, ..)| n.to_owned()), span));
                }
            }
        }
        None
    }

    /// `Order Completed withing`: a known name with words after it.
    fn runs_on(&self, name: &Name) -> Option<RunsOn> {
        if name.is_quoted {
            return None;
        }
        const WORDS_MAX: usize = 8;
        let words: Vec<&str> = name.text.split(' ').collect();
        // A number that stands within the name is not one of its words.
        if self.sources.text(name.span).split_whitespace().count() != words.len() {
            return None;
        }
        for n in (1..words.len().min(WORDS_MAX)).rev() {
            let known = words.get(..n)?.join(" ");
            if self.schema.lookup(&known).len() == 1 {
                let text = self.sources.text(name.span);
                let at = |(word, from): (&str, usize)| {
                    let start = name.span.start + from as u32;
                    (word.to_owned(), Span::new(name.span.source, start, start + word.len() as u32))
                };
                let rest = (n..words.len()).filter_map(|n| split_words(text, n)).map(at).collect();
                let (_, last) = at(split_words(text, n - 1)?);
                return Some(RunsOn { known, rest, rest_at: Span { start: last.end, ..name.span } });
            }
        }
        None
    }

    /// Names of events only, for places where nothing else fits.
    pub(in crate::lower) fn resolve_events(&mut self, names: &[Name]) -> Option<Vec<EventId>> {
        let mut events = Vec::new();
        let mut is_whole = true;
        for name in names {
            match self.resolve_as(name, Scope::Person, Speaks::Events) {
                Subject::Events(ids) => events.extend(ids),
                Subject::Error => is_whole = false,
                Subject::Value(_) | Subject::Ends(..) => {
                    is_whole = false;
                    let diagnostic = not_an_event(name.span, &name.text);
                    self.report(diagnostic);
                }
            }
        }
        events.sort_unstable();
        events.dedup();
        is_whole.then_some(events)
    }

    fn seen(&self, name: &Name) -> Option<Subject> {
        let end = match fold_name(&name.text).as_str() {
            "first seen" => End::First,
            "last seen" => End::Last,
            _ => return None,
        };
        let kind = ExprKind::Seen(end, self.known_at);
        Some(Subject::Value(Expr { kind, ty: Type::Timestamp, may_be_missing: true }))
    }

    pub(in crate::lower) fn all_events(&self) -> Vec<EventId> {
        (0..self.schema.events.len()).map(|idx| EventId(idx as u32)).collect()
    }
}

/// A known name, and what stands behind it.
struct RunsOn {
    known: String,
    /// The words behind it, and where they are.
    rest: Vec<(String, Span)>,
    /// From the end of the known name on.
    rest_at: Span,
}

pub(in crate::lower) fn not_an_event(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(Code::NotAnEvent, span, format!("`{name}` is not an event"))
        .label("an event is needed here")
        .note(format!("compare it instead, for example: `{name} is …`"))
}

fn kind(target: Target) -> &'static str {
    match target {
        Target::Attribute(_) => "the attribute",
        Target::Event(_) => "the event",
        Target::Group(_) => "the event group",
    }
}

pub(in crate::lower) fn quoted_list(words: &[&str]) -> String {
    let shown: Vec<String> = words.iter().take(8).map(|w| format!("`{w}`")).collect();
    let more = if words.len() > 8 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The word after the first `n`, and where it starts.
fn split_words(text: &str, n: usize) -> Option<(&str, usize)> {
    let word = text.split_whitespace().nth(n)?;
    Some((word, word.as_ptr() as usize - text.as_ptr() as usize))
}

/// Where the last words of a text start: its end, then up to three words back.
fn word_starts_backwards(text: &str) -> Vec<usize> {
    let mut starts = vec![text.len()];
    let mut rest = text;
    for _ in 0..3 {
        let trimmed = rest.trim_end_matches(' ');
        let start = trimmed
            .rfind(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .map_or(0, |at| at + trimmed.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8));
        if start == trimmed.len() {
            break;
        }
        starts.push(start);
        rest = trimmed.get(..start).unwrap_or("");
    }
    starts
}

/// Where the first words of a text end: its start, then up to three words on.
fn word_ends(text: &str) -> Vec<usize> {
    let mut ends = vec![0];
    let mut at = 0;
    for _ in 0..3 {
        let rest = text.get(at..).unwrap_or("");
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        let word = rest.get(spaces..).unwrap_or("");
        let len = word.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(word.len());
        if len == 0 {
            break;
        }
        at += spaces + len;
        ends.push(at);
    }
    ends
}
