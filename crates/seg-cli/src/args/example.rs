//! The arguments of `seg example`.

use super::Format;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Example {
    /// The segment's name.
    pub segment: String,
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Judge at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// How to show them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}
