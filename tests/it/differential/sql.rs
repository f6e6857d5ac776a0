//! SQL as one more engine: what is emitted is run in real databases and compared with the
//! reference evaluator.
//!
//! `cargo xtask sql` says where the databases are; without it everything is emitted and nothing
//! is run. `SEG_SQL_CASES` asks for another number of generated segments, and
//! `SEG_DIFFERENTIAL_SEED` for others.

use super::*;
use proptest::strategy::ValueTree;
use seg_sql::{Dialect, Emitted, Refusal, Request, Shape, Source};
use seg_tests::warehouse::{Layout, Tables, Warehouse};
use seg_tests::{CaseFile, root};
use std::collections::BTreeSet;

/// Generated segments of a run that asks for no other number.
const SEGMENTS: usize = 600;
/// Sentences of one query, beside those that stand with every case.
const SENTENCES_OF_QUERY: usize = 14;
/// Cases that are answered by one query.
const TOGETHER: usize = 24;

fn emitted(program: &Program, source: &Source, dialect: Dialect, now: Timestamp) -> Result<Emitted, Vec<Refusal>> {
    let plan = seg::unstable::plan_of(program);
    seg_sql::emit(Request { plan, schema: program.schema(), source, dialect, now, shape: &Shape::Wide, segments: None })
}

/// Whether a database fails where a comment of the SQL says that it may.
fn is_told(error: &str, emitted: &Emitted) -> bool {
    !emitted.differences.is_empty() && error.contains("value out of range: overflow")
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
    /// Of those that a database cannot answer, and says so.
    n_told: usize,
    n_run: usize,
    refused: BTreeMap<String, BTreeSet<String>>,
    failures: Vec<String>,
}

