//! What may be asked of `seg report`.

use seg::Cost;
use std::path::PathBuf;

/// Write one page about segments and data, to look at before sending and to pass on.
///
/// The page is a file of HTML without scripts that loads nothing. It begins with what needs
/// somebody, each with what to write, and a row a segment; then tells of each segment its
/// sentence, size, entries and exits, how long people stay, and some people drawn by day; then
/// who is in several, and how fresh and complete the data are. The figures are those of `seg
/// run`, `history`, `overlap` and `doctor`.
#[derive(clap::Args)]
pub struct Report {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Write the page to this file, rather than to standard output.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How many days charts show, the last of which ends now; by the clocks of the project's
    /// zone.
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Show nobody: the page then holds no id of a person.
    #[arg(long)]
    pub no_people: bool,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Read the packed store in this folder, rather than the one that seg.toml names.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// Write nothing when counting is expected to take more time of one processor than this,
    /// such as 500ms, 30s or 2min.
    #[arg(long, value_name = "TIME", value_parser = super::max_cost)]
    pub max_cost: Option<Cost>,
    /// Stop, and write nothing, when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = super::share, default_value = "1%")]
    pub max_bad: super::Share,
}
