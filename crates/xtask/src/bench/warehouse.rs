//! What segments cost as SQL: the queries of `seg emit` in DuckDB, over tables of its own, beside
//! `seg run` over the same people as Parquet and as a packed store.

use super::cold::{Answer, Origin, Question, ask_seg, engine_answer, middle, questions, seg_command};
use super::files;
use crate::outside::succeed;
use seg_tests::root;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Whole processes of each, one after another in turn; the median counts.
const ROUNDS: usize = 3;
/// What a project says of the tables that `bench.py` makes.
const TABLES: &str = "
[sql.profiles]
table = \"people\"
id = \"profile_id\"

[sql.events]
table = \"events\"
id = \"profile_id\"
event = \"name\"
time = \"ts\"
arrival = \"arrived\"
unique_ids = true
";

/// Measures the twelve segments one by one, the twelve and the hundred together.
///
/// # Errors
/// A command that fails, and numbers of members that differ.
pub fn measure(scale: usize, text: &mut String) -> Result<(), String> {
    let (seg, python) = (seg_command()?, crate::sql::python()?);
    let data = files::root().join("data").join(scale.to_string());
    let database = data.join("warehouse.duckdb");
    let program = root().join("crates/xtask/sql/bench.py");
    if !database.exists() {
        eprintln!("loading the tables");
        succeed(Command::new(&python).arg(&program).arg("load").arg(&data).arg(&database))?;
    }
    let stored = questions(Origin::Store, scale)?;
    if let Some(first) = stored.first() {
        succeed(Command::new(&seg).arg("pack").arg(&first.dir))?;
    }
    let _ = writeln!(
        text,
        "\n| question | seg from Parquet, ms | seg from a store, ms | SQL in DuckDB, ms | SQL by Parquet | SQL by store | planning, ms |\n\
         |---|---:|---:|---:|---:|---:|---:|"
    );
    let (mut by_parquet, mut by_store) = (Vec::new(), Vec::new());
    for (question, stored) in questions(Origin::Parquet, scale)?.iter().zip(&stored) {
        eprintln!("asking {}", question.title());
        let query = emitted(&seg, question)?;
        let ask = |mode: &str| -> Result<Answer, String> {
            let mut command = Command::new(&python);
            command.arg(&program).arg(mode).arg(&database).arg(&query);
            engine_answer("duckdb", &mut command)?.ok_or_else(|| "DuckDB has no answer\n".to_owned())
        };
        let mut times: [Vec<Duration>; 3] = Default::default();
        let mut planning = Vec::new();
        for _ in 0..ROUNDS {
            let answers = [ask_seg(&seg, &question.dir)?, ask_seg(&seg, &stored.dir)?, ask("ask")?];
            planning.extend(ask("plan")?.query);
            if answers.iter().any(|answer| Some(&answer.members) != answers.first().map(|first| &first.members)) {
                return Err(format!("{} is answered otherwise as SQL\n", question.title()));
            }
            times.iter_mut().zip(&answers).for_each(|(times, answer)| times.push(answer.whole));
        }
        let [parquet, store, sql] = times.each_mut().map(|times| middle(times).unwrap_or_default());
        let ratio = |own: Duration| sql.as_secs_f64() / own.as_secs_f64();
        if !question.is_suite() {
            by_parquet.push(ratio(parquet));
            by_store.push(ratio(store));
        }
        let ms = super::ms;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {:.2} | {:.2} | {} |",
            question.title(),
            ms(parquet),
            ms(store),
            ms(sql),
            ratio(parquet),
            ratio(store),
            ms(middle(&mut planning).unwrap_or_default())
        );
    }
    let mean = |ratios: &[f64]| (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
    let _ = writeln!(
        text,
        "\nThe geometric means of the twelve ratios are {:.2} and {:.2}. Whole processes, from their start to the number of \
         members of each segment, with the files in the page cache and as many threads as the machine has; in turn, medians \
         of {ROUNDS} rounds. DuckDB has the people and the events as tables in a file of its own. Planning is what the query \
         takes with the tables empty. The numbers of members are the same everywhere.",
        mean(&by_parquet),
        mean(&by_store)
    );
    Ok(())
}

/// The file with the query of a question.
fn emitted(seg: &Path, question: &Question) -> Result<PathBuf, String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}\n", path.display());
    let manifest = question.dir.join("seg.toml");
    let text = std::fs::read_to_string(&manifest).map_err(|e| failed(&manifest, e))?;
    if !text.contains(TABLES) {
        std::fs::write(&manifest, text + TABLES).map_err(|e| failed(&manifest, e))?;
    }
    let mut emit = Command::new(seg);
    let query = succeed(emit.arg("emit").arg(&question.dir).args(["--sql", "duckdb", "--as", "counts"]))?;
    let file = question.dir.join("counts.sql");
    std::fs::write(&file, query).map_err(|e| failed(&file, e))?;
    Ok(file)
}
