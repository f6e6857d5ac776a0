//! What is kept in a warehouse: memberships over several instants, views and tables, run in real
//! databases; and tables as they are described there, with units, snapshots and lists.
//!
//! `cargo xtask sql` says where the databases are, as for `sql.rs`.

use super::*;
use seg_data::time::DAY;
use seg_sql::{Column, Dialect, Emitted, Events, ListTable, Named, Profiles, Request, Shape, Source, Unit};
use seg_tests::warehouse::{Layout, Tables, Warehouse};

/// Databases that run in CI, and keep tables.
const KEEPING: &[Dialect] = &[Dialect::DuckDb, Dialect::Postgres];
/// Groups of people and segments.
const CASES: usize = 3;
/// The days before `now` at which memberships are brought up to date.
const DAYS: [i64; 3] = [21, 7, 0];

fn emitted(program: &Program, source: &Source, dialect: Dialect, (at, shape): (Timestamp, &Shape)) -> Emitted {
    let (plan, schema) = (seg::unstable::plan_of(program), program.schema());
    let request = Request { plan, schema, source, dialect, now: at, shape, segments: None };
    seg_sql::emit(request).unwrap_or_else(|refusals| panic!("{refusals:?}"))
}

/// Who is in what at each instant, by the reference evaluator, as stints: a row each with whether
/// it began at each of the instants, whether it ended at each, and whether it goes on.
fn stints(case: &Case, instants: &[Timestamp]) -> Vec<(String, Vec<bool>)> {
    let masks: Vec<Vec<Mask>> = instants.iter().map(|at| Reference.evaluate(&case.program, &case.batch, *at)).collect();
    let mut rows = Vec::new();
    for (segment, name) in case.program.segment_names().enumerate() {
        for person in 0..case.batch.len() {
            let id = format!("{name}/{}", case.batch.id(person));
            let mut begun = None;
            for nth in 0..=instants.len() {
                let is_in = masks.get(nth).is_some_and(|masks| masks[segment].get(person));
                match (begun, is_in) {
                    (None, true) => begun = Some(nth),
                    (Some(from), false) => {
                        let began = (0..instants.len()).map(|at| at == from);
                        let ended = (0..instants.len()).map(|at| at == nth);
                        rows.push((id.clone(), began.chain(ended).chain([nth == instants.len()]).collect()));
                        begun = None;
                    }
                    (Some(_), true) | (None, false) => {}
                }
            }
        }
    }
    rows.sort();
    rows
}

fn keeps(case: &Case, dialect: Dialect, warehouse: &mut Warehouse) -> usize {
    let of = (case.program.schema().as_ref(), Zone::parse("Europe/Berlin"), now());
    let tables = Tables::of(&case.lines.join("\n"), of, dialect, Layout::OneTable).expect("nobody is merged");
    let instants = DAYS.map(|days| Timestamp(now().0 - days * DAY));
    let shape = Shape::Memberships("kept".to_owned());
    let mut setup = tables.setup.clone();
    // The last run comes twice, and changes nothing then.
    for at in instants.iter().chain(instants.last()) {
        setup.push(emitted(&case.program, &tables.source, dialect, (*at, &shape)).text);
    }
    let is_at = |column: &str| {
        let each = instants.iter().map(|at| format!(", coalesce({column} = CAST('{at}' AS TIMESTAMPTZ), false)"));
        each.collect::<String>()
    };
    let (entered, left) = (is_at("entered_at"), is_at("left_at"));
    let query = format!("SELECT concat(segment, '/', person) AS id{entered}{left}, left_at IS NULL FROM kept");
    let mut rows = match warehouse.rows(Some(&setup), &query) {
        Ok(rows) => rows,
        // As the SQL itself tells.
        Err(error) if error.contains("value out of range: overflow") => return 0,
        Err(error) => panic!("{}: {error}", dialect.title()),
    };
    rows.sort();
    let expected = stints(case, &instants);
    assert_eq!(rows, expected, "{}", dialect.title());
    // A view and a table give what the query gives.
    let wide = emitted(&case.program, &tables.source, dialect, (now(), &Shape::Wide)).text;
    let of_query = warehouse.rows(None, &wide).expect("rows");
    for shape in [Shape::View("seen".to_owned()), Shape::Table("seen too".to_owned())] {
        let name = if matches!(shape, Shape::View(_)) { "seen" } else { "seen too" };
        let mut setup = tables.setup.clone();
        setup.push(emitted(&case.program, &tables.source, dialect, (now(), &shape)).text);
        // Made anew, it is the same.
        setup.push(emitted(&case.program, &tables.source, dialect, (now(), &shape)).text);
        let mut rows = warehouse.rows(Some(&setup), &format!("SELECT * FROM \"{name}\"")).expect("rows");
        rows.sort();
        let mut same = of_query.clone();
        same.sort();
        assert_eq!(rows, same, "{} in {}", name, dialect.title());
    }
    expected.len()
}

