//! The example of dbt: models that Seg wrote are built by dbt in DuckDB, and have the members of
//! `seg run`.

use crate::outside::{install, seg, succeed};
use seg_tests::root;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The example, and the file of its data that `load.py` makes.
const EXAMPLE: &str = "examples/d2c-store";
const DATABASE: &str = "d2c-store.duckdb";
/// What prints the members that dbt made, as `seg run` writes them.
const PRINT: &str = "\
import csv, duckdb, sys
rows = duckdb.connect(sys.argv[1], read_only=True).execute('SELECT segment, id FROM members').fetchall()
csv.writer(sys.stdout, lineterminator='\\n').writerows(rows)
";

/// Builds the models and compares.
///
/// # Errors
/// A model that is not what Seg writes now, members that differ, and commands that fail.
pub fn run() -> Result<(), String> {
    let dir = root().join("target/sql/dbt");
    let pip: &[&str] = &["venv/bin/pip", "install", "--quiet", "--requirement", "dbt.txt"];
    install(&dir, "sql", &["dbt.txt"], &[&["python3", "-m", "venv", "venv"], pip])?;
    let python = dir.join("venv/bin/python");
    let load = root().join("crates/xtask/sql/load.py");
    succeed(Command::new(&python).arg(load).arg(root().join("examples")).arg(&dir))?;
    let model = root().join(EXAMPLE).join("dbt/models/members.sql");
    let emitted = succeed(seg().args(["emit", EXAMPLE, "--sql", "duckdb", "--as", "model"]))?;
    if fs::read_to_string(&model).ok().as_deref() != Some(emitted.as_str()) {
        return Err(format!("{} is not what `seg emit` writes now\n", model.display()));
    }
    let database = dir.join(DATABASE);
    let mut dbt = Command::new(dir.join("venv/bin/dbt"));
    let project = root().join(EXAMPLE).join("dbt");
    dbt.arg("build").arg("--project-dir").arg(&project).arg("--profiles-dir").arg(&project);
    dbt.arg("--target-path").arg(dir.join("build")).arg("--log-path").arg(dir.join("logs"));
    succeed(dbt.env("SHOP_DB", &database).env("DBT_SEND_ANONYMOUS_USAGE_STATS", "false"))?;
    let made = succeed(Command::new(&python).args(["-c", PRINT]).arg(&database))?;
    let members = dir.join("members.csv");
    succeed(seg().args(["run", EXAMPLE, "--members"]).arg(&members))?;
    let here = read(&members)?;
    let mut here: Vec<&str> = here.lines().skip(1).collect();
    let mut made: Vec<&str> = made.lines().collect();
    here.sort_unstable();
    made.sort_unstable();
    if made != here {
        return Err(format!("dbt made {} members, and `seg run` finds {}\n", made.len(), here.len()));
    }
    println!("dbt made the {} members of `seg run`", made.len());
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}\n", path.display()))
}
