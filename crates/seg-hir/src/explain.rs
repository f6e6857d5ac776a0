//! Why somebody is in a segment or not, in the segment's own words.

mod decisive;
mod facts;

pub use decisive::{Fewest, Join};

use crate::check::{Lists, declared_items};
use crate::eval::{Evaluator, PersonAnswers};
use crate::hir::{Chain, Cond, Expr, ExprKind, Module, Query, SegmentId};
use crate::lower::Lower;
use crate::names::Settings;
use seg_data::{AttributeId, Batch, EventId, Schema, Timestamp, Value};
use seg_syntax::Parse;
use seg_syntax::ast::{self, GroupForm, Quantifier};
use seg_syntax::source::{SourceMap, Span};
use std::fmt::Write;

/// How deep segments that refer to segments are told of.
const SEGMENTS_MAX: usize = 4;
/// How many events of a condition are told of.
const EVENTS_MAX: usize = 3;

/// A condition, whether it holds for somebody, and what decided that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What part it plays.
    pub role: Role,
    /// The user's words.
    pub said: String,
    /// Whether it holds.
    pub holds: bool,
    /// What is known of the person that decided it, in a line; for a condition as it is
    /// written.
    pub fact: Option<String>,
    /// By how many events, or different values, a condition that counts them is missed.
    pub short_by: Option<u64>,
    /// The values and events that decided it, a sentence each.
    pub details: Vec<String>,
    /// How it is made of its parts.
    pub join: Join,
    /// Its number among the segment's conditions, of one that is written.
    pub condition: Option<usize>,
    /// What it is made of.
    pub parts: Vec<Why>,
}

/// What part a condition plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All of a segment.
    Segment,
    /// Who is in.
    Include,
    /// Who is out all the same.
    Exclude,
    /// A universal rule.
    Rule,
    /// Everything as it was known before the grace period.
    Before,
    /// A condition, or several.
    Condition,
}

/// What explaining needs: a project that has no errors, and people.
#[derive(Clone, Copy)]
pub struct Explain<'a> {
    /// The parsed files.
    pub parses: &'a [Parse],
    /// Their texts.
    pub sources: &'a SourceMap,
    /// What the segments are about.
    pub schema: &'a Schema,
    /// Whose calendar.
    pub settings: Settings,
    /// The contents of lists.
    pub lists: &'a Lists,
    /// What they mean.
    pub module: &'a Module,
    /// The people.
    pub batch: &'a Batch,
    /// As of when they are evaluated.
    pub now: Timestamp,
}

impl Explain<'_> {
    /// `90 minutes ago, at …`
    fn when(&self, time: Timestamp) -> String {
        let micros = self.now.0.saturating_sub(time.0);
        let time = time.in_zone(self.settings.zone);
        match micros {
            0 => format!("at this instant, {time}"),
            1.. => format!("{} ago, {time}", length(micros)),
            _ => format!("in {}, {time}", length(micros.saturating_neg())),
        }
    }

    /// Why a person, a row of the batch, is in a segment or not.
    pub fn why(&self, segment: SegmentId, row: usize) -> Option<Why> {
        let evaluator = Evaluator::new(self.module, self.now);
        let person = evaluator.answers(self.batch, row);
        self.segment(segment, &evaluator, &person, true, 0)
    }

    fn segment(
        &self,
        id: SegmentId,
        evaluator: &Evaluator<'_>,
        person: &PersonAnswers<'_>,
        with_rules: bool,
        depth: usize,
    ) -> Option<Why> {
        let items = declared_items(self.parses, self.sources, self.schema, self.lists);
        let (segment, rules) = items.segment(id, self.module)?;
        let said = format!("\"{}\"", segment.name.text);
        let role = Role::Segment;
        if let Some(from) = self.batch.exists_from(person.row()).filter(|from| self.now < *from) {
            let details = vec![format!("not known yet: what is known of them begins {}", self.when(from))];
            return Some(Why { details, ..Why::new(role, said, false, Join::Condition) });
        }
        let mut lower = Lower::new(self.schema, self.settings, &items.declared, self.sources);
        if let Some(zone) = self.module.segments.get(id.idx()).and_then(|s| s.header.zone) {
            lower.set_zone(Some(zone));
        }
        let mut walk = Walk { explain: self, lower, evaluator, person, depth };
        let mut parts = walk.view(segment, if with_rules { &rules } else { &[] });
        let mut numbers = Vec::new();
        parts.iter_mut().for_each(|part| part.number(&mut numbers, None));
        if let Some(grace) = &segment.header.grace {
            walk.lower.known_at = walk.lower.before(grace);
            let words = walk.lower.words(grace.span);
            let mut before = walk.view(segment, if with_rules { &rules } else { &[] });
            let holds = before.iter().all(blocks_not);
            // Told of only where something is otherwise than as is known now.
            let now = std::mem::take(&mut numbers);
            let mut at = 0;
            before.iter_mut().for_each(|part| part.number(&mut numbers, Some((&now, &mut at))));
            if numbers.len() > now.len() {
                let said = format!("as if the last {words} were not, by the grace period");
                parts.push(Why { parts: before, ..Why::new(Role::Before, said, holds, Join::All) });
            }
        }
        let holds = parts.iter().all(blocks_not);
        Some(Why { parts, ..Why::new(role, said, holds, Join::All) })
    }
}

