//! `seg live` under load: events come by HTTP at a rate, whatever the answers take, and each
//! answer is one for what is on disk.
//!
//! Beside it, in the same folder and the same seconds, another thread writes and syncs a block
//! as a log would: what the disk itself takes is what a reader compares with.

use super::cold;
use crate::server::{KEY, Server, emptied};
use seg_tests::root;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The project: a shop with its segments.
pub const PROJECT: &str = "examples/d2c-store";
/// Connections, and events of a request.
const CONNECTIONS: usize = 8;
const TOGETHER: usize = 50;
/// How long it is measured, after a while in which everybody becomes known.
const SECONDS: f64 = 20.0;
const WARM: f64 = 5.0;
/// People, of whom each is as likely as the other.
const PEOPLE: u64 = 100_000;
/// Events a second, unless it is asked for others.
const RATES: [usize; 3] = [1_000, 5_000, 20_000];
pub const EVENTS: [&str; 4] = ["Product Viewed", "Added to Cart", "Checkout Started", "Order Completed"];

/// What was measured at one rate.
struct Measured {
    rate: usize,
    /// Events that were acknowledged a second.
    reached: f64,
    /// From when a request was due until it was acknowledged, ascending.
    answers: Vec<Duration>,
    /// What writing and syncing a block took, ascending.
    syncs: Vec<Duration>,
    /// Memory of the process in the end, in bytes.
    memory: u64,
    minutes: Vec<Minute>,
}

/// What a process has after each minute.
struct Minute {
    memory: u64,
    disk: u64,
}

/// The table of all rates; of one rate for so many minutes, if it is asked for them, with what
/// the process has after each.
///
/// # Errors
/// A process that fails, answers that refuse, and an audit that finds a difference.
pub fn run(only: Option<usize>, minutes: Option<usize>) -> Result<String, String> {
    let seconds = minutes.map_or(SECONDS, |minutes| minutes as f64 * 60.0);
    let mut out = super::machine();
    let _ = write!(
        out,
        "\n\n`seg live` with the {PROJECT} segments, {PEOPLE} people, {TOGETHER} events a request over {CONNECTIONS} connections:\n\
         from when a request is due until it is answered, which is when it is on disk and judged.\n\n\
         | events a second | reached | p50 ms | p99 ms | sync p50 ms | sync p99 ms | bar 2 × sync p99 + 4 | MB |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for rate in RATES.into_iter().filter(|rate| only.is_none_or(|only| only == *rate)) {
        let measured = at_rate(rate, seconds)?;
        let (answers, syncs) = (&measured.answers, &measured.syncs);
        let millis = |of: &[Duration], share: f64| quantile(of, share).as_secs_f64() * 1e3;
        let _ = writeln!(
            out,
            "| {} | {:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
            measured.rate,
            measured.reached,
            millis(answers, 0.5),
            millis(answers, 0.99),
            millis(syncs, 0.5),
            millis(syncs, 0.99),
            2.0 * millis(syncs, 0.99) + 4.0,
            measured.memory >> 20
        );
        if minutes.is_some() {
            out.push_str("\n| minute | memory, MB | disk, MB |\n| ---: | ---: | ---: |\n");
            for (nth, Minute { memory, disk }) in (1..).zip(&measured.minutes) {
                let _ = writeln!(out, "| {nth} | {} | {} |", memory >> 20, disk >> 20);
            }
            out.push_str("\nThe audit found no difference.\n");
        }
    }
    Ok(out)
}

/// The bytes of the files below a folder.
///
/// # Errors
/// What the disk says.
pub fn size(folder: &Path) -> Result<u64, String> {
    let failed = |e: std::io::Error| format!("{}: {e}\n", folder.display());
    let mut all = 0;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        all += match entry.metadata() {
            Ok(of) if of.is_dir() => size(&entry.path())?,
            Ok(of) => of.len(),
            // A file that was there may be none by now.
            Err(_) => 0,
        };
    }
    Ok(all)
}

/// Looks at a process a minute, until everything is over.
fn watched(server: &Server, data: &Path, is_over: &AtomicBool) -> Result<Vec<Minute>, String> {
    let (mut minutes, mut begun) = (Vec::new(), Instant::now());
    while !is_over.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(200));
        if begun.elapsed() >= Duration::from_secs(60) {
            begun = Instant::now();
            minutes.push(Minute { memory: server.memory()?, disk: size(data)? });
        }
    }
    Ok(minutes)
}

