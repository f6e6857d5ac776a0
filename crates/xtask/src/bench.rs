//! `cargo xtask bench`: the suite natively, by the plan evaluator and by the
//! reference evaluator, beside hand-written loops, all in one run.

mod cold;
mod files;
pub mod generate;
mod hand;
mod hand_suite;
mod live;
mod memory;
mod micro;
mod peers;
mod single;
mod sizes;
pub mod suite;
mod text;
mod together;
mod warehouse;

use cold::Origin;
use seg::{Batch, Mask, Options, Prepared, Project, Settings, Zone};
use std::fmt::Write;
use std::num::NonZero;
use std::process::Command;
use std::time::{Duration, Instant};

/// Who is in each segment, in the memory of earlier masks: what is measured.
///
/// # Errors
/// A batch that breaks the contract.
pub fn evaluate(prepared: &Prepared, batch: &Batch, options: &Options, masks: Vec<Mask>) -> Result<Vec<Mask>, String> {
    let bound = prepared.bind(batch, generate::NOW, options).map_err(|e| e.to_string())?;
    Ok(bound.evaluate_into(masks).map_err(|e| e.to_string())?.into_masks())
}

/// Samples of each measurement; the median counts.
const SAMPLES: usize = 9;
/// The slow engines are measured on so many profiles and scaled up.
const PLAN_PROFILES: usize = 100_000;
const REFERENCE_PROFILES: usize = 10_000;

/// Runs the benchmark over so many profiles; `record` writes it down under
/// `docs/benchmarks`.
pub fn run(args: &[&str]) -> Result<(), String> {
    // Optimised code is measured, however this was started, unless shares are all that is wanted.
    if cfg!(debug_assertions) && !args.contains(&"--as-built") {
        let status = Command::new("cargo")
            .args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"])
            .args(args)
            .status()
            .map_err(|e| format!("cargo: {e}\n"))?;
        return if status.success() { Ok(()) } else { Err("the benchmark failed\n".to_owned()) };
    }
    let mut n_profiles = 1_000_000;
    let mut wanted = Wanted {
        singles: true,
        peers: false,
        cold: None,
        sql: false,
        text: false,
        memory: false,
        micro: false,
        live: false,
        minutes: None,
        sizes: false,
        files: false,
        growth: false,
        only: None,
    };
    let mut record = false;
    for arg in args {
        match *arg {
            only if only.starts_with("--only=") => wanted.only = only.split('=').nth(1).and_then(|n| n.parse().ok()),
            "--record" => record = true,
            "--suites" => wanted.singles = false,
            "--cold" => wanted.cold = Some(Origin::Parquet),
            "--store" => wanted.cold = Some(Origin::Store),
            "--sql" => wanted.sql = true,
            "--text" => wanted.text = true,
            "--memory" => wanted.memory = true,
            "--micro" => wanted.micro = true,
            "--live" => wanted.live = true,
            "--sizes" => wanted.sizes = true,
            minutes if minutes.starts_with("--minutes=") => {
                wanted.minutes = minutes.split('=').nth(1).and_then(|n| n.parse().ok());
            }
            "--as-built" => {}
            "--peers" => wanted.peers = true,
            "--files" => wanted.files = true,
            "--growth" => wanted.growth = true,
            number => n_profiles = number.replace('_', "").parse().map_err(|_| format!("`{number}` is no number\n"))?,
        }
    }
    let text = match wanted {
        Wanted { text: true, .. } => from_text(wanted)?,
        Wanted { sql: true, .. } => as_sql(n_profiles)?,
        Wanted { memory: true, .. } => within_memory(n_profiles)?,
        Wanted { micro: true, .. } => few_people()?,
        Wanted { sizes: true, .. } => sizes::run(n_profiles)?,
        Wanted { live: true, only, minutes, .. } => live::run(only, minutes)?,
        Wanted { cold: Some(from), .. } => from_files(from, n_profiles, wanted)?,
        Wanted { .. } => measure(n_profiles, wanted)?,
    };
    print!("{text}");
    if record {
        let what = match wanted {
            Wanted { text: true, .. } => "text".to_owned(),
            Wanted { sql: true, .. } => format!("{n_profiles}-sql"),
            Wanted { memory: true, .. } => format!("{n_profiles}-memory"),
            Wanted { micro: true, .. } => "micro".to_owned(),
            Wanted { sizes: true, .. } => format!("{n_profiles}-live"),
            Wanted { live: true, minutes: Some(minutes), .. } => format!("{minutes}-minutes-live"),
            Wanted { live: true, .. } => "live".to_owned(),
            Wanted { cold: Some(Origin::Parquet), .. } => format!("{n_profiles}-cold"),
            Wanted { cold: Some(Origin::Store), .. } => format!("{n_profiles}-store"),
            Wanted { .. } => n_profiles.to_string(),
        };
        let name = format!("docs/benchmarks/{}-{what}.md", today()?);
        let path = seg_tests::root().join(&name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}\n", path.display()))?;
        println!("written to {name}");
    }
    Ok(())
}