impl Why {
    fn new(role: Role, said: String, holds: bool, join: Join) -> Why {
        Why {
            role,
            said,
            holds,
            fact: None,
            short_by: None,
            details: Vec::new(),
            join,
            condition: None,
            parts: Vec::new(),
        }
    }

    /// The parts that are worth telling: all but a view of a grace period that decides as the
    /// others do.
    pub fn told_parts(&self) -> impl Iterator<Item = &Why> {
        let of_now = self.parts.iter().filter(|part| part.role != Role::Before).all(blocks_not);
        self.parts.iter().filter(move |part| part.role != Role::Before || part.holds != of_now)
    }

    /// Numbers the conditions as they are written: each outcome that is known by now. In a
    /// second view the one in the same place is the same, unless its outcome is another.
    fn number(&mut self, known: &mut Vec<bool>, first: Option<(&Vec<bool>, &mut usize)>) {
        match (self.join, first) {
            (Join::Condition, None) => {
                self.condition = Some(known.len());
                known.push(self.holds);
            }
            (Join::Condition, Some((first, at))) => {
                if known.is_empty() {
                    known.clone_from(first);
                }
                if first.get(*at) == Some(&self.holds) {
                    self.condition = Some(*at);
                } else {
                    self.condition = Some(known.len());
                    known.push(self.holds);
                }
                *at += 1;
            }
            (Join::All | Join::Several(..) | Join::Not, None) => {
                self.parts.iter_mut().for_each(|part| part.number(known, None));
            }
            (Join::All | Join::Several(..) | Join::Not, Some((first, at))) => {
                self.parts.iter_mut().for_each(|part| part.number(known, Some((first, &mut *at))));
            }
        }
    }
}

/// Whether a part lets somebody in.
fn blocks_not(part: &Why) -> bool {
    part.holds != (part.role == Role::Exclude)
}

struct Walk<'a, 'e> {
    explain: &'e Explain<'a>,
    lower: Lower<'e>,
    evaluator: &'e Evaluator<'e>,
    person: &'e PersonAnswers<'e>,
    depth: usize,
}

impl Walk<'_, '_> {
    fn view(&mut self, segment: &ast::Segment, rules: &[&ast::Expr]) -> Vec<Why> {
        let mut parts = vec![Why { role: Role::Include, ..self.expr(&segment.include) }];
        parts.extend(segment.excludes.iter().map(|e| Why { role: Role::Exclude, ..self.expr(e) }));
        parts.extend(rules.iter().map(|rule| Why { role: Role::Rule, ..self.expr(rule) }));
        parts
    }

