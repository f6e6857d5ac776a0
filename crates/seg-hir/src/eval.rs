//! The reference evaluator: the definition of meaning, slow and obvious.
//!
//! It walks the HIR for one person at a time and looks at every event. It knows
//! no plan and no native code, so that they can be compared with it.

mod chain;
mod events;
mod history;
mod value;

pub use chain::median;
pub use value::{aggregate, arithmetic, calendar_part, compare, distance, scale, shift};

use crate::hir::{Cond, Module, SegmentId, TextOp};
use crate::text::compile_pattern;
use events::Occurrence;
use history::Stretch;
use regex::Regex;
use seg_data::{Batch, EventId, Mask, Timestamp, Value};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Evaluates the segments of a module that has no errors.
pub struct Evaluator<'a> {
    module: &'a Module,
    now: Timestamp,
    patterns: RefCell<HashMap<(String, bool), Option<Regex>>>,
}

/// One person: a row of a batch, and the answers already known.
struct Person<'a> {
    batch: &'a Batch,
    row: usize,
    answers: Vec<Option<bool>>,
    /// The item at hand of one of their lists, or the stretch of one of their histories.
    element: RefCell<Option<Element>>,
}

/// An item of a person's list, or what lasted of an attribute.
#[derive(Clone)]
enum Element {
    Value(Value),
    /// By its position among the records of the column.
    Record(usize),
    /// A stretch of an attribute's history.
    Stretch(Stretch),
}

/// A person of whom it is known which segments they are in.
pub(crate) struct PersonAnswers<'a>(Person<'a>);

impl PersonAnswers<'_> {
    /// Which row of the batch they are.
    pub(crate) fn row(&self) -> usize {
        self.0.row
    }
}

