//! `cargo xtask count`: how many instructions kernels and the front end take.
//!
//! Wall clocks on shared machines tell little, instructions are nearly the same
//! each time. Each case runs once under callgrind, in a process of its own, after a
//! run that compiles and makes layouts; what it takes is compared with a record below
//! `count/`. There are two: of the profile that tests are built with, for which CI builds nothing, and
//! of the release profile, which the long run counts.

use crate::bench::{evaluate, generate, suite};
use seg::{Engine, Options, Program, Project, Settings, Zone};
use std::fmt::Write;
use std::process::Command;

/// People that kernels are counted on.
const PEOPLE: usize = 4_096;
/// By so many parts in a hundred a count may grow.
const TOLERANCE: u64 = 3;

/// How what is counted was built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Built {
    /// As CI builds the tests. Not by increments, which are cut into more units of code and so
    /// are other code.
    ForTests,
    /// As it is released.
    Released,
}

impl Built {
    fn record(self) -> &'static str {
        match self {
            Built::ForTests => "crates/xtask/src/count/tests.txt",
            Built::Released => "crates/xtask/src/count/release.txt",
        }
    }

    /// The arguments by which cargo builds it. Both build what was built before with the same
    /// features: the tests, and `seg` beside this.
    fn build(self) -> &'static [&'static str] {
        match self {
            Built::ForTests => &["build", "--quiet", "--workspace", "--bin", "xtask", "--tests"],
            Built::Released => &["build", "--quiet", "--release", "--package", "xtask", "--package", "seg-cli"],
        }
    }

    fn program(self) -> &'static str {
        match self {
            Built::ForTests => "target/debug/xtask",
            Built::Released => "target/release/xtask",
        }
    }

    /// How the record is written.
    fn command(self) -> &'static str {
        match self {
            Built::ForTests => "cargo xtask count --write",
            Built::Released => "cargo xtask count --release --write",
        }
    }
}

/// Sentences besides the twelve of the suite: kernels that those do not have.
const SENTENCES: [(&str, &str); 9] = [
    ("text by table", "country contains \"a\""),
    ("largest amount", "have largest amount of \"Order Completed\" in the past 90 days is at least 100"),
    (
        "count with a filter",
        "did \"Order Completed\" where amount is more than 50 at least 2 times in the past 90 days",
    ),
    (
        "different categories",
        "have number of different category of \"Product Viewed\" in the past 60 days is at least 3",
    ),
    ("the last three", "last 3 \"Order Completed\" had amount is more than 20"),
    ("total of a window", "have total amount of \"Added to Cart\" in the past 90 days is more than 300"),
    ("average of a window", "have average amount of \"Added to Cart\" in the past 90 days is more than 30"),
    ("a day between days", "did \"Order Completed\" between 90 and 30 days ago"),
    ("a kernel of the calendar", "did \"Order Completed\" on a weekend in the past 30 days"),
];

/// What is counted, in order.
fn names() -> Vec<String> {
    let twelve = (1..=12).map(|n| format!("segment {n}"));
    let more = SENTENCES.iter().map(|(name, _)| (*name).to_owned());
    let programs = [
        "parse 100 segments",
        "check 100 segments",
        "plan 100 segments",
        "machine code of 12 segments",
        "100 people, 1,000 segments, native code",
        "100 people, 1,000 segments, by the plan",
    ];
    twelve.chain(more).chain(programs.map(str::to_owned)).collect()
}

/// Runs one case, so that callgrind knows where it begins and ends.
#[inline(never)]
fn counted<T>(case: impl FnOnce() -> T) -> T {
    std::hint::black_box(case())
}

/// Runs the case of a number, of which callgrind counts what is in [`counted`].
///
/// # Errors
/// A number that no case has, or a fault of a case.
pub fn run_case(number: &str) -> Result<(), String> {
    let schema = suite::schema();
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let project = |text: &str| Project::from_text(&schema, [("s.seg", text)], settings);
    let options = Options::new().with_engine(Engine::Jit);
    let batch = |program: &Program| generate::generate(program.schema(), PEOPLE);
    let number = number.parse::<usize>().map_err(|_| format!("`{number}` is no case\n"))?;
    let twelve = suite::segments(suite::TWELVE).map(str::to_owned);
    let more = SENTENCES.iter().map(|(name, sentence)| {
        let people = if sentence.starts_with("country") { "people whose" } else { "people who" };
        format!("segment \"{name}\" include {people} {sentence}")
    });
    let segments: Vec<String> = twelve.chain(more).collect();
    if let Some(text) = segments.get(number) {
        let program = seg::compile(&project(text)).map_err(|e| e.to_string())?;
        let batch = batch(&program);
        let prepared = program.prepare();
        let masks = evaluate(&prepared, &batch, &options, Vec::new())?;
        counted(|| evaluate(&prepared, &batch, &options, masks))?;
        return Ok(());
    }
    let hundred = project(suite::HUNDRED);
    match number - segments.len() {
        0 => drop(counted(|| seg::unstable::parse(&hundred))),
        1 => {
            let parses = seg::unstable::parse(&hundred);
            counted(|| seg::unstable::check(&hundred, &parses));
        }
        2 => {
            let checked = seg::unstable::check(&hundred, &seg::unstable::parse(&hundred));
            counted(|| seg_plan::optimize(&seg_plan::lower(&checked.module), |_| {}));
        }
        3 => {
            let program = seg::compile(&project(suite::TWELVE)).map_err(|e| e.to_string())?;
            let batch = batch(&program);
            let prepared = program.prepare();
            prepared.check(&batch).map_err(|e| e.to_string())?;
            counted(|| evaluate(&prepared, &batch, &options, Vec::new()))?;
        }
        case @ (4 | 5) => {
            // What a small batch takes is what binding a program takes.
            let program = seg::compile(&project(suite::THOUSAND)).map_err(|e| e.to_string())?;
            let batch = generate::generate(program.schema(), 100);
            let options = Options::new().with_engine(if case == 4 { Engine::Jit } else { Engine::Plan });
            let prepared = program.prepare();
            let masks = evaluate(&prepared, &batch, &options, Vec::new())?;
            counted(|| evaluate(&prepared, &batch, &options, masks))?;
        }
        _ => return Err(format!("there is no case {number}\n")),
    }
    Ok(())
}

