//! What CI has no time for: the differential test at full length, phrases taken away
//! from 200,000 texts, 20,000 sentences broken by a word, the warnings of 100,000 segments
//! compared with who is in, the changes of a million answers and 100,000 histories of live
//! memberships compared with the answers, 20,000 segments as SQL in databases, Spark as a cluster of
//! processes, and the fuzz targets for minutes each, from a seed of
//! the day, so that every run looks elsewhere and can be repeated.

use crate::ci::{BROKEN, DIFFERENTIAL, EDGES, LIVE, Step, Steps, TAKE_AWAY, WARNINGS};
use crate::count::{self, Built};
use crate::fuzz;
use crate::sdk;
use crate::spark;
use crate::sql;
use seg_tests::fuzz::TARGETS;
use std::time::{SystemTime, UNIX_EPOCH};

/// How long each fuzz target is run.
const FUZZ_SECONDS: u32 = 600;

/// Runs everything from a seed, of which today's date is one where none is given.
///
/// # Errors
/// What failed, with how to repeat it.
pub fn run(args: &[&str]) -> Result<(), String> {
    let seed = match args {
        [] => today(),
        [seed] => seed.parse::<u64>().map_err(|_| format!("`{seed}` is not a number\n"))?,
        [_, more, ..] => return Err(format!("`{more}` is one argument too many\n")),
    }
    .to_string();
    println!("── the seed is {seed}; `cargo xtask long {seed}` repeats this run");
    let mut steps = Steps::default();
    let again = |error: String| format!("{error}repeat it with `cargo xtask long {seed}`\n");
    let env = [("SEG_DIFFERENTIAL_CASES", "full"), ("SEG_DIFFERENTIAL_SEED", seed.as_str())];
    let differential = Step { name: "engines against each other, full", args: DIFFERENTIAL, env: &env };
    steps.cargo(&differential).map_err(again)?;
    let env = [("SEG_TEXTS", "200000"), ("SEG_TEXTS_SEED", seed.as_str())];
    let texts = Step { name: "phrases taken away, 200,000 texts", args: TAKE_AWAY, env: &env };
    steps.cargo(&texts).map_err(again)?;
    let env = [("SEG_BROKEN", "20000"), ("SEG_BROKEN_SEED", seed.as_str())];
    let broken = Step { name: "20,000 sentences broken by a word", args: BROKEN, env: &env };
    steps.cargo(&broken).map_err(again)?;
    let env = [("SEG_LINTS", "100000"), ("SEG_DIFFERENTIAL_SEED", seed.as_str())];
    let warnings = Step { name: "warnings of 100,000 segments", args: WARNINGS, env: &env };
    steps.cargo(&warnings).map_err(again)?;
    let env = [("SEG_EDGES", "1000000"), ("SEG_DIFFERENTIAL_SEED", seed.as_str())];
    let edges = Step { name: "changes of a million answers", args: EDGES, env: &env };
    steps.cargo(&edges).map_err(again)?;
    let env = [("SEG_LIVE", "100000"), ("SEG_DIFFERENTIAL_SEED", seed.as_str())];
    let live = Step { name: "100,000 histories of live memberships", args: LIVE, env: &env };
    steps.cargo(&live).map_err(again)?;
    steps.run("instruction counts of a release", || count::run(Built::Released, false)).map_err(again)?;
    let restarts = format!("SDKs through {} restarts", sdk::RESTARTS_LONG);
    steps.run(&restarts, || sdk::run(sdk::RESTARTS_LONG)).map_err(again)?;
    steps.run("Spark as a cluster of processes", spark::run_cluster).map_err(again)?;
    let sql = format!("{} segments as SQL", sql::SEGMENTS_LONG);
    steps.run(&sql, || sql::run(sql::SEGMENTS_LONG, Some(&seed))).map_err(again)?;
    for engine in ["clickhouse", "spark"] {
        let name = format!("SQL in {engine}");
        steps.run(&name, || sql::run_in(engine, sql::SEGMENTS, Some(&seed))).map_err(again)?;
    }
    steps.run("models of dbt", sql::run_dbt).map_err(again)?;
    steps.run("SQL that is parsed", sql::parse).map_err(again)?;
    let seconds = FUZZ_SECONDS.to_string();
    for target in TARGETS {
        let fuzz = || fuzz::run(&[target.name, &seconds, &seed]);
        steps.run(&format!("fuzzing {}", target.name), fuzz).map_err(again)?;
    }
    println!("\n{}", steps.table());
    Ok(())
}

/// The date in digits, such as 20261127.
fn today() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let day = seg_data::Date(i32::try_from(since.as_secs() / 86_400).unwrap_or_default());
    day.to_string().replace('-', "").parse().unwrap_or_default()
}
