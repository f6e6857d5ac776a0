//! What may be asked of `seg overlap`.

use clap::ValueEnum;
use std::path::PathBuf;

/// Say how many people segments share, and which of several takes whom.
///
/// Pairs that share people, are both used by something and have no order of precedence come
/// first: whoever is in both gets both messages. Then, by the order of precedence, how many
/// people each segment keeps and which segments take the rest.
#[derive(clap::Args)]
pub struct Overlap {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Compare this segment with the others that are named, rather than all of them. May be
    /// given several times.
    #[arg(long = "segment", value_name = "NAME")]
    pub segments: Vec<String>,
    /// The segment that goes first of several, then that which goes next, rather than the
    /// order that the project declares. Given once a segment.
    #[arg(long, value_name = "NAME")]
    pub order: Vec<String>,
    /// Show only which segment takes whom.
    #[arg(long)]
    pub waterfall: bool,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Stop when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = super::share, default_value = "1%")]
    pub max_bad: super::Share,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// How a table is shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people.
    Text,
    /// For tools.
    Json,
    /// For spreadsheets.
    Csv,
}

impl TableFormat {
    /// How problems are shown beside such a table.
    pub fn of_problems(self) -> super::Format {
        match self {
            TableFormat::Text | TableFormat::Csv => super::Format::Text,
            TableFormat::Json => super::Format::Json,
        }
    }
}
