//! What may be asked of `seg diff`.

use super::TableFormat;
use clap::ValueEnum;
use std::path::PathBuf;

/// Compare two versions of a project: what changed, and for whom.
///
/// OLD and NEW are folders or revisions of git, such as `main` or `HEAD~1`; of a revision,
/// the project in the same place of the repository is meant. Both are judged over the same
/// data: that of the folder among them, or of the project in the current folder.
///
/// A segment is the same, worded otherwise, narrower (nobody enters), wider (nobody leaves) or
/// different; that is proved by the conditions, or else said of this data.
#[derive(clap::Args)]
pub struct Diff {
    /// The version before: a folder, or a revision of git.
    #[arg(value_name = "OLD")]
    pub old: String,
    /// The version after: a folder, or a revision of git.
    #[arg(value_name = "NEW", default_value = ".")]
    pub new: String,
    /// Judge both over the data of the project in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// End with exit code 1 when there is such a change.
    #[arg(long, value_enum, value_name = "CHANGE")]
    pub fail_on: Option<FailOn>,
    /// Stop when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = super::share, default_value = "1%")]
    pub max_bad: super::Share,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// The changes that a comparison may fail on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any change of who is in a segment, whatever the data; segments that come or go, too.
    Meaning,
}
