//! The reference evaluator: the definition of meaning, slow and obvious.
//!
//! It walks the HIR for one person at a time and looks at every event. It knows
//! no plan and no native code, so that they can be held against it.

mod chain;
mod events;
mod value;

pub use chain::median;
pub use value::{aggregate, arithmetic, calendar_part, compare, distance, scale, shift};

use crate::hir::{Cond, Module, SegmentId, TextOp};
use crate::text::compile_pattern;
use events::Occurrence;
use regex::Regex;
use seg_data::{Batch, Instant, Mask, Value};
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Evaluates the segments of a module that has no errors.
pub struct Evaluator<'a> {
    module: &'a Module,
    now: Instant,
    patterns: RefCell<HashMap<(String, bool), Option<Regex>>>,
}

/// One person: a row of a batch, and the answers already known.
struct Person<'a> {
    batch: &'a Batch,
    row: usize,
    answers: Vec<Option<bool>>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator that judges everything at `now`.
    pub fn new(module: &'a Module, now: Instant) -> Evaluator<'a> {
        Evaluator { module, now, patterns: RefCell::default() }
    }

    /// One mask a segment, in the order of [`Module::segments`].
    pub fn evaluate(&self, batch: &Batch) -> Vec<Mask> {
        let n_segments = self.module.segments.len();
        let mut answers: Vec<Vec<bool>> = vec![Vec::with_capacity(batch.len()); n_segments];
        for row in 0..batch.len() {
            let mut person = Person { batch, row, answers: vec![None; n_segments] };
            for id in &self.module.order {
                let answer = self.segment(*id, &person);
                if let Some(slot) = person.answers.get_mut(id.idx()) {
                    *slot = Some(answer);
                }
            }
            for (bits, answer) in answers.iter_mut().zip(&person.answers) {
                bits.push(answer.unwrap_or(false));
            }
        }
        answers.into_iter().map(Mask::from_bools).collect()
    }

    fn segment(&self, id: SegmentId, person: &Person<'_>) -> bool {
        let Some(segment) = self.module.segments.get(id.idx()) else { return false };
        self.cond(&segment.include, person, None) && !segment.excludes.iter().any(|e| self.cond(e, person, None))
    }

    /// A condition about a person, or inside a filter about one of their events.
    fn cond(&self, cond: &Cond, person: &Person<'_>, event: Option<&Occurrence>) -> bool {
        match cond {
            Cond::Const(value) => *value,
            Cond::All(members) => members.iter().all(|m| self.cond(m, person, event)),
            Cond::Any(members) => members.iter().any(|m| self.cond(m, person, event)),
            Cond::Several { min, max, members } => {
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
            Cond::Few { end, n, query, filter } => {
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
            Cond::InList(expr, list) => match self.value(expr, person, event) {
                Some(Value::Text(text)) => list.0.values.contains(&text),
                _ => false,
            },
        }
    }

    fn text(&self, op: TextOp, value: &str, text: &str, expr: &crate::hir::Expr) -> bool {
        match op {
            TextOp::Contains => value.contains(text),
            TextOp::StartsWith => value.starts_with(text),
            TextOp::EndsWith => value.ends_with(text),
            TextOp::Matches => {
                let ignore_case = matches!(expr.kind, crate::hir::ExprKind::FoldCase(_));
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
