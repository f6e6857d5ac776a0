//! What may be asked of `seg doctor`.

use super::Format;
use std::path::PathBuf;

/// Say whether data and segments are in a state to send by.
///
/// Tells how fresh, late and complete the data are, how long people wait between purchases,
/// and which segments nobody uses, are alike, or too small for a test; each with the figure
/// and what to write. The limits stand under `[doctor]` in seg.toml.
///
/// Kinds of finding: stale, early, late, incomplete, inputs, buying-cycle, orphaned, twins,
/// too-small, over-segmented.
#[derive(clap::Args)]
pub struct Doctor {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// End with exit code 1 when there are findings of these kinds, with commas between them;
    /// without a kind, of any.
    #[arg(long, value_name = "KINDS", num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    pub deny: Option<String>,
    /// Keep the number of events by name and day in this file, and say which days have more
    /// than it had: their events came late.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Stop when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = super::share, default_value = "1%")]
    pub max_bad: super::Share,
    /// How to show what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}
