//! `seg live` and those who want its changes: killed and refused as it may be, everything arrives
//! in order, with the ids that it has.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

#[path = "../../seg-live/tests/receiver/mod.rs"]
mod receiver;

use receiver::{Answer, GOOD, Received, Server};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const SCHEMA: &str = "[events.Order]\n[events.Visit]\n";
const SEGMENTS: &str = "segment \"Recent\" include people who did Order in the past 3 days\n\
    segment \"Silent\" include people who did Order ever and did not do anything in the past 10 days\n\
    segment \"Often\" include people who did Visit at least twice in the past 7 days\n";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct Places {
    dir: tempfile::TempDir,
}

impl Places {
    fn new(settings: &str, n_records: u64) -> Places {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
        put("seg.toml", &format!("name = \"live\"\ntimezone = \"UTC\"\n{settings}"));
        put("schema.toml", SCHEMA);
        put("segments.seg", SEGMENTS);
        let line = |nth: u64| {
            let event = if nth.is_multiple_of(3) { "Order" } else { "Visit" };
            let minute = nth * 60 * 24 * 30 / n_records;
            let (day, hour, minute) = (1 + minute / 1440, minute / 60 % 24, minute % 60);
            format!(
                "{{\"id\": \"p{}\", \"event\": \"{event}\", \"time\": \"2026-04-{day:02}T{hour:02}:{minute:02}:00Z\"}}\n",
                nth * 7919 % (n_records / 10).max(23)
            )
        };
        put("records.ndjson", &(0..n_records).map(line).collect::<String>());
        Places { dir }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn replay(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        let path = |name: &str| self.at(name).to_str().expect("a path").to_owned();
        command.args(["live", &path(""), "--from", &path("records.ndjson"), "--replay", "--until"]);
        command.args(["2026-06-20T00:00:00Z", "--data", &path("kept"), "--changes", &path("changes.ndjson")]);
        command.env("CRM_SECRET", SECRET).stdin(Stdio::null());
        command
    }

    fn done(&self) -> Output {
        let output = self.replay().output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// The changes that were kept, by their numbers, as lines.
    fn kept(&self) -> BTreeMap<u64, String> {
        by_seq(&std::fs::read_to_string(self.at("changes.ndjson")).expect("a text"))
    }
}

/// Whole lines by their numbers, which never leave one out; what is there again is the same.
fn by_seq(lines: &str) -> BTreeMap<u64, String> {
    let mut met: BTreeMap<u64, String> = BTreeMap::new();
    for line in lines.lines() {
        // A line that was being written when the process was killed is written again.
        let Ok(change) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let seq = change["seq"].as_u64().expect("a number");
        assert!(seq <= met.len() as u64 + 1, "{seq} comes after {}", met.len());
        let before = met.insert(seq, change.to_string());
        assert!(before.is_none_or(|before| before == met[&seq]), "{line}");
    }
    met
}

fn changes(posts: &[Received]) -> String {
    let of = |post: &Received| {
        let body: serde_json::Value = serde_json::from_str(&post.body).expect("JSON");
        let changes = body["data"]["changes"].as_array().cloned().unwrap_or_default();
        changes.iter().map(|change| format!("{change}\n")).collect::<String>()
    };
    posts.iter().map(of).collect()
}

fn webhook(url: &str) -> String {
    format!(
        "[[live.webhook]]\nname = \"crm\"\nurl = \"{url}\"\nsecret_env = [\"CRM_SECRET\"]\n\
         longest_wait_seconds = 0.1\nanswer_within_seconds = 0.5\n"
    )
}

/// In a long run as many as `SEG_KILLS` says.
#[test]
fn killed_at_any_moment_everything_is_sent_in_order() {
    let n_kills = std::env::var("SEG_KILLS").ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(8);
    // Every sixth post fails in one way or another.
    let server = Server::start(0, |nth, _| match nth % 24 {
        5 => Answer::Status(500, ""),
        11 => Answer::ClosedMidway,
        17 => Answer::Slow(Duration::from_millis(700)),
        23 => Answer::Status(429, "retry-after: 1\r\n"),
        _ => GOOD,
    });
    let settings = format!("{}[[live.file]]\npath = \"sent.ndjson\"\n", webhook(&server.url()));
    let places = Places::new(&settings, 4_000 + 4_000 * n_kills);
    let (mut n_killed, mut n_posts) = (0, 0);
    for nth in 0..n_kills {
        let mut child = places.replay().stderr(Stdio::null()).spawn().expect("it runs");
        let n_next = n_posts + 1 + nth as usize % 3;
        let begun = Instant::now();
        let mut has_ended = false;
        while server.received().len() < n_next && !has_ended && begun.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(2));
            has_ended = child.try_wait().expect("a process").is_some();
        }
        std::thread::sleep(Duration::from_millis(nth * 7919 % 40));
        n_posts = server.received().len();
        n_killed += u64::from(child.try_wait().expect("a process").is_none());
        child.kill().expect("killed");
        child.wait().expect("a process");
    }
    assert!(n_killed > n_kills / 2 && n_posts as u64 > n_kills / 2, "only {n_killed} were killed, at {n_posts} posts");
    // What fails as it ends is sent by the next.
    for _ in 0..500 {
        let told = String::from_utf8_lossy(&places.done().stderr).into_owned();
        if !told.contains("wait for the next `seg live`") {
            break;
        }
    }
    let kept = places.kept();
    assert!(kept.len() > 100, "{}", kept.len());
    assert_eq!(by_seq(&changes(&server.taken())), kept);
    assert_eq!(by_seq(&std::fs::read_to_string(places.at("sent.ndjson")).expect("a text")), kept);
    let ids: BTreeSet<String> = kept
        .values()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["id"].to_string())
        .collect();
    assert_eq!(ids.len(), kept.len(), "every change has an id of its own");
    // Posts of one id are the same.
    let mut bodies: BTreeMap<String, String> = BTreeMap::new();
    for post in server.received() {
        let before = bodies.insert(post.header("webhook-id").to_owned(), post.body.clone());
        assert!(before.is_none_or(|before| before == post.body));
    }
    println!("{n_killed} of {n_kills} were killed while they ran; {} posts", server.received().len());
}

