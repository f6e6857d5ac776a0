//! `seg live` under the analytics SDKs that people have: they post to it as they are, while it
//! is ended at random and begun again, and everything arrives once.

use crate::browser::NPM;
use crate::outside::{copy, install, seg, succeed};
use crate::server::{KEY, PROJECT, Server, TOKEN, emptied};
use crate::walk;
use seg_tests::root;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Restarts of a run of CI, and of a long one.
pub const RESTARTS: usize = 8;
pub const RESTARTS_LONG: usize = 100;
/// Events that each client sends for each restart.
const EVENTS: usize = 60;
/// People of each client, as its script has them.
const PEOPLE: usize = 10;
/// Who posts.
const CLIENTS: [&str; 4] = ["node-segment", "node-rudder", "python-segment", "python-rudder"];
/// What is installed, and by which files.
const PACKAGES: [&str; 3] = ["package.json", "package-lock.json", "requirements.txt"];
const PIP: &[&str] = &["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"];
const SCRIPTS: [&str; 4] = ["send.mjs", "segment.mjs", "rudder.mjs", "send.py"];

/// Has all clients post while the process is killed and begun again so many times.
///
/// # Errors
/// Anything that was lost, came twice, or makes memberships differ; commands that fail.
pub fn run(restarts: usize) -> Result<(), String> {
    let dir = root().join("target/sdk");
    install(&dir, "sdk", &PACKAGES, &[NPM, &["python3", "-m", "venv", "venv"], PIP])?;
    copy(&dir, &root().join("crates/xtask/sdk"), &SCRIPTS)?;
    let data = dir.join("live");
    emptied(&data)?;
    emptied(&dir.join("exported"))?;
    let changes = dir.join("changes.ndjson");
    let _ = std::fs::remove_file(&changes);
    let n_events = EVENTS * restarts.max(1);
    let mut server = Server::start(Path::new(PROJECT), &data, &changes)?;
    answers(server.port)?;
    let mut clients = Vec::new();
    for client in CLIENTS {
        clients.push((client, client_of(&dir, client, server.port, n_events)?));
    }
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    for nth in 0..restarts {
        // A xorshift generator: when the process is ended need not be secret, only irregular.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        std::thread::sleep(Duration::from_millis(150 + chance % 250));
        // Every fourth time it may end as it is told to.
        server.end(nth % 4 != 3)?;
        server.begin()?;
    }
    for (name, mut client) in clients {
        let mut said = String::new();
        let stderr = client.stderr.take();
        let status = client.wait().map_err(|e| e.to_string())?;
        if let Some(mut stderr) = stderr {
            stderr.read_to_string(&mut said).map_err(|e| e.to_string())?;
        }
        if !status.success() {
            return Err(format!("{name} could not deliver: {said}\n"));
        }
    }
    let people = scraped(server.admin)?;
    server.end(false)?;
    checked(&dir, &data, n_events)?;
    let n_changes = folded(&changes)?;
    walk::run(&dir)?;
    println!(
        "{} SDKs sent {} events through {restarts} restarts: each arrived once; {people} people, {n_changes} changes",
        CLIENTS.len(),
        CLIENTS.len() * n_events
    );
    Ok(())
}

fn client_of(dir: &Path, name: &str, port: u16, n_events: usize) -> Result<Child, String> {
    let (address, n) = (format!("http://127.0.0.1:{port}"), n_events.to_string());
    let rest = [address.as_str(), KEY, n.as_str(), name];
    let mut command = match name {
        "node-segment" => script("node", &["segment.mjs"]),
        "node-rudder" => script("node", &["rudder.mjs"]),
        "python-segment" => script("venv/bin/python", &["send.py", "segment"]),
        _ => script("venv/bin/python", &["send.py", "rudder"]),
    };
    let command = command.args(rest).current_dir(dir).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().map_err(|e| format!("{name}: {e}\n"))
}

fn script(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

/// The status and the body of an answer.
fn asked(port: u16, request: &str) -> Result<(u16, String), String> {
    let failed = |e: std::io::Error| format!("{request}: {e}\n");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(failed)?;
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body).to_owned();
    Ok((status.ok_or_else(|| format!("no answer to {request}\n"))?, body))
}

