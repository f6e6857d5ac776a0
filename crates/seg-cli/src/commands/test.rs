//! `seg test`

mod mutants;

use super::{check, load};
use crate::args::{Format, Test};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, print_json, print_text};
use seg::unstable::{mutants, parts, place};
use seg::{ExpectationOutcome, Project, Role, TestReport, Why};
use std::fmt::Write;

pub fn run(args: &Test, output: &Output) -> Result<Exit, Failure> {
    let project = load(&args.dir)?;
    let report = match seg::test(&project) {
        Ok(report) => report,
        Err(diagnostics) => {
            output.diagnostics(&diagnostics, args.format)?;
            if args.format == Format::Text {
                tell_line!("{}; nothing was tested", check::summary(&diagnostics));
            }
            return Ok(Exit::Errors);
        }
    };
    let (n, n_passed) = report.counts();
    // Of tests that fail it says nothing what they notice.
    let mutants = match args.mutants && n == n_passed {
        true => mutants(&project).ok(),
        false => None,
    };
    match args.format {
        Format::Json => {
            let mut json = json(&report);
            if let Some(mutants) = &mutants {
                json.insert("mutants".to_owned(), mutants::json(&project, mutants));
            }
            print_json(&json.into())?;
        }
        Format::Text => {
            let mut text = text(&project, &report, n, n_passed);
            match &mutants {
                Some(mutants) => text.push_str(&mutants::text(&project, mutants, output.shown_max())),
                None if args.mutants => text.push_str("nothing was changed: the tests must pass as they are first\n"),
                None => {}
            }
            print_text(&text)?;
        }
    }
    let survives = mutants.is_some_and(|mutants| mutants.surviving().next().is_some());
    Ok(if n == n_passed && !survives { Exit::Success } else { Exit::Errors })
}

fn text(project: &Project, report: &TestReport, n: usize, n_passed: usize) -> String {
    let mut out = String::new();
    for test in &report.tests {
        let failed: Vec<&ExpectationOutcome> = test.expectations.iter().filter(|e| !e.passed).collect();
        let mark = if failed.is_empty() { "✓" } else { "✗" };
        // Writing to a string does not fail.
        let _ = writeln!(out, "{mark} {}", test.name);
        for outcome in failed {
            let place = place(parts(project).sources, outcome.span);
            let _ = writeln!(out, "    {place}: {}", outcome.said);
            let _ = writeln!(out, "    but {}", outcome.instead);
            if let Some(why) = &outcome.why {
                write_why(&mut out, why, 3);
            }
        }
    }
    if report.tests.is_empty() {
        out.push_str("there are no tests; a project's tests begin with `test \"…\"`\n");
        return out;
    }
    let (tests, failed) = (counted(report.tests.len(), "test"), n - n_passed);
    let _ = match failed {
        0 => writeln!(out, "{tests}, {}: all passed", counted(n, "expectation")),
        failed => writeln!(out, "{tests}, {}: {failed} failed", counted(n, "expectation")),
    };
    out
}

/// A condition with a mark, its details, and what it is made of.
pub fn write_why(out: &mut String, why: &Why, depth: usize) {
    let indent = "  ".repeat(depth);
    let mark = if why.holds { "✓" } else { "✗" };
    let role = match why.role {
        // The words of a condition may begin with their own `who` or `whose`.
        Role::Include if why.said.starts_with("who") => "include people ",
        Role::Exclude if why.said.starts_with("who") => "exclude people ",
        Role::Include => "include people who ",
        Role::Exclude => "exclude people who ",
        Role::Rule => "everyone must ",
        Role::Segment | Role::Before | Role::Condition => "",
    };
    let _ = writeln!(out, "{indent}{mark} {role}{}", why.said);
    for detail in &why.details {
        let _ = writeln!(out, "{indent}    {detail}");
    }
    why.told_parts().for_each(|part| write_why(out, part, depth + 1));
}

fn json(report: &TestReport) -> serde_json::Map<String, serde_json::Value> {
    let expectation = |e: &ExpectationOutcome| {
        serde_json::json!({
            "said": e.said,
            "passed": e.passed,
            "instead": (!e.passed).then_some(&e.instead),
            "why": e.why.as_ref().map(why_json),
        })
    };
    let tests: Vec<_> = report
        .tests
        .iter()
        .map(|t| {
            let expectations: Vec<_> = t.expectations.iter().map(expectation).collect();
            serde_json::json!({ "test": t.name, "at": t.at.to_string(), "expectations": expectations })
        })
        .collect();
    let (n, n_passed) = report.counts();
    let key = |key: &str, value: serde_json::Value| (key.to_owned(), value);
    serde_json::Map::from_iter([
        key("tests", tests.into()),
        key("expectations", n.into()),
        key("passed", n_passed.into()),
    ])
}

/// The same for tools.
pub fn why_json(why: &Why) -> serde_json::Value {
    let role = match why.role {
        Role::Segment => "segment",
        Role::Include => "include",
        Role::Exclude => "exclude",
        Role::Rule => "rule",
        Role::Before => "before the grace period",
        Role::Condition => "condition",
    };
    let parts: Vec<_> = why.parts.iter().map(why_json).collect();
    serde_json::json!({
        "role": role,
        "said": why.said,
        "holds": why.holds,
        "details": why.details,
        "parts": parts,
    })
}