#[test]
fn sql_agrees_on_memberships_that_are_kept() {
    for dialect in KEEPING {
        let Some(mut warehouse) = Warehouse::start(*dialect) else { continue };
        let mut runner = runner(1, 4, asked_seed());
        let people = proptest::collection::vec(profiles::person(), 5..40);
        let strategy = (people, proptest::collection::vec(sentences::sentence(), 10));
        let mut n_stints = 0;
        for _ in 0..CASES {
            let (profiles, sentences) = strategy.new_tree(&mut runner).unwrap_or_else(|e| panic!("{e}")).current();
            let case = Case::new(&profiles, sentences).unwrap_or_else(|e| panic!("{e}"));
            n_stints += keeps(&case, *dialect, &mut warehouse);
        }
        println!("{}: {n_stints} stints are kept as they are", dialect.title());
        assert!(n_stints > 100, "{n_stints} stints show little");
    }
}

/// What tables are described as, which no others are that are made for tests.
const DESCRIBED: &str = r#"
currency = "EUR"
[attributes]
country = "text"
plan = { type = "text", history = true }
credit = "money"
seen_at = "timestamp"
[events."Order Completed"]
verbs = ["order"]
nouns = ["order"]
properties = { amount = "money", shipped_at = "timestamp" }
[events.Visit]
verbs = ["visit"]
properties = { page = "text" }
"#;

/// The rows of those tables, to the microsecond at the edges of windows.
fn described_rows() -> Vec<String> {
    let at = |text: &str| Timestamp::parse(text, None).expect(text).0;
    let (may_10, may_20) = (at("2026-05-10T00:00:00Z"), at("2026-05-20T00:00:00Z"));
    let (edge, seen) = (at("2026-05-31T12:00:00Z"), at("2026-05-20T08:00:00Z"));
    let (s, ms) = (1_000_000, 1_000);
    let (may_10, may_20, seen) = (may_10 / s, may_20 / s, seen / ms);
    vec![
        "CREATE TABLE people (customer TEXT, at_s BIGINT, loaded BIGINT, country TEXT, plan TEXT, \
         credit_cents BIGINT, seen_ms BIGINT)"
            .to_owned(),
        format!(
            "INSERT INTO people VALUES ('ann', {may_10}, 1, 'DE', 'pro', 5000, {seen}), \
             ('ann', {may_20}, 2, '', 'free', NULL, NULL), ('bob', {may_10}, 3, 'FR', 'pro', 1999, {seen}), \
             ('cat', {may_10}, 4, 'AT', 'free', 2000, NULL), ('cat', {may_20}, 5, 'AT', NULL, 2000, NULL)"
        ),
        "CREATE TABLE orders (u TEXT, t_us BIGINT, n BIGINT, amount_cents BIGINT, shipped_s BIGINT)".to_owned(),
        format!(
            "INSERT INTO orders VALUES ('ann', {edge}, 1, 2550, {}), ('bob', {}, 2, 2549, NULL)",
            edge / s,
            edge - 1
        ),
        "CREATE TABLE visits (u TEXT, t_ms BIGINT, n BIGINT, page TEXT)".to_owned(),
        format!("INSERT INTO visits VALUES ('bob', {}, 3, 'home')", at("2026-06-01T11:59:59.999Z") / ms),
        "CREATE TABLE countries (code TEXT)".to_owned(),
        "INSERT INTO countries VALUES ('AT'), ('FR'), (''), (NULL)".to_owned(),
    ]
}

