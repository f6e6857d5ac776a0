//! What is told as lists and dictionaries, and as HTML.

use pyo3::intern;
use pyo3::prelude::*;
use seg::io::Problem;
use seg::io::Report;
use seg::unstable::Sums;
use seg::{Role, Why};
use serde_json::{Value, json};
use std::fmt::Write;

/// What JSON holds, as Python holds it.
pub fn from_json<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(crate::error::seg_error)?;
    py.import(intern!(py, "json"))?.call_method1(intern!(py, "loads"), (text,))
}

/// A report as `seg run --format json` tells it.
pub fn report<'py>(py: Python<'py>, report: &Report) -> PyResult<Bound<'py, PyAny>> {
    let problem = |problem: &Problem| {
        json!({
            "kind": problem.kind.slug(),
            "column": problem.column,
            "count": problem.count,
            "message": problem.to_string(),
        })
    };
    let problems: Vec<Value> = report.problems.iter().map(problem).collect();
    let Report { rows, profiles, events, .. } = report;
    from_json(py, &json!({ "rows": rows, "profiles": profiles, "events": events, "problems": problems }))
}

/// Sums as a text, which goes from one process to another.
pub fn sums(sums: &Sums) -> PyResult<String> {
    serde_json::to_string(sums).map_err(crate::error::seg_error)
}

/// Why somebody is in a segment or not, as a tree.
pub fn told_why(why: &Why) -> Value {
    let role = match why.role {
        Role::Segment => "segment",
        Role::Include => "include",
        Role::Exclude => "exclude",
        Role::Rule => "rule",
        Role::Before => "before the grace period",
        Role::Condition => "condition",
    };
    let parts: Vec<Value> = why.parts.iter().map(told_why).collect();
    json!({ "role": role, "said": why.said, "holds": why.holds, "details": why.details, "parts": parts })
}

/// A text in which nothing is a part of the page.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Rows of texts as a table of HTML.
pub fn html_table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        let mut row = "<tr>".to_owned();
        for cell in cells {
            // Writing to a string does not fail.
            let _ = write!(row, "<{tag}>{}</{tag}>", escaped(cell));
        }
        row + "</tr>"
    };
    let mut out = format!("<table><thead>{}</thead><tbody>", cells("th", &mut head.iter().copied()));
    for row in rows {
        out.push_str(&cells("td", &mut row.iter().map(String::as_str)));
    }
    out + "</tbody></table>"
}
