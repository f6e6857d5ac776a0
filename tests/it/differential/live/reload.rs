//! Segments that are others than when people were judged.

use super::disk::Mounted;
use seg::{Prepared, Project, Settings, Timestamp};
use seg_io::facts::read_facts;
use seg_live::{Cause, Change, Limits, Session};
use std::collections::BTreeSet;

const SCHEMA: &str = "[attributes]\ncountry = \"text\"\n[events.Order]\n";

fn prepared(segments: &[(&str, &str)]) -> Prepared {
    let texts: Vec<String> =
        segments.iter().map(|(name, text)| format!("segment \"{name}\" include people who {text}")).collect();
    let project = Project::from_text(SCHEMA, [("g.seg", texts.join("\n").as_str())], Settings::default());
    seg::compile(&project).expect("a program").prepare()
}

fn open(segments: &[(&str, &str)], disk: &Mounted) -> Session<Mounted> {
    Session::open(&prepared(segments), disk.clone(), Limits::default(), "r").expect("a session")
}

fn told(changes: &[Change]) -> BTreeSet<String> {
    changes.iter().map(|change| format!("{} {:?} {}", change.person, change.change, change.segment)).collect()
}

fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Ann ordered once, Bo twice, and Cy is from Germany.
const RECORDS: &str = r#"{"id": "ann", "event": "Order", "time": "2026-05-30T12:00:00Z"}
{"id": "bo", "event": "Order", "time": "2026-05-30T12:00:00Z"}
{"id": "bo", "event": "Order", "time": "2026-05-31T12:00:00Z"}
{"id": "cy", "country": "DE"}"#;

#[test]
fn segments_that_change_are_judged_again_and_others_tell_nothing() {
    // By another process, or while one goes on.
    for is_begun_again in [true, false] {
        segments_change(is_begun_again);
    }
}

/// The session with other segments.
fn changed(
    session: Session<Mounted>,
    segments: &[(&str, &str)],
    disk: &Mounted,
    is_begun_again: bool,
) -> Session<Mounted> {
    if is_begun_again {
        return open(segments, disk);
    }
    let mut session = session;
    session.reload(&prepared(segments));
    session
}

fn segments_change(is_begun_again: bool) {
    let now = Timestamp::read("2026-06-01T12:00:00Z", None).expect("an instant");
    let disk = Mounted::default();
    let before = [("Buyers", "did Order ever"), ("Often", "did Order at least once ever"), ("Gone", "did Order ever")];
    let mut session = open(&before, &disk);
    let lines = read_facts((session.core().schema(), session.core().names()), None, RECORDS).expect("lines");
    session.step(&lines, now).expect("a step");
    let first = session.commit().expect("a commit");
    let all = ["Buyers", "Often", "Gone"].map(|segment| ["ann", "bo"].map(|id| format!("{id} Entered {segment}")));
    assert_eq!(told(&first), all.into_iter().flatten().collect());

    // In the same words and in others of the same meaning nobody is judged.
    for buyers in ["did Order ever", "have done Order ever"] {
        let same = [("Buyers", buyers), before[1], before[2]];
        session = changed(session, &same, &disk, is_begun_again);
        let n_judged = session.core().counts().judged;
        assert!(session.core().is_settled());
        session.turn(now, 10).expect("a turn");
        assert_eq!(session.commit().expect("a commit"), []);
        assert_eq!(session.core().counts().judged, n_judged);
    }

    // One means something else, one is new, one is no more.
    let after =
        [("New", "country is \"DE\""), ("Buyers", "did Order ever"), ("Often", "did Order at least twice ever")];
    let mut session = changed(session, &after, &disk, is_begun_again);
    assert!(!session.core().is_settled());
    // Whom a record is about is judged by the new segments at once, and then with the record,
    // which tells of an hour before.
    let record = r#"{"id": "ann", "event": "Order", "time": "2026-06-01T11:00:00Z"}"#;
    let lines = read_facts((session.core().schema(), session.core().names()), None, record).expect("lines");
    session.step(&lines, now).expect("a step");
    let changes = session.commit().expect("a commit");
    let ann: Vec<(&str, Cause, bool)> =
        changes.iter().map(|change| (change.segment.as_str(), change.cause, change.backfill)).collect();
    let expected = [("Often", Cause::Program, true), ("Gone", Cause::Program, true), ("Often", Cause::Late, false)];
    assert_eq!(ann, expected);
    while !session.core().is_settled() {
        session.turn(now, 1).expect("a turn");
    }
    let changes = session.commit().expect("a commit");
    assert_eq!(told(&changes), texts(&["bo Left Gone", "cy Entered New"]));
    assert!(changes.iter().all(|change| change.cause == Cause::Program && change.backfill && change.program == 2));
    assert_eq!(session.core().audit().expect("an audit"), (3, Vec::new()));
    let sizes: Vec<(&str, u64)> = session.core().sizes().collect();
    assert_eq!(sizes, [("New", 1), ("Buyers", 2), ("Often", 2)]);

    // From then on they are the segments that there were.
    assert!(open(&after, &disk).core().is_settled());
}

/// A segment of a list, which is read from outside of the sentence.
fn prepared_with_list(values: &[&str]) -> Prepared {
    let text = "list \"near\" from \"near.csv\"\nsegment \"Near\" include people whose country is in list \"near\"";
    let mut project = Project::from_text(SCHEMA, [("g.seg", text)], Settings::default());
    project.add_list("near.csv", values.iter().map(|value| (*value).to_owned()));
    seg::compile(&project).expect("a program").prepare()
}

#[test]
fn a_list_that_changes_is_another_meaning_and_one_that_does_not_is_none() {
    let now = Timestamp::read("2026-06-01T12:00:00Z", None).expect("an instant");
    let disk = Mounted::default();
    let open = |values: &[&str]| {
        Session::open(&prepared_with_list(values), disk.clone(), Limits::default(), "r").expect("a session")
    };
    let mut session = open(&["DE", "AT"]);
    let lines = read_facts((session.core().schema(), session.core().names()), None, RECORDS).expect("lines");
    session.step(&lines, now).expect("a step");
    assert_eq!(told(&session.commit().expect("a commit")), texts(&["cy Entered Near"]));
    assert!(open(&["AT", "DE"]).core().is_settled(), "the order of a list says nothing");
    let mut session = open(&["AT"]);
    assert!(!session.core().is_settled());
    session.turn(now, 10).expect("a turn");
    assert_eq!(told(&session.commit().expect("a commit")), texts(&["cy Left Near"]));
}
