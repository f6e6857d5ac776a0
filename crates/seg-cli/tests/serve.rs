//! `seg live --listen` as a process: what is posted is kept, told, looked at and forgotten, and
//! segments change while it runs.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

const SCHEMA: &str = "[attributes]\ncountry = \"text\"\n[events.Order]\nverbs = [\"order\"]\nproperties = { amount = \"money\" }\n[events.Visit]\n";
const SEGMENTS: &str = "segment \"Buyers\" include people who did Order in the past 30 days\n\
    segment \"Abroad\" include people whose country is not \"DE\" and is known\n";
const TOKEN: &str = "the-token";
/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that serves, ended with the test.
struct Server {
    dir: PathBuf,
    child: Child,
    intake: u16,
    admin: u16,
    log: BufReader<ChildStderr>,
}

/// An answer: its status, headers and body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }
}

impl Server {
    fn begin(dir: &Path) -> Server {
        std::fs::create_dir_all(dir).expect("a folder");
        if !dir.join("seg.toml").exists() {
            std::fs::write(dir.join("seg.toml"), "name = \"shop\"\ntimezone = \"UTC\"\n").expect("written");
            std::fs::write(dir.join("schema.toml"), SCHEMA).expect("written");
            std::fs::write(dir.join("segments.seg"), SEGMENTS).expect("written");
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        command.arg("live").arg(dir).args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log", "json"]);
        command.arg("--changes").arg(dir.join("changes.ndjson"));
        command.env("SEG_WRITE_KEYS", "the-key").env("SEG_ADMIN_TOKEN", TOKEN).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let log = BufReader::new(child.stderr.take().expect("a stream"));
        let mut server = Server { dir: dir.to_owned(), child, intake: 0, admin: 0, log };
        let told = server.told("listening");
        let ports: Vec<u16> = told["message"]
            .as_str()
            .expect("words")
            .split("http://127.0.0.1:")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
            .collect();
        (server.intake, server.admin) = (ports[0], ports[1]);
        server
    }

    /// Reads what the process says until it tells of this.
    fn told(&mut self, event: &str) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.log.read_line(&mut line).expect("a line") > 0, "it ended and never said `{event}`");
            let Ok(told) = serde_json::from_str::<Value>(&line) else { continue };
            if told["event"] == event {
                return told;
            }
        }
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let key = "Authorization: Basic dGhlLWtleTo=\r\n";
        asked(self.intake, "POST", path, key, &body.to_string())
    }

    fn get(&self, path: &str) -> Answer {
        self.admin("GET", path)
    }

    fn admin(&self, method: &str, path: &str) -> Answer {
        asked(self.admin, method, path, &format!("Authorization: Bearer {TOKEN}\r\n"), "")
    }

    /// How many people each segment has.
    fn sizes(&self) -> Value {
        let sizes = self.get("/segments").json();
        let each = sizes.as_array().expect("an array").iter();
        each.map(|one| (one["segment"].as_str().expect("a name").to_owned(), one["people"].clone())).collect()
    }

    /// Waits until sizes are these.
    fn becomes(&self, wanted: &Value) {
        let begun = Instant::now();
        while self.sizes() != *wanted {
            assert!(begun.elapsed() < PATIENCE, "{} and never {wanted}", self.sizes());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The changes after one, as soon as so many of them are on disk.
    fn changes(&self, after: u64, n: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let told = self.get(&format!("/changes?after={after}")).json();
            let told = told["changes"].as_array().expect("an array").clone();
            if told.len() >= n {
                return told;
            }
            assert!(begun.elapsed() < PATIENCE, "{told:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn write(&self, segments: &str) {
        std::fs::write(self.dir.join("segments.seg"), segments).expect("written");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("it runs").success());
    }

    /// Tells it to end, and gives its exit code.
    fn end(mut self) -> Option<i32> {
        self.signal("TERM");
        self.told("drained");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn asked(port: u16, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn order(id: &str, message: &str) -> Value {
    json!({ "userId": id, "event": "Order", "messageId": message, "properties": { "amount": 20 } })
}

#[test]
fn what_is_posted_is_kept_told_and_looked_at() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut server = Server::begin(dir.path());
    assert_eq!(server.sizes(), json!({ "Buyers": 0, "Abroad": 0 }));

    // Alone or together, with what cannot be used between: each is known when it is answered.
    assert_eq!(server.post("/v1/track", &order("ann", "m1")).json(), json!({ "success": true }));
    assert_eq!(server.sizes(), json!({ "Buyers": 1, "Abroad": 0 }));
    let identify = |id: &str, country: &str| json!({ "type": "identify", "userId": id, "anonymousId": null, "traits": { "country": country } });
    let mut bo = order("bo", "m2");
    bo["type"] = json!("track");
    let batch =
        json!({ "batch": [identify("ann", "FR"), bo, { "type": "track", "userId": "bo", "event": "Unknown" }, 7] });
    assert_eq!(server.post("/v1/batch", &batch).status, 200);
    assert_eq!(server.post("/v1/batch", &batch).status, 200);
    assert_eq!(server.sizes(), json!({ "Buyers": 2, "Abroad": 1 }));

    let members = server.get("/segments/Buyers/members").json();
    assert_eq!((&members["members"], &members["next"]), (&json!(["ann", "bo"]), &Value::Null));
    let first = server.get("/segments/Buyers/members?limit=1").json();
    assert_eq!((&first["members"], &first["next"]), (&json!(["ann"]), &json!("ann")));
    let second = server.get("/segments/Buyers/members?limit=1&after=ann").json();
    assert_eq!(second["members"], json!(["bo"]));

    let changes = server.changes(0, 3);
    let told: Vec<String> = changes
        .iter()
        .map(|of| format!("{} {} {} {}", of["seq"], of["person"], of["change"], of["segment"]).replace('"', ""))
        .collect();
    assert_eq!(told, ["1 ann entered Buyers", "2 ann entered Abroad", "3 bo entered Buyers"]);
    assert_eq!(server.get("/changes?after=2").json()["changes"][0]["person"], "bo");

    let ann = server.get("/people/ann").json();
    assert_eq!(ann["timeline"][0]["event"], "Order");
    let text = ann["segments"][0]["text"].as_str().expect("words");
    assert!(text.starts_with("✓ ann is in \"Buyers\"") && text.contains("leaves "), "{text}");
    assert!(ann["until"].as_str().is_some());
    assert_eq!(server.get("/people/nobody").status, 404);
    assert_eq!(server.get("/segments/None/members").status, 404);
    // What is refused before it is looked up is told in JSON too.
    for path in ["/changes?after=soon", "/people/%FF", "/segments/Buyers/members?limit=all"] {
        let refused = server.get(path);
        assert_eq!((refused.status, &refused.json()["code"]), (400, &"unreadable".into()), "{path}");
    }

    // What was refused is counted, and told in words.
    let health = server.get("/health").json();
    let refused = json!([{ "reason": "no record", "records": 2 }, { "reason": "an event that the schema does not have", "records": 2 }]);
    assert_eq!((&health["ok"], &health["refused"], &health["people"]), (&json!(true), &refused, &json!(2)));
    let metrics = server.get("/metrics").body;
    for line in [
        "seg_live_records_received_total 9",
        "seg_live_records_repeated_total 1",
        "seg_live_segment_people{segment=\"Buyers\"} 2",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("ann"), "{metrics}");

    // Forgotten means gone, also for who begins again.
    assert_eq!(server.admin("DELETE", "/people/ann").json(), json!({ "forgotten": true }));
    assert_eq!(server.sizes(), json!({ "Buyers": 1, "Abroad": 0 }));
    assert_eq!(server.get("/people/ann").status, 404);
    assert_eq!(server.admin("DELETE", "/people/ann").status, 404);
    // Another process is told why it cannot have the folder.
    let audit =
        Command::new(env!("CARGO_BIN_EXE_seg")).args(["live", "audit"]).arg(dir.path()).output().expect("it runs");
    let told = String::from_utf8_lossy(&audit.stderr).into_owned();
    assert!(audit.status.code() == Some(3) && told.contains("another process has it open; end that first"), "{told}");
    // What was refused is told of in the end.
    server.signal("TERM");
    let taken = server.told("taken")["message"].to_string();
    assert!(taken.contains("; 2 refused: an event that the schema does not have"), "{taken}");
    server.told("drained");
    assert_eq!(server.child.wait().expect("it ends").code(), Some(0));
    let server = Server::begin(dir.path());
    assert_eq!(server.sizes(), json!({ "Buyers": 1, "Abroad": 0 }));
    assert_eq!(server.end(), Some(0));
    let written = std::fs::read_to_string(dir.path().join("changes.ndjson")).expect("a text");
    assert_eq!(written.lines().count(), 5, "{written}");
}

#[test]
fn nobody_looks_without_the_token() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::begin(dir.path());
    for path in ["/", "/page.js", "/segments", "/people/ann", "/changes", "/metrics", "/stream", "/?token=wrong"] {
        assert_eq!(asked(server.admin, "GET", path, "", "").status, 401, "{path}");
    }
    assert_eq!(asked(server.admin, "DELETE", "/people/ann", "", "").status, 401);
    assert_eq!(asked(server.admin, "POST", "/reload", "", "").status, 401);
    // Whether it goes may be asked by whoever starts it.
    let health = asked(server.admin, "GET", "/health", "", "");
    assert_eq!((health.status, health.json()), (200, json!({ "ok": true })));
    assert_eq!(asked(server.admin, "GET", "/ready", "", "").status, 200);
    // A browser brings the token once.
    let entered = asked(server.admin, "GET", &format!("/?token={TOKEN}"), "", "");
    assert_eq!(entered.status, 303);
    assert!(entered.head.contains("HttpOnly; SameSite=Strict"), "{}", entered.head);
    let page = asked(server.admin, "GET", "/", &format!("Cookie: seg_token={TOKEN}\r\n"), "");
    assert_eq!(page.status, 200);
    assert!(page.head.contains("default-src 'none'"), "{}", page.head);
    // The key of those who post is none of operators'.
    assert_eq!(asked(server.admin, "GET", "/segments", "Authorization: Bearer the-key\r\n", "").status, 401);
    assert_eq!(asked(server.intake, "POST", "/v1/track", "", &order("ann", "m").to_string()).status, 401);
    assert_eq!(server.sizes(), json!({ "Buyers": 0, "Abroad": 0 }));
}

#[test]
fn segments_change_while_it_runs() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut server = Server::begin(dir.path());
    for (id, message) in [("ann", "1"), ("bo", "2"), ("bo", "3")] {
        assert_eq!(server.post("/v1/track", &order(id, message)).status, 200);
    }
    server.becomes(&json!({ "Buyers": 2, "Abroad": 0 }));

    // A broken edit changes nothing.
    server.write("segment \"Buyers\" include people who did Ordr in the past 30 days\n");
    server.signal("HUP");
    server.told("broken");
    assert_eq!(server.sizes(), json!({ "Buyers": 2, "Abroad": 0 }));

    // Noticed without a signal: one means something else, one is new, one is no more.
    server.write("segment \"Buyers\" include people who did Order at least twice in the past 30 days\nsegment \"Any\" include people who did Order ever\n");
    server.told("reloaded");
    server.becomes(&json!({ "Buyers": 1, "Any": 2 }));
    let told = server.changes(2, 3);
    assert!(told.iter().all(|of| of["cause"] == "program" && of["backfill"] == true), "{told:?}");
    assert_eq!(told.len(), 3);

    // Other words for the same tell nothing.
    server.write("segment \"Buyers\" include people who have done Order at least twice in the past 30 days\nsegment \"Any\" include people who did Order ever\n");
    assert_eq!(server.admin("POST", "/reload").status, 202);
    let told = server.told("reloaded");
    assert!(told["message"].as_str().is_some_and(|words| words.contains("mean the same")), "{told}");
    // What comes next is judged by the new ones, and a schema may have grown.
    std::fs::write(dir.path().join("schema.toml"), SCHEMA.to_owned() + "[events.Refund]\n").expect("written");
    server.write("segment \"Refunded\" include people who did Refund ever\n");
    server.told("reloaded");
    server.becomes(&json!({ "Refunded": 0 }));
    let refund = json!({ "userId": "cy", "event": "Refund", "messageId": "r" });
    assert_eq!(server.post("/v1/track", &refund).status, 200);
    assert_eq!(server.sizes(), json!({ "Refunded": 1 }));
    assert_eq!(server.end(), Some(0));
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let dir = tempfile::tempdir().expect("a folder");
    for round in 0..5 {
        let mut server = Server::begin(dir.path());
        for n in 0..10 {
            assert_eq!(server.post("/v1/track", &order(&format!("p{round}-{n}"), "m")).status, 200);
        }
        assert_eq!(server.sizes()["Buyers"], json!(10 * (round + 1)));
        server.child.kill().expect("killed");
    }
}
