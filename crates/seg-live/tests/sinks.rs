//! Changes reach whoever wants them, whatever they answer: at least once, in order.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

mod receiver;

use receiver::{Answer, GOOD, Received, Server, wait_until};
use seg::Timestamp;
use seg_live::{
    Cause, Change, Direction, Embedded, Schedule, Secret, SinkSettings, SinkState, SinkTo, Sinks, Store, Table, Write,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn change(seq: u64) -> Change {
    Change {
        id: format!("i-{seq}"),
        seq,
        segment: (if seq.is_multiple_of(7) { "Seventh" } else { "Other" }).to_owned(),
        person: format!("p{}", seq % 5),
        change: Direction::Entered,
        at: Timestamp(seq as i64),
        cause: Cause::Event,
        event_id: None,
        program: 1,
        backfill: false,
    }
}

/// Commits changes on a day.
fn commit(store: &mut Embedded, day: i32, seqs: std::ops::RangeInclusive<u64>) {
    let row = |seq: u64| Write {
        table: Table::Out(day),
        key: seq.to_be_bytes().to_vec(),
        value: Some(serde_json::to_vec(&change(seq)).expect("JSON")),
    };
    store.commit(&seqs.map(row).collect::<Vec<Write>>()).expect("committed");
}

fn store(dir: &Path, seqs: std::ops::RangeInclusive<u64>) -> Embedded {
    let mut store = Embedded::open(&dir.join("store")).expect("a store");
    commit(&mut store, 1, seqs);
    store
}

fn webhook(name: &str, url: String, time_out: Duration) -> SinkSettings {
    let secrets = vec![Secret::read(SECRET).expect("a secret")];
    SinkSettings {
        name: name.to_owned(),
        segments: BTreeSet::new(),
        to: SinkTo::Webhook { url, secrets, time_out },
        schedule: Schedule { longest: Duration::from_millis(20) },
    }
}

fn start(settings: Vec<SinkSettings>, store: &Embedded, cursors: &[(&str, u64)]) -> Sinks {
    let cursors: BTreeMap<String, u64> = cursors.iter().map(|(name, seq)| ((*name).to_owned(), *seq)).collect();
    Sinks::start(settings, &store.outbox(), &cursors, 1).expect("sinks")
}

fn state(sinks: &Sinks) -> SinkState {
    sinks.states().into_iter().next().expect("a sink")
}

fn seqs(posts: &[Received]) -> Vec<u64> {
    posts.iter().flat_map(Received::seqs).collect()
}

#[test]
fn a_receiver_that_fails_gets_the_same_post_again_until_it_takes_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path(), 1..=250);
    let elsewhere = Server::start(0, |_, _| GOOD);
    let moved: &'static str = Box::leak(format!("location: {}\r\n", elsewhere.url()).into_boxed_str());
    let server = Server::start(0, move |nth, _| match nth {
        0 => Answer::Status(500, ""),
        1 => Answer::ClosedMidway,
        2 => Answer::Status(301, moved),
        3 => Answer::Status(429, "retry-after: 1\r\n"),
        6 => Answer::Status(404, ""),
        _ => GOOD,
    });
    let sinks = start(vec![webhook("crm", server.url(), Duration::from_secs(5))], &store, &[]);
    let begun = Instant::now();
    sinks.tell(250);
    wait_until("all are sent", || sinks.cursors() == [("crm".to_owned(), 250)]);
    assert!(begun.elapsed() >= Duration::from_secs(1), "what the receiver asks for is kept");
    let SinkState { n_waiting, error, failing_since, n_retries, n_gaps, is_stopped, .. } = state(&sinks);
    assert_eq!((n_waiting, error, failing_since, n_retries, n_gaps, is_stopped), (0, None, None, 5, 0, false));
    let posts = server.received();
    let ids: Vec<&str> = posts.iter().map(|post| post.header("webhook-id")).collect();
    let first = ["i-1-100"; 5];
    assert_eq!(ids, [&first[..], &["i-101-200", "i-201-250", "i-201-250"]].concat());
    assert!(posts[..5].iter().all(|post| post.body == posts[0].body));
    assert_eq!(seqs(&server.taken()), (1..=250).collect::<Vec<u64>>());
    assert!(posts.iter().all(|post| post.header("content-type") == "application/json"));
    let body: serde_json::Value = serde_json::from_str(&posts[0].body).expect("JSON");
    assert_eq!(body["type"], "segment.changes");
    let sent: Change = serde_json::from_value(body["data"]["changes"][41].clone()).expect("a change");
    assert_eq!(sent, change(42));
    assert!(elsewhere.close().is_empty(), "a redirect is not followed");
}

