//! What may be asked of the command.

mod conversion;
mod diff;
mod doctor;
mod example;
mod history;
mod live;
mod overlap;
mod report;
mod results;
pub mod sql;
mod store;

pub use conversion::Conversion;
pub use diff::{Diff, FailOn};
pub use doctor::Doctor;
pub use example::Example;
pub use history::HistoryFormat;
pub use live::{Live, LiveAudit, LiveCommand, LiveExport};
pub use overlap::{Overlap, TableFormat};
pub use report::Report;
pub use store::{Pack, Store, StoreAt, StoreCommand, StoreForget};

pub use results::{Layout, MergeResults, Results};

use clap::{Parser, Subcommand, ValueEnum};
use seg::Cost;
use std::path::PathBuf;
use std::time::Duration;

/// Customer segments in plain English: checked, and run over your data.
///
/// A project is a directory with a `seg.toml`, a schema and `.seg` files.
/// Start with `seg init shop --from events.csv`.
///
/// Exit codes: 0 all is well; 1 the project (or, with --strict, its data) has
/// errors, would cost more than --max-cost or lost more rows than --max-bad allows
/// and nothing was run, a test failed or (with --mutants) does not notice a change, the
/// result is not the one that --verify names, or (with --deny) a segment has not the size
/// that it expects or `seg doctor` found something, or (with --fail-on) a meaning changed; 2 the arguments were not understood; 3 a file
/// could not be read or written.
#[derive(Parser)]
#[command(name = "seg", version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// Draw every problem, not the first ten of each code; explain every condition.
    #[arg(long, global = true)]
    pub all: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Look at data and write a first project over it.
    Init(Init),
    /// Find every problem in a project's segments, schema and settings.
    Check(Check),
    /// Say who is in which segment.
    Run(Box<Run>),
    /// Run the project's tests: who is expected in which segment, and why not.
    Test(Test),
    /// Say why one person is in a segment or not, and until when.
    Explain(Explain),
    /// Count again whenever a file of the project changes.
    Watch(Watch),
    /// Show some people who are in a segment, or nearly so.
    Sample(Sample),
    /// Show the record of one person: their ids, what they are and what they did.
    Who(Who),
    /// Say how large each segment was, and who entered and left, day by day.
    History(History),
    /// Say what people do once they are in a segment: how many reach a goal, and what it brings.
    Conversion(Conversion),
    /// Make up people for a segment, one who is in and some who narrowly are not, as tests.
    Example(Example),
    /// Say how many people segments share, and which of several takes whom.
    Overlap(Overlap),
    /// Compare two versions of a project: what changed, and for whom.
    Diff(Diff),
    /// Say whether data and segments are in a state to send by.
    Doctor(Doctor),
    /// Write one page about segments and data, to look at and to pass on.
    Report(Report),
    /// Keep memberships true as records come in and as time passes.
    Live(Live),
    /// Keep the meaning of frozen segments in seg.lock.
    Freeze(Freeze),
    /// Pack the project's data into its store, which runs open in no time.
    Pack(Pack),
    /// Put the results of the partitions of a store together.
    MergeResults(Box<MergeResults>),
    /// Look at the store, check it, or take people out of it.
    Store(Store),
    /// Say what sentences can speak of; read schemas from tracking plans, and compare data with them.
    Schema(Schema),
    /// Explain the codes of errors and warnings.
    Codes(Codes),
    /// Write segments as SQL for a warehouse, or show a stage of compilation.
    Emit(Emit),
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For tools.
    Json,
}

#[derive(clap::Args)]
pub struct Init {
    /// The directory to make the project in.
    pub dir: PathBuf,
    /// A file of events or profiles, or a directory of such files: CSV, NDJSON
    /// (both plain or .gz), Parquet or Arrow. May be given several times.
    #[arg(long, required = true, value_name = "DATA")]
    pub from: Vec<PathBuf>,
    /// Whose calendar days, months and years are meant.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    pub timezone: String,
    /// The instant at which everything is judged, such as 2026-11-27T14:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
}

#[derive(clap::Args)]
pub struct Schema {
    #[command(subcommand)]
    pub command: SchemaCommand,
}

