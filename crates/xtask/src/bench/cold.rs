//! From Parquet, or from a packed store, to the numbers on the screen, each time in a process
//! of its own, beside the fastest of the engines that answer the same question from the same
//! files, or from a file of their own.

use super::{files, suite};
use serde_json::Value;
use std::fmt::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Whole processes of each, one after another in turn; the median counts.
const ROUNDS: usize = 5;
/// Rounds of a question that takes an engine many seconds.
const ROUNDS_SLOW: usize = 3;
const SLOW: Duration = Duration::from_secs(5);
/// How often a store is packed.
const PACKINGS: usize = 3;
/// Ways to ask one thing, at most.
const VARIANTS_MAX: usize = 6;

/// Where the data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Parquet,
    /// A packed store, beside the engine that has a format of its own.
    Store,
}

impl Origin {
    fn engines(self) -> &'static [&'static str] {
        match self {
            Origin::Parquet => &["duckdb", "polars"],
            Origin::Store => &["duckdb-own"],
        }
    }
}

/// A question, as a project and by its name in the programs of the engines.
pub struct Question {
    title: String,
    what: String,
    pub dir: PathBuf,
}

impl Question {
    /// What is asked, for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether it asks for several segments together.
    pub fn is_suite(&self) -> bool {
        self.what.starts_with("all")
    }
}

/// What a process answered.
pub struct Answer {
    pub whole: Duration,
    /// The query alone, without starting.
    pub query: Option<Duration>,
    pub members: Vec<u64>,
}