#[test]
fn a_slow_receiver_stops_nobody_and_gets_everything() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = store(dir.path(), 1..=10);
    let slow = Server::start(0, |nth, _| if nth < 3 { Answer::Slow(Duration::from_millis(400)) } else { GOOD });
    let quick = Server::start(0, |_, _| GOOD);
    let settings = vec![
        webhook("slow", slow.url(), Duration::from_millis(100)),
        webhook("quick", quick.url(), Duration::from_secs(5)),
    ];
    let sinks = start(settings, &store, &[]);
    sinks.tell(10);
    wait_until("one has failed", || state(&sinks).error.is_some());
    let SinkState { error, n_waiting, failing_since, .. } = state(&sinks);
    assert_eq!(error.as_deref(), Some("127.0.0.1 does not answer within 0.1 seconds"));
    assert!(n_waiting == 10 && failing_since.is_some());
    // Commits go on, of a later day too, and are sent to the other at once.
    for seq in 11..=60 {
        commit(&mut store, 2, seq..=seq);
        let begun = Instant::now();
        sinks.tell(seq);
        assert!(begun.elapsed() < Duration::from_millis(50));
    }
    wait_until("the quick one has all", || seqs(&quick.taken()).len() == 60);
    wait_until("the slow one has all", || sinks.cursors().iter().all(|(_, seq)| *seq == 60));
    assert_eq!(seqs(&quick.taken()), (1..=60).collect::<Vec<u64>>());
    let mut met = 0;
    for seq in seqs(&slow.received()) {
        assert!(seq <= met + 1, "{seq} comes after {met}");
        met = met.max(seq);
    }
    assert_eq!(met, 60);
}

#[test]
fn a_receiver_that_goes_away_and_comes_back_misses_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = store(dir.path(), 1..=5);
    let server = Server::start(0, |_, _| GOOD);
    let (port, url) = (server.port, server.url());
    let sinks = start(vec![webhook("crm", url, Duration::from_secs(5))], &store, &[("crm", 2)]);
    sinks.tell(5);
    wait_until("what there is is sent", || sinks.cursors()[0].1 == 5);
    let mut all = server.close();
    commit(&mut store, 1, 6..=30);
    sinks.tell(30);
    wait_until("it is noticed", || state(&sinks).n_retries > 3);
    let error = state(&sinks).error.unwrap_or_default();
    assert!(error.starts_with("127.0.0.1 cannot be reached"), "{error}");
    assert!(!error.contains("key"), "{error}");
    let server = Server::start(port, |_, _| GOOD);
    wait_until("the rest is sent", || sinks.cursors()[0].1 == 30);
    all.extend(server.close());
    assert_eq!(seqs(&all), (3..=30).collect::<Vec<u64>>());
}

#[test]
fn who_is_gone_is_sent_nothing_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = store(dir.path(), 1..=5);
    let server = Server::start(0, |_, _| Answer::Status(410, ""));
    let sinks = start(vec![webhook("crm", server.url(), Duration::from_secs(5))], &store, &[]);
    sinks.tell(5);
    wait_until("it has stopped", || state(&sinks).is_stopped);
    commit(&mut store, 1, 6..=9);
    sinks.tell(9);
    let begun = Instant::now();
    sinks.stop(Duration::from_secs(30));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let SinkState { delivered, n_waiting, error, .. } = state(&sinks);
    assert_eq!((delivered, n_waiting), (0, 9));
    assert_eq!(error.as_deref(), Some("127.0.0.1 answers 410 Gone: it wants no more"));
    assert_eq!(server.close().len(), 1);
}