fn corpus(dialect: Dialect) -> Corpus {
    let mut found = Corpus::default();
    let mut warehouse = Warehouse::start(dialect);
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests/suite/eval"))
        .expect("the suite")
        .map(|e| e.expect("a file").path())
        .collect();
    files.sort();
    for (nth, path) in files.iter().filter(|path| path.extension().is_some_and(|e| e == "toml")).enumerate() {
        let name = path.file_stem().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        let file: CaseFile = toml::from_str(&std::fs::read_to_string(path).expect("a file")).expect("a case file");
        let layout = if nth.is_multiple_of(2) { Layout::OneTable } else { Layout::TableAnEvent };
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
        match emitted(&program, &tables.source, dialect, now) {
            Ok(emitted) => to_be_parsed(dialect, &emitted.text),
            Err(refusals) => {
                for refusal in refusals {
                    found.refused.entry(refusal.to_string()).or_default().insert(name.to_owned());
                }
                continue;
            }
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
        let mut open: Vec<&[&Said<'_>]> = whole.chunks(1).chain(plain.chunks(TOGETHER)).collect();
        while let Some(some) = open.pop() {
            let text: String = match some {
                [one] => one.case.text(),
                several => several
                    .iter()
                    .enumerate()
                    .map(|(at, one)| format!("segment \"case {at}\" include people who {}\n", one.case.segment))
                    .collect(),
            };
            let program = compiled(&text);
            let query = match emitted(&program, &tables.source, dialect, now) {
                Ok(emitted) => emitted,
                Err(refusals) => panic!("{name}: {refusals:?}"),
            };
            let n_segments = program.segment_names().count();
            let rows = match warehouse.rows(setup.take(), &query.text) {
                Ok(rows) => rows,
                // One of them fails alone.
                Err(_) if some.len() > 1 => {
                    open.extend(some.chunks(1));
                    continue;
                }
                Err(error) if is_told(&error, &query) => {
                    found.n_told += 1;
                    continue;
                }
                Err(error) => {
                    keep(&format!("{name}-{dialect:?}"), &tables.setup, &query.text);
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
                    let told = format!("{name}: {}\n  expected {expected:?}\n  found    {members:?}", case.segment);
                    found.failures.push(told);
                }
            }
        }
    }
}

/// Keeps a query of a dialect that nobody runs for `cargo xtask sql --parse`, which asks for it by
/// `SEG_SQL_QUERIES`.
fn to_be_parsed(dialect: Dialect, query: &str) {
    use std::io::Write;
    let Some(path) = std::env::var_os("SEG_SQL_QUERIES").filter(|_| !dialect.is_tested()) else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a file");
    writeln!(file, "{}", serde_json::json!([dialect.name(), query])).expect("written");
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
    println!("{}: {} of {} cases agree, {} fail as is told", dialect.title(), found.n_agree, found.n_run, found.n_told);
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

#[test]
fn sql_agrees_on_the_corpus_in_clickhouse() {
    agrees(Dialect::ClickHouse);
}

#[test]
fn sql_agrees_on_the_corpus_in_spark() {
    agrees(Dialect::Spark);
}

/// What is written from documentation alone; nobody runs it here.
#[test]
fn sql_of_the_corpus_is_told_in_snowflake_and_bigquery() {
    agrees(Dialect::Snowflake);
    agrees(Dialect::BigQuery);
}

/// Generated sentences over edge-case people.
#[test]
fn sql_agrees_on_generated_sentences() {
    let n_segments: usize = std::env::var("SEG_SQL_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(SEGMENTS);
    for dialect in Dialect::ALL {
        let Some(warehouse) = Warehouse::start(*dialect) else { continue };
        // The others are slower.
        let n_segments = match dialect {
            Dialect::DuckDb => n_segments,
            Dialect::Postgres | Dialect::ClickHouse => n_segments / 4,
            Dialect::Spark | Dialect::Snowflake | Dialect::BigQuery => n_segments / 20,
        };
        let mut runner = runner(1, 3, asked_seed());
        let people = proptest::collection::vec(profiles::person(), 1..60);
        let strategy = (people, proptest::collection::vec(sentences::sentence(), SENTENCES_OF_QUERY));
        let mut generated =
            Generated { dialect: *dialect, warehouse, n_agree: 0, n_told: 0, n_refused: 0, failures: Vec::new() };
        while generated.n_agree < n_segments && generated.failures.len() < 20 {
            let (profiles, sentences) = strategy.new_tree(&mut runner).unwrap_or_else(|e| panic!("{e}")).current();
            let case = Case::new(&profiles, sentences).unwrap_or_else(|e| panic!("{e}"));
            generated.ask(&case);
        }
        let Generated { n_agree, n_told, n_refused, failures, .. } = generated;
        println!(
            "{}: {n_agree} generated segments agree, {n_told} fail as is told, {n_refused} are refused",
            dialect.title()
        );
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// A run over generated segments.
struct Generated {
    dialect: Dialect,
    warehouse: Warehouse,
    n_agree: usize,
    n_told: usize,
    n_refused: usize,
    failures: Vec<String>,
}

impl Generated {
    /// Asks for all segments of a case, and compares.
    fn ask(&mut self, case: &Case) {
        let zone = Zone::parse("Europe/Berlin");
        let layout = if case.lines.len().is_multiple_of(2) { Layout::OneTable } else { Layout::TableAnEvent };
        let of = (case.program.schema().as_ref(), zone, now());
        let tables = Tables::of(&case.lines.join("\n"), of, self.dialect, layout).expect("nobody is merged");
        let plan = seg::unstable::plan_of(&case.program);
        let names: Vec<String> = plan.roots().iter().map(|root| root.name.clone()).collect();
        let mut setup = Some(tables.setup.as_slice());
        let mut open: Vec<BTreeSet<String>> = vec![names.iter().cloned().collect()];
        while let Some(segments) = open.pop() {
            let request = Request {
                plan,
                schema: case.program.schema(),
                source: &tables.source,
                dialect: self.dialect,
                now: now(),
                shape: &Shape::Wide,
                segments: Some(&segments),
            };
            let query = match seg_sql::emit(request) {
                Ok(query) => query,
                // Some databases cannot say some of it.
                Err(refusals) => {
                    let is_of_all = refusals.iter().any(|refusal| refusal.segments.is_empty());
                    let of: BTreeSet<String> = refusals.into_iter().flat_map(|refusal| refusal.segments).collect();
                    let rest: BTreeSet<String> = segments.difference(&of).cloned().collect();
                    let takes_all = matches!(self.dialect, Dialect::DuckDb | Dialect::Postgres);
                    assert!(!takes_all && !is_of_all && rest.len() < segments.len(), "{of:?} are refused");
                    self.n_refused += segments.len() - rest.len();
                    if !rest.is_empty() {
                        open.push(rest);
                    }
                    continue;
                }
            };
            match self.warehouse.rows(setup.take(), &query.text) {
                Ok(rows) => {
                    let asked = names.iter().enumerate().filter(|(_, name)| segments.contains(*name));
                    for (column, (segment, name)) in asked.enumerate() {
                        self.compare(case, &rows, (column, segment, name), (&tables, &query));
                    }
                }
                // One of them fails alone.
                Err(_) if segments.len() > 1 => {
                    open.extend(segments.into_iter().map(|segment| BTreeSet::from([segment])));
                }
                Err(error) if is_told(&error, &query) => self.n_told += 1,
                Err(error) => {
                    let said: Vec<String> = segments.iter().map(|name| said(case, name)).collect();
                    self.fails(format!("{error}\n{}", said.join("\n")), (&tables, &query));
                }
            }
        }
    }

    fn compare(
        &mut self,
        case: &Case,
        rows: &[(String, Vec<bool>)],
        (column, segment, name): (usize, usize, &str),
        of: (&Tables, &Emitted),
    ) {
        let answers: BTreeMap<&str, bool> = rows.iter().map(|(id, answers)| (id.as_str(), answers[column])).collect();
        let expected = &case.expected[segment];
        let is_wrong = |row: &usize| {
            // Who does not exist has no row.
            let found = answers.get(case.batch.id(*row)).copied().unwrap_or(false);
            found != expected.get(*row)
        };
        match (0..case.batch.len()).find(is_wrong) {
            None => self.n_agree += 1,
            Some(row) => {
                let line = case.lines.get(row).map_or("", String::as_str);
                self.fails(format!("{}\n{line}\nthe reference says {}", said(case, name), expected.get(row)), of);
            }
        }
    }

    fn fails(&mut self, what: String, (tables, query): (&Tables, &Emitted)) {
        keep(&format!("generated-{}-{}", self.dialect.name(), self.failures.len()), &tables.setup, &query.text);
        self.failures.push(what);
    }
}

/// What a generated segment says.
fn said(case: &Case, name: &str) -> String {
    let nth = name.parse::<usize>().ok();
    let sentence = nth.and_then(|n| case.sentences.get(n)).map_or("", String::as_str);
    format!("\"{name}\" {}: {sentence}", nth.map_or("", header))
}

/// Some segments over tables with units, as they are in a warehouse.
fn of_shop(segments: &str, change: impl FnOnce(&mut Source)) -> (Program, Source) {
    let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
    let project = Project::from_text(&schema_text("shop"), [("shop.seg", segments)], settings);
    let program = seg::compile(&project).unwrap_or_else(|e| panic!("{e}"));
    let column = |name: &str, unit| seg_sql::Column { name: name.to_owned(), unit };
    let name = |name: &str| name.to_owned();
    let mut source = Source {
        profiles: Some(seg_sql::Profiles {
            table: name("crm.people"),
            id: name("customer_id"),
            time: None,
            arrival: None,
            are_snapshots: false,
            columns: BTreeMap::new(),
        }),
        events: vec![seg_sql::Events {
            table: name("app.events"),
            event: seg_sql::Named::By(name("name")),
            id: name("user_id"),
            time: column("ts_ms", seg_sql::Unit::Milliseconds),
            arrival: Some(name("loaded_at")),
            has_unique_ids: true,
            columns: BTreeMap::from([(name("amount"), column("amount_cents", seg_sql::Unit::Cents))]),
        }],
        lists: BTreeMap::new(),
        are_ids_united: false,
    };
    change(&mut source);
    (program, source)
}

/// What people read: it changes when somebody means it to.
#[test]
fn sql_is_text_that_stays() {
    let segments = "segment \"Big, lately\" include people who ordered at least twice in the past 30 days and whose \
                    country is one of \"DE\", \"AT\" exclude people who have total amount of orders is less than 50\n\
                    segment \"Back, at night\" include people who did Order Completed between 22:00 and 06:00 \
                    not preceded by Email Opened within 2 days";
    let (program, source) = of_shop(segments, |_| {});
    let shapes = [
        ("counts", Dialect::DuckDb, Shape::Counts),
        ("memberships", Dialect::DuckDb, Shape::Memberships("crm.memberships".to_owned())),
        ("members", Dialect::Postgres, Shape::Members),
        ("view", Dialect::Postgres, Shape::View("segments".to_owned())),
    ];
    for (name, dialect, shape) in shapes {
        let plan = seg::unstable::plan_of(&program);
        let schema = program.schema();
        let request = Request { plan, schema, source: &source, dialect, now: now(), shape: &shape, segments: None };
        let emitted = seg_sql::emit(request).unwrap_or_else(|refusals| panic!("{refusals:?}"));
        insta::assert_snapshot!(format!("emitted_{name}"), emitted.text);
    }
}

/// Without the order of arrival, all that depends on it is refused at once, with the segments.
#[test]
fn what_depends_on_arrival_is_refused_without_it() {
    let segments = "segment \"first\" include people whose first order had amount of at least 5\n\
                    segment \"often\" include people whose most frequent category of orders is \"shoes\"\n\
                    segment \"weight\" include people who have total weight of orders is more than 2\n\
                    segment \"count\" include people who ordered at least twice\n\
                    segment \"pattern\" include people whose city matches \"^a{1001}$\"";
    let (program, source) = of_shop(segments, |source| {
        for events in &mut source.events {
            (events.arrival, events.has_unique_ids) = (None, false);
        }
    });
    for dialect in Dialect::ALL {
        let refusals = emitted(&program, &source, *dialect, now()).expect_err("there are refusals");
        let told: Vec<String> = refusals.iter().map(|of| format!("{of} [{}]", of.segments.join(", "))).collect();
        insta::assert_snapshot!(format!("refused_without_arrival_{}", dialect.name()), told.join("\n"));
    }
}
