//! What a run writes: checked before anything is read, written aside, and put in place
//! together.

mod columns;
mod folder;
mod manifest;
mod paths;
mod report;
mod write;

pub use manifest::{Inputs, Partition, Run};
pub use paths::unwritten;
pub use report::{Verified, json, told};
pub use write::{Written, write};

use super::guard;
use crate::args::{self, Layout};
use crate::exit::Failure;
use folder::Folder;
use seg::unstable::data::AttributeId;
use seg::unstable::io::objects::ObjectStores;
use seg::unstable::io::results::{ENTERED_COLUMN, KnownNames, LEAVES_COLUMN, Previous, RunManifest, read_previous};
use seg::unstable::io::{MembersFormat, Sizes};
use seg::unstable::{StayParts, module, parts};
use seg::{Program, Project, Timestamp};
use std::path::Path;

/// What a run was asked to write, as far as the arguments alone say that it can be.
pub struct Asked<'r> {
    members: Option<Members<'r>>,
    winners: Option<Table<'r>>,
    changes: Option<Table<'r>>,
    previous: Option<&'r Path>,
    columns: Vec<String>,
    /// Which instants of each person in each segment stand beside them.
    stays: Vec<&'static str>,
    /// Whether those who stayed stand among the changes.
    with_stayed: bool,
    record: Option<&'r Path>,
    manifest: Option<&'r Path>,
    /// Where that of a partition goes which merging needs.
    partition: Option<&'r Path>,
    /// What the last run recorded.
    sizes: Option<Sizes>,
    /// The result that is to come out again.
    verified: Option<(&'r Path, RunManifest)>,
}

/// A table in a file.
#[derive(Clone, Copy)]
struct Table<'r> {
    path: &'r Path,
    format: MembersFormat,
}