#[test]
fn what_was_dropped_is_told_of_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut store = store(dir.path(), 1..=20);
    commit(&mut store, 2, 21..=30);
    commit(&mut store, 9, 31..=40);
    store.drop_changes_before(9).expect("dropped");
    assert_eq!(store.outbox().first_seq().expect("read"), Some(31));
    let server = Server::start(0, |nth, _| if nth == 0 { Answer::Status(503, "") } else { GOOD });
    let path = dir.path().join("changes.ndjson");
    let file = SinkSettings {
        name: "file".to_owned(),
        segments: BTreeSet::from(["Seventh".to_owned()]),
        to: SinkTo::File(path.clone()),
        schedule: Schedule::default(),
    };
    let settings = vec![webhook("crm", server.url(), Duration::from_secs(5)), file];
    let sinks = start(settings, &store, &[("crm", 4), ("file", 25)]);
    sinks.tell(40);
    sinks.stop(Duration::from_secs(30));
    // It failed once, and what is to end does not wait.
    assert_eq!(state(&sinks).delivered, 4);
    drop(sinks);
    let sinks = start(vec![webhook("crm", server.url(), Duration::from_secs(5))], &store, &[("crm", 4)]);
    sinks.tell(40);
    wait_until("all are sent", || sinks.cursors()[0].1 == 40);
    assert_eq!(state(&sinks).n_gaps, 1);
    let posts = server.taken();
    let gap: serde_json::Value = serde_json::from_str(&posts[0].body).expect("JSON");
    assert_eq!(
        (&gap["type"], &gap["data"]["from"], &gap["data"]["to"]),
        (&"segment.gap".into(), &5.into(), &30.into())
    );
    assert_eq!(seqs(&posts[1..]), (31..=40).collect::<Vec<u64>>());
    let lines = std::fs::read_to_string(&path).expect("a text");
    let line = serde_json::to_string(&change(35)).expect("JSON");
    assert_eq!(lines, format!("{{\"type\":\"gap\",\"from\":26,\"to\":30}}\n{line}\n"));
    // All changes of days long ago, and none since.
    store.drop_changes_before(20).expect("dropped");
    let sinks = start(vec![webhook("new", server.url(), Duration::from_secs(5))], &store, &[]);
    sinks.tell(40);
    wait_until("it is told", || sinks.cursors()[0].1 == 40);
    let last = server.close().pop().expect("a post");
    assert!(last.body.ends_with("{\"type\":\"gap\",\"from\":1,\"to\":40}}"), "{}", last.body);
}

#[test]
fn posts_are_signed_by_every_secret() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path(), 1..=3);
    let server = Server::start(0, |_, _| GOOD);
    let old = "whsec_c2l4IGFuZCB0d2VudHkgYnl0ZXMgb2YgaXQ=";
    let secrets = [SECRET, old].map(|text| Secret::read(text).expect("a secret")).to_vec();
    let to = SinkTo::Webhook { url: server.url(), secrets: secrets.clone(), time_out: Duration::from_secs(5) };
    let sink = SinkSettings { to, ..webhook("crm", String::new(), Duration::ZERO) };
    let sinks = start(vec![sink], &store, &[]);
    sinks.tell(2);
    wait_until("two are sent", || sinks.cursors()[0].1 == 2);
    let post = server.close().pop().expect("a post");
    assert_eq!(post.seqs(), [1, 2], "what is not durable is not sent");
    let second: i64 = post.header("webhook-timestamp").parse().expect("a number");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    assert!(now.abs_diff(second as u64) < 60);
    let sign = |secret: &Secret| secret.sign(post.header("webhook-id"), second, post.body.as_bytes());
    let signed: Vec<String> = secrets.iter().map(sign).collect();
    assert_eq!(post.header("webhook-signature"), signed.join(" "));
}

#[test]
fn sinks_that_cannot_work_are_told_of_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = store(dir.path(), 1..=1);
    let begin = |settings| Sinks::start(settings, &store.outbox(), &BTreeMap::new(), 1).err().map(|e| e.to_string());
    let hook = |name| webhook(name, "https://localhost".to_owned(), Duration::from_secs(1));
    let file = SinkSettings { to: SinkTo::File(dir.path().join("no/such")), ..hook("file") };
    assert_eq!(
        begin(vec![hook("a"), hook("a")]).as_deref(),
        Some("changes cannot go to `a`: another sink has this name")
    );
    assert!(begin(vec![file]).is_some_and(|why| why.contains("No such file")));
    let nowhere = webhook("a", "a.example".to_owned(), Duration::from_secs(1));
    assert!(begin(vec![nowhere]).is_some_and(|why| why.contains("not the address")));
}
