//! What a run is asked to write.

use super::Format;
use clap::ValueEnum;
use seg::unstable::io::MembersFormat;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(next_help_heading = "Results")]
pub struct Results {
    /// Write who is in which segment to a file ending in .csv, .ndjson, .parquet
    /// or .arrow, or with `--layout files` to a folder.
    #[arg(long, value_name = "FILE")]
    pub members: Option<PathBuf>,
    /// What a row of the members is.
    #[arg(long, value_enum)]
    pub layout: Option<Layout>,
    /// The format of the members, where no ending says it: of files in a folder,
    /// of a pipe. Files in a folder are CSV otherwise.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub members_format: Option<Ending>,
    /// Write these attributes of people beside their ids, such as email,country:
    /// their values as of the instant of the run. Of each person in a segment `entered_at` is
    /// when they entered it, and `leaves_at` when they leave it if nothing else happens.
    #[arg(long, value_name = "ATTRIBUTES")]
    pub columns: Vec<String>,
    /// Compare with the members that an earlier run wrote: a file in any layout and
    /// format, or a folder. It may be the one that `--members` replaces.
    #[arg(long, value_name = "PREVIOUS")]
    pub changes_since: Option<PathBuf>,
    /// Write who entered and who left each segment since then to a file ending in
    /// .csv, .ndjson, .parquet or .arrow.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// Write who stayed in each segment among the changes, too.
    #[arg(long, requires = "changes")]
    pub with_stayed: bool,
    /// Write which segment each person goes to, by the project's order of
    /// precedence, to a file ending in .csv, .ndjson, .parquet or .arrow.
    #[arg(long, value_name = "FILE")]
    pub winners: Option<PathBuf>,
    /// Read how large segments were from this file, and write how large they
    /// are now, for the guards that expect sizes to change slowly.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Write what was read, asked and found to a file of JSON, with fingerprints, so
    /// that the result can be made again.
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Of a run over one partition of a store (`seg pack --partitions`), write all that
    /// `seg merge-results` needs to know of it to a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "manifest", "verify"])]
    pub partition_result: Option<PathBuf>,
    /// Make the result again that a manifest tells of, as of its instant, and fail
    /// when anybody is in other segments.
    #[arg(long, value_name = "MANIFEST")]
    pub verify: Option<PathBuf>,
}

/// Put the results of all partitions together, as if one run had found them.
///
/// Runs over the partitions of a store write them with `--partition-result`. What everybody's
/// numbers decide, sizes that segments expect and who goes to which segment, is decided here.
/// A partition that is missing or comes twice, or a result of another project, instant or
/// packing is refused, and nothing is written.
#[derive(clap::Args)]
pub struct MergeResults {
    /// The results, one of each partition.
    #[arg(required = true, value_name = "RESULT")]
    pub results: Vec<PathBuf>,
    /// The project's directory.
    #[arg(long, default_value = ".")]
    pub dir: PathBuf,
    /// Fail when a segment has not the size that it expects.
    #[arg(long)]
    pub deny: bool,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    #[command(flatten)]
    pub written: Merged,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Results")]
pub struct Merged {
    /// Write who is in which segment to a file ending in .csv, .ndjson, .parquet
    /// or .arrow, or with `--layout files` to a folder, with the columns that the partitions
    /// were run with.
    #[arg(long, value_name = "FILE")]
    pub members: Option<PathBuf>,
    /// What a row of the members is.
    #[arg(long, value_enum)]
    pub layout: Option<Layout>,
    /// The format of the members, where no ending says it.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub members_format: Option<Ending>,
    /// Compare with the members that an earlier run wrote.
    #[arg(long, value_name = "PREVIOUS")]
    pub changes_since: Option<PathBuf>,
    /// Write who entered and who left each segment since then to a file.
    #[arg(long, value_name = "FILE")]
    pub changes: Option<PathBuf>,
    /// Write who stayed in each segment among the changes, too.
    #[arg(long, requires = "changes")]
    pub with_stayed: bool,
    /// Write which segment each person goes to, by the project's order of precedence, to a file.
    #[arg(long, value_name = "FILE")]
    pub winners: Option<PathBuf>,
    /// Read how large segments were from this file, and write how large they are now.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
}

impl Merged {
    /// The same of a run that was asked for some columns.
    pub fn of_run(&self, columns: &[String]) -> Results {
        let is_listed = self.members.is_some() || self.changes.is_some();
        Results {
            members: self.members.clone(),
            layout: self.layout,
            members_format: self.members_format,
            columns: if is_listed { columns.to_vec() } else { Vec::new() },
            changes_since: self.changes_since.clone(),
            changes: self.changes.clone(),
            with_stayed: self.with_stayed,
            winners: self.winners.clone(),
            record: self.record.clone(),
            manifest: None,
            partition_result: None,
            verify: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// One table with a row a member: segment and person.
    Long,
    /// One table with a row a person, and a column of true and false for each segment.
    Wide,
    /// A folder with a file for each segment, with a row a member.
    Files,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ending {
    Csv,
    Ndjson,
    Parquet,
    /// An Arrow IPC file.
    Arrow,
}

impl From<Ending> for MembersFormat {
    fn from(ending: Ending) -> MembersFormat {
        match ending {
            Ending::Csv => MembersFormat::Csv,
            Ending::Ndjson => MembersFormat::Ndjson,
            Ending::Parquet => MembersFormat::Parquet,
            Ending::Arrow => MembersFormat::Arrow,
        }
    }
}
