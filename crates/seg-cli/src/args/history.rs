//! How `seg history` shows what it counted.

use clap::ValueEnum;

/// How sizes over days are shown.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HistoryFormat {
    /// For people.
    Text,
    /// For tools.
    Json,
    /// For spreadsheets.
    Csv,
    /// A drawing: of one segment its size with entries and exits, of several each size.
    Svg,
}

impl HistoryFormat {
    /// How problems are shown beside it.
    pub fn of_problems(self) -> super::Format {
        match self {
            HistoryFormat::Text | HistoryFormat::Csv | HistoryFormat::Svg => super::Format::Text,
            HistoryFormat::Json => super::Format::Json,
        }
    }
}
