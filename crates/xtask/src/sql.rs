//! SQL as one more engine of the differential test, run by real databases: DuckDB out of a
//! Python environment, and PostgreSQL where its programs are there; ClickHouse and Spark, out of
//! environments of their own, in long runs. Then the examples are run in databases by
//! `seg run --on`.

mod dbt;
mod examples;
mod parsed;
mod server;

use crate::outside::install;
use seg_tests::root;
use server::Server;
use std::path::PathBuf;
use std::process::Command;

/// What is installed.
const PACKAGES: &[&str] = &["requirements.txt"];
const PIP: &[&str] = &["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"];
/// Databases that take long to install and to ask, by their names, with the variables of the
/// environment that say which Python has them.
const ENGINES: &[(&str, &str)] = &[("clickhouse", "SEG_SQL_CLICKHOUSE"), ("spark", "SEG_SQL_SPARK")];
/// Generated segments of CI, and of a long run.
pub const SEGMENTS: &str = "600";
pub const SEGMENTS_LONG: &str = "20000";
/// The tests that ask databases, and the one that writes what no database is asked.
const AGREES: &str = "sql_agrees";
const UNTESTED: &str = "sql_of_the_corpus_is_told";

pub use dbt::run as run_dbt;
pub use parsed::run as parse;

/// The Python that has DuckDB, which is installed below the build directory.
///
/// # Errors
/// Packages that cannot be installed.
pub fn python() -> Result<PathBuf, String> {
    let dir = root().join("target/sql");
    install(&dir, "sql", PACKAGES, &[&["python3", "-m", "venv", "venv"], PIP])?;
    Ok(dir.join("venv/bin/python"))
}

/// Runs the corpus and so many generated segments in the databases.
///
/// # Errors
/// Answers that differ from the reference evaluator's, and commands that fail.
pub fn run(n_segments: &str, seed: Option<&str>) -> Result<(), String> {
    let (dir, python) = (root().join("target/sql"), python()?);
    let server = Server::start(&dir)?;
    if server.is_none() {
        println!("PostgreSQL is not there: DuckDB alone is asked");
    }
    let mut cargo = tests(AGREES, n_segments, seed);
    cargo.env("SEG_SQL_PYTHON", python);
    if let Some(server) = &server {
        cargo.env("SEG_SQL_POSTGRES", server.address());
    }
    agrees(cargo)?;
    examples::run(&dir, server.as_ref())
}

/// Runs the corpus and so many generated segments in ClickHouse or Spark.
///
/// # Errors
/// No such database, answers that differ from the reference evaluator's, and commands that fail.
pub fn run_in(engine: &str, n_segments: &str, seed: Option<&str>) -> Result<(), String> {
    let found = ENGINES.iter().find(|(name, _)| *name == engine);
    let (name, variable) = found.ok_or_else(|| format!("`{engine}` is not clickhouse or spark\n"))?;
    let dir = root().join("target/sql").join(name);
    let packages = format!("{name}.txt");
    let pip = ["venv/bin/pip", "install", "--quiet", "--requirement", &packages];
    install(&dir, "sql", &[&packages], &[&["python3", "-m", "venv", "venv"], &pip])?;
    let mut cargo = tests(AGREES, n_segments, seed);
    cargo.env(variable, dir.join("venv/bin/python"));
    agrees(cargo)
}

fn tests(which: &str, n_segments: &str, seed: Option<&str>) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--workspace", "--test", "it", which, "--", "--nocapture"])
        .current_dir(root())
        .env("INSTA_UPDATE", "no")
        .env("SEG_SQL_CASES", n_segments);
    if let Some(seed) = seed {
        cargo.env("SEG_DIFFERENTIAL_SEED", seed);
    }
    cargo
}

fn agrees(mut cargo: Command) -> Result<(), String> {
    let status = cargo.status().map_err(|e| format!("cargo: {e}\n"))?;
    if status.success() { Ok(()) } else { Err("SQL differs\n".to_owned()) }
}