/// Counts, and holds the counts against the record, or writes it.
///
/// # Errors
/// A case that takes more instructions than it may, or what could not be built or run.
pub fn run(built: Built, writes: bool) -> Result<(), String> {
    let root = seg_tests::root();
    let mut cargo = Command::new("cargo");
    let build = cargo.args(built.build()).env("CARGO_INCREMENTAL", "0").current_dir(&root).status();
    if !build.map_err(|e| format!("cargo: {e}\n"))?.success() {
        return Err("building for counts failed\n".to_owned());
    }
    let record = root.join(built.record());
    let text = match std::fs::read_to_string(&record) {
        Err(e) if writes && e.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text.map_err(|e| format!("{}: {e}\n", record.display()))?,
    };
    let before = recorded(&text);
    let mut counted: Vec<(String, u64)> = Vec::new();
    for (number, name) in names().into_iter().enumerate() {
        let mut count = count(built, number, &name)?;
        // Where a hash table is filled in another order, a case takes a little more.
        let before = before.iter().find(|(of, _)| *of == name).map_or(u64::MAX, |(_, before)| *before);
        for _ in 0..2 {
            if !writes && has_grown(count, before) {
                count = count.min(self::count(built, number, &name)?);
            }
        }
        counted.push((name, count));
    }
    if writes {
        let mut text =
            format!("# Instructions of each case on {PEOPLE} people, by `{}`.\n# {}\n", built.command(), rustc()?);
        for (name, count) in &counted {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{count:>12} {name}");
        }
        let folder = record.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder.map_err(|e| format!("{}: {e}\n", record.display()))?;
        return std::fs::write(&record, text).map_err(|e| format!("{}: {e}\n", record.display()));
    }
    compare(built, &counted, &text)
}

/// The instructions of a case.
fn count(built: Built, number: usize, name: &str) -> Result<u64, String> {
    let root = seg_tests::root();
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*xtask*count*counted*", "--callgrind-out-file=/dev/null"])
        .arg(root.join(built.program()))
        .args(["count-case", &number.to_string()])
        .current_dir(&root)
        .output()
        .map_err(|e| format!("valgrind, which counts instructions: {e}\n"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<u64>().ok());
    let count = count.filter(|count| output.status.success() && *count > 0);
    count.ok_or_else(|| format!("{name}: nothing was counted\n{said}"))
}

/// The cases of a record.
fn recorded(text: &str) -> Vec<(&str, u64)> {
    let lines = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.trim().split_once(' '));
    lines.filter_map(|(n, name)| Some((name, n.parse().ok()?))).collect()
}

/// Whether a count is more than it may be.
fn has_grown(count: u64, before: u64) -> bool {
    count > before.saturating_add(before.saturating_mul(TOLERANCE) / 100)
}

fn rustc() -> Result<String, String> {
    let output = Command::new("rustc").arg("--version").output().map_err(|e| format!("rustc: {e}\n"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Prints the counts beside those of the record; fails where one has grown.
fn compare(built: Built, counted: &[(String, u64)], record: &str) -> Result<(), String> {
    let recorded = recorded(record);
    let mut grown = Vec::new();
    println!("{:>12} {:>12}  case", "instructions", "recorded");
    for (name, count) in counted {
        let Some((_, before)) = recorded.iter().find(|(of, _)| of == name) else {
            return Err(format!("{name} is not in {}; run `{}`\n", built.record(), built.command()));
        };
        println!("{count:>12} {before:>12}  {name}");
        if has_grown(*count, *before) {
            grown.push(format!("{name}: {before} instructions have become {count}\n"));
        }
    }
    // Another compiler makes other code.
    if !record.contains(&rustc()?) {
        println!("recorded with another compiler, so nothing is held against it");
        return Ok(());
    }
    if grown.is_empty() { Ok(()) } else { Err(grown.concat()) }
}
