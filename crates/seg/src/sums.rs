//! What parts of a run found, which adds up: so that each part may be judged elsewhere.

use crate::compile::Program;
use crate::evaluation::Evaluation;
use crate::guards::FoundSizes;
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use seg_data::{Batch, Timestamp};
use seg_io::{LargePerson, ProblemKind, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What was read and found of some people. Those of people who are apart add up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// What was read, and what was wrong with it.
    pub report: Report,
    /// How many people are in what.
    pub found: FoundSizes,
    /// Of whom there are very many rows.
    pub large: Vec<LargePerson>,
    /// The time of the latest event that was read, in microseconds since 1970.
    pub last_event: Option<i64>,
    /// The columns with any value, attributes and properties, and the events that occur: whether
    /// a column is empty only all parts together can say.
    filled: BTreeSet<String>,
}

impl Sums {
    /// Adds people, and who of them is in which segment.
    pub fn look(&mut self, program: &Program, batch: &Batch, evaluation: &Evaluation, now: Timestamp) {
        let n_people = batch.existing(now).map_or(batch.len(), |existing| existing.count());
        self.found.append(&FoundSizes::of(program, evaluation.masks(), n_people));
        self.look_at(batch.records());
    }

    /// Adds people of whom only the columns are looked at.
    pub fn look_at(&mut self, records: &RecordBatch) {
        for (field, column) in records.schema_ref().fields().iter().zip(records.columns()) {
            if column.null_count() == column.len() {
                continue;
            }
            let events = column.as_list_opt::<i32>().and_then(|lists| lists.values().as_struct_opt());
            match events {
                Some(events) if events.is_empty() => {}
                Some(events) => {
                    self.filled.insert(field.name().clone());
                    for (property, values) in events.fields().iter().zip(events.columns()) {
                        if values.null_count() < values.len() && !self.filled.contains(property.name()) {
                            self.filled.insert(property.name().clone());
                        }
                    }
                }
                None => drop(self.filled.insert(field.name().clone())),
            }
        }
    }

    /// Adds what reading another part found.
    pub fn read(&mut self, report: &Report, last_event: Option<Timestamp>) {
        self.report.append(report);
        self.last_event = self.last_event.max(last_event.map(|at| at.0));
    }

    /// Adds those of other people.
    pub fn append(&mut self, next: Sums) {
        self.report.append(&next.report);
        self.found.append(&next.found);
        self.large.extend(next.large);
        self.last_event = self.last_event.max(next.last_event);
        self.filled.extend(next.filled);
    }

    /// The report about everybody: what one part lacked and another has is no problem, and what
    /// is wrong with a table was met once in each part.
    pub fn whole_report(&self) -> Report {
        let mut report = self.report.clone();
        report.problems.retain(|problem| {
            let is_of_part = matches!(problem.kind, ProblemKind::AbsentEvent | ProblemKind::EmptyColumn);
            !(is_of_part && self.filled.contains(&problem.column))
        });
        for problem in &mut report.problems {
            if is_of_table(problem.kind) {
                problem.count = 1;
            }
            // Lines are counted anew in each part, and say nothing about where a row is.
            problem.examples.clear();
        }
        report
    }
}

/// Whether a problem is one of a table, told once however many rows it has.
fn is_of_table(kind: ProblemKind) -> bool {
    match kind {
        ProblemKind::UnknownColumn
        | ProblemKind::AbsentColumn
        | ProblemKind::AbsentEvent
        | ProblemKind::EmptyColumn
        | ProblemKind::OldData
        | ProblemKind::RepeatedColumn
        | ProblemKind::Encoding
        | ProblemKind::SameContent
        | ProblemKind::NotPacked
        | ProblemKind::PackedBefore
        | ProblemKind::EmptyList
        | ProblemKind::UnmetList
        | ProblemKind::ListHeader => true,
        ProblemKind::BrokenRow
        | ProblemKind::MissingId
        | ProblemKind::MissingEvent
        | ProblemKind::UnknownEvent
        | ProblemKind::ImpossibleTime
        | ProblemKind::UnparsableValue
        | ProblemKind::TooFine
        | ProblemKind::TooLarge
        | ProblemKind::ValueNotAllowed
        | ProblemKind::RequiredMissing
        | ProblemKind::RepeatedProfile
        | ProblemKind::UnlistedProfile
        | ProblemKind::RepeatedEvent
        | ProblemKind::Blanks
        | ProblemKind::UnixTimes(_)
        | ProblemKind::RepeatedHeader
        | ProblemKind::SharedDevice => false,
    }
}