fn today() -> Result<String, String> {
    output("date", &["-u", "+%Y-%m-%d"])
}

fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(seg_tests::root())
        .output()
        .map_err(|e| format!("{program}: {e}\n"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What is measured besides the suites as programs.
#[derive(Clone, Copy)]
struct Wanted {
    singles: bool,
    peers: bool,
    /// From Parquet or a packed store to the answer, a process each, rather than all else.
    cold: Option<Origin>,
    /// As SQL in a database, a process each, rather than all else.
    sql: bool,
    /// From text files to the answer, a process each, rather than all else.
    text: bool,
    /// Within so much memory, a process each, rather than all else.
    memory: bool,
    /// A few people at a time, rather than all else.
    micro: bool,
    /// `seg live` under load, rather than all else, for so many minutes.
    live: bool,
    minutes: Option<usize>,
    /// What `seg live` takes for many people, rather than all else.
    sizes: bool,
    /// Reading Parquet.
    files: bool,
    /// Three times as many profiles as well.
    growth: bool,
    /// One segment, or one suite by its number of segments; for profiles.
    only: Option<usize>,
}

impl Wanted {
    fn has(&self, number: usize) -> bool {
        self.only.is_none_or(|only| only == number)
    }
}

/// The files of so many profiles, made where they are not there yet.
fn with_files(n_profiles: usize) -> Result<(), String> {
    if !files::are_there(n_profiles) {
        eprintln!("generating {n_profiles} profiles");
        let project = Project::from_text(&suite::schema(), [], settings());
        files::write(&generate::generate(project.schema(), n_profiles))?;
    }
    Ok(())
}

/// What it takes to read the files of so many profiles within so much memory.
fn within_memory(n_profiles: usize) -> Result<String, String> {
    with_files(n_profiles)?;
    let (today, commit) = (today()?, output("git", &["rev-parse", "--short", "HEAD"])?);
    let mut text = format!(
        "# Within so much memory: {n_profiles} profiles\n\nMeasured on {today}, commit {commit}: {}.\n",
        machine()
    );
    memory::measure(n_profiles, &mut text)?;
    Ok(text)
}

/// What the segments take as SQL in a database.
fn as_sql(n_profiles: usize) -> Result<String, String> {
    with_files(n_profiles)?;
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    let mut text = format!(
        "# As SQL in DuckDB: {n_profiles} profiles\n\nMeasured on {}, commit {commit}: {}.\n",
        today()?,
        machine()
    );
    warehouse::measure(n_profiles, &mut text)?;
    Ok(text)
}

/// What it takes to judge a few people at a time.
fn few_people() -> Result<String, String> {
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    let heading = format!("# A few people at a time\n\nMeasured on {}, commit {commit}: {}.\n\n", today()?, machine());
    Ok(heading + &micro::measure()?)
}

/// What it takes from the files of so many profiles to an answer.
fn from_files(from: Origin, n_profiles: usize, wanted: Wanted) -> Result<String, String> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    with_files(n_profiles)?;
    let mut text = format!(
        "# From {} to the answer: {n_profiles} profiles\n\nMeasured on {}, commit {}: {}.\n",
        match from {
            Origin::Parquet => "Parquet",
            Origin::Store => "a packed store",
        },
        today()?,
        output("git", &["rev-parse", "--short", "HEAD"])?,
        machine(),
    );
    cold::measure(from, n_profiles, threads, wanted.peers, &mut text)?;
    Ok(text)
}

/// What it takes from text files to an answer.
fn from_text(wanted: Wanted) -> Result<String, String> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let commit = output("git", &["rev-parse", "--short", "HEAD"])?;
    let mut text =
        format!("# From text files to the answer\n\nMeasured on {}, commit {commit}: {}.\n", today()?, machine());
    text::measure(threads, wanted.peers, &mut text)?;
    Ok(text)
}

