//! SQL as one more engine: what is emitted is run in real databases and compared with the
//! reference evaluator.
//!
//! `cargo xtask sql` says where the databases are; without it everything is emitted and nothing
//! is run. `SEG_SQL_CASES` asks for another number of generated segments, and
//! `SEG_DIFFERENTIAL_SEED` for others.

use super::*;
use proptest::strategy::ValueTree;
use seg_sql::{Dialect, Refusal, Request, Shape, Source};
use seg_tests::warehouse::{Layout, Tables, Warehouse};
use seg_tests::{CaseFile, root};
use std::collections::BTreeSet;

/// Generated segments of a run that asks for no other number.
const SEGMENTS: usize = 800;
/// Cases that are answered by one query.
const TOGETHER: usize = 24;

fn emitted(program: &Program, source: &Source, dialect: Dialect, now: Timestamp) -> Result<String, Vec<Refusal>> {
    let plan = seg::unstable::plan_of(program);
    let request = Request { plan, schema: program.schema(), source, dialect, now, shape: &Shape::Wide, segments: None };
    seg_sql::emit(request).map(|emitted| emitted.text)
}

/// A case of the corpus that is said in a dialect.
struct Said<'f> {
    case: &'f seg_tests::Case,
    program: Program,
}

impl Said<'_> {
    /// Whether it has segments besides the one that is meant.
    fn is_whole(&self) -> bool {
        self.case.segment.contains("segment \"")
    }
}

/// What a run over the corpus found.
#[derive(Default)]
struct Corpus {
    n_agree: usize,
    n_run: usize,
    refused: BTreeMap<String, BTreeSet<String>>,
    failures: Vec<String>,
}

fn corpus(dialect: Dialect) -> Corpus {
    let mut found = Corpus::default();
    let mut warehouse = Warehouse::start(dialect);
    let mut files: Vec<_> =
        std::fs::read_dir(root().join("tests/suite/eval")).expect("the suite").map(|e| e.expect("a file").path()).collect();
    files.sort();
    for (nth, path) in files.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")).enumerate() {
        let name = path.file_stem().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        let file: CaseFile = toml::from_str(&std::fs::read_to_string(path).expect("a file")).expect("a case file");
        let layout = if nth % 2 == 0 { Layout::OneTable } else { Layout::TableAnEvent };
        of_file(&name, &file, (dialect, layout), warehouse.as_mut(), &mut found);
    }
    found
}