fn described_source() -> Source {
    let name = |name: &str| name.to_owned();
    let column = |column: &str, unit| Column { name: column.to_owned(), unit };
    let events = |table: &str, event: &str, time, columns| Events {
        table: table.to_owned(),
        event: Named::Always(event.to_owned()),
        id: name("u"),
        time,
        arrival: Some(name("n")),
        has_unique_ids: true,
        columns,
    };
    Source {
        profiles: Some(Profiles {
            table: name("people"),
            id: name("customer"),
            time: Some(column("at_s", Unit::Seconds)),
            arrival: Some(name("loaded")),
            are_snapshots: true,
            columns: BTreeMap::from([
                (name("credit"), column("credit_cents", Unit::Cents)),
                (name("seen_at"), column("seen_ms", Unit::Milliseconds)),
            ]),
        }),
        events: vec![
            events(
                "orders",
                "Order Completed",
                column("t_us", Unit::Microseconds),
                BTreeMap::from([
                    (name("amount"), column("amount_cents", Unit::Cents)),
                    (name("shipped_at"), column("shipped_s", Unit::Seconds)),
                ]),
            ),
            events("visits", "Visit", column("t_ms", Unit::Milliseconds), BTreeMap::new()),
        ],
        lists: BTreeMap::from([(name("near"), ListTable { table: name("countries"), column: name("code") })]),
        are_ids_united: false,
    }
}

/// Each sentence with whom it finds, by hand.
const FOUND: &[(&str, &[&str])] = &[
    ("ordered in the past 24 hours", &["ann"]),
    ("ordered more than 24 hours ago", &["bob"]),
    ("have total amount of orders is at least 25.50", &["ann"]),
    ("have total amount of orders is 25.49", &["bob"]),
    ("ordered where shipped_at is after 2026-05-30", &["ann"]),
    ("visited in the past 1 minute", &["bob"]),
    ("whose country is \"DE\"", &[]),
    ("whose country is missing", &["ann"]),
    ("whose plan is \"free\"", &["ann"]),
    ("whose plan is missing", &["cat"]),
    ("whose credit is at least 20", &["cat"]),
    ("whose credit is 19.99", &["bob"]),
    ("whose seen_at is known", &["bob"]),
    ("whose country is in list \"near\"", &["bob", "cat"]),
];

#[test]
fn sql_agrees_on_tables_as_they_are_described() {
    let segments: String = FOUND
        .iter()
        .enumerate()
        .map(|(at, (sentence, _))| format!("segment \"{at}\" include people who {sentence}\n"))
        .collect();
    let text = format!("list \"near\" from \"near.csv\"\n{segments}");
    let settings = Settings { zone: Zone::parse("Europe/Berlin"), ..Settings::default() };
    let mut project = Project::from_text(DESCRIBED, [("x.seg", text.as_str())], settings);
    // What the file has does not count where there is a table.
    project.add_list("near.csv", ["XX".to_owned()]);
    let program = seg::compile(&project).unwrap_or_else(|problems| panic!("{problems}"));
    for dialect in KEEPING {
        let query = emitted(&program, &described_source(), *dialect, (now(), &Shape::Wide)).text;
        let Some(mut warehouse) = Warehouse::start(*dialect) else { continue };
        let rows = warehouse.rows(Some(&described_rows()), &query).unwrap_or_else(|e| panic!("{dialect:?}: {e}"));
        for (at, (sentence, expected)) in FOUND.iter().enumerate() {
            let found: Vec<&str> = rows.iter().filter(|row| row.1[at]).map(|row| row.0.as_str()).collect();
            assert_eq!(found, *expected, "{sentence} in {}", dialect.title());
        }
    }
}