fn measure(n_profiles: usize, wanted: Wanted) -> Result<String, String> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let schema = suite::schema();
    let project = Project::from_text(&schema, [], settings());
    eprintln!("generating {n_profiles} profiles");
    let start = Instant::now();
    let batch = generate::generate(project.schema(), n_profiles);
    let generated = start.elapsed();
    let n_events: usize = (0..generate::NAMES.len())
        .filter_map(|e| batch.check_events(seg_data::EventId(e as u32)).ok().flatten().map(|e| e.len()))
        .sum();
    let (mut text, mut flush) = (String::new(), Flush::new());
    // Writing to a string does not fail.
    let _ = writeln!(text, "# {n_profiles} profiles, {n_events} events\n");
    let _ = writeln!(
        text,
        "Measured on {}, commit {}: {} (generated in {:.0} s). {threads} threads for native code and the hand-written \
         loops, one for the evaluators. Milliseconds, medians of {SAMPLES} samples, each after a scan of other memory. \
         The plan evaluator is measured on {} profiles and the reference on {}, scaled up. `native` binds the program \
         to the batch and evaluates it, with its code compiled before; `compile` is what the first binding takes \
         longer, `front` from text to plan; `in a row` is both where the same sentence was compiled just before, without \
         a scan between. `ratio` is native by hand. Layouts that are kept with the batch (columns of \
         times, totals and texts, a bit a day) are made by the first evaluation and are part of `first`, which includes \
         compiling; loops by hand have none, but for the days of the suites. `memory besides` is what the process takes \
         more while it evaluates for the first time, without the batch and the layouts, code and masks included. Masks are written to the memory of those before. `one person` is asked \
         about 1,000 people one by one.\n",
        today()?,
        output("git", &["rev-parse", "--short", "HEAD"])?,
        machine(),
        generated.as_secs_f64(),
        PLAN_PROFILES.min(n_profiles),
        REFERENCE_PROFILES.min(n_profiles),
    );
    text.push_str(
        "| # | segment | members | native | by hand | ratio | plan | reference | front | compile | in a row |\n",
    );
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (at, segment) in
        suite::segments(suite::TWELVE).enumerate().filter(|(at, _)| wanted.singles && wanted.has(at + 1))
    {
        let row = single::Row::measure(&schema, segment, at as u32 + 1, &batch, threads, &mut flush)?;
        let _ = writeln!(text, "| {} | {} | {row}", at + 1, suite::TITLES.get(at).copied().unwrap_or(""));
    }
    let _ = writeln!(text, "\n{threads} threads read {:.1} GB/s of memory.", hand::bandwidth(threads) / 1e9);
    text.push_str(together::HEADING);
    for suite in [suite::TWELVE, suite::HUNDRED, suite::THOUSAND] {
        if !wanted.has(suite::segments(suite).count()) {
            continue;
        }
        let _ = writeln!(
            text,
            "| {} | {}",
            suite::segments(suite).count(),
            together::together(&schema, suite, &batch, threads, &mut flush)?
        );
    }
    let mut ready = None;
    if wanted.growth {
        together::grown(&schema, &project, &batch, threads, &mut flush, &mut text)?;
    }
    if wanted.files || wanted.peers {
        eprintln!("writing Parquet");
        files::write(&batch)?;
        let mut times = (0..3).map(|_| files::read(&batch, threads)).collect::<Result<Vec<_>, _>>()?;
        times.sort_unstable();
        ready = times.get(1).copied();
        let seconds = ready.map_or(0.0, |time| time.as_secs_f64());
        let _ = writeln!(
            text,
            "\nFrom Parquet in the order of time to a batch that is checked: {seconds:.2} s, the median of 3."
        );
    }
    if wanted.peers {
        peers::beside(&schema, &batch, threads, ready, &mut flush, &mut text)?;
    }
    Ok(text)
}

fn settings() -> Settings {
    Settings { zone: Some(Zone::UTC), ..Settings::default() }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name")?.split(':').nth(1));
    model.map_or("an unknown processor".to_owned(), |m| m.trim().to_owned())
}

/// Other memory, gone through before each sample so that caches and branch
/// history are not those of the sample before.
struct Flush(Vec<u64>);

impl Flush {
    fn new() -> Flush {
        Flush((0..8 << 20).collect())
    }

    fn scan(&mut self) {
        let odd = self.0.iter().filter(|n| *n % 3 == 1).count() as u64;
        self.0[0] = self.0[0].wrapping_add(odd);
        std::hint::black_box(&self.0);
    }
}

fn ms(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1e3)
}

/// The first profiles of a batch, their columns checked.
fn slice(batch: &Batch, n: usize) -> Result<Batch, String> {
    let records = batch.records().slice(0, n.min(batch.len()));
    Batch::try_new(batch.schema().clone(), records).map_err(|e| e.to_string())
}

fn median<T>(flush: &mut Flush, sample: impl FnMut() -> T) -> Duration {
    median_after(|| flush.scan(), sample)
}

/// The median where something is done before each sample.
fn median_after<T>(mut before: impl FnMut(), mut sample: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            before();
            let start = Instant::now();
            std::hint::black_box(sample());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[SAMPLES / 2]
}