/// Requests that no SDK makes, and what they are answered.
fn answers(port: u16) -> Result<(), String> {
    let post = |path: &str, key: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    let large = format!("{{\"batch\": [{}]}}", " ".repeat(5 << 20));
    let cases: [(String, u16, &str); 9] = [
        (post("/v1/batch", KEY, "{\"batch\": []}"), 200, "\"success\":true"),
        (post("/v1/t", KEY, "{}"), 200, "\"success\":true"),
        (post("/v1/batch", "wrong", "{\"batch\": []}"), 401, "invalid_key"),
        (post("/v1/batch", KEY, "{"), 400, "invalid_json"),
        (post("/v1/batch", KEY, &format!("{}{}", "[".repeat(70), "]".repeat(70))), 400, "too_deep"),
        (post("/v1/batch", KEY, &large), 413, "too_large"),
        (post("/v2/batch", KEY, "{}"), 404, "unknown_address"),
        (get("/v1/batch"), 405, "unknown_method"),
        (get("/v1/projects/abc/settings"), 200, "\"apiKey\":\"abc\""),
    ];
    for (request, status, part) in cases {
        let (got, body) = asked(port, &request)?;
        if got != status || !body.contains(part) {
            let line = request.lines().next().unwrap_or_default();
            return Err(format!("{line}: {got} {body}, and {status} with {part} is right\n"));
        }
    }
    Ok(())
}

/// The number of people by the metrics; without the token nobody sees any.
fn scraped(admin: u16) -> Result<u64, String> {
    let get = |header: &str| format!("GET /metrics HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n{header}\r\n");
    let (refused, _) = asked(admin, &get(""))?;
    let (status, text) = asked(admin, &get(&format!("Authorization: Bearer {TOKEN}\r\n")))?;
    if (refused, status) != (401, 200) {
        return Err(format!("metrics: {refused} without the token and {status} with it\n"));
    }
    let people = text.lines().find_map(|line| line.strip_prefix("seg_live_people "));
    people.and_then(|n| n.parse().ok()).ok_or_else(|| format!("metrics without people:\n{text}"))
}

/// Every event is there once, and everybody is what they said; memberships are those of a batch run.
fn checked(dir: &Path, data: &Path, n_events: usize) -> Result<(), String> {
    succeed(seg().args(["live", "audit", PROJECT, "--data"]).arg(data))?;
    let exported = dir.join("exported");
    succeed(seg().args(["live", "export", PROJECT, "--data"]).arg(data).arg("--to").arg(&exported))?;
    let lines = |name: &str| -> Result<Vec<serde_json::Value>, String> {
        let text = std::fs::read_to_string(exported.join(name)).map_err(|e| format!("{name}: {e}\n"))?;
        text.lines().map(|line| serde_json::from_str(line).map_err(|e| e.to_string())).collect()
    };
    let mut counts: BTreeMap<(String, u64), usize> = BTreeMap::new();
    for event in lines("events.ndjson")? {
        let client = event["client"].as_str().unwrap_or_default().to_owned();
        *counts.entry((client, event["n"].as_f64().unwrap_or(-1.0) as u64)).or_default() += 1;
    }
    let wanted: BTreeMap<(String, u64), usize> =
        CLIENTS.iter().flat_map(|client| (0..n_events as u64).map(|n| (((*client).to_owned(), n), 1))).collect();
    if counts != wanted {
        let lost: Vec<_> = wanted.keys().filter(|key| !counts.contains_key(*key)).take(10).collect();
        let twice: Vec<_> = counts.iter().filter(|(_, n)| **n > 1).take(10).collect();
        return Err(format!("events were lost: {lost:?}, or came twice: {twice:?}\n"));
    }
    let mut plans: BTreeMap<String, String> = BTreeMap::new();
    for row in lines("people.ndjson")? {
        if let (Some(id), Some(plan)) = (row["id"].as_str(), row["plan"].as_str()) {
            plans.insert(id.to_owned(), plan.to_owned());
        }
    }
    let plan = |n: usize| if n.is_multiple_of(2) { "pro" } else { "free" };
    let wanted: BTreeMap<String, String> = CLIENTS
        .iter()
        .flat_map(|client| (0..PEOPLE).map(move |n| (format!("{client}-{n}"), plan(n).to_owned())))
        .collect();
    if plans != wanted {
        return Err(format!("people are not what they said: {plans:?}\n"));
    }
    Ok(())
}

/// Changes have no gap, and fold to memberships in which nobody enters twice.
fn folded(changes: &Path) -> Result<u64, String> {
    let text = std::fs::read_to_string(changes).map_err(|e| format!("{}: {e}\n", changes.display()))?;
    let (mut is_in, mut last): (BTreeSet<(String, String)>, u64) = Default::default();
    for line in text.lines() {
        // A line that was cut when the process was killed is written again.
        let Ok(change) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let seq = change["seq"].as_u64().ok_or_else(|| format!("no seq: {line}\n"))?;
        if seq <= last {
            continue;
        }
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        let key = (text("person"), text("segment"));
        let fits = match text("change").as_str() {
            "entered" => is_in.insert(key),
            _ => is_in.remove(&key),
        };
        if seq != last + 1 || !fits {
            return Err(format!("changes do not follow each other at {line}\n"));
        }
        last = seq;
    }
    if is_in.is_empty() {
        return Err("nobody entered a segment\n".to_owned());
    }
    Ok(last)
}