#[test]
fn a_receiver_has_what_it_wants_and_what_waits_is_told() {
    let server = Server::start(0, |nth, _| if nth < 2 { Answer::Status(503, "") } else { GOOD });
    let settings = webhook(&server.url()).replace("longest_wait_seconds = 0.1", "segments = [\"Silent\"]");
    let places = Places::new(&settings, 200);
    let told = String::from_utf8_lossy(&places.done().stderr).into_owned();
    assert!(
        told.contains("changes for `crm` wait for the next `seg live`: 127.0.0.1 answers 503 Service Unavailable\n"),
        "{told}"
    );
    for _ in 0..2 {
        places.done();
    }
    let sent = changes(&server.taken());
    assert!(sent.lines().count() > 10 && sent.lines().all(|line| line.contains("\"segment\":\"Silent\"")), "{sent}");
    let wanted = places.kept().into_values().filter(|line| line.contains("\"segment\":\"Silent\"")).count();
    assert_eq!(sent.lines().count(), wanted);
    // A process that has nothing to send sends nothing again.
    let n = server.received().len();
    places.done();
    assert_eq!(server.received().len(), n);
}

#[test]
fn a_secret_that_is_not_there_or_none_ends_the_command() {
    let places = Places::new(&webhook("https://localhost"), 3);
    let told = |command: &mut Command| {
        let output = command.output().expect("it runs");
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(
        told(places.replay().env_remove("CRM_SECRET")),
        "seg: the secret of `crm` is read from the variable `CRM_SECRET`: it is not set, or is no text\n"
    );
    let short = told(places.replay().env("CRM_SECRET", "whsec_abcd"));
    assert!(short.ends_with("it is not 24 to 64 bytes in base64\n") && !short.contains("abcd"), "{short}");
}

#[test]
fn settings_that_cannot_be_right_are_told_where_they_are() {
    let places = Places::new(&webhook("https://localhost").replace("longest", "segments = [\"Recnt\"]\nlongest"), 3);
    let check = |dir: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_seg")).arg("check").arg(dir).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    insta::assert_snapshot!(check(&places.at("")));
}

const IN_TIME: &str = "\
segment \"Twice\" include people whose time since their last Order is more than time since their first Visit times 2
segment \"Plain\" include people whose country is \"DE\"
segment \"Birthday\" include people whose anniversary of birthday is within the next 7 days
segment \"Trial\" include people whose trial_ends is within the next 3 days
segment \"Month\" include people who did Order this month and did not do Visit in the past 1 month
segment \"Rhythm\" include people whose time since their last Order is more than 1.5 times their usual gap
segment \"Dormant\" include people who did not do anything in the past 90 days or did Visit in the past 36 hours
segment \"Moved\" include people whose plan was \"free\" at any time in the past 14 days
";

#[test]
fn it_is_told_by_what_time_alone_changes_segments() {
    let places = Places::new("", 3);
    let put = |name: &str, text: &str| std::fs::write(places.at(name), text).expect("written");
    put(
        "schema.toml",
        "[attributes]\nbirthday = \"date\"\ntrial_ends = \"timestamp\"\ncountry = \"text\"\n\
         plan = { type = \"text\", history = true }\n[events.Order]\n[events.Visit]\n",
    );
    put("segments.seg", IN_TIME);
    put("seg.toml", "name = \"x\"\ntimezone = \"Europe/Berlin\"\n");
    let check = |more: &[&str], code: i32| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seg"));
        let output = command.args(["check", "--live"]).args(more).arg(places.at("")).output().expect("it runs");
        let of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(output.status.code(), Some(code), "{}", of(&output.stderr));
        (of(&output.stdout), of(&output.stderr))
    };
    insta::assert_snapshot!(check(&[], 0).0);
    let live: serde_json::Value = serde_json::from_str(&check(&["--format", "json"], 0).0).expect("JSON");
    assert_eq!(live["diagnostics"], serde_json::json!([]));
    assert_eq!(
        live["live"]["segments"][3],
        serde_json::json!({ "name": "Trial", "by_time": ["3 days before `trial_ends`"] })
    );
    assert_eq!(live["live"]["segments"][1]["by_time"], serde_json::json!([]));
    let inexact = "time since their last Order times 1.5 is more than time since their first Visit times 1.2";
    put("segments.seg", &format!("segment \"Ahead\" include people whose {inexact}\n"));
    let (out, err) = check(&[], 1);
    assert_eq!(out, "");
    insta::assert_snapshot!(err);
    // What cannot be kept is not kept.
    let output = places.replay().output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("error[E0708]") && told.ends_with("1 error; nothing was kept\n"), "{told}");
}

