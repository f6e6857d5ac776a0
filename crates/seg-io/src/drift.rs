//! Data compared with the whole schema: what each of them has and the other lacks.
//!
//! [`compare`] reads every row once, with all of its columns, and counts. What it keeps does
//! not grow with the number of rows: of names and values that the schema lacks the first
//! thousand are kept, and the others counted.

mod calls;
mod choose;
mod delays;
mod findings;
mod names;
mod rows;
mod tally;

pub use choose::of_files;
pub use delays::Delays;
pub use findings::{DriftKind, Finding, Subject};

use crate::calls::{CallSink, EVENT, ID, Rows, TIME};
use crate::load::{lacks, used_by_others, with_files};
use crate::loader::Progress;
use crate::manifest::{Data, EventFiles, ProfileFiles};
use crate::meter::Meter;
use crate::open::DataFile;
use crate::report::{Place, ProblemKind, ReadError, Report};
use crate::rows as readers;
use crate::rules::Rules;
use rows::{EventSink, PeopleSink, Source};
use seg_data::{Schema, Timestamp, Wanted, Zone};
use std::cell::RefCell;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use tally::Tally;

/// How many places of each finding are kept.
const EXAMPLES_MAX: usize = 3;

/// The files of a project, and the schema that they are compared with.
pub struct DriftRequest<'a> {
    /// The directory to which the paths of `data` are relative.
    pub base: &'a Path,
    /// The files and what their columns hold.
    pub data: &'a Data,
    /// The schema.
    pub schema: &'a Schema,
    /// Whose clock a time without an offset means; UTC where there is none.
    pub zone: Option<Zone>,
    /// The time it is, so that events of the future are told of.
    pub now: Option<Timestamp>,
    /// The column that says when events arrived; the one that the settings name, or one with
    /// a usual name, where it is `None`.
    pub received: Option<&'a str>,
    /// What segments ask about: that no data has it breaks them.
    pub asked: Option<&'a Wanted>,
    /// Whether the data is a part of the whole, which need not have all events.
    pub is_part: bool,
    /// How many threads unpack files.
    pub threads: NonZero<usize>,
    /// Is told file by file how far reading has come.
    pub progress: Option<&'a mut dyn FnMut(Progress)>,
}

impl<'a> DriftRequest<'a> {
    /// All of the data, of which nothing is asked, on one thread and in silence.
    pub fn new(base: &'a Path, data: &'a Data, schema: &'a Schema) -> DriftRequest<'a> {
        DriftRequest {
            base,
            data,
            schema,
            zone: None,
            now: None,
            received: None,
            asked: None,
            is_part: false,
            threads: NonZero::<usize>::MIN,
            progress: None,
        }
    }
}

/// What data and schema have and the other lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// How many files were read.
    pub files: u64,
    /// How many rows of people there are.
    pub people_rows: u64,
    /// How many rows there are of which each is an event.
    pub event_rows: u64,
    /// What was found: first what breaks the schema or segments, then the rest.
    pub findings: Vec<Finding>,
    /// How many more names of a kind the schema lacks, of which nothing else is kept.
    pub more: Vec<(DriftKind, u64)>,
    /// How long after they happened events arrived, for each pair of columns that says so.
    pub delays: Vec<Delays>,
    /// How many events are later than it is now, and the first of them.
    pub future: u64,
    /// The first of these.
    pub future_examples: Vec<Place>,
    /// The latest event.
    pub last_event: Option<Timestamp>,
    /// What was wrong with rows as such.
    pub report: Report,
}

impl Drift {
    /// Whether something breaks the schema or a segment: a finding that does, or rows that
    /// could not be read.
    pub fn is_breaking(&self) -> bool {
        self.findings.iter().any(|finding| finding.is_breaking) || self.report.rows_lost() > 0
    }

    /// How many findings break the schema or a segment.
    pub fn n_errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.is_breaking).count()
    }

    /// How many other things there are to tell: findings, events of the future or from before
    /// they happened, and what is wrong with files.
    pub fn n_remarks(&self) -> usize {
        let n_early = self.delays.iter().filter(|delays| delays.negative > 0).count();
        let is_told = |kind: ProblemKind| !kind.is_remark() && !kind.loses_rows();
        let n_of_files = self.report.problems.iter().filter(|problem| is_told(problem.kind)).count();
        let n_found = self.findings.len() - self.n_errors();
        n_found + self.more.len() + usize::from(self.future > 0) + n_early + n_of_files
    }
}

