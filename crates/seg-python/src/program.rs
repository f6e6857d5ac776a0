//! Segments, compiled.

use crate::error::{compile_error, data_error, read_error, seg_error};
use crate::grouping::Grouping;
use crate::instant::{datetime, instant};
use crate::members::Members;
use crate::people::{People, threads_of};
use crate::problems::Problems;
use crate::stream::Stream;
use crate::table::{Table, reader};
use crate::told::{self, from_json, told_why};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use seg::arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use seg::arrow_schema::ArrowError;
use seg::unstable::guards::{SizesBefore, guards};
use seg::unstable::history::{days_before, steps};
use seg::unstable::io::manifest::{EventFiles, MergeFiles, ProfileFiles, Reading};
use seg::unstable::io::{SortedColumns, TablesRequest, load_tables};
use seg::unstable::{Grouping as Grouped, StayParts, Stream as Rows, Sums, drawn, module, segment_like};
use seg::{Batch, Explained, Mask, Options, Prepared, Project, Schema, Timestamp, Wanted, Zone};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Segments, compiled: made by `seg.compile` and `seg.load`.
///
/// A program pickles as its texts, and compiles again where it arrives.
#[pyclass(frozen, module = "seg")]
pub struct Program {
    project: Project,
    program: seg::Program,
    prepared: Prepared,
}

/// Compiles segments from texts.
///
/// `schema` is the text of a `schema.toml`, `segments` a dictionary from names of files to their
/// texts, and `lists` one from the paths that declarations name to values. `timezone` is a name
/// such as `Europe/Berlin`, `week_starts_on` is `monday` or `sunday`.
///
/// Raises `CompileError` with everything that is wrong.
#[pyfunction]
#[pyo3(signature = (schema, segments, *, timezone=None, week_starts_on="monday", lists=None))]
pub fn compile(
    py: Python<'_>,
    schema: &str,
    segments: BTreeMap<String, String>,
    timezone: Option<&str>,
    week_starts_on: &str,
    lists: Option<BTreeMap<String, Vec<String>>>,
) -> PyResult<Program> {
    let segments: Vec<Value> = segments.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    let texts = json!({
        "timezone": timezone,
        "week_starts_on": week_starts_on,
        "schema": { "name": "schema.toml", "text": schema },
        "segments": segments,
        "lists": lists.unwrap_or_default(),
    });
    let project = Project::from_texts(&texts.to_string()).map_err(|error| seg_error(error.message))?;
    Program::of(py, project)
}

/// Compiles the project in a directory: its `seg.toml`, its schema and all `.seg` files.
///
/// Raises `SegError` where there is none, and `CompileError` with everything that is wrong.
#[pyfunction]
pub fn load(py: Python<'_>, directory: PathBuf) -> PyResult<Program> {
    Program::of(py, Project::load(directory).map_err(seg_error)?)
}

impl Program {
    fn of(py: Python<'_>, project: Project) -> PyResult<Program> {
        let program = py.detach(|| seg::compile(&project)).map_err(|problems| compile_error(py, &problems))?;
        let prepared = program.prepare();
        Ok(Program { project, program, prepared })
    }

    /// What is kept of data, and what segments ask about. Without an instant everything is kept.
    fn wanted(&self, at: Option<Timestamp>) -> (Wanted, Wanted) {
        let asked = self.program.wanted(at.unwrap_or(Timestamp(0)));
        match at {
            Some(_) => (asked.clone(), asked),
            None => (Wanted::everything(self.program.schema()), asked.of_all_times()),
        }
    }

    fn position(&self, segment: &str) -> PyResult<usize> {
        self.program.segment_names().position(|name| name == segment).ok_or_else(|| {
            let near = segment_like(&self.program, segment).map(|near| format!("; did you mean `{near}`?"));
            seg_error(format!("there is no segment `{segment}` that is run{}", near.unwrap_or_default()))
        })
    }
}

