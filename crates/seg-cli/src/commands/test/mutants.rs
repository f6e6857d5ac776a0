//! What is told of changes that no test notices.

use seg::Project;
use seg::unstable::{Mutant, Mutants, parts, place};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The changes that no test notices, so many of each file.
pub fn text(project: &Project, mutants: &Mutants, max: usize) -> String {
    let mut out = String::new();
    let mut n_of_file: BTreeMap<String, usize> = BTreeMap::new();
    for mutant in mutants.surviving() {
        let place = place(parts(project).sources, mutant.span);
        let file = place.split(':').next().unwrap_or_default().to_owned();
        let n = n_of_file.entry(file).or_default();
        *n += 1;
        if *n <= max {
            // Writing to a string does not fail.
            let _ = writeln!(out, "not noticed: {place}: `{}` → {}", mutant.before, after(mutant));
        }
    }
    for (file, n) in n_of_file.into_iter().filter(|(_, n)| *n > max) {
        let _ = writeln!(out, "not noticed: {} more in {file}; `--all` lists them", n - max);
    }
    let (n, survive) = (mutants.mutants.len(), mutants.surviving().count());
    let changes = if n == 1 { "1 change".to_owned() } else { format!("{n} changes") };
    let _ = match survive {
        0 => writeln!(out, "{changes} of one clause: the tests notice every one"),
        survive => writeln!(out, "{changes} of one clause: the tests do not notice {survive}"),
    };
    out
}

/// What became of the words: other words in back-ticks, or that they were left out.
fn after(mutant: &Mutant) -> String {
    if mutant.after == "left out" { mutant.after.clone() } else { format!("`{}`", mutant.after) }
}

/// The same for tools, with those that are noticed.
pub fn json(project: &Project, mutants: &Mutants) -> serde_json::Value {
    let mutant = |mutant: &Mutant| {
        serde_json::json!({
            "place": place(parts(project).sources, mutant.span),
            "before": mutant.before,
            "after": mutant.after,
            "noticed": mutant.is_noticed,
        })
    };
    serde_json::json!({
        "changes": mutants.mutants.iter().map(mutant).collect::<Vec<_>>(),
        "not_noticed": mutants.surviving().count(),
        "passed_over": mutants.passed_over,
    })
}
