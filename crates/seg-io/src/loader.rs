//! What the readers of all files share: who was met, what was wrong, how far it
//! has come.

use crate::calls::KnownCalls;
use crate::cell::{Cell, Unfit};
use crate::column::TypedColumn;
use crate::existence::Existence;
use crate::meter::Meter;
use crate::open::DataFile;
use crate::people::People;
use crate::report::{Place, ProblemKind, Report};
use crate::rows::Pace;
use crate::rules::Rules;
use crate::spill::Memory;
use seg_data::{Schema, Timestamp, Type, Wanted, Zone};
use std::sync::Arc;

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read of all files, as they lie on disk.
    pub bytes: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Rows read.
    pub rows: u64,
}

/// The state of reading the files of a project, one after another.
pub(crate) struct Loader<'a> {
    pub schema: &'a Arc<Schema>,
    pub zone: Option<Zone>,
    pub wanted: &'a Wanted,
    /// What segments ask about.
    pub asked: Option<&'a Wanted>,
    /// As of when they ask, where it is one instant.
    pub now: Option<Timestamp>,
    /// Whether everybody who was met before the events exists at that instant.
    pub all_exist: bool,
    /// How files are read, and on how many threads events are grouped.
    pub pace: Pace,
    pub people: People,
    /// Which ids are one, as far as records say so.
    pub records: Vec<(String, String)>,
    /// What calls that were read before say, and those that are read now, where they are packed.
    pub calls: Option<KnownCalls>,
    pub existence: Existence,
    pub report: Report,
    /// What the source that is being read says of its texts.
    pub rules: Rules,
    /// Bytes read so far; whoever reads adds to it.
    pub read: Arc<Meter>,
    pub bytes_total: u64,
    /// How much of it may be taken, where that is bounded.
    pub memory: Option<Memory<'a>>,
    pub progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Loader<'a> {
    /// Nothing read yet, on one thread.
    pub fn new(
        schema: &'a Arc<Schema>,
        zone: Option<Zone>,
        wanted: &'a Wanted,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Loader<'a> {
        Loader {
            schema,
            zone,
            wanted,
            asked: None,
            now: None,
            all_exist: false,
            pace: Pace::default(),
            people: People::default(),
            records: Vec::new(),
            calls: None,
            existence: Existence::default(),
            report: Report::default(),
            rules: Rules::default(),
            read: Arc::default(),
            bytes_total: 0,
            memory: None,
            progress,
        }
    }

    /// A row that is not one.
    pub fn broken(&mut self, file: &DataFile, line: u64, why: &str) {
        self.count_row();
        let place = || Place { file: file.name.clone(), line, value: why.to_owned() };
        self.report.add(ProblemKind::BrokenRow, "", place);
    }

    /// Counts a row more, and tells of progress every few thousand.
    pub fn count_row(&mut self) {
        self.count_rows(1);
    }

    /// Counts rows that were taken together.
    pub fn count_rows(&mut self, n_rows: u64) {
        let before = self.report.rows / 8192;
        self.report.rows += n_rows;
        if self.report.rows / 8192 > before {
            let bytes = self.read.n_passed();
            (self.progress)(Progress { bytes, bytes_total: self.bytes_total, rows: self.report.rows });
        }
    }

    /// Reports a text for which a column has no more room, and which it lacks now.
    pub fn no_room(&mut self, file: &DataFile, column: &str, line: u64) {
        let place = || Place { file: file.name.clone(), line, value: String::new() };
        self.report.add(ProblemKind::UnparsableValue, column, place);
    }

    /// Appends a cell to a column and reports what is wrong with it. Of a row that may be
    /// silent about what is required, what it lacks is no problem.
    pub fn append(
        &mut self,
        column: &mut TypedColumn<'_>,
        cell: &Cell<'_>,
        is_silent: bool,
        place: impl Fn() -> Place,
    ) {
        let field = column.field;
        if !column.is_wanted {
            return;
        }
        let (zone, report) = (self.zone, &mut self.report);
        self.rules.with(cell, &field.ty, |cell| match column.builder.append(cell, zone) {
            Ok(true) => {
                if let (Some(allowed), Cell::Text(text)) = (&field.allowed, cell)
                    && field.ty == Type::Text
                    && !allowed.iter().any(|a| a == text)
                {
                    report.add(ProblemKind::ValueNotAllowed, &field.name, place);
                } else if matches!(field.ty, Type::Timestamp | Type::Date) {
                    tell_of_unix(report, &field.name, cell);
                }
            }
            Ok(false) if field.is_required && !is_silent => {
                report.add(ProblemKind::RequiredMissing, &field.name, place);
            }
            Ok(false) => {}
            Err(unfit) => {
                let kind = match unfit {
                    Unfit::OtherType => ProblemKind::UnparsableValue,
                    Unfit::TooFine => ProblemKind::TooFine,
                    Unfit::TooLarge => ProblemKind::TooLarge,
                };
                report.add(kind, &field.name, place);
            }
        });
    }

    /// The instant in a column of times, or why there is none.
    pub fn time(&mut self, cell: &Cell<'_>, column: &str) -> Result<Option<Timestamp>, Unfit> {
        let (zone, report) = (self.zone, &mut self.report);
        self.rules.with(cell, &Type::Timestamp, |cell| {
            let time = cell.instant(zone);
            if matches!(time, Ok(Some(_))) {
                tell_of_unix(report, column, cell);
            }
            time
        })
    }
}

/// Tells of which unit the numbers are that a column of times holds.
fn tell_of_unix(report: &mut Report, column: &str, cell: &Cell<'_>) {
    if let Some((_, unit)) = cell.as_unix() {
        report.add_without_place(ProblemKind::UnixTimes(unit), column);
    }
}
