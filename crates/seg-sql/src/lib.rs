//! Segments as SQL: the text of one query that gives the same members as Seg, or the reasons why
//! there is none.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! Nothing is executed here. The query begins with relations that bring every column into Seg's
//! own values, whole numbers above all, so that no database's time, zones, decimals or rounding
//! are in play behind them. `now`, and every edge of a window that depends on it alone, are
//! written out: a query answers as of one instant, and is made anew for another.
//!
//! ```text
//! Plan, Schema, Source, now ──emit──▶ SQL, differences │ refusals
//! ```

mod compile;
mod dialect;
mod pattern;
mod refusal;
mod scan;
mod shape;
mod source;
mod text;
mod zone;

pub use dialect::Dialect;
pub use refusal::{Difference, Refusal};
pub use shape::Shape;
pub use source::{Column, Events, ListTable, Named, Profiles, Source, Unit};

use compile::{Compiler, Relation, Rows};
use seg_data::{Schema, Timestamp};
use seg_plan::Plan;
use shape::Answer;
use std::collections::BTreeSet;
use std::fmt::Write;
use text::Joins;

/// What SQL is made of.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The optimised plan of the segments.
    pub plan: &'a Plan,
    /// What they are about.
    pub schema: &'a Schema,
    /// Where that is.
    pub source: &'a Source,
    /// For which database.
    pub dialect: Dialect,
    /// As of when.
    pub now: Timestamp,
    /// What the query gives.
    pub shape: &'a Shape,
    /// Of which segments, by name; of all without it.
    pub segments: Option<&'a BTreeSet<String>>,
}

/// A query, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Its text: comments, and one statement or a few.
    pub text: String,
    /// What may differ from what Seg says; it stands in the comments too.
    pub differences: Vec<Difference>,
}

/// The SQL of the segments of a plan.
///
/// # Errors
/// All that the dialect cannot say exactly, with the reason.
pub fn emit(request: Request<'_>) -> Result<Emitted, Vec<Refusal>> {
    let Request { plan, schema, source, dialect, now, shape, segments } = request;
    let mut compiler = Compiler::new(plan, schema, source, dialect, now);
    if source.are_ids_united {
        compiler.differs(
            "ids that are one person",
            "an id of the tables is a person, where `seg run` unites ids by merges or calls; name views in which \
             everybody has one id",
        );
    }
    let mut answers = Vec::new();
    let (mut columns, mut joins) = (String::new(), Joins::new());
    let is_wanted = |name: &String| segments.is_none_or(|segments| segments.contains(name));
    for (at, root) in plan.roots().iter().filter(|root| is_wanted(&root.name)).enumerate() {
        compiler.segment.clone_from(&root.name);
        let condition = compiler.of_people(root.node);
        let column = format!("s{}", at + 1);
        // Writing to a string does not fail.
        let _ = write!(columns, ",\n    {} AS {column}", condition.sql);
        joins.extend(condition.joins);
        answers.push(Answer { name: root.name.clone(), column });
    }
    compiler.segment.clear();
    let scans = compiler.scans();
    refuse_names(&mut compiler, shape, &answers);
    let refusals = compiler.refusals();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let from = compiler.from(Rows::People, None, &joins);
    let mut relations = scans;
    for (name, relation) in &compiler.relations {
        let text = match relation {
            Relation::Text(text) => text.clone(),
            Relation::Pass(joins, columns) => pass(&compiler, joins, columns),
        };
        relations.push((name.clone(), text));
    }
    relations.push(("m".to_owned(), format!("SELECT p.id AS id{columns}\n  FROM {from}")));
    // What reads events by their numbers has to read the very same ones.
    let kept = |name: &str| if matches!(name, "e" | "p" | "r" | "m") { compiler.says.materialized() } else { "" };
    let relations: Vec<String> =
        relations.iter().map(|(name, text)| format!("{name} AS {}(\n  {text}\n)", kept(name))).collect();
    let with = format!("WITH {}", relations.join(",\n"));
    let differences: Vec<Difference> = compiler.differences.iter().cloned().collect();
    let text = heading(dialect, now, &differences) + &shape::statement(shape, &with, &answers, &compiler);
    if *shape == Shape::Model && text.matches("endraw").count() > 1 {
        compiler.refuse("the word `endraw`", "dbt would take it for the end of what is no template");
        return Err(compiler.refusals());
    }
    if text.contains('\0') {
        compiler.refuse("a text with a zero character", "databases end texts there");
        return Err(compiler.refusals());
    }
    Ok(Emitted { text, differences })
}

/// What is gathered over events in one pass.
fn pass(compiler: &Compiler<'_>, joins: &Joins, columns: &[String]) -> String {
    let columns: String =
        columns.iter().enumerate().map(|(at, column)| format!(",\n    {column} AS c{}", at + 1)).collect();
    format!("SELECT e.id AS id{columns}\n  FROM {}\n  GROUP BY e.id", compiler.from(Rows::Events, None, joins))
}

fn heading(dialect: Dialect, now: Timestamp, differences: &[Difference]) -> String {
    let mut text = format!(
        "-- Answers as of {now}; for another instant it has to be made anew.\n-- SQL of {}, made by Seg.\n",
        dialect.title()
    );
    if !dialect.is_tested() {
        text.push_str("-- Not tested: written from the documentation, and nobody has compared what it gives yet.\n");
    }
    for Difference { construct, how } in differences {
        // Writing to a string does not fail.
        let _ = writeln!(text, "-- May differ from Seg: {construct}: {how}.");
    }
    text
}

/// Names of segments that would be one column, or be cut.
fn refuse_names(compiler: &mut Compiler<'_>, shape: &Shape, answers: &[Answer]) {
    let has_columns = match shape {
        Shape::Wide | Shape::View(_) | Shape::Table(_) => true,
        Shape::Counts | Shape::Members | Shape::Memberships(_) | Shape::Model | Shape::Signs => false,
    };
    if let (Shape::Memberships(_), Err(reason)) = (shape, compiler.says.upserts()) {
        compiler.refuse("a table of memberships", reason);
    }
    if !has_columns {
        return;
    }
    let mut seen = BTreeSet::new();
    for Answer { name, .. } in answers {
        compiler.segment.clone_from(name);
        if let Some(reason) = compiler.says.refuses_column(name) {
            compiler.refuse("a column for each segment", reason);
        }
        if !seen.insert(name.to_lowercase()) || name.eq_ignore_ascii_case("id") {
            let reason = "two columns would have one name, for databases do not tell capital letters from small ones";
            compiler.refuse("a column for each segment", reason);
        }
    }
    compiler.segment.clear();
}