/// Measures the twelve one by one, the twelve and the hundred.
///
/// # Errors
/// Files that are not there or a command that fails.
pub fn measure(
    from: Origin,
    scale: usize,
    threads: NonZero<usize>,
    has_peers: bool,
    text: &mut String,
) -> Result<(), String> {
    let engines = from.engines();
    let seg = seg_command()?;
    let python = if has_peers { Some(super::peers::environment(&files::root())?) } else { None };
    let engine = |name: &str, what: &str, variant: usize| -> Result<Option<Answer>, String> {
        let Some(python) = &python else { return Ok(None) };
        ask_engine(python, name, [&threads.to_string(), &scale.to_string(), what, &variant.to_string()])
    };
    let questions = questions(from, scale)?;
    if let (Origin::Store, Some(first)) = (from, questions.first()) {
        packing(&seg, first, python.as_deref(), (threads, scale), text)?;
    }
    let _ =
        writeln!(text, "\n| question | seg, ms | {} | fastest by seg | duckdb's query by seg |", engines.join(" | "));
    let _ = writeln!(text, "|---|---:|{}---:|---:|", "---:|".repeat(engines.len()));
    let mut ratios = Vec::new();
    for question in questions {
        eprintln!("asking {}", question.title);
        let first = ask_seg(&seg, &question.dir)?;
        // The quickest of the ways to ask it counts for an engine.
        let mut best = vec![None; engines.len()];
        for (best, name) in best.iter_mut().zip(engines) {
            let mut least = Duration::MAX;
            for variant in 0..VARIANTS_MAX {
                let Some(answer) = engine(name, &question.what, variant)? else { break };
                if answer.members != first.members {
                    return Err(format!("{name} answers {} otherwise: {:?}\n", question.title, answer.members));
                }
                if answer.whole < least {
                    (least, *best) = (answer.whole, Some((variant, answer.whole)));
                }
            }
        }
        let is_slow = best.iter().flatten().any(|(_, whole)| *whole > SLOW);
        let (mut own, mut query) = (Vec::new(), Vec::new());
        let mut whole: Vec<Vec<Duration>> = engines.iter().map(|_| Vec::new()).collect();
        for _ in 0..if is_slow { ROUNDS_SLOW } else { ROUNDS } {
            own.push(ask_seg(&seg, &question.dir)?.whole);
            for ((name, best), whole) in engines.iter().zip(&best).zip(&mut whole) {
                let Some((variant, _)) = best else { continue };
                let Some(answer) = engine(name, &question.what, *variant)? else { continue };
                whole.push(answer.whole);
                query.extend(answer.query.filter(|_| name.starts_with("duckdb")));
            }
        }
        let own = middle(&mut own).unwrap_or_default();
        let of_engines: Vec<Option<Duration>> = whole.iter_mut().map(|times| middle(times)).collect();
        let by_seg = |time: Duration| time.as_secs_f64() / own.as_secs_f64();
        let ratio = of_engines.iter().flatten().min().map(|fastest| by_seg(*fastest));
        let alone = middle(&mut query).map(by_seg);
        ratios.extend(ratio.filter(|_| !question.is_suite()));
        let show = |time: &Option<Duration>| time.map_or("–".to_owned(), super::ms);
        let [ratio, alone] = [ratio, alone].map(|r| r.map_or("–".to_owned(), |r| format!("{r:.2}")));
        let shown: Vec<String> = of_engines.iter().map(show).collect();
        let _ =
            writeln!(text, "| {} | {} | {} | {ratio} | {alone} |", question.title, super::ms(own), shown.join(" | "));
    }
    let mean = (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
    let _ = writeln!(
        text,
        "\nThe geometric mean of the twelve ratios is {mean:.2}. Whole processes, from their start to the answer, with the \
         files in the page cache and {threads} threads each; the engines in turn with Seg, medians of {ROUNDS} rounds \
         ({ROUNDS_SLOW} of what takes an engine more than {} s). Of each engine the quickest of several ways to ask counts.",
        SLOW.as_secs()
    );
    Ok(())
}

/// Packs the store of the questions, and lets the engine make its own file.
fn packing(
    seg: &Path,
    question: &Question,
    python: Option<&Path>,
    (threads, scale): (NonZero<usize>, usize),
    text: &mut String,
) -> Result<(), String> {
    let (mut own, mut whole) = (Vec::new(), Vec::new());
    let mut bytes = [0, 0];
    for _ in 0..PACKINGS {
        let start = Instant::now();
        let output = Command::new(seg).args(["pack", "--format", "json"]).arg(&question.dir).output();
        own.push(start.elapsed());
        let output = output.map_err(|e| format!("{}: {e}\n", seg.display()))?;
        let packed: Value = serde_json::from_slice(&output.stdout)
            .map_err(|e| format!("{e}: {}\n", String::from_utf8_lossy(&output.stderr)))?;
        bytes[0] = packed["bytes"].as_u64().unwrap_or_default();
        let Some(python) = python else { continue };
        let args = [&threads.to_string(), &scale.to_string(), "make", "0"];
        if let Some(answer) = ask_engine(python, "duckdb-own", args)? {
            whole.push(answer.whole);
            bytes[1] = answer.members.first().copied().unwrap_or_default();
        }
    }
    let own = middle(&mut own).unwrap_or_default();
    let mega = bytes.map(|bytes| bytes.div_ceil(1_000_000));
    let _ = writeln!(text, "\nPacking takes {} ms and gives {} MB.", super::ms(own), mega[0]);
    if let Some(whole) = middle(&mut whole) {
        let ratio = whole.as_secs_f64() / own.as_secs_f64();
        let _ = writeln!(
            text,
            "DuckDB makes its own file, of {} MB, in {} ms: {ratio:.2} times as long.",
            mega[1],
            super::ms(whole)
        );
    }
    Ok(())
}

/// The command, built anew.
///
/// # Errors
/// Code that cannot be built.
pub fn seg_command() -> Result<PathBuf, String> {
    let build = Command::new("cargo").args(["build", "--quiet", "--release", "--package", "seg-cli"]).status();
    if !build.map_err(|e| format!("cargo: {e}\n"))?.success() {
        return Err("`seg` could not be built\n".to_owned());
    }
    Ok(seg_tests::root().join("target/release/seg"))
}

/// The questions as projects over the files.
///
/// # Errors
/// Files that cannot be written.
pub fn questions(from: Origin, scale: usize) -> Result<Vec<Question>, String> {
    let data = files::root().join("data").join(scale.to_string());
    let (folder, store) = match from {
        Origin::Parquet => ("cold", String::new()),
        Origin::Store => ("stored", format!("[data]\nstore = {:?}\n\n", data.join("store"))),
    };
    let root = files::root().join(folder).join(scale.to_string());
    let manifest = format!(
        "name = \"cold\"\ntimezone = \"UTC\"\nat = \"{}\"\n\n{store}[data.profiles]\nfiles = [{profiles:?}]\nid = \
         \"profile_id\"\n\n[data.events]\nfiles = [{events:?}]\nid = \"profile_id\"\nevent = \"name\"\ntime = \"ts\"\n",
        super::generate::NOW,
        profiles = data.join("profiles.parquet"),
        events = data.join("events-*.parquet"),
    );
    let twelve = suite::segments(suite::TWELVE).enumerate();
    let twelve =
        twelve.map(|(at, segment)| (format!("{} {}", at + 1, suite::TITLES[at]), (at + 1).to_string(), segment));
    let suites = [(suite::TWELVE, 12), (suite::HUNDRED, 100)];
    let suites = suites.map(|(suite, n)| (format!("{n} segments"), format!("all{n}"), suite));
    let mut questions = Vec::new();
    for (title, what, segments) in twelve.chain(suites) {
        let dir = root.join(&what);
        let write = |name: &str, text: &str| {
            let path = dir.join(name);
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}\n", path.display()))
        };
        std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}\n", dir.display()))?;
        write("seg.toml", &manifest)?;
        write("schema.toml", &suite::schema())?;
        write("s.seg", segments)?;
        questions.push(Question { title, what, dir });
    }
    Ok(questions)
}