    fn expr(&mut self, expr: &ast::Expr) -> Why {
        let said = self.lower.words(expr.span());
        let why = |said, holds, join, parts| Why { parts, ..Why::new(Role::Condition, said, holds, join) };
        match expr {
            // Its halves are said of one thing: together they hold or do not.
            ast::Expr::Group(group) if group.form == GroupForm::Verbs || self.lower.is_said_of_one(group) => {
                self.leaf(expr, said)
            }
            ast::Expr::Group(group) => {
                // What a member says may lean on what stands beside it.
                let (before, known) = self.lower.enter_members(group);
                let group = known.as_ref().unwrap_or(group);
                let parts: Vec<Why> = group.members.iter().map(|m| self.expr(m)).collect();
                self.lower.leave(before);
                let n = parts.iter().filter(|p| p.holds).count() as u64;
                let n_parts = parts.len() as u64;
                let (words, min, max) = match group.quantifier {
                    Quantifier::All => ("all of".to_owned(), n_parts, None),
                    Quantifier::Any => ("any of".to_owned(), 1, None),
                    Quantifier::None => ("none of".to_owned(), 0, Some(0)),
                    Quantifier::Cardinality { min, max: Some(max) } => (format!("{min} to {max} of"), min, Some(max)),
                    Quantifier::Cardinality { min, max: None } => (format!("at least {min} of"), min, None),
                };
                let holds = min <= n && max.is_none_or(|max| n <= max);
                why(words, holds, Join::Several(min, max), parts)
            }
            ast::Expr::Not(inner, _) => {
                let inner = self.expr(inner);
                let holds = !inner.holds;
                why("not".to_owned(), holds, Join::Not, vec![inner])
            }
            ast::Expr::Everyone(_)
            | ast::Expr::InSegment(_)
            | ast::Expr::Sample(_)
            | ast::Expr::Near(_)
            | ast::Expr::Use(_)
            | ast::Expr::Condition(_)
            | ast::Expr::Error(_) => self.leaf(expr, said),
        }
    }

    fn leaf(&mut self, expr: &ast::Expr, said: String) -> Why {
        let cond = self.lower.expr(expr).cond;
        let holds = self.evaluator.holds(&cond, self.person);
        let mut parts = Vec::new();
        if let (Cond::InSegment(id), true) = (&cond, self.depth < SEGMENTS_MAX) {
            let inner = self.explain.segment(*id, self.evaluator, self.person, false, self.depth + 1);
            parts.extend(inner.into_iter().flat_map(|why| why.parts));
        }
        let mut details = Details { walk: self, found: Vec::new() };
        details.cond(&cond);
        let mut details = details.found;
        details.dedup();
        let (fact, short_by) = self.fact(&cond, &said, holds);
        Why { fact: Some(fact), short_by, details, parts, ..Why::new(Role::Condition, said, holds, Join::Condition) }
    }
}

/// Gathers what decided a condition.
struct Details<'w, 'a, 'e> {
    walk: &'w Walk<'a, 'e>,
    found: Vec<String>,
}

