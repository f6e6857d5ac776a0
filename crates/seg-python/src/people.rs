//! People with their events, grouped from tables or read from a store.

use crate::error::{read_error, seg_error};
use crate::instant::datetime;
use crate::table::capsule;
use crate::told::{from_json, html_table, report};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use seg::io::{Loaded, Report};
use seg::unstable::io::store::{PackRequest, Packing};
use seg::unstable::parts;
use seg::{Batch, Project, Timestamp};
use std::num::NonZero;
use std::path::PathBuf;

/// People with what is known of them and what they did, a row a person.
///
/// Made by `Program.group`, `Program.read` and `Program.open_store`. It is an Arrow table too, in
/// the layout of a profile batch: an event is a column of lists of structs.
#[pyclass(frozen, module = "seg")]
pub struct People {
    pub batch: Batch,
    report: Report,
    last_event: Option<Timestamp>,
    /// The one instant as of which they may be asked about: older events were left out.
    kept_for: Option<Timestamp>,
}

impl People {
    pub fn new(loaded: Loaded, kept_for: Option<Timestamp>) -> People {
        let Loaded { batch, report, last_event } = loaded;
        People { batch, report, last_event, kept_for }
    }

    /// Refuses an instant for which what decides it may have been left out.
    pub fn known_at(&self, at: Timestamp) -> PyResult<&Batch> {
        match self.kept_for.filter(|kept_for| *kept_for != at) {
            None => Ok(&self.batch),
            Some(kept_for) => Err(seg_error(format!(
                "these people hold what is needed as of {kept_for}, and nothing else; leave out `at` where they are \
                 made to ask as of {at}"
            ))),
        }
    }

    /// The same for questions about all that was.
    pub fn whole(&self) -> PyResult<&Batch> {
        match self.kept_for {
            None => Ok(&self.batch),
            Some(kept_for) => Err(seg_error(format!(
                "these people hold what is needed as of {kept_for}, and not all that was; leave out `at` where they \
                 are made"
            ))),
        }
    }
}

#[pymethods]
impl People {
    /// How many people there are.
    fn __len__(&self) -> usize {
        self.batch.len()
    }

    /// What was read, and what was wrong with it: a dictionary of `rows`, `profiles`, `events`
    /// and `problems`, each problem with its `kind`, `column`, `count` and a `message`.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        report(py, &self.report)
    }

    /// The time of the latest event, a datetime in UTC, or None without events.
    #[getter]
    fn last_event<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.last_event.map(|at| datetime(py, at)).transpose()
    }

    /// The batch as an Arrow stream, by the PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        let records = self.batch.records();
        capsule(py, &records.schema(), vec![records.clone()])
    }

    fn __repr__(&self) -> String {
        format!("<seg.People: {} people, {} events>", self.batch.len(), self.report.events)
    }

    /// How a notebook shows it: what was read, and what was wrong with it.
    fn _repr_html_(&self) -> String {
        let problems = self.report.problems.iter().map(|problem| vec![problem.to_string()]);
        let (n_people, n_events) = (self.batch.len(), self.report.events);
        let table = if self.report.problems.is_empty() { String::new() } else { html_table(&["problem"], problems) };
        format!("<p>{n_people} people, {n_events} events</p>{table}")
    }
}

/// Packs the data of a project into its store, as `seg pack` does, and says what is in it.
///
/// `store` is the folder of the store where `seg.toml` does not name one. With `append`, the
/// store keeps what it has, and files that it does not have are added.
///
/// Returns a dictionary of `people`, `events`, `new_people`, `new_events`, `files` and `bytes`.
#[pyfunction]
#[pyo3(signature = (directory, store=None, *, append=false, threads=None))]
pub fn pack<'py>(
    py: Python<'py>,
    directory: PathBuf,
    store: Option<PathBuf>,
    append: bool,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut project = Project::load(&directory).map_err(seg_error)?;
    if let Some(store) = store {
        seg::unstable::set_store(&mut project, &store);
    }
    let parts = parts(&project);
    let manifest = parts.manifest.ok_or_else(|| seg_error("the project's settings could not be read"))?;
    let packed = py.detach(|| {
        let packing = Packing::read(PackRequest {
            base: parts.dir,
            data: &manifest.data,
            schema: project.schema(),
            zone: manifest.zone,
            append,
            threads: threads_of(threads),
            memory: None,
            progress: None,
        })?;
        packing.write(None)
    });
    let packed = packed.map_err(|error| read_error(py, &error))?;
    let told = serde_json::json!({
        "people": packed.n_people,
        "events": packed.n_events,
        "new_people": packed.n_new_people,
        "new_events": packed.n_new_events,
        "files": packed.n_files,
        "bytes": packed.bytes,
    });
    from_json(py, &told)
}

/// So many threads; as many as the process may use where nobody says.
pub fn threads_of(asked: Option<usize>) -> NonZero<usize> {
    let all = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    asked.and_then(NonZero::new).unwrap_or_else(all)
}
