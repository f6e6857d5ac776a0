//! What a run read, asked and gave, as its manifest tells it.

use super::Results;
use super::paths::read_from;
use crate::exit::Failure;
use crate::output;
use seg::unstable::data::parallel;
use seg::unstable::frozen::fingerprints;
use seg::unstable::io::results::{
    FileDigest, Fingerprints, InputFile, OutputFile, PartitionRun, RowCounts, RunManifest, SegmentResult, StayColumn,
    data_digest, digest_of_ids, digest_of_text, file_digest,
};
use seg::unstable::io::store::StorePartition;
use seg::unstable::io::{DataFile, LoadedParts, Manifest};
use seg::unstable::{Input, InputKind, input_files};
use seg::{Mask, Program, Project, Timestamp};
use std::fs::Metadata;
use std::path::PathBuf;
use std::time::SystemTime;

/// What a run found, to be written.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub program: &'a Program,
    pub settings: &'a Manifest,
    pub loaded: &'a LoadedParts,
    /// Who is in each segment.
    pub masks: &'a [Mask],
    pub now: Timestamp,
    /// Who said as of when.
    pub said_by: &'a str,
    pub n_people: usize,
    /// The instants that stand beside people in segments.
    pub stays: &'a [StayColumn],
    /// What was read, where that is told of.
    pub inputs: Option<&'a Inputs>,
    /// The partition that the data is, where it is not everybody's.
    pub partition: Option<&'a Partition>,
}

/// The files that a run reads, with what is in them.
pub struct Inputs {
    files: Vec<(Source, InputFile)>,
}

/// A partition of everybody that was run.
pub struct Partition {
    pub of: StorePartition,
    /// Which of everybody each of its people is, and what the run found, where that is written.
    pub found: Option<(Vec<u32>, PartitionRun)>,
}

/// What was read.
enum Source {
    File(PathBuf, Seen),
    Object(DataFile),
}

/// Where something is read: a file, or an object that has no path.
type Place = (PathBuf, Option<DataFile>);

/// By what a file that was written to is told from itself.
type Seen = (u64, Option<SystemTime>);

impl Inputs {
    /// Takes the fingerprints of all files that a project and a result are read from.
    ///
    /// # Errors
    /// A file that cannot be read, or that is none that could be read twice.
    pub fn read(project: &Project, results: &Results<'_>) -> Result<Inputs, Failure> {
        let inputs = input_files(project).map_err(Failure::new)?;
        let named = inputs.into_iter().map(|Input { name, path, kind, object }| (name, (path, object), kind.word()));
        let previous = results.asked.previous.into_iter().flat_map(read_from);
        let previous = previous.map(|path| (path.display().to_string(), (path, None), "previous"));
        let named: Vec<(String, Place, &str)> = named.chain(previous).collect();
        let mut found: Vec<Option<std::io::Result<(FileDigest, Source)>>> = named.iter().map(|_| None).collect();
        let work: Vec<_> = named.iter().zip(found.iter_mut()).collect();
        parallel::each(work, output::threads(), || (), |(), ((_, of, _), to)| *to = Some(digest(of)));
        let files = named.into_iter().zip(found).filter_map(|(named, found)| Some((named, found?)));
        let files = files.map(|((name, _, kind), found)| {
            let (digest, source) = found.map_err(|why| Failure::new(format!("{name}: {why}; nothing was run")))?;
            let FileDigest { bytes, sha256 } = digest;
            Ok((source, InputFile { file: name, kind: kind.to_owned(), bytes, sha256 }))
        });
        Ok(Inputs { files: files.collect::<Result<_, Failure>>()? })
    }

    /// Refuses to tell of files that were written to while they were read.
    ///
    /// # Errors
    /// The first such file.
    pub fn refuse_changed(&self) -> Result<(), Failure> {
        let is_as_before = |source: &Source| match source {
            Source::File(path, before) => std::fs::metadata(path).is_ok_and(|now| seen(&now) == *before),
            Source::Object(object) => object.is_as_found(),
        };
        match self.files.iter().find(|(source, _)| !is_as_before(source)) {
            Some((_, file)) => Err(Failure::new(format!(
                "{}: it was changed while the run read it, so that no manifest can tell what was read; nothing was written",
                file.file
            ))),
            None => Ok(()),
        }
    }