impl Details<'_, '_, '_> {
    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
                members.iter().for_each(|m| self.cond(m));
            }
            Cond::Not(inner) => self.cond(inner),
            Cond::Known(value)
            | Cond::OneOf(value, _)
            | Cond::Text(_, value, _)
            | Cond::Has(value, _)
            | Cond::InList(value, _) => self.expr(value),
            Cond::Compare(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            Cond::FirstOrLastN { query, .. } => self.query(query),
            Cond::Sample { name, .. } => {
                let id = self.walk.explain.batch.id(self.walk.person.row());
                let part = seg_data::sample::place(name, id) as f64 / seg_data::sample::PLACES as f64;
                self.add(format!("stands at {:.2}% of people, by {name:?}", part * 100.0));
            }
            Cond::Profile(_) => {
                let (batch, row) = (self.walk.explain.batch, self.walk.person.row());
                let merged: Vec<&str> = batch.merged_ids(row).collect();
                let also = if merged.is_empty() { String::new() } else { format!(", also {}", merged.join(", ")) };
                self.add(format!("profile id is {}{also}", batch.id(row)));
            }
            Cond::Elements { list, .. } => {
                let schema = self.walk.explain.schema;
                if let Some(attribute) = schema.attribute(*list) {
                    let (batch, row) = (self.walk.explain.batch, self.walk.person.row());
                    let value = match batch.attribute(*list, row, self.walk.explain.now) {
                        Some(value) => format!("are {}", self.show(&value)),
                        None => self.records(*list, row),
                    };
                    self.add(format!("{} {value}", attribute.name));
                }
            }
            Cond::Const(_) | Cond::InSegment(_) | Cond::Chain(_) | Cond::Items { .. } => {}
        }
    }

    fn expr(&mut self, expr: &Expr) {
        let schema = self.walk.explain.schema;
        match &expr.kind {
            ExprKind::Attribute(id) => {
                let name = schema.attribute(*id).map_or("?", |a| &a.name);
                let value = self.walk.evaluator.value_of(expr, self.walk.person);
                let text = value.map_or("is missing".to_owned(), |v| format!("is {}", self.show(&v)));
                self.add(format!("{name} {text}"));
            }
            ExprKind::History { attribute, .. } => self.history(*attribute),
            ExprKind::Seen(end, _) => {
                let value = self.walk.evaluator.value_of(expr, self.walk.person);
                let text = value.map_or("never".to_owned(), |v| self.show(&v));
                self.add(format!("{} seen {text}", end.word()));
            }
            ExprKind::Distance { .. } => {
                self.value("distance in km", expr);
                expr.operands().into_iter().for_each(|operand| self.expr(operand));
            }
            ExprKind::Aggregate { function, measure, query, .. } => {
                if measure.is_some() {
                    self.value(function.word(), expr);
                }
                self.query(query);
            }
            ExprKind::UsualGap(query) => {
                match self.walk.evaluator.value_of(expr, self.walk.person) {
                    Some(Value::Integer(micros)) => self.add(format!("usual gap is {}", length(micros as i64))),
                    _ => self.add("usual gap is missing: it needs three gaps".to_owned()),
                }
                self.query(query);
            }
            ExprKind::MostWithin { query, within } => {
                self.value(&format!("most within {within}"), expr);
                self.query(query);
            }
            ExprKind::Periods { query, .. } | ExprKind::EventTime { query, .. } => self.query(query),
            _ => expr.operands().into_iter().for_each(|operand| self.expr(operand)),
        }
    }

    /// The last values that an attribute had.
    fn history(&mut self, attribute: AttributeId) {
        let name = self.walk.explain.schema.attribute(attribute).map_or("?", |a| &a.name);
        let held = self.walk.evaluator.held(attribute, self.walk.person);
        // Before a first value there is none, which is not worth a line.
        let is_first_known = |at: usize| at == 1 && held.first().is_some_and(|(_, value)| value.is_none());
        let first = usize::from(held.len() > 1 && is_first_known(1));
        for (n, (at, (from, value))) in held.iter().enumerate().skip(first).rev().take(EVENTS_MAX).enumerate() {
            let verb = if n == 0 { "is" } else { "was" };
            let value = value.as_ref().map_or("missing".to_owned(), |value| self.show(value));
            let since = from.map_or("from the beginning".to_owned(), |from| format!("since {}", self.when(from)));
            let known = if is_first_known(at) { ", the first value that is known" } else { "" };
            self.add(format!("{name} {verb} {value}, {since}{known}"));
        }
        let n_before = (held.len() - first).saturating_sub(EVENTS_MAX);
        if n_before > 0 {
            self.add(format!("and {n_before} before"));
        }
    }

    /// How many records a person's list has.
    fn records(&self, list: AttributeId, row: usize) -> String {
        let column = self.walk.explain.batch.attribute_column(list);
        match column.and_then(|column| column.records(row)) {
            Some(records) if records.len() == 1 => "have 1 record".to_owned(),
            Some(records) => format!("have {} records", records.len()),
            None => "are missing".to_owned(),
        }
    }

    fn value(&mut self, what: &str, expr: &Expr) {
        let value = self.walk.evaluator.value_of(expr, self.walk.person);
        let text = value.map_or("missing".to_owned(), |v| self.show(&v));
        self.add(format!("{what} is {text}"));
    }

    /// The last events that a query finds; where it finds none, the last that
    /// it might have found.
    fn query(&mut self, query: &Query) {
        let found = self.walk.evaluator.found(query, self.walk.person);
        for (event, time) in found.iter().rev().take(EVENTS_MAX) {
            self.add(format!("{} {}", self.event(*event), self.when(*time)));
        }
        if found.len() > EVENTS_MAX {
            self.add(format!("and {} before", found.len() - EVENTS_MAX));
        }
        if found.is_empty() {
            let any = Query::of(query.events.clone(), None);
            let names: Vec<String> = query.events.iter().take(3).map(|e| self.event(*e)).collect();
            let name = names.join(" or ");
            match self.walk.evaluator.found(&any, self.walk.person).last() {
                Some((event, time)) => {
                    let (event, when) = (self.event(*event), self.when(*time));
                    self.add(format!("no {name} that counts; the last {event} was {when}"));
                }
                None => self.add(format!("no {name} at all")),
            }
        }
        if let Some(filter) = &query.filter {
            self.chains(filter);
        }
    }

    /// What other events a filter looks for.
    fn chains(&mut self, filter: &Cond) {
        match filter {
            Cond::All(members) | Cond::Any(members) => members.iter().for_each(|m| self.chains(m)),
            Cond::Not(inner) => self.chains(inner),
            Cond::Chain(chain) => {
                let Chain { steps, .. } = chain.as_ref();
                steps.iter().for_each(|step| self.query(&step.query));
            }
            Cond::Cardinality { members, .. } => members.iter().for_each(|m| self.chains(m)),
            Cond::Const(_)
            | Cond::InSegment(_)
            | Cond::Known(_)
            | Cond::Compare(..)
            | Cond::OneOf(..)
            | Cond::Text(..)
            | Cond::Has(..)
            | Cond::FirstOrLastN { .. }
            | Cond::Items { .. }
            | Cond::Sample { .. }
            | Cond::Profile(_)
            | Cond::Elements { .. }
            | Cond::InList(..) => {}
        }
    }

    fn event(&self, id: EventId) -> String {
        self.walk.explain.schema.event(id).map_or("?".to_owned(), |e| e.name.clone())
    }

    fn add(&mut self, detail: String) {
        if !self.found.contains(&detail) {
            self.found.push(detail);
        }
    }

    fn show(&self, value: &Value) -> String {
        match value {
            Value::Timestamp(time) => self.when(*time),
            other => other.to_string(),
        }
    }

    fn when(&self, time: Timestamp) -> String {
        self.walk.explain.when(time)
    }
}

/// A length of time in its two largest units.
fn length(micros: i64) -> String {
    const UNITS: [(&str, i64); 5] = [
        ("day", 86_400_000_000),
        ("hour", 3_600_000_000),
        ("minute", 60_000_000),
        ("second", 1_000_000),
        ("microsecond", 1),
    ];
    let mut rest = micros.unsigned_abs();
    let mut out = String::new();
    let mut n_shown = 0;
    for (unit, size) in UNITS {
        let n = rest / size.unsigned_abs();
        rest %= size.unsigned_abs();
        if n > 0 && n_shown < 2 {
            let (space, s) = (if n_shown > 0 { " " } else { "" }, if n == 1 { "" } else { "s" });
            // Writing to a string does not fail.
            let _ = write!(out, "{space}{n} {unit}{s}");
            n_shown += 1;
        }
    }
    if out.is_empty() { "0 seconds".to_owned() } else { out }
}

/// Where a segment's words are, for those who show them.
pub fn place(sources: &SourceMap, span: Span) -> String {
    match sources.get(span.source) {
        Some(file) => format!("{}:{}", file.name, file.line_column(span.start).0),
        None => String::new(),
    }
}