/// What the book has receivers do, with posts from lines.
const VERIFY: &str = "
import json, sys
from standardwebhooks import WebhookVerificationError
for line in sys.stdin:
    post = json.loads(line)
    receive(post['headers'], post['body'])
    try:
        receive(post['headers'], post['body'] + ' ')
        sys.exit('a body that was changed is verified')
    except WebhookVerificationError:
        pass
";

/// Where the package `standardwebhooks` of Python is not installed there is nothing to compare with.
#[test]
fn the_library_of_receivers_verifies_what_is_sent() {
    let has = Command::new("python3").args(["-c", "import standardwebhooks"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `pip install standardwebhooks` is needed");
        return;
    }
    let server = Server::start(0, |_, _| GOOD);
    let places = Places::new(&webhook(&server.url()), 200);
    places.done();
    let posts = server.close();
    let line = |post: &Received| format!("{}\n", serde_json::json!({ "headers": post.headers, "body": post.body }));
    std::fs::write(places.at("posts"), posts.iter().map(line).collect::<String>()).expect("written");
    let book = include_str!("../../../docs/book/src/live.md");
    let receive = book.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a snippet");
    let mut python = Command::new("python3");
    python.args(["-c", &format!("{receive}{VERIFY}")]).env("CRM_SECRET", SECRET);
    let output = python.stdin(std::fs::File::open(places.at("posts")).expect("a file")).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let of = |line: &String| {
        let change: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let word = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {}\n", word("person"), word("change"), word("segment"))
    };
    assert_eq!(told, places.kept().values().map(of).collect::<String>());
}
