//! Analytics calls, compared with the schema in one reading: what they say of people and of
//! events, and when they arrived.

use super::tally::Tally;
use crate::calls::CallSink;
use crate::cell::Cell;
use crate::report::ProblemKind;
use crate::rows::RowSink;
use seg_data::Zone;
use std::cell::RefCell;

/// The column that says when a call arrived.
pub(super) const RECEIVED: &str = "receivedAt";

/// Where a call says when it arrived, or else when it was sent.
const ARRIVED: [&str; 2] = [RECEIVED, "sentAt"];

/// Gives each call to those who look at people and at events.
pub(super) struct BothSink<'c, 't, 's> {
    pub people: CallSink<'c>,
    pub events: CallSink<'c>,
    pub tally: &'t RefCell<Tally<'s>>,
    /// The columns that say when a call arrived.
    arrived: Vec<usize>,
}

impl<'c, 't, 's> BothSink<'c, 't, 's> {
    pub fn new(people: CallSink<'c>, events: CallSink<'c>, tally: &'t RefCell<Tally<'s>>) -> BothSink<'c, 't, 's> {
        BothSink { people, events, tally, arrived: Vec::new() }
    }
}

impl RowSink for BothSink<'_, '_, '_> {
    fn known_columns(&self) -> Vec<String> {
        [self.people.known_columns(), self.events.known_columns()].concat()
    }

    fn columns(&mut self, names: &[String]) {
        self.arrived = ARRIVED.iter().filter_map(|name| names.iter().position(|known| known == name)).collect();
        self.people.columns(names);
        self.events.columns(names);
    }

    fn zone(&self) -> Option<Zone> {
        self.events.zone()
    }

    fn row(&mut self, line: u64, cells: &[Cell<'_>]) {
        self.people.row(line, cells);
        let zone = self.zone();
        let mut arrived = self.arrived.iter().filter_map(|at| cells.get(*at)?.instant(zone).ok().flatten());
        self.tally.borrow_mut().received = arrived.next();
        self.events.row(line, cells);
    }

    fn broken(&mut self, line: u64, why: &str) {
        self.events.broken(line, why);
    }

    fn note(&mut self, kind: ProblemKind, column: &str, line: u64) {
        self.events.note(kind, column, line);
    }
}