    fn of(&self, kinds: &[InputKind]) -> String {
        let files = self.files.iter().map(|(_, file)| file);
        let files = files.filter(|file| kinds.iter().any(|kind| kind.word() == file.kind));
        digest_of_text(&files.map(|file| format!("{}  {}\n", file.sha256, file.file)).collect::<String>())
    }
}

fn digest((path, object): &Place) -> std::io::Result<(FileDigest, Source)> {
    if let Some(object) = object {
        return Ok((data_digest(object)?, Source::Object(object.clone())));
    }
    let before = std::fs::metadata(path)?;
    if !before.is_file() {
        return Err(std::io::Error::other("only what stays can be told of in a manifest, and this is no regular file"));
    }
    Ok((file_digest(path)?, Source::File(path.clone(), seen(&before))))
}

fn seen(known: &Metadata) -> Seen {
    (known.len(), known.modified().ok())
}

impl Run<'_> {
    /// What the run read, asked and gave. Without [`Run::inputs`] it tells of none.
    pub fn manifest(&self, results: &Results<'_>, outputs: Vec<OutputFile>) -> RunManifest {
        let (report, settings) = (&self.loaded.report, self.settings);
        let meanings = fingerprints(self.program);
        let names: Vec<&str> = self.program.segment_names().collect();
        let told = names.iter().zip(&meanings).map(|(name, meaning)| format!("{meaning}  {name}\n"));
        let of = |kinds: &[InputKind]| self.inputs.map_or_else(String::new, |inputs| inputs.of(kinds));
        let fingerprints = Fingerprints {
            segments: digest_of_text(&told.collect::<String>()),
            settings: of(&[InputKind::Settings]),
            schema: of(&[InputKind::Schema]),
            data: of(&[InputKind::Data, InputKind::List]),
        };
        let segments = names.iter().zip(&meanings).zip(self.masks).map(|((name, meaning), mask)| {
            let members_sha256 = digest_of_ids(mask.rows().map(|row| self.loaded.people.id(row)));
            let (segment, fingerprint, members) = ((*name).to_owned(), meaning.clone(), mask.count() as u64);
            SegmentResult { segment, fingerprint, members, members_sha256 }
        });
        let columns = results.columns.iter().filter_map(|id| self.program.schema().attribute(*id));
        let refused = report.problems.iter().filter(|problem| problem.kind.loses_rows());
        let mut rows = RowCounts { read: report.rows, refused: report.rows_lost(), ..RowCounts::default() };
        for problem in refused {
            *rows.refused_by_kind.entry(problem.kind.slug().to_owned()).or_default() += problem.count;
        }
        RunManifest {
            manifest: RunManifest::VERSION,
            seg: env!("CARGO_PKG_VERSION").to_owned(),
            project: settings.name.clone(),
            at: self.now.to_string(),
            at_from: self.said_by.to_owned(),
            time_zone: settings.zone.map(|zone| zone.name().to_owned()),
            fingerprints,
            inputs: self.inputs.map_or_else(Vec::new, |inputs| inputs.files.iter().map(|(_, f)| f.clone()).collect()),
            rows,
            people: self.n_people as u64,
            events: report.events,
            segments: segments.collect(),
            columns: columns.map(|field| field.name.clone()).collect(),
            outputs,
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_while_it_was_read_is_told_of() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("people.csv");
        let inputs = || {
            std::fs::write(&path, "id\nann\n").expect("written");
            let (FileDigest { bytes, sha256 }, source) = digest(&(path.clone(), None)).expect("a digest");
            let file = InputFile { file: "people.csv".to_owned(), kind: "data".to_owned(), bytes, sha256 };
            Inputs { files: vec![(source, file)] }
        };
        assert!(inputs().refuse_changed().is_ok());
        let refused = |change: &dyn Fn()| {
            let before = inputs();
            change();
            before.refuse_changed().expect_err("changed").message
        };
        let expected = "people.csv: it was changed while the run read it, so that no manifest can tell what was read; \
            nothing was written";
        assert_eq!(refused(&|| std::fs::write(&path, "id\nann\nben\n").expect("written")), expected);
        assert_eq!(refused(&|| std::fs::remove_file(&path).expect("removed")), expected);
        let later = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
        let touched = || {
            let file = std::fs::File::options().write(true).open(&path).expect("a file");
            file.set_modified(later).expect("set");
        };
        assert_eq!(refused(&touched), expected);
    }
}