impl<'a> Evaluator<'a> {
    /// An evaluator that judges everything at `now`.
    pub fn new(module: &'a Module, now: Timestamp) -> Evaluator<'a> {
        Evaluator { module, now, patterns: RefCell::default() }
    }

    /// One mask a segment that is run, in the order of [`Module::run`].
    pub fn evaluate(&self, batch: &Batch) -> Vec<Mask> {
        let mut answers: Vec<Vec<bool>> = vec![Vec::with_capacity(batch.len()); self.module.run().count()];
        for row in 0..batch.len() {
            let PersonAnswers(person) = self.answers(batch, row);
            for (bits, (id, segment)) in answers.iter_mut().zip(self.module.run()) {
                let answer = person.answers.get(id.idx()).copied().flatten().unwrap_or(false);
                bits.push(answer && segment.rules.iter().all(|rule| self.cond(rule, &person, None)));
            }
        }
        answers.into_iter().map(Mask::from_bools).collect()
    }

    /// A person with what is known of all segments without their rules.
    pub(crate) fn answers<'b>(&self, batch: &'b Batch, row: usize) -> PersonAnswers<'b> {
        let mut person =
            Person { batch, row, answers: vec![None; self.module.segments.len()], element: RefCell::default() };
        for id in &self.module.order {
            let answer = self.segment(*id, &person);
            if let Some(slot) = person.answers.get_mut(id.idx()) {
                *slot = Some(answer);
            }
        }
        PersonAnswers(person)
    }

    /// Whether a condition holds for a person.
    pub(crate) fn holds(&self, cond: &Cond, person: &PersonAnswers<'_>) -> bool {
        self.cond(cond, &person.0, None)
    }

    /// A value of a person.
    pub(crate) fn value_of(&self, expr: &crate::hir::Expr, person: &PersonAnswers<'_>) -> Option<Value> {
        self.value(expr, &person.0, None)
    }

    /// The events a query finds, in order.
    pub(crate) fn found(&self, query: &crate::hir::Query, person: &PersonAnswers<'_>) -> Vec<(EventId, Timestamp)> {
        self.events(query, &person.0).iter().map(|e| (e.event, e.time)).collect()
    }

    /// The events a query finds, in order, each with when it was and what is measured of it.
    pub(crate) fn measured(
        &self,
        query: &crate::hir::Query,
        measure: &crate::hir::Expr,
        person: &PersonAnswers<'_>,
    ) -> Vec<(Timestamp, Option<Value>)> {
        let events = self.events(query, &person.0);
        events.iter().map(|event| (event.time, self.value(measure, &person.0, Some(event)))).collect()
    }

    /// Whether somebody is in a segment: nobody is before they exist.
    fn segment(&self, id: SegmentId, person: &Person<'_>) -> bool {
        if person.batch.exists_from(person.row).is_some_and(|from| self.now < from) {
            return false;
        }
        let Some(segment) = self.module.segments.get(id.idx()) else { return false };
        self.cond(&segment.include, person, None) && !segment.excludes.iter().any(|e| self.cond(e, person, None))
    }

    /// A condition about a person, or inside a filter about one of their events.
    fn cond(&self, cond: &Cond, person: &Person<'_>, event: Option<&Occurrence>) -> bool {
        match cond {
            Cond::Const(value) => *value,
            Cond::All(members) => members.iter().all(|m| self.cond(m, person, event)),
            Cond::Any(members) => members.iter().any(|m| self.cond(m, person, event)),
            Cond::Cardinality { min, max, members } => {
                let n = members.iter().filter(|m| self.cond(m, person, event)).count() as u64;
                *min <= n && max.is_none_or(|max| n <= max)
            }
            Cond::Not(inner) => !self.cond(inner, person, event),
            // Segments are evaluated after those they refer to.
            Cond::InSegment(id) => person.answers.get(id.idx()).copied().flatten().unwrap_or(false),
            Cond::Known(expr) => self.value(expr, person, event).is_some(),
            Cond::Compare(op, left, right) => {
                let (left, right) = (self.value(left, person, event), self.value(right, person, event));
                let ordering = left.zip(right).and_then(|(l, r)| compare(&l, &r));
                ordering.is_some_and(|o| op.holds(o))
            }
            Cond::OneOf(expr, values) => self
                .value(expr, person, event)
                .is_some_and(|v| values.iter().any(|other| compare(&v, other) == Some(Ordering::Equal))),
            Cond::Text(op, expr, text) => match self.value(expr, person, event) {
                Some(Value::Text(value)) => self.text(*op, &value, text, expr),
                _ => false,
            },
            Cond::Has(expr, value) => match self.value(expr, person, event) {
                Some(Value::List(items)) => items.iter().any(|i| compare(i, value) == Some(Ordering::Equal)),
                _ => false,
            },
            Cond::FirstOrLastN { end, n, query, filter } => {
                let events = self.events(query, person);
                let n = *n as usize;
                let few = match end {
                    crate::hir::End::First => events.get(..n),
                    crate::hir::End::Last => events.len().checked_sub(n).and_then(|from| events.get(from..)),
                };
                few.is_some_and(|few| few.iter().all(|e| self.cond(filter, person, Some(e))))
            }
            Cond::Chain(chain) => event.is_some_and(|event| self.chain(chain, person, event)),
            Cond::Items { is_all, list, filter } => {
                let Some(event) = event else { return false };
                let mut items = event.items(list, person);
                match is_all {
                    true => items.all(|item| self.cond(filter, person, Some(&item))),
                    false => items.any(|item| self.cond(filter, person, Some(&item))),
                }
            }
            Cond::Sample { name, below, is_complement } => {
                let place = seg_data::sample::place(name, person.batch.id(person.row));
                (place < *below) != *is_complement
            }
            Cond::Elements { is_all, list, filter } => {
                let Some(elements) = self.elements(*list, person) else { return false };
                let holds = |element| self.holds_of(element, filter, person, event);
                let mut elements = elements.into_iter();
                if *is_all { elements.all(holds) } else { elements.any(holds) }
            }
            Cond::Profile(test) => {
                let (own, merged) = (person.batch.id(person.row), person.batch.merged_ids(person.row));
                test.holds(own, merged, |op, own, text| self.text_of(op, own, text, false))
            }
            Cond::InList(expr, list) => match self.value(expr, person, event) {
                Some(Value::Text(text)) => list.0.values.contains(&text),
                _ => false,
            },
        }
    }

    /// Whether a condition holds of an item.
    fn holds_of(&self, element: Element, filter: &Cond, person: &Person<'_>, event: Option<&Occurrence>) -> bool {
        let outer = person.element.replace(Some(element));
        let holds = self.cond(filter, person, event);
        person.element.replace(outer);
        holds
    }

    /// The items of a person's list; none where it is missing.
    fn elements(&self, list: seg_data::AttributeId, person: &Person<'_>) -> Option<Vec<Element>> {
        if let Some(Value::List(items)) = person.batch.attribute(list, person.row, self.now) {
            return Some(items.into_iter().map(Element::Value).collect());
        }
        let records = person.batch.attribute_column(list)?.records(person.row)?;
        Some(records.map(Element::Record).collect())
    }

    fn text(&self, op: TextOp, value: &str, text: &str, expr: &crate::hir::Expr) -> bool {
        self.text_of(op, value, text, matches!(expr.kind, crate::hir::ExprKind::FoldCase(_)))
    }

    fn text_of(&self, op: TextOp, value: &str, text: &str, ignore_case: bool) -> bool {
        match op {
            TextOp::Contains => value.contains(text),
            TextOp::StartsWith => value.starts_with(text),
            TextOp::EndsWith => value.ends_with(text),
            TextOp::Matches => {
                let mut patterns = self.patterns.borrow_mut();
                patterns
                    .entry((text.to_owned(), ignore_case))
                    .or_insert_with(|| compile_pattern(text, ignore_case).ok())
                    .as_ref()
                    .is_some_and(|p| p.is_match(value))
            }
        }
    }
}

impl crate::hir::CompareOp {
    /// Whether it holds between two values that compare so.
    pub fn holds(self, ordering: Ordering) -> bool {
        use crate::hir::CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
        match self {
            Equal => ordering == Ordering::Equal,
            Less => ordering == Ordering::Less,
            LessOrEqual => ordering != Ordering::Greater,
            Greater => ordering == Ordering::Greater,
            GreaterOrEqual => ordering != Ordering::Less,
        }
    }
}
