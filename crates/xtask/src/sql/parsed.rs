//! What is written for databases that nobody here can run is read by a parser of their dialects.

use super::{UNTESTED, agrees, tests};
use crate::outside::{install, succeed};
use seg_tests::root;
use std::fs;
use std::process::{Command, Stdio};

/// Reads the queries of the corpus.
///
/// # Errors
/// Queries that cannot be read, and commands that fail.
pub fn run() -> Result<(), String> {
    let dir = root().join("target/sql/parse");
    let pip: &[&str] = &["venv/bin/pip", "install", "--quiet", "--requirement", "parse.txt"];
    install(&dir, "sql", &["parse.txt"], &[&["python3", "-m", "venv", "venv"], pip])?;
    let queries = dir.join("queries.ndjson");
    let _ = fs::remove_file(&queries);
    let mut cargo = tests(UNTESTED, "0", None);
    cargo.env("SEG_SQL_QUERIES", &queries);
    agrees(cargo)?;
    let file = fs::File::open(&queries).map_err(|e| format!("{}: {e}\n", queries.display()))?;
    let mut python = Command::new(dir.join("venv/bin/python"));
    python.arg(root().join("crates/xtask/sql/parse.py")).stdin(Stdio::from(file));
    succeed(&mut python).map(|said| print!("{said}"))
}