#[derive(Subcommand)]
pub enum SchemaCommand {
    /// List the English of a schema: each event with the words that sentences may use.
    Words(SchemaWords),
    /// Compare data with the whole schema: what each of them has and the other lacks.
    Check(SchemaCheck),
    /// Read a schema from a tracking plan in JSON Schema.
    Import(SchemaImport),
    /// Write the schema as a tracking plan in JSON Schema.
    Export(SchemaExport),
}

/// Compare data with the whole schema: what each of them has and the other lacks.
///
/// Every row is read once, with all of its columns, whatever the segments ask about. What
/// breaks the schema or a segment is an error and ends with exit code 1: values that are not
/// of their type or not allowed, required ones that are missing, names that are spelled
/// otherwise, events that arrive later than `arrives_within`, and what segments ask about
/// and no data has. Events and properties that the schema lacks, and those that no segment
/// asks about and no data has, are remarks.
#[derive(clap::Args)]
pub struct SchemaCheck {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Compare this file (or folder, or pattern) rather than the project's data; it is read
    /// as the source of seg.toml that it belongs to. May be given several times.
    #[arg(long, value_name = "FILE")]
    pub data: Vec<PathBuf>,
    /// The column that says when events arrived, where none has a usual name such as
    /// `received_at`.
    #[arg(long, value_name = "COLUMN")]
    pub received: Option<String>,
    /// The instant after which events are of the future, rather than now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// End with exit code 1 where there are only remarks, too.
    #[arg(long)]
    pub strict: bool,
    /// How to show what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Read a schema from a tracking plan in JSON Schema.
///
/// A plan is a file or a folder of files, in one of these forms: the tracking plan of a
/// customer data platform (`rules` with `events`); a bundle of schemas under `events`,
/// `oneOf` or `$defs`; a list of schemas or a schema a file, each with the event's name as
/// its `title`. What no schema of Seg can say is named on standard error, each with its
/// place.
#[derive(clap::Args)]
pub struct SchemaImport {
    /// A file, or a folder of files that end in .json. Several are one plan.
    #[arg(required = true)]
    pub plan: Vec<PathBuf>,
    /// Write the schema to a file that is not there yet, rather than to standard output.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// How to show what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct SchemaExport {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The form of the plan.
    #[arg(long = "as", value_enum, value_name = "FORM", default_value_t = PlanForm::JsonSchema)]
    pub form: PlanForm,
    /// Write the plan to a file that is not there yet, rather than to standard output.
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
}

/// The form of a tracking plan.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanForm {
    /// One JSON Schema: what is known of people under `attributes`, events under `events`.
    JsonSchema,
    /// The tracking plan of a customer data platform, with the schema of each call.
    TrackingPlan,
}

#[derive(clap::Args)]
pub struct SchemaWords {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// How to show them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct Check {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Judge what is frozen, and how old the data is, at this instant rather than now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Hold what segments ask about against what the files contain, without a run: problems
    /// of the data are errors.
    #[arg(long)]
    pub data: bool,
    /// Say of each segment whether `seg live` can keep it exactly, and by what time alone
    /// changes it.
    #[arg(long, conflicts_with = "data")]
    pub live: bool,
    /// Say which segments this database cannot say exactly, over the tables of `[sql]`, and
    /// what it says with a difference.
    #[arg(long, value_enum, value_name = "DIALECT", conflicts_with_all = ["data", "live"])]
    pub sql: Option<sql::Dialect>,
    /// How to show what was found.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct Run {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather
    /// than at the project's `at` or now.
    #[arg(long, value_name = "INSTANT", conflicts_with = "verify")]
    pub at: Option<String>,
    /// Fail when a segment has not the size that it expects.
    #[arg(long)]
    pub deny: bool,
    /// What says who is in. It never changes the answer. Without this, native
    /// code does, unless there are so few people that compiling would not pay.
    #[arg(long, value_enum)]
    pub engine: Option<Engine>,
    /// Run nothing when the segments are expected to take more time of one
    /// processor than this, such as 500ms, 30s or 2min.
    #[arg(long, value_name = "TIME", value_parser = max_cost)]
    pub max_cost: Option<Cost>,
    /// Read all of the data, though no segment may need it, and stop when there
    /// is anything wrong with it.
    #[arg(long)]
    pub strict: bool,
    /// Stop, and write nothing, when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "1%")]
    pub max_bad: Share,
    /// Read the packed store in this folder, rather than the one that seg.toml names.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// Read the files of a packed store rather than map them into memory: slower, but safe
    /// where somebody may cut them short meanwhile.
    #[arg(long)]
    pub no_map: bool,
    #[command(flatten)]
    pub memory: MemoryLimit,
    #[command(flatten)]
    pub on: sql::RunOn,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    // Last, for what comes behind would stand under the heading of these.
    #[command(flatten)]
    pub results: Results,
}

