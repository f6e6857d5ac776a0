//! How fresh the data of a run is, beside what was wrong with it.

use seg::unstable::data::time::SECOND;
use seg::unstable::doctor::RunFreshness;
use seg::unstable::io::{Problem, ProblemKind, Report};
use serde_json::{Value, json};

pub fn json(freshness: &RunFreshness) -> Value {
    let seconds = |micros: i64| micros as f64 / SECOND as f64;
    let names = freshness.stale_names.iter();
    let names: Vec<Value> = names.map(|(name, age)| json!({ "event": name, "age": seconds(*age) })).collect();
    json!({
        "newest_event": freshness.newest.map(|at| at.to_string()),
        "age": freshness.age.map(seconds),
        "limit": freshness.limit.map(seconds),
        "is_stale": freshness.is_stale(),
        "stale_names": names,
        "is_early": freshness.is_early,
    })
}

/// What was wrong with the data; not that it is old where that is said by then.
pub fn problems(report: &Report, freshness: &RunFreshness) -> String {
    let is_said = |problem: &&Problem| problem.kind == ProblemKind::OldData && freshness.is_stale();
    let others: Vec<Problem> = report.problems.iter().filter(|problem| !is_said(problem)).cloned().collect();
    super::problems_of(&others)
}