fn at_rate(rate: usize, seconds: f64) -> Result<Measured, String> {
    let dir = root().join("target/bench/live");
    emptied(&dir)?;
    std::fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
    let data = dir.join("data");
    let seg = cold::seg_command()?;
    let project = root().join(PROJECT);
    let mut server = Server::start_as(&seg, &project, &data, &dir.join("changes.ndjson"))?;
    let is_over = AtomicBool::new(false);
    let begun = Instant::now();
    let (port, over, server_there) = (server.port, &is_over, &server);
    let (answers, syncs, minutes) = std::thread::scope(|scope| {
        let syncing = scope.spawn(|| synced(&dir, over));
        let watching = scope.spawn(|| watched(server_there, &data, over));
        let pace = (rate, seconds);
        let senders: Vec<_> = (0..CONNECTIONS).map(|nth| scope.spawn(move || sent(port, nth, pace, begun))).collect();
        let answers: Result<Vec<Vec<Duration>>, String> = senders
            .into_iter()
            .map(|sender| sender.join().unwrap_or_else(|_| Err("a sender failed\n".to_owned())))
            .collect();
        over.store(true, Ordering::Release);
        let syncs = syncing.join().unwrap_or_else(|_| Err("the disk failed\n".to_owned()));
        let minutes = watching.join().unwrap_or_else(|_| Err("what looks on failed\n".to_owned()));
        (answers, syncs, minutes)
    });
    let took = begun.elapsed().as_secs_f64() - WARM;
    let (mut answers, mut syncs, minutes) = (answers?.concat(), syncs?, minutes?);
    answers.sort_unstable();
    syncs.sort_unstable();
    let memory = server.memory()?;
    server.end(false)?;
    crate::outside::succeed(
        std::process::Command::new(&seg).args(["live", "audit"]).arg(&project).arg("--data").arg(&data),
    )?;
    let reached = (answers.len() * TOGETHER) as f64 / took;
    Ok(Measured { rate, reached, answers, syncs, memory, minutes })
}

/// Posts at a rate, and gives what answers took after the first seconds.
fn sent(port: u16, nth: usize, (rate, seconds): (usize, f64), begun: Instant) -> Result<Vec<Duration>, String> {
    let failed = |e: std::io::Error| format!("{e}\n");
    let stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    let mut answers = BufReader::new(stream.try_clone().map_err(failed)?);
    let mut stream = stream;
    let gap = (CONNECTIONS * TOGETHER) as f64 / rate as f64;
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64 ^ nth as u64;
    let (mut taken, mut n) = (Vec::new(), 0_u64);
    loop {
        // An answer that is late does not put off what is due: waiting counts as well.
        let due = gap * (n as f64 + nth as f64 / CONNECTIONS as f64);
        if due > WARM + seconds {
            return Ok(taken);
        }
        let due_at = begun + Duration::from_secs_f64(due);
        std::thread::sleep(due_at.saturating_duration_since(Instant::now()));
        let body = body(&mut chance, (nth, n));
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).map_err(failed)?;
        answered(&mut answers)?;
        if due >= WARM {
            taken.push(due_at.elapsed());
        }
        n += 1;
    }
}

fn body(chance: &mut u64, (connection, request): (usize, u64)) -> String {
    let mut body = String::from("{\"batch\":[");
    for nth in 0..TOGETHER {
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        let (person, event) = (*chance % PEOPLE, EVENTS[(*chance >> 40) as usize % EVENTS.len()]);
        let id = format!("{connection}-{request}-{nth}");
        let comma = if nth == 0 { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(
            body,
            "{comma}{{\"type\":\"track\",\"userId\":\"person-{person}\",\"event\":\"{event}\",\"messageId\":\"{id}\",\
             \"properties\":{{\"message_id\":\"{id}\",\"value\":19.5,\"amount\":49.9,\"category\":\"serum\"}}}}"
        );
    }
    body.push_str("]}");
    body
}

/// Reads an answer, which has to be a good one.
fn answered(answers: &mut impl BufRead) -> Result<(), String> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        let n = answers.read_line(&mut line).map_err(|e| e.to_string())?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if n <= 2 {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).map_err(|e| e.to_string())?;
    match head.starts_with("HTTP/1.1 200") {
        true => Ok(()),
        false => Err(format!("{head}{}\n", String::from_utf8_lossy(&body))),
    }
}

/// Writes a block and syncs it, again and again, and gives what each took.
fn synced(dir: &Path, is_over: &AtomicBool) -> Result<Vec<Duration>, String> {
    let path = dir.join("block");
    let mut file = std::fs::File::create(&path).map_err(|e| format!("{}: {e}\n", path.display()))?;
    let mut taken = Vec::new();
    while !is_over.load(Ordering::Acquire) {
        let begun = Instant::now();
        file.write_all(&[7; 4096]).and_then(|()| file.sync_data()).map_err(|e| format!("{}: {e}\n", path.display()))?;
        taken.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(taken)
}

/// The value that so many of all are not above.
fn quantile(ascending: &[Duration], share: f64) -> Duration {
    let at = ((ascending.len() as f64 * share).ceil() as usize).saturating_sub(1);
    ascending.get(at).copied().unwrap_or_default()
}