#[derive(clap::Args)]
pub struct Test {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Change one clause after the other (a threshold by one, an edge, a length of time, an
    /// event, its opposite, without it) and list the changes that no test notices; with any,
    /// the exit code is 1. Changes after which the segments mean the same are none.
    #[arg(long)]
    pub mutants: bool,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// Count again whenever a file of the project changes.
///
/// Errors are shown where they are; without any, each segment has its size, and what has become
/// of it since the last time. The data are read once, and again when seg.toml or the schema
/// changes. Ctrl-C ends it.
#[derive(clap::Args)]
pub struct Watch {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Judge everything at this instant, such as 2026-11-27T14:00:00Z, rather
    /// than at the project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Read the packed store in this folder, rather than the one that seg.toml names.
    #[arg(long, value_name = "FOLDER")]
    pub store: Option<PathBuf>,
    /// Count nothing when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "1%")]
    pub max_bad: Share,
    /// How to show the result: with `json` as an object a line, whenever something changed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct History {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The days of one segment, rather than a line for each.
    #[arg(long, value_name = "NAME")]
    pub segment: Option<String>,
    /// How many days, the last of which ends now; by the clocks of the project's zone.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// Say how large segments are expected to be so many days from now, 14 if no number is
    /// given, and how many will enter, with ranges and how often such ranges held.
    #[arg(
        long,
        value_name = "DAYS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "14",
        value_parser = clap::value_parser!(u32).range(1..=90)
    )]
    pub forecast: Option<u32>,
    /// Tell how long people stay of those alone who entered up to this instant: who entered
    /// later has been seen for less time.
    #[arg(long, value_name = "INSTANT")]
    pub entered_until: Option<String>,
    /// The instant of the last day, such as 2026-11-27T14:00:00Z, rather than the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Count nothing when that is expected to take more time of one processor than
    /// this, such as 500ms, 30s or 2min.
    #[arg(long, value_name = "TIME", value_parser = max_cost)]
    pub max_cost: Option<Cost>,
    /// Stop, and write nothing, when more of the rows than this could not be read.
    #[arg(long, value_name = "PERCENT", value_parser = share, default_value = "1%")]
    pub max_bad: Share,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = HistoryFormat::Text)]
    pub format: HistoryFormat,
}

/// How much memory may be taken.
#[derive(clap::Args)]
pub struct MemoryLimit {
    /// Take no more memory than this, such as 500MB or 2GiB: what people did is put aside on
    /// the disk and looked at for some of them after others.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub memory: Option<u64>,
    /// Where that is put aside, rather than in the system's folder for such files. It is gone
    /// when the command ends, however it ends.
    #[arg(long, value_name = "FOLDER", requires = "memory")]
    pub temp: Option<PathBuf>,
}

/// `500MB`, `2GiB`
fn bytes(text: &str) -> Result<u64, String> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let of_unit: u64 = match unit.to_ascii_lowercase().as_str() {
        "kb" => 1000,
        "kib" => 1 << 10,
        "mb" => 1_000_000,
        "mib" => 1 << 20,
        "gb" => 1_000_000_000,
        "gib" => 1 << 30,
        _ => return Err("write a number and MB, MiB, GB or GiB, such as 500MB or 2GiB".to_owned()),
    };
    let parsed = number.trim().parse::<f64>().ok().filter(|n| *n > 0.0 && *n < 1e9);
    let number = parsed.ok_or_else(|| format!("`{number}` is no number of {unit}; write such as 500MB or 2GiB"))?;
    Ok((number * of_unit as f64) as u64)
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy)]
pub struct Share(pub f64);

