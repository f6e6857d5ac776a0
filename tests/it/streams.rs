//! Tables in memory and streams of rows: what the differential test does not meet.

use arrow_array::{ArrayRef, RecordBatch, RecordBatchIterator, StringArray, TimestampMicrosecondArray};
use seg::io::{ProblemKind, Report};
use seg::unstable::Stream;
use seg::unstable::io::manifest::{EventFiles, ProfileFiles};
use seg::unstable::io::{SortedColumns, TableReader, TablesRequest, load_tables};
use seg::{Options, Program, Project, Settings, Timestamp};
use std::sync::Arc;

const SCHEMA: &str = "[attributes]\ncountry = \"text\"\n\n[events.Order]\nproperties = { amount = \"money\" }\n";
const DAY: i64 = 86_400_000_000;

fn now() -> Timestamp {
    Timestamp::read("2026-06-01T12:00:00Z", None).expect("an instant")
}

fn program(segments: &str) -> (Project, Program) {
    let project = Project::from_text(SCHEMA, [("a.seg", segments)], Settings::default());
    let program = seg::compile(&project).unwrap_or_else(|problems| panic!("{problems}"));
    (project, program)
}

fn texts(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn table(columns: Vec<(&str, ArrayRef)>) -> TableReader {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let schema = batch.schema();
    Box::new(RecordBatchIterator::new([Ok(batch)], schema))
}

fn events(names: &[(&str, ArrayRef)]) -> TableReader {
    table(names.iter().map(|(name, array)| (*name, Arc::clone(array))).collect())
}

/// One person has half a million events, and a neighbour on either side; batches cut them often.
#[test]
fn a_person_is_as_large_as_they_are() {
    const N: usize = 500_000;
    let (_, program) = program(
        "segment \"Many\" include people who did Order at least 500000 times\n\
         segment \"More\" include people who did Order at least 500001 times\n\
         segment \"Lately\" include people who did Order in the past 2 days\n",
    );
    let columns =
        SortedColumns { id: "id".into(), own_id: None, event: "event".into(), time: "time".into(), profile: None };
    let mut stream = Stream::new(&program.prepare(), (now(), None), columns, &Options::new()).with_part_rows(20_000);
    let all: Vec<(&str, i64)> = [("a", 3 * DAY), ("a", DAY)]
        .into_iter()
        .chain((0..N).map(|n| ("b", n as i64 * 1_000_000)))
        .chain([("c", 5 * DAY)])
        .collect();
    let (mut found, mut largest) = (Vec::new(), 0);
    for part in all.chunks(9_999) {
        let ids = StringArray::from_iter_values(part.iter().map(|(id, _)| *id));
        let names = StringArray::from_iter_values(part.iter().map(|_| "Order"));
        let times: TimestampMicrosecondArray = part.iter().map(|(_, ago)| Some(now().0 - ago)).collect();
        let columns: [(&str, ArrayRef); 3] =
            [("id", Arc::new(ids)), ("event", Arc::new(names)), ("time", Arc::new(times.with_timezone("UTC")))];
        let batch = RecordBatch::try_from_iter(columns).expect("a batch");
        found.extend(stream.push(batch).expect("a part"));
    }
    let (last, sums) = stream.finish().expect("the rest");
    let report = sums.whole_report();
    found.extend(last);
    let mut members = Vec::new();
    for (batch, evaluation) in &found {
        largest = largest.max(batch.len());
        for (name, mask) in evaluation.segment_names().zip(evaluation.masks()) {
            members.extend(mask.rows().map(|row| format!("{name} {}", batch.id(row))));
        }
    }
    members.sort();
    assert_eq!(members, ["Lately a", "Lately b", "Many b"]);
    assert_eq!((report.rows, report.profiles, report.events), (N as u64 + 3, 3, N as u64 + 3));
    assert!(found.len() >= 2 && largest <= 2, "{} parts, {largest} people", found.len());
}

/// What was mistyped is told of, and not read as missing.
#[test]
fn a_column_that_is_read_and_missing_is_refused() {
    let (_, program) = program(
        "segment \"A\" include people whose country is \"DE\"\n\
         segment \"B\" include people whose total amount of Order is at least 10\n",
    );
    let wanted = program.wanted(now());
    let of_events = |amount: &str| {
        let time = ("time", texts(&["2026-05-01T00:00:00Z"]));
        events(&[("who", texts(&["1"])), ("event", texts(&["Order"])), time, (amount, texts(&["12.50"]))])
    };
    let load = |country: Option<&str>, amount: &str, id: &str, ignores_missing: bool| {
        let mut request = TablesRequest {
            wanted: Some(&wanted),
            asked: Some(&wanted),
            ignores_missing,
            ..TablesRequest::new(program.schema())
        };
        request.events.push((EventFiles::new(Vec::new(), id, "event", "time"), of_events(amount)));
        let profiles = country.map(|name| table(vec![("id", texts(&["1"])), (name, texts(&["DE"]))]));
        request.profiles.extend(profiles.map(|rows| (ProfileFiles::new(vec!["people".into()], "id"), rows)));
        load_tables(request)
    };
    let told = |country, amount, id| {
        let error = load(country, amount, id, false).expect_err("refused");
        (error.to_string(), error.column.unwrap_or_default())
    };
    let text = |text: &str, column: &str| (text.to_owned(), column.to_owned());
    assert_eq!(
        told(Some("cuontry"), "amount", "who"),
        text("people: there is no column `country`, which the segments read", "country")
    );
    assert_eq!(
        told(Some("country"), "amout", "who"),
        text("events: there is no column `amount`, which the segments read", "amount")
    );
    assert_eq!(told(Some("country"), "amount", "id"), text("events: there is no column `id`", "id"));
    assert_eq!(
        told(None, "amount", "who"),
        text("profiles: there is no table of profiles, and the segments read `country`", "country")
    );
    let loaded = load(Some("cuontry"), "amount", "who", true).expect("asked for");
    let absent = |report: &Report| report.problems.iter().any(|p| p.kind == ProblemKind::AbsentColumn);
    assert!(absent(&loaded.report), "{:?}", loaded.report);
    let right = load(Some("country"), "amount", "who", false).expect("everything is there");
    assert!(right.report.problems.is_empty(), "{:?}", right.report);
    let evaluation = program.prepare().evaluate(&right.batch, now()).expect("evaluated");
    assert_eq!(evaluation.masks().iter().map(seg::Mask::count).collect::<Vec<_>>(), [1, 1]);

    // The same of a batch that somebody laid out.
    let records = RecordBatch::try_from_iter([("profile_id", texts(&["1"])), ("cuontry", texts(&["DE"]))]);
    let batch = seg::Batch::new(Arc::clone(program.schema()), records.expect("a batch")).expect("ids");
    let refused = program.prepare().evaluate_with(&batch, now(), &Options::new().with_missing_refused());
    assert_eq!(refused.expect_err("refused").to_string(), "column `country` is missing");
    assert!(program.prepare().evaluate(&batch, now()).is_ok());
}

/// Reports of parts are the report of the whole, also behind a journey as text.
#[test]
fn reports_add_up() {
    let (project, _) = program("segment \"A\" include everyone\n");
    let lines = |ids: std::ops::Range<usize>| -> String {
        let row = |n: usize| match n % 5 {
            0 => format!("{{\"id\": \"{n}\", \"event\": \"Order\", \"time\": \"soon\"}}\n"),
            1 => format!("{{\"id\": \"{n}\", \"event\": \"Ordre\", \"time\": \"2026-05-01T00:00:00Z\"}}\n"),
            _ => format!("{{\"id\": \"{n}\", \"event\": \"Order\", \"time\": \"2026-05-01T00:00:00Z\", \"n\": 1}}\n"),
        };
        ids.map(row).collect()
    };
    let report = |ids| seg::io::load_lines(project.schema(), None, "", &lines(ids)).expect("read").report;
    let mut sum = Report::default();
    for from in [0, 10, 20] {
        let sent = serde_json::to_string(&report(from..from + 10)).expect("a text");
        let back: Report = serde_json::from_str(&sent).expect("a report");
        assert_eq!(back, report(from..from + 10));
        sum.append(&back);
    }
    let whole = report(0..30);
    let counts = |report: &Report| -> Vec<(ProblemKind, String, u64, usize)> {
        let told = |p: &seg::io::Problem| {
            // That a column is unknown is told once a file.
            let count = if p.kind == ProblemKind::UnknownColumn { 1 } else { p.count };
            (p.kind, p.column.clone(), count, if count == 1 { 1 } else { p.examples.len() })
        };
        report.problems.iter().map(told).collect()
    };
    assert_eq!(counts(&sum), counts(&whole));
    assert_eq!((sum.rows, sum.profiles, sum.events), (whole.rows, whole.profiles, whole.events));
}

/// A project comes back from its texts, with its calendar and its lists, and compiles to the same.
#[test]
fn projects_are_sent_as_texts() {
    for example in ["webshop", "d2c-store", "online-retail", "cart-recovery"] {
        let project = Project::load(seg_tests::root().join("examples").join(example)).expect("an example");
        let sent = project.texts().expect("texts");
        let back = Project::from_texts(&sent).expect("a project");
        assert_eq!(back.texts().expect("texts"), sent, "{example}");
        assert_eq!(format!("{:?}", back.settings()), format!("{:?}", project.settings()), "{example}");
        let (ours, theirs) = (seg::compile(&project).expect("compiles"), seg::compile(&back).expect("compiles"));
        let plan = |program: &Program| format!("{:?}", seg::unstable::plan_of(program).nodes());
        assert_eq!(plan(&theirs), plan(&ours), "{example}");
    }
    let mut project = Project::from_text(
        SCHEMA,
        [("a.seg", "list \"eu\" from \"eu.csv\"\nsegment \"A\" include people whose country is in list \"eu\"\n")],
        Settings::default(),
    );
    project.add_list("eu.csv", ["DE", "FR"].map(str::to_owned));
    let back = Project::from_texts(&project.texts().expect("texts")).expect("a project");
    assert!(seg::compile(&back).is_ok());
    assert!(Project::from_texts("{}").is_err());
}

/// Wide and long are the rows that the writer of results has.
#[test]
fn evaluations_are_tables() {
    let (project, program) =
        program("segment \"A\" include people whose country is \"DE\"\nsegment \"B\" include people who did Order\n");
    let people = "{\"id\": \"1\", \"country\": \"DE\"}\n{\"id\": \"2\", \"country\": \"FR\"}\n";
    let orders = "{\"id\": \"2\", \"event\": \"Order\", \"time\": \"2026-05-01T00:00:00Z\"}\n\
                  {\"id\": \"3\", \"event\": \"Order\", \"time\": \"2026-07-01T00:00:00Z\"}\n";
    let batch = seg::io::load_lines(project.schema(), None, people, orders).expect("read").batch;
    let evaluation = program.prepare().evaluate(&batch, now()).expect("evaluated");
    let (schema, rows) = evaluation.wide(&batch, now()).expect("wide");
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["profile_id", "A", "B"]);
    // Who comes later does not exist yet.
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    let (schema, rows) = evaluation.long(&batch, now()).expect("long");
    let expected = RecordBatch::try_new(schema, vec![texts(&["A", "B"]), texts(&["1", "2"])]).expect("rows");
    assert_eq!(rows, [expected]);
}