/// Where members go, and how they are laid out there.
#[derive(Clone, Copy)]
enum Members<'r> {
    Long(Table<'r>),
    Wide(Table<'r>),
    /// The path is that of the folder.
    Files(Table<'r>),
}

/// What a run will write over a project.
pub struct Results<'r> {
    asked: Asked<'r>,
    /// The attributes beside each person.
    pub columns: Vec<AttributeId>,
    folder: Option<Folder>,
    previous: Option<Previous>,
    /// Where what has an address goes.
    objects: Option<ObjectStores>,
}

impl<'r> Asked<'r> {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// Arguments that do not go together, files of formats that are not written, and records
    /// and manifests of earlier runs that cannot be read.
    pub fn new(args: &'r args::Results) -> Result<Asked<'r>, Failure> {
        let lone = |what: &str| Err(Failure::usage(format!("{what}; nothing was run")));
        if args.members.is_none() {
            if args.layout.is_some() || args.members_format.is_some() {
                return lone(
                    "`--layout` and `--members-format` say how members are written; name where: `--members FILE`",
                );
            }
            if args.changes.is_none() && args.partition_result.is_none() && !args.columns.is_empty() {
                return lone("`--columns` says what is written of members or changes; name where: `--members FILE`");
            }
        }
        match (&args.changes_since, &args.changes) {
            (Some(_), None) => {
                return lone(
                    "`--changes-since` compares with an earlier result; name where that is written: `--changes FILE`",
                );
            }
            (None, Some(_)) => {
                return lone("`--changes` needs an earlier result to compare with: `--changes-since PREVIOUS`");
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        paths::refuse_addresses(&[
            ("--record", args.record.as_deref()),
            ("--changes-since", args.changes_since.as_deref()),
            ("--verify", args.verify.as_deref()),
            ("--layout files", args.members.as_deref().filter(|_| args.layout == Some(Layout::Files))),
        ])?;
        let sizes = match &args.record {
            Some(path) => guard::recorded(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))?,
            None => None,
        };
        let verified = match &args.verify {
            Some(path) => Some((path.as_path(), RunManifest::read(path).map_err(Failure::new)?)),
            None => None,
        };
        Ok(Asked {
            members: args.members.as_deref().map(|path| members(path, args)).transpose()?,
            winners: args.winners.as_deref().map(table).transpose()?,
            changes: args.changes.as_deref().map(table).transpose()?,
            previous: args.changes_since.as_deref(),
            columns: args.columns.clone(),
            stays: Vec::new(),
            with_stayed: args.with_stayed,
            record: args.record.as_deref(),
            manifest: args.manifest.as_deref(),
            partition: args.partition_result.as_deref(),
            sizes,
            verified,
        })
    }

    /// The instant of the result that is to come out again.
    ///
    /// # Errors
    /// A manifest in which no instant stands.
    pub fn verified_at(&self) -> Result<Option<Timestamp>, Failure> {
        let Some((path, verified)) = &self.verified else { return Ok(None) };
        let read = Timestamp::read(&verified.at, None);
        read.map(Some)
            .map_err(|error| Failure::new(format!("{}: `at` is `{}`, which {error}", path.display(), verified.at)))
    }

    /// What is written over a project; nothing is written yet.
    ///
    /// # Errors
    /// What cannot work: attributes that the schema does not have, columns and files of one
    /// name, a path that the project is read from or that cannot be written, and an earlier
    /// result that cannot be read.
    pub fn over(mut self, project: &Project, program: &Program) -> Result<Results<'r>, Failure> {
        if self.winners.is_some() && module(program).precedence.is_empty() {
            return Err(no_precedence());
        }
        let names: Vec<&str> = program.segment_names().collect();
        (self.columns, self.stays) = columns::stays(&self.columns, program.schema());
        let columns = columns::attributes(&self.columns, program.schema())?;
        columns::refuse_repeated(&self, &columns, &names, program.schema())?;
        let folder = match self.members {
            Some(Members::Files(table)) => Some(Folder::new(table.path, table.format, &names)?),
            Some(Members::Long(_) | Members::Wide(_)) | None => None,
        };
        paths::refuse(project, &self, folder.as_ref())?;
        let attributes: Vec<&str> = program.schema().attributes.iter().map(|field| field.name.as_str()).collect();
        let known = KnownNames { segments: &names, attributes: &attributes };
        let previous = match self.previous {
            Some(path) => Some(read_previous(path, known).map_err(|error| without_previous(path, &error))?),
            None => None,
        };
        let objects = parts(project).manifest.and_then(|manifest| manifest.data.elsewhere.objects.clone());
        Ok(Results { asked: self, columns, folder, previous, objects })
    }
}

impl Results<'_> {
    /// Whether it must be known what was read, byte by byte.
    pub fn needs_inputs(&self) -> bool {
        self.asked.manifest.is_some() || self.asked.verified.is_some()
    }

    /// Which instants of each person in each segment are asked for.
    pub fn stays(&self) -> StayParts {
        let has = |name| self.asked.stays.contains(&name);
        StayParts { entered_at: has(ENTERED_COLUMN), leaves_at: has(LEAVES_COLUMN) }
    }

    /// Whether what was found of a partition is to be merged with that of others.
    pub fn is_partial(&self) -> bool {
        self.asked.partition.is_some()
    }

    /// What is to stand beside people, as arguments say it.
    pub fn asked_columns(&self) -> Vec<String> {
        let stays = self.asked.stays.iter().map(|name| (*name).to_owned());
        self.asked.columns.iter().cloned().chain(stays).collect()
    }

    /// How large segments were in the run before.
    pub fn sizes(&self) -> Option<&Sizes> {
        self.asked.sizes.as_ref()
    }

    /// A run compared with the one whose result is to come out again.
    pub fn verify(&self, run: Run<'_>) -> Option<Verified> {
        let (path, before) = self.asked.verified.as_ref()?;
        Some(Verified::new(path.display().to_string(), before, &run.manifest(self, Vec::new())))
    }
}

/// An earlier result that is not there is a slip, or this is the first run.
fn without_previous(path: &Path, error: &seg::io::ReadError) -> Failure {
    match path.exists() {
        true => Failure::new(format!("{error}; nothing was run")),
        false => Failure::new(format!(
            "{error}; a first run has nothing to compare with: leave `--changes-since` and `--changes` out; nothing was run"
        )),
    }
}

/// Nobody wins in a project that does not say who would.
pub fn no_precedence() -> Failure {
    let message =
        "the project has no order of precedence; write `when people are in several, prefer \"…\", then \"…\"`";
    Failure::usage(message)
}

fn members<'r>(path: &'r Path, args: &args::Results) -> Result<Members<'r>, Failure> {
    let shown = path.display();
    let given = args.members_format.map(MembersFormat::from);
    let is_folder = path.is_dir() || path.to_string_lossy().ends_with('/');
    match args.layout.unwrap_or(Layout::Long) {
        Layout::Files => {
            if !path.is_dir() && (path.exists() || MembersFormat::of(path).is_some()) {
                let message = format!("{shown}: `--layout files` writes to a folder, and this is the name of a file");
                return Err(Failure::usage(format!("{message}; nothing was run")));
            }
            Ok(Members::Files(Table { path, format: given.unwrap_or(MembersFormat::Csv) }))
        }
        Layout::Long | Layout::Wide if is_folder => {
            let message = "this is a folder; name a file, or write a file for each segment with `--layout files`";
            Err(Failure::usage(format!("{shown}: {message}; nothing was run")))
        }
        layout => {
            let table = match given {
                Some(format) => Table { path, format },
                None => table(path)?,
            };
            Ok(if layout == Layout::Wide { Members::Wide(table) } else { Members::Long(table) })
        }
    }
}

fn table(path: &Path) -> Result<Table<'_>, Failure> {
    match MembersFormat::of(path) {
        Some(format) => Ok(Table { path, format }),
        None => {
            let message = match path.extension() {
                Some(_) => "members are written to .csv, .ndjson, .parquet or .arrow files",
                None => {
                    "members are written to .csv, .ndjson, .parquet or .arrow files, and elsewhere in the format that \
                     `--members-format` says"
                }
            };
            Err(Failure::usage(format!("{}: {message}; nothing was run", path.display())))
        }
    }
}