/// What `seg run` answers.
///
/// # Errors
/// A run that fails.
pub fn ask_seg(seg: &Path, dir: &Path) -> Result<Answer, String> {
    let start = Instant::now();
    let output = Command::new(seg).args(["run", "--format", "json"]).arg(dir).output();
    let whole = start.elapsed();
    let output = output.map_err(|e| format!("{}: {e}\n", seg.display()))?;
    if !output.status.success() {
        return Err(format!("{}: {}\n", dir.display(), String::from_utf8_lossy(&output.stderr)));
    }
    Ok(Answer { whole, query: None, members: members(&output.stdout)? })
}

/// How many are in each segment, as a command told it.
///
/// # Errors
/// What is no JSON.
pub fn members(answer: &[u8]) -> Result<Vec<u64>, String> {
    let found: Value = serde_json::from_slice(answer).map_err(|e| format!("{e}\n"))?;
    let segments = found["segments"].as_array().map_or(&[][..], Vec::as_slice);
    Ok(segments.iter().filter_map(|segment| segment["members"].as_u64()).collect())
}

/// None where there is no such way to ask.
fn ask_engine(python: &Path, name: &str, args: [&str; 4]) -> Result<Option<Answer>, String> {
    let mut command = Command::new(python);
    engine_answer(name, command.args(["cold.py", name]).args(args).env("DATA_DIR", files::root().join("data")))
}

/// What one of the programs of the engines answers; none where there is no such way to ask.
///
/// # Errors
/// A program that fails.
pub fn engine_answer(name: &str, command: &mut Command) -> Result<Option<Answer>, String> {
    let start = Instant::now();
    command.current_dir(seg_tests::root().join("crates/xtask/peers"));
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output();
    let whole = start.elapsed();
    let output = output.map_err(|e| format!("{name}: {e}\n"))?;
    match output.status.code() {
        Some(0) => {}
        Some(4) => return Ok(None),
        _ => return Err(format!("{name}: {}\n", String::from_utf8_lossy(&output.stderr))),
    }
    let found: Value = serde_json::from_slice(&output.stdout).map_err(|e| format!("{name}: {e}\n"))?;
    let members = found["members"].as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_u64);
    let query = found["query"].as_f64().map(Duration::from_secs_f64);
    Ok(Some(Answer { whole, query, members: members.collect() }))
}

/// The median.
pub fn middle(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