/// Compares data with a schema.
///
/// # Errors
/// A file that is not there, cannot be read to its end, or lacks the columns it is said to
/// have. What is wrong with single rows is in the report instead.
pub fn compare(request: DriftRequest<'_>) -> Result<Drift, ReadError> {
    let DriftRequest { base, data, schema, threads, .. } = request;
    let profiles = with_files(base, data, &data.profiles, |spec| &spec.files)?;
    let events = with_files(base, data, &data.events, |spec| &spec.files)?;
    let calls = with_files(base, data, &data.calls, |spec| &spec.files)?;
    let calls: Vec<DataFile> = calls.into_iter().flat_map(|(_, files)| files).collect();
    if profiles.is_empty() && events.is_empty() && calls.is_empty() {
        let message = "it names no data; add `[data.events]` with `files`, `id`, `event` and `time`";
        return Err(ReadError::new("seg.toml", message));
    }
    let of_rows = profiles.iter().flat_map(|(_, files)| files).chain(events.iter().flat_map(|(_, files)| files));
    let bytes_total = of_rows.chain(&calls).map(DataFile::size).sum();
    let mut silence = |_: Progress| {};
    let mut files = Files {
        tally: RefCell::new(Tally::new(schema, request.zone, request.now)),
        read: Arc::default(),
        n: 0,
        bytes_total,
        threads,
        progress: request.progress.unwrap_or(&mut silence),
    };
    for (spec, of_spec) in &profiles {
        let rules = Rules::new(&spec.reading);
        of_spec.iter().try_for_each(|file| files.people(spec, file, &rules))?;
    }
    for (spec, of_spec) in &events {
        let rules = Rules::new(&spec.reading);
        for file in of_spec {
            let of_others = used_by_others(&events, spec, file);
            let received = request.received.or(spec.received.as_deref());
            let source = Source { file, rules: &rules, is_calls: false, received, of_others };
            files.events(spec, source)?;
        }
    }
    calls.iter().try_for_each(|file| files.calls(file))?;
    let n = files.n;
    let has_people = !profiles.is_empty() || !calls.is_empty();
    let tally = files.tally.into_inner();
    Ok(findings::drift(tally, n, findings::Scope { asked: request.asked, is_part: request.is_part, has_people }))
}

/// Reads file after file.
struct Files<'s, 'p> {
    tally: RefCell<Tally<'s>>,
    /// Bytes read so far; whoever reads adds to it.
    read: Arc<Meter>,
    n: u64,
    bytes_total: u64,
    threads: NonZero<usize>,
    progress: &'p mut dyn FnMut(Progress),
}

impl Files<'_, '_> {
    fn pace(&self) -> readers::Pace {
        readers::Pace { threads: self.threads, ..readers::Pace::default() }
    }

    fn people(&mut self, spec: &ProfileFiles, file: &DataFile, rules: &Rules) -> Result<(), ReadError> {
        let source = Source { file, rules, is_calls: false, received: None, of_others: Vec::new() };
        let partitions = self.partitions(file);
        let mut sink = PeopleSink::new(&self.tally, source, spec);
        let special: Vec<&str> = std::iter::once(&spec.id).chain(&spec.time).map(String::as_str).collect();
        readers::read_mapped(file, &spec.reading, (&special, &partitions), &self.read, self.pace(), &mut sink)?;
        lacks(file, &sink.found())?;
        self.done();
        Ok(())
    }

    fn events(&mut self, spec: &EventFiles, source: Source<'_>) -> Result<(), ReadError> {
        let file = source.file;
        let partitions = self.partitions(file);
        let mut sink = EventSink::new(&self.tally, source, spec);
        let special = [spec.id.as_str(), &spec.event, &spec.time];
        readers::read_mapped(file, &spec.reading, (&special, &partitions), &self.read, self.pace(), &mut sink)?;
        lacks(file, &sink.found())?;
        self.done();
        Ok(())
    }

    fn calls(&mut self, file: &DataFile) -> Result<(), ReadError> {
        let schema = self.tally.borrow().schema;
        let rules = Rules::default();
        let source = || Source { file, rules: &rules, is_calls: true, received: None, of_others: Vec::new() };
        let of_people = ProfileFiles { time: Some(TIME.to_owned()), ..ProfileFiles::new(Vec::new(), ID) };
        let of_events = EventFiles::new(Vec::new(), ID, EVENT, TIME);
        let mut people = PeopleSink::new(&self.tally, source(), &of_people);
        let mut events = EventSink::new(&self.tally, source(), &of_events);
        let people = CallSink::of_each(&mut people, Rows::People, schema);
        let events = CallSink::of_each(&mut events, Rows::Events, schema);
        let mut both = calls::BothSink::new(people, events, &self.tally);
        readers::read(file, &crate::manifest::CsvRead::default(), &self.read, self.pace(), &mut both)?;
        self.done();
        Ok(())
    }

    fn done(&mut self) {
        self.n += 1;
        let bytes = self.read.n_passed();
        let rows = self.tally.borrow().report.rows;
        (self.progress)(Progress { bytes, bytes_total: self.bytes_total, rows });
    }

    /// What the folders of a file say that the schema has a name for.
    fn partitions(&self, file: &DataFile) -> Vec<(String, String)> {
        let schema = self.tally.borrow().schema;
        let properties = || schema.events.iter().flat_map(|event| &event.properties);
        let is_known = |name: &str| schema.attributes.iter().chain(properties()).any(|field| field.name == name);
        file.partitions.iter().filter(|(name, _)| is_known(name)).cloned().collect()
    }
}