/// What of tables is wanted, by the names of the schema.
fn reads<'py>(py: Python<'py>, wanted: &Wanted, schema: &Schema) -> PyResult<Bound<'py, PyDict>> {
    let attributes = wanted.attributes.iter().filter_map(|id| schema.attribute(*id));
    let events = PyDict::new(py);
    for (id, asked) in &wanted.events {
        let Some(event) = schema.event(*id) else { continue };
        let properties = asked.properties.iter().filter_map(|id| event.properties.get(id.idx()));
        let of_event = PyDict::new(py);
        of_event.set_item("properties", properties.map(|field| &field.name).collect::<Vec<_>>())?;
        of_event.set_item("since", asked.since.map(|since| datetime(py, since)).transpose()?)?;
        events.set_item(&event.name, of_event)?;
    }
    let reads = PyDict::new(py);
    reads.set_item("attributes", attributes.map(|field| &field.name).collect::<Vec<_>>())?;
    reads.set_item("events", events)?;
    Ok(reads)
}

fn sorted_columns((id, own_id): (&str, Option<&str>), event: &str, time: &str, profile: Option<&str>) -> SortedColumns {
    let name = str::to_owned;
    SortedColumns {
        id: name(id),
        own_id: own_id.map(name),
        event: name(event),
        time: name(time),
        profile: profile.map(name),
    }
}

/// The sizes of an earlier run, as of when they were.
fn sizes_before(before: &Bound<'_, PyDict>) -> PyResult<(Timestamp, BTreeMap<String, u64>)> {
    let missing = || seg_error("`before` is a dictionary of `at` and `sizes`");
    let at = instant(&before.get_item("at")?.ok_or_else(missing)?)?;
    Ok((at, before.get_item("sizes")?.ok_or_else(missing)?.extract()?))
}

/// Whether missing columns are ignored: `error` or `ignore`.
fn ignores(missing: &str) -> PyResult<bool> {
    match missing {
        "error" => Ok(false),
        "ignore" => Ok(true),
        other => Err(seg_error(format!("`missing` is \"error\" or \"ignore\", not \"{other}\""))),
    }
}

#[pymethods]
impl Program {
    /// The names of the segments that are run, in the order of the project.
    #[getter]
    fn segments(&self) -> Vec<String> {
        self.program.segment_names().map(str::to_owned).collect()
    }

    /// What is worth knowing of the segments, though it stops nothing.
    #[getter]
    fn warnings(&self) -> Problems {
        Problems(self.program.warnings().clone())
    }