/// `1%`, `0.5%`, `100%`
fn share(text: &str) -> Result<Share, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
        Some(percent) => Ok(Share(percent / 100.0)),
        None => Err("a part of the rows is needed, such as 1% or 0.5%".to_owned()),
    }
}

/// A length of time as a limit of costs.
fn max_cost(text: &str) -> Result<Cost, String> {
    length(text).map(Cost)
}

/// A length of time as a limit.
fn length(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        _ => return Err("write a number and ms, s or min, such as 500ms or 30s".to_owned()),
    };
    let parsed = number.parse::<f64>().ok().filter(|n| *n >= 0.0 && n.is_finite());
    let number = parsed.ok_or_else(|| format!("`{number}` is no number of {unit}; write such as 500ms or 30s"))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| "that is too long to be a limit".to_owned())
}

#[derive(clap::Args)]
pub struct Explain {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Any of the person's ids.
    #[arg(long, value_name = "ID")]
    pub person: String,
    /// The segment's name; without it, a line for each segment. With `--all`, every condition
    /// and not only what decides.
    #[arg(long, value_name = "NAME")]
    pub segment: Option<String>,
    /// Judge at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// How to show the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct Sample {
    /// The segment's name.
    pub segment: String,
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// How many people.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub number: usize,
    /// People whom one condition keeps out, the least time or count to go first.
    #[arg(long)]
    pub near_misses: bool,
    /// Other people than without it, the same for the same text.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub seed: String,
    /// Draw the events of so many days.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,
    /// Judge at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// How to show them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct Who {
    /// Any of the person's ids.
    pub id: String,
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Show so many of their latest events.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub last: usize,
    /// Show what is known at this instant, such as 2026-11-27T14:00:00Z, rather than at the
    /// project's `at` or now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// How to show the record.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(clap::Args)]
pub struct Freeze {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// Judge what is frozen at this instant rather than now.
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
}

#[derive(clap::Args)]
pub struct Codes {
    #[command(subcommand)]
    pub command: CodesCommand,
}

#[derive(Subcommand)]
pub enum CodesCommand {
    /// What a code means, with a sentence that is wrong and one that is right.
    Explain {
        /// Such as E0201.
        code: String,
    },
    /// Every code with its title.
    List,
}

#[derive(clap::Args)]
pub struct Emit {
    /// The project's directory.
    #[arg(default_value = ".")]
    pub dir: PathBuf,
    /// The stage to show, for people who work on Seg.
    #[arg(long, value_enum, required_unless_present = "sql")]
    pub stage: Option<Stage>,
    #[command(flatten)]
    pub sql: sql::EmitSql,
    /// With `plan` or `physical`, show how native code reads the project's data, what a
    /// sample of its people lets expect, and what the whole is expected to cost.
    #[arg(long)]
    pub data: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stage {
    /// The text in pieces.
    Tokens,
    /// What was written.
    Ast,
    /// What it means.
    Hir,
    /// How it runs: one graph for all segments, and what it reads.
    Plan,
    /// The plan after each pass that changed it.
    Passes,
    /// How each condition is decided: what it reads, what several share, what code is
    /// generated for; with `--data` over the project's data.
    Physical,
    /// What native code is made from, for data in the layout of the schema.
    Clif,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// The reference evaluator: one person at a time, slow and obvious.
    Evaluator,
    /// The plan evaluator: whole columns, each condition once.
    Plan,
    /// Native code, made for the segments and the layout of the data.
    Jit,
}

impl From<Engine> for seg::Engine {
    fn from(engine: Engine) -> seg::Engine {
        match engine {
            Engine::Evaluator => seg::Engine::Evaluator,
            Engine::Plan => seg::Engine::Plan,
            Engine::Jit => seg::Engine::Jit,
        }
    }
}
