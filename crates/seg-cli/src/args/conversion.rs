//! What may be asked of `seg conversion`.

use super::TableFormat;
use std::path::PathBuf;

/// Say what people do once they are in a segment: how many reach a goal, how soon, and what it
/// brings.
///
/// People count who entered within the period, each from the first entry on. What made somebody
/// a member is not its effect: only what comes after the entry counts, and only people whose
/// time was over before the data ended are counted. Beside them stand the people who were not in
/// the segment on the same days or, with --holdout, those who were kept out on purpose.
#[derive(clap::Args)]
pub struct Conversion {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Only this segment. May be given several times.
    #[arg(long = "segment", value_name = "NAME")]
    pub segments: Vec<String>,
    /// What people are hoped to do, and within which time, such as "Purchase within 14 days" or
    /// "bought where article is \"A\" within 1 month"; with " with another invoice" at its end,
    /// only with another invoice than that by which they entered. Otherwise it is the `goal` in
    /// `[report]` of seg.toml, or the first event with the role purchase, within 14 days.
    #[arg(long, value_name = "EVENT")]
    pub goal: Option<String>,
    /// What such an event brings: a property of it, or an expression such as "quantity times
    /// unit_price".
    #[arg(long, value_name = "VALUE")]
    pub revenue: Option<String>,
    /// Take off what events of this name bring, such as a refund, whatever sign they have.
    #[arg(long, value_name = "EVENT", requires = "revenue")]
    pub less: Option<String>,
    /// Count only people who were sent something, which is an event of this name within the
    /// same time after their entry, and count from it on.
    #[arg(long, value_name = "EVENT", conflicts_with = "holdout")]
    pub sent: Option<String>,
    /// Compare with the people who are kept out of the segment by the random part of all people
    /// of this name, such as "winter-test": who is in is judged without it.
    #[arg(long, value_name = "NAME")]
    pub holdout: Option<String>,
    /// The first day or instant at which people may enter; otherwise 28 days before `--to`.
    #[arg(long, value_name = "INSTANT")]
    pub from: Option<String>,
    /// The first at which they no longer may; otherwise as long before `--at` as the
    /// goal has time.
    #[arg(long, value_name = "INSTANT")]
    pub to: Option<String>,
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
