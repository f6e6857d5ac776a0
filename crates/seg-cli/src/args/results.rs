//! What a run is asked to write.

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
    /// Make the result again that a manifest tells of, as of its instant, and fail
    /// when anybody is in other segments.
    #[arg(long, value_name = "MANIFEST")]
    pub verify: Option<PathBuf>,
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