fn of_file(
    name: &str,
    file: &CaseFile,
    (dialect, layout): (Dialect, Layout),
    mut warehouse: Option<&mut Warehouse>,
    found: &mut Corpus,
) {
    let zone = (file.zone != "none").then(|| Zone::parse(&file.zone).expect("a zone"));
    let settings = Settings { zone, ..Settings::default() };
    let now = Timestamp::parse(&file.now, zone).expect("an instant");
    let schema = schema_text(&file.schema);
    // Cases over the same people are answered by few queries.
    let mut said: Vec<(String, Vec<Said<'_>>)> = Vec::new();
    let compiled = |text: &str| {
        let mut project = Project::from_text(&schema, [("case.seg", text)], settings);
        file.lists.iter().for_each(|(path, values)| project.add_list(path, values.clone()));
        seg::compile(&project).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
    };
    for case in &file.case {
        let program = compiled(&case.text());
        let lines = case.people.as_ref().map_or(file.people.clone(), |people| people.join("\n"));
        let Some(tables) = Tables::of(&lines, (program.schema(), zone, now), dialect, layout) else {
            found.refused.entry("merged ids".to_owned()).or_default().insert(name.to_owned());
            continue;
        };
        if let Err(refusals) = emitted(&program, &tables.source, dialect, now) {
            for refusal in refusals {
                found.refused.entry(refusal.to_string()).or_default().insert(name.to_owned());
            }
            continue;
        }
        let case = Said { case, program };
        match said.iter_mut().find(|(other, _)| *other == lines) {
            Some((_, cases)) => cases.push(case),
            None => said.push((lines, vec![case])),
        }
    }
    let Some(warehouse) = warehouse.as_mut() else { return };
    for (lines, cases) in &said {
        let Some(first) = cases.first() else { continue };
        let tables = Tables::of(lines, (first.program.schema(), zone, now), dialect, layout).expect("there are tables");
        let mut setup = Some(tables.setup.as_slice());
        let (whole, plain): (Vec<&Said<'_>>, Vec<&Said<'_>>) = cases.iter().partition(|case| case.is_whole());
        for some in whole.chunks(1).chain(plain.chunks(TOGETHER)) {
            let text: String = match some {
                [one] => one.case.text(),
                several => several
                    .iter()
                    .enumerate()
                    .map(|(at, one)| format!("segment \"case {at}\" include people who {}\n", one.case.segment))
                    .collect(),
            };
            let program = compiled(&text);
            let text = match emitted(&program, &tables.source, dialect, now) {
                Ok(text) => text,
                Err(refusals) => panic!("{name}: {refusals:?}"),
            };
            let n_segments = program.segment_names().count();
            let rows = match warehouse.rows(setup.take(), &text) {
                Ok(rows) => rows,
                Err(error) => {
                    keep(&format!("{name}-{dialect:?}"), &tables.setup, &text);
                    found.failures.push(format!("{name}: {error}"));
                    continue;
                }
            };
            for (at, case) in some.iter().enumerate() {
                // Of whole segments the last is meant.
                let column = n_segments - some.len() + at;
                let (case, is_in) = (case.case, |row: &&(String, Vec<bool>)| row.1.get(column) == Some(&true));
                let mut members: Vec<&str> = rows.iter().filter(is_in).map(|row| row.0.as_str()).collect();
                let mut expected: Vec<&str> = case.members.iter().map(String::as_str).collect();
                members.sort_unstable();
                expected.sort_unstable();
                found.n_run += 1;
                if members == expected {
                    found.n_agree += 1;
                } else {
                    found.failures.push(format!("{name}: {}\n  expected {expected:?}\n  found    {members:?}", case.segment));
                }
            }
        }
    }
}

/// Keeps what failed for whoever looks.
fn keep(name: &str, setup: &[String], query: &str) {
    let dir = root().join("target/sql/failed");
    std::fs::create_dir_all(&dir).expect("a folder");
    let text = setup.iter().map(|statement| format!("{statement};\n")).collect::<String>() + query;
    std::fs::write(dir.join(format!("{name}.sql")), text).expect("written");
}

fn agrees(dialect: Dialect) {
    let found = corpus(dialect);
    println!("{}: {} of {} cases agree", dialect.title(), found.n_agree, found.n_run);
    assert!(found.failures.is_empty(), "{} failures\n{}", found.failures.len(), found.failures.join("\n"));
    let mut refused = String::new();
    for (what, files) in &found.refused {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let _ = writeln!(refused, "{what}\n  {}", files.join(", "));
    }
    insta::assert_snapshot!(format!("refused_{}", dialect.name()), refused);
}

#[test]
fn sql_agrees_on_the_corpus_in_duckdb() {
    agrees(Dialect::DuckDb);
}

#[test]
fn sql_agrees_on_the_corpus_in_postgres() {
    agrees(Dialect::Postgres);
}

/// Generated sentences over edge-case people.
#[test]
fn sql_agrees_on_generated_sentences() {
    let n_segments: usize = std::env::var("SEG_SQL_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(SEGMENTS);
    for dialect in Dialect::ALL {
        // PostgreSQL is the slower one.
        let n_segments = if *dialect == Dialect::DuckDb { n_segments } else { n_segments / 4 };
        let Some(mut warehouse) = Warehouse::start(*dialect) else { continue };
        let mut runner = runner(1, 3, asked_seed());
        let people = proptest::collection::vec(profiles::person(), 1..60);
        let strategy = (people, proptest::collection::vec(sentences::sentence(), SENTENCES));
        let (mut n_agree, mut refused, mut failures) = (0, BTreeMap::<String, usize>::new(), Vec::new());
        while n_agree < n_segments && failures.len() < 20 {
            let (profiles, sentences) = strategy.new_tree(&mut runner).unwrap_or_else(|e| panic!("{e}")).current();
            let case = Case::new(&profiles, sentences).unwrap_or_else(|e| panic!("{e}"));
            n_agree += generated(&case, *dialect, &mut warehouse, &mut refused, &mut failures);
        }
        println!("{}: {n_agree} generated segments agree; refused: {refused:?}", dialect.title());
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// How many segments of a case agree.
fn generated(
    case: &Case,
    dialect: Dialect,
    warehouse: &mut Warehouse,
    refused: &mut BTreeMap<String, usize>,
    failures: &mut Vec<String>,
) -> usize {
    let zone = Zone::parse("Europe/Berlin");
    let lines = case.lines.join("\n");
    let layout = if case.lines.len() % 2 == 0 { Layout::OneTable } else { Layout::TableAnEvent };
    let whole = seg::unstable::plan_of(&case.program);
    let tables = Tables::of(&lines, (case.program.schema(), zone, now()), dialect, layout).expect("nobody is merged");
    // Refused segments are left out.
    let mut is_refused: BTreeSet<String> = BTreeSet::new();
    let text = loop {
        let roots = whole.roots().iter().map(|root| root.name.clone());
        let segments: BTreeSet<String> = roots.filter(|name| !is_refused.contains(name)).collect();
        let request = Request {
            plan: whole,
            schema: case.program.schema(),
            source: &tables.source,
            dialect,
            now: now(),
            shape: &Shape::Wide,
            segments: Some(&segments),
        };
        match seg_sql::emit(request) {
            Ok(emitted) => break emitted.text,
            Err(refusals) => {
                for refusal in refusals {
                    *refused.entry(refusal.to_string()).or_default() += refusal.segments.len();
                    assert!(!refusal.segments.is_empty(), "{refusal}");
                    is_refused.extend(refusal.segments);
                }
            }
        }
    };
    let rows = match warehouse.rows(Some(&tables.setup), &text) {
        Ok(rows) => rows,
        Err(error) => {
            keep(&format!("generated-{}-{}", dialect.name(), failures.len()), &tables.setup, &text);
            failures.push(error);
            return 0;
        }
    };
    let answers: BTreeMap<&str, &Vec<bool>> = rows.iter().map(|(id, answers)| (id.as_str(), answers)).collect();
    let names: Vec<&str> = whole.roots().iter().map(|root| root.name.as_str()).collect();
    let kept: Vec<(usize, &str)> = names.iter().copied().enumerate().filter(|(_, name)| !is_refused.contains(*name)).collect();
    let mut n_agree = 0;
    for (column, (segment, name)) in kept.iter().enumerate() {
        let wrong = (0..case.batch.len()).find(|row| {
            let found = answers.get(case.batch.id(*row)).and_then(|answers| answers.get(column)).copied().unwrap_or(false);
            found != case.expected[*segment].get(*row)
        });
        match wrong {
            None => n_agree += 1,
            Some(row) => {
                let said = name.parse::<usize>().ok().and_then(|n| case.sentences.get(n)).map_or(*name, String::as_str);
                let expected = case.expected[*segment].get(row);
                keep(&format!("generated-{}-{}", dialect.name(), failures.len()), &tables.setup, &text);
                failures.push(format!("{name} ({}): {said}\n{}\nthe reference says {expected}", header(name.parse().unwrap_or(0)), case.lines[row]));
            }
        }
    }
    n_agree
}
