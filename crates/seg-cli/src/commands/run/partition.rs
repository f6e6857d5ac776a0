//! A run over one partition of everybody.

use super::Looking;
use crate::args;
use crate::commands::guard::Expected;
use crate::commands::results::{Partition, Results};
use crate::exit::Failure;
use seg::unstable::frozen::fingerprints;
use seg::unstable::io::results::PartitionRun;
use seg::unstable::io::store::{self, StorePartition};
use seg::unstable::io::{LoadedParts, Manifest};
use seg::unstable::parts;
use seg::{Cost, Engine, Program, Project, Timestamp};

/// The partition that a project's data is; none where it is everybody's.
///
/// # Errors
/// What cannot be asked of a partition, or only of one.
pub fn of(
    args: &args::Run,
    project: &Project,
    manifest: &Manifest,
    results: &Results<'_>,
) -> Result<Option<StorePartition>, Failure> {
    let of = store::partition(parts(project).dir, &manifest.data).map_err(Failure::new)?;
    match &of {
        None if results.is_partial() => Err(Failure::usage(
            "`--partition-result` is of one partition of a store, and this data is everybody's; \
             `seg pack --partitions` makes them; nothing was run",
        )),
        Some(_) if args.deny || args.results.record.is_some() => Err(Failure::usage(
            "a partition has not the sizes of all of them; `--deny` and `--record` go with `seg merge-results`; \
             nothing was run",
        )),
        Some(_) | None => Ok(of),
    }
}

/// Which partition it is, in a line.
pub fn told(partition: &Partition) -> String {
    format!("partition {} of {}, counted from 0\n", partition.of.number, partition.of.of)
}

/// The same for tools.
pub fn json(partition: &Partition) -> serde_json::Value {
    serde_json::json!({ "number": partition.of.number, "of": partition.of.of })
}

/// What a run found.
pub struct Found<'f> {
    pub program: &'f Program,
    pub manifest: &'f Manifest,
    pub loaded: &'f LoadedParts,
    pub looking: &'f Looking,
    pub cost: Cost,
    pub engine: Engine,
}

impl Found<'_> {
    /// The partition with all that merging needs, where it is to be written.
    ///
    /// # Errors
    /// A store that is not as it was written.
    pub fn partition(
        &self,
        of: StorePartition,
        (project, results): (&Project, &Results<'_>),
        (now, said_by): (Timestamp, &str),
        expected: Option<&Expected>,
    ) -> Result<Partition, Failure> {
        if !results.is_partial() {
            return Ok(Partition { of, found: None });
        }
        let rows = store::rows_of_all(parts(project).dir, &self.manifest.data).map_err(Failure::new)?;
        if rows.len() != self.loaded.people.len() {
            return Err(Failure::new("the store was packed again while it was read; nothing was written"));
        }
        let names = self.program.segment_names().map(str::to_owned);
        let run = PartitionRun {
            version: PartitionRun::VERSION,
            partition: of.number,
            of: of.of,
            packing: of.packing.clone(),
            project: self.manifest.name.clone(),
            at: now.to_string(),
            at_from: said_by.to_owned(),
            time_zone: self.manifest.zone.map(|zone| zone.name().to_owned()),
            segments: names.zip(fingerprints(self.program)).collect(),
            columns: results.asked_columns(),
            report: self.loaded.report.clone(),
            last_event: self.loaded.last_event.map(|at| at.0),
            engine: self.engine.name().to_owned(),
            cost_ns: u64::try_from(self.cost.0.as_nanos()).unwrap_or(u64::MAX),
            newest: self.looking.newest.found(),
            lists: self.looking.lists.found(),
            days: expected.map(Expected::found),
        };
        Ok(Partition { of, found: Some((rows, run)) })
    }
}