    /// The time zone whose calendar is meant, or None for UTC.
    #[getter]
    fn timezone(&self) -> Option<&'static str> {
        self.project.settings().zone.map(Zone::name)
    }

    /// What the segments read as of an instant: `attributes`, a list of names, and `events`, a
    /// dictionary from names to their `properties` and the instant `since` when they are read,
    /// None for all times.
    fn reads<'py>(&self, py: Python<'py>, at: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        reads(py, &self.program.wanted(instant(at)?), self.program.schema())
    }

    /// Groups flat tables by person.
    ///
    /// `events` has a row an event with the columns `id`, `event` (its name) and `time`, and a
    /// column a property; `profiles` a row a person with the columns `profile_id` (`id` where it
    /// is not said) and one an attribute, and with `profile_time` a row for each time at which
    /// something changed; `merges` a row for two ids of one person, `merge_from` and `merge_into`.
    /// Columns of properties and attributes have the names of the schema. A time without a zone is
    /// read in the project's time zone.
    ///
    /// With `at`, only what decides the segments as of that instant is kept, and the people may be
    /// asked about as of it alone; without, everything is.
    ///
    /// Raises `DataError` for a table that lacks a column which is read, unless `missing` is
    /// `"ignore"`. What is wrong with single rows is in `People.report`.
    #[pyo3(signature = (
        events=None, profiles=None, *, merges=None, at=None, id="id", event="event", time="time", profile_id=None,
        profile_time=None, merge_from="from", merge_into="into", missing="error", threads=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are arguments by name in Python")]
    fn group(
        &self,
        py: Python<'_>,
        events: Option<&Bound<'_, PyAny>>,
        profiles: Option<&Bound<'_, PyAny>>,
        merges: Option<&Bound<'_, PyAny>>,
        at: Option<&Bound<'_, PyAny>>,
        id: &str,
        event: &str,
        time: &str,
        profile_id: Option<&str>,
        profile_time: Option<&str>,
        merge_from: &str,
        merge_into: &str,
        missing: &str,
        threads: Option<usize>,
    ) -> PyResult<People> {
        let at = at.map(instant).transpose()?;
        let (wanted, asked) = self.wanted(at);
        let mut request = TablesRequest {
            zone: self.project.settings().zone,
            wanted: Some(&wanted),
            asked: Some(&asked),
            now: at,
            threads: threads_of(threads),
            ignores_missing: ignores(missing)?,
            ..TablesRequest::new(self.program.schema())
        };
        if let Some(table) = events {
            request.events.push((EventFiles::new(Vec::new(), id, event, time), reader(table, "events")?));
        }
        if let Some(table) = profiles {
            let spec = ProfileFiles::new(Vec::new(), profile_id.unwrap_or(id));
            let spec = ProfileFiles { time: profile_time.map(str::to_owned), ..spec };
            request.profiles.push((spec, reader(table, "profiles")?));
        }
        if let Some(table) = merges {
            let (from, into) = (merge_from.to_owned(), merge_into.to_owned());
            let spec = MergeFiles { files: Vec::new(), from, into, reading: Reading::default() };
            request.merges.push((spec, reader(table, "merges")?));
        }
        let loaded = py.detach(|| load_tables(request)).map_err(|error| read_error(py, &error))?;
        Ok(People::new(loaded, at))
    }

    /// Reads the data that the project's `seg.toml` names. With `at`, only what decides the
    /// segments as of that instant is kept.
    #[pyo3(signature = (*, at=None, threads=None))]
    fn read(&self, py: Python<'_>, at: Option<&Bound<'_, PyAny>>, threads: Option<usize>) -> PyResult<People> {
        let at = at.map(instant).transpose()?;
        let (wanted, _) = self.wanted(at);
        let loaded = py.detach(|| self.project.read_data(&wanted, threads_of(threads).get()));
        Ok(People::new(loaded.map_err(|error| read_error(py, &error))?, at))
    }

    /// Reads people from a packed store, which `seg pack` or `seg.pack` made: of the project's
    /// data, in this folder. With `at`, only what decides the segments as of that instant is kept.
    #[pyo3(signature = (folder, *, at=None, threads=None))]
    fn open_store(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        at: Option<&Bound<'_, PyAny>>,
        threads: Option<usize>,
    ) -> PyResult<People> {
        let at = at.map(instant).transpose()?;
        let (wanted, _) = self.wanted(at);
        let mut project = self.project.clone();
        let folder = std::path::absolute(folder).map_err(seg_error)?;
        seg::unstable::set_store(&mut project, &folder);
        let loaded = py.detach(|| project.read_data(&wanted, threads_of(threads).get()));
        Ok(People::new(loaded.map_err(|error| read_error(py, &error))?, at))
    }

    /// Who is in which segment as of an instant: a text with an offset, or a datetime with a zone.
    ///
    /// `people` are what `group` made, or a table in the layout of a profile batch. Of such a
    /// table a missing column is refused with a `DataError`, unless `missing` is `"ignore"`.
    #[pyo3(signature = (people, *, at, missing="error", threads=None))]
    fn evaluate(
        &self,
        py: Python<'_>,
        people: &Bound<'_, PyAny>,
        at: &Bound<'_, PyAny>,
        missing: &str,
        threads: Option<usize>,
    ) -> PyResult<Members> {
        let (at, ignores_missing) = (instant(at)?, ignores(missing)?);
        let options = Options::new().with_threads(threads_of(threads).get());
        if let Ok(people) = people.cast::<People>() {
            let batch = people.get().known_at(at)?.clone();
            return Members::evaluate(py, &self.prepared, vec![batch], (at, &options));
        }
        let table = reader(people, "people")?;
        let options = if ignores_missing { options } else { options.with_missing_refused() };
        let empty = RecordBatch::new_empty(table.schema());
        let records = py.detach(|| table.collect::<Result<Vec<RecordBatch>, ArrowError>>());
        let mut records = records.map_err(|error| data_error(py, error, Some("people"), None))?;
        if records.is_empty() {
            records.push(empty);
        }
        let batch = |records| Batch::new(Arc::clone(self.program.schema()), records);
        let batches = records.into_iter().map(batch).collect::<Result<Vec<Batch>, _>>();
        let batches = batches.map_err(|error| data_error(py, &error, Some("people"), Some(&error.column)))?;
        Members::evaluate(py, &self.prepared, batches, (at, &options))
    }

    /// A stream that takes tables of rows sorted by person; see `Stream`.
    ///
    /// `event` is null in the row of a person, whose attributes are in the struct `profile`. Parts
    /// of at least `part_rows` rows are evaluated together. Where ids were merged, `id` says whose
    /// a row is and `own_id` which id it came with.
    #[pyo3(signature = (
        *, at, id="id", event="event", time="time", profile=None, own_id=None, part_rows=1_000_000, missing="error",
        threads=1
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are arguments by name in Python")]
    fn stream(
        &self,
        at: &Bound<'_, PyAny>,
        id: &str,
        event: &str,
        time: &str,
        profile: Option<&str>,
        own_id: Option<&str>,
        part_rows: usize,
        missing: &str,
        threads: usize,
    ) -> PyResult<Stream> {
        let at = instant(at)?;
        let columns = sorted_columns((id, own_id), event, time, profile);
        let options = Options::new().with_threads(threads);
        let options = if ignores(missing)? { options } else { options.with_missing_refused() };
        let rows = Rows::new(&self.prepared, (at, self.project.settings().zone), columns, &options);
        Ok(Stream::new(&self.program, at, rows.with_part_rows(part_rows)))
    }

    /// A grouping, which makes people of such rows: everything that the schema has of them, so
    /// that they may be asked about as of any instant.
    #[pyo3(signature = (
        *, id="id", event="event", time="time", profile=None, own_id=None, part_rows=1_000_000, missing="error",
        threads=1
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are arguments by name in Python")]
    fn grouping(
        &self,
        id: &str,
        event: &str,
        time: &str,
        profile: Option<&str>,
        own_id: Option<&str>,
        part_rows: usize,
        missing: &str,
        threads: usize,
    ) -> PyResult<Grouping> {
        let columns = sorted_columns((id, own_id), event, time, profile);
        let options = Options::new().with_threads(threads);
        let options = if ignores(missing)? { options } else { options.with_missing_refused() };
        let rows = Grouped::new(&self.program, self.project.settings().zone, columns, &options);
        Ok(Grouping::new(rows.with_part_rows(part_rows)))
    }

    /// What several parts found together: texts of `Stream.sums`, `Members.sums` or
    /// `Grouping.sums`, of people who are apart.
    ///
    /// Returns a dictionary of `people`; `sizes`, a dictionary from segments to numbers; the
    /// `report` with `rows_lost`; `broken` and `not_judged`, what guards of sizes say; `large`,
    /// the ids and numbers of rows of those with more than a million; and `last_event`, a
    /// datetime in UTC or None. `before` is what an earlier run found: a dictionary of `at`
    /// and `sizes`.
    #[pyo3(signature = (parts, *, at, before=None))]
    fn summed<'py>(
        &self,
        py: Python<'py>,
        parts: Vec<String>,
        at: &Bound<'py, PyAny>,
        before: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let now = instant(at)?;
        let mut sums = Sums::default();
        for part in &parts {
            sums.append(serde_json::from_str(part).map_err(|_| seg_error("a part is no text that `sums` gave"))?);
        }
        let before = before.map(sizes_before).transpose()?;
        let before = before.as_ref().map(|(at, sizes)| SizesBefore { at: *at, sizes });
        let guards = guards(&self.program, &sums.found, before, now);
        let whole = sums.whole_report();
        let sizes = PyDict::new(py);
        for (at, name) in self.program.segment_names().enumerate() {
            sizes.set_item(name, sums.found.sizes.get(at).copied().unwrap_or_default())?;
        }
        let told = PyDict::new(py);
        told.set_item("people", sums.found.n_people)?;
        told.set_item("sizes", sizes)?;
        let report = told::report(py, &whole)?;
        report.set_item("rows_lost", whole.rows_lost())?;
        told.set_item("report", report)?;
        told.set_item("broken", guards.broken)?;
        told.set_item("not_judged", guards.notes)?;
        let large = sums.large.into_iter().map(|person| (person.id, person.rows));
        told.set_item("large", large.collect::<Vec<_>>())?;
        told.set_item("last_event", sums.last_event.map(|at| datetime(py, Timestamp(at))).transpose()?)?;
        Ok(told)
    }

    /// What tables are read for: as `reads` of an instant, everything without one. Beside its
    /// keys there are `histories`, attributes whose earlier values are kept; `event_id`, the
    /// property that tells repeated events apart, or None; and `winners`, whether the project
    /// has an order of precedence.
    #[pyo3(signature = (at=None))]
    fn columns<'py>(&self, py: Python<'py>, at: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyDict>> {
        let schema = self.program.schema();
        let at = at.map(instant).transpose()?;
        let mut wanted = self.wanted(at).0;
        // Whoever is asked about, it is asked whether they exist yet.
        wanted.attributes.extend(schema.first_seen);
        let columns = reads(py, &wanted, schema)?;
        let histories = schema.attributes.iter().filter(|field| field.keeps_history).map(|field| &field.name);
        columns.set_item("histories", histories.collect::<Vec<_>>())?;
        columns.set_item("event_id", schema.event_id.as_deref())?;
        columns.set_item("winners", !module(&self.program).precedence.is_empty())?;
        Ok(columns)
    }

    /// Why somebody is in a segment or not, in all of them without one: a dictionary of `id` and
    /// `segments`, each with its name, `is_in`, the tree `why` of its conditions, and the instant
    /// `changes_at` when the answer changes if nothing else happens.
    #[pyo3(signature = (people, person, segment=None, *, at))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        people: &Bound<'py, People>,
        person: &str,
        segment: Option<&str>,
        at: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (now, batch) = (instant(at)?, people.get().whole()?);
        let of = Explained { project: &self.project, program: &self.program, batch, segment, person, now };
        let explained = py.detach(|| seg::explain(of)).map_err(seg_error)?;
        let segments = explained.segments.iter().map(|of| {
            json!({
                "segment": of.segment,
                "is_in": of.why.holds,
                "changes_at": of.changes_at.map(|at| at.to_string()),
                "why": told_why(&of.why),
            })
        });
        let segments: Vec<Value> = segments.collect();
        from_json(py, &json!({ "id": explained.id, "winner": explained.winner, "segments": segments }))
    }

    /// Up to `n` members of a segment, drawn by chance: the same as `seg sample` draws with the
    /// same `seed`. A list of dictionaries of `id`, `entered_at` and `leaves_at`, datetimes in UTC
    /// or None.
    #[pyo3(signature = (people, segment, n=10, *, at, seed="", threads=None))]
    #[expect(clippy::too_many_arguments, reason = "they are arguments by name in Python")]
    fn sample<'py>(
        &self,
        py: Python<'py>,
        people: &Bound<'py, People>,
        segment: &str,
        n: usize,
        at: &Bound<'py, PyAny>,
        seed: &str,
        threads: Option<usize>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let (now, batch, position) = (instant(at)?, people.get().whole()?, self.position(segment)?);
        let options = Options::new().with_threads(threads_of(threads).get());
        let found = py.detach(|| {
            let evaluation = self.prepared.evaluate_with(batch, now, &options)?;
            let members = evaluation.masks().get(position).map_or(Vec::new(), |mask| mask.rows().collect());
            let rows = drawn((seed, segment), batch, members, n);
            let is_drawn: HashSet<usize> = rows.iter().copied().collect();
            let mut chosen = vec![Mask::none(batch.len()); evaluation.masks().len()];
            if let Some(chosen) = chosen.get_mut(position) {
                *chosen = Mask::from_bools((0..batch.len()).map(|row| is_drawn.contains(&row)));
            }
            let asked = StayParts { entered_at: true, leaves_at: true };
            let stays = self.prepared.stays(batch, now, &chosen, asked, &options)?;
            Ok((rows, stays.into_iter().nth(position).unwrap_or_default()))
        });
        let (rows, stays) = found.map_err(|error| crate::error::evaluate_error(py, &error))?;
        let told = rows.into_iter().map(|row| {
            let stay = stays.iter().find(|stay| stay.row as usize == row);
            let time = |at: Option<Timestamp>| at.map(|at| datetime(py, at)).transpose();
            let person = PyDict::new(py);
            person.set_item("id", batch.id(row))?;
            person.set_item("entered_at", time(stay.and_then(|stay| stay.entered_at))?)?;
            person.set_item("leaves_at", time(stay.and_then(|stay| stay.leaves_at))?)?;
            Ok(person)
        });
        told.collect()
    }

    /// How large segments were on each of so many days up to an instant, and how many people
    /// entered and left on each: a table of `segment`, `at` (the end of the day, in UTC), `size`,
    /// `entered` and `left`.
    #[pyo3(signature = (people, segment=None, *, at, days=30, threads=None))]
    fn history(
        &self,
        py: Python<'_>,
        people: &Bound<'_, People>,
        segment: Option<&str>,
        at: &Bound<'_, PyAny>,
        days: u32,
        threads: Option<usize>,
    ) -> PyResult<Table> {
        let (now, batch) = (instant(at)?, people.get().whole()?);
        let names: Vec<&str> = self.program.segment_names().collect();
        let positions = match segment {
            Some(segment) => vec![self.position(segment)?],
            None => (0..names.len()).collect(),
        };
        let instants = days_before(now, self.project.settings().zone.unwrap_or(Zone::UTC), days);
        let first = instants.first().copied().unwrap_or(now);
        let options = Options::new().with_threads(threads_of(threads).get());
        let spells = py.detach(|| self.prepared.spells(batch, (first, now), &positions, &options));
        let spells = spells.map_err(|error| crate::error::evaluate_error(py, &error))?;
        let (mut segments, mut ends, mut numbers) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
        for (position, spells) in positions.iter().zip(&spells) {
            for (step, end) in steps(spells, &instants).iter().zip(instants.iter().skip(1)) {
                segments.push(names.get(*position).copied().unwrap_or_default());
                ends.push(end.0);
                let of_step = [step.size, step.entered_people, step.left_people];
                numbers.iter_mut().zip(of_step).for_each(|(column, n)| column.push(n));
            }
        }
        let [size, entered, left] = numbers.map(|column| Arc::new(UInt64Array::from(column)) as ArrayRef);
        let ends = TimestampMicrosecondArray::from(ends).with_timezone("UTC");
        let columns: [(&str, ArrayRef); 5] = [
            ("segment", Arc::new(StringArray::from(segments))),
            ("at", Arc::new(ends)),
            ("size", size),
            ("entered", entered),
            ("left", left),
        ];
        let batch = RecordBatch::try_from_iter(columns).map_err(seg_error)?;
        Ok(Table::new((batch.schema(), vec![batch])))
    }

    /// Runs the tests of the project: a list of dictionaries, one an expectation, of the `test`'s
    /// name, what is `said`, whether it `passed`, and what happened `instead`.
    fn test<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let report = py.detach(|| seg::test(&self.project)).map_err(|problems| compile_error(py, &problems))?;
        let mut told = Vec::new();
        for test in &report.tests {
            told.extend(
                test.expectations.iter().map(
                    |of| json!({ "test": test.name, "said": of.said, "passed": of.passed, "instead": of.instead }),
                ),
            );
        }
        from_json(py, &told)
    }

    /// The texts of the project with its calendar and its lists, as JSON.
    fn texts(&self) -> PyResult<String> {
        self.project.texts().map_err(seg_error)
    }

    /// The program of what `texts` gave.
    #[staticmethod]
    fn from_texts(py: Python<'_>, texts: &str) -> PyResult<Program> {
        Program::of(py, Project::from_texts(texts).map_err(seg_error)?)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("from_texts")?, (slf.get().texts()?,)))
    }

    fn __repr__(&self) -> String {
        format!("<seg.Program: {} segments>", self.program.segment_names().count())
    }
}
