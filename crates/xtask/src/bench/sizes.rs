//! What `seg live` takes for many people: memory, disk, and how long it begins again.

use super::{cold, live};
use crate::server::emptied;
use seg::Timestamp;
use seg_tests::root;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Events of each person, over so many days before the machine's now.
const EVENTS_EACH: u64 = 5;
const DAYS: u64 = 60;

/// What a process took.
struct Taken {
    wall: Duration,
    /// The most memory that it had in use, in bytes.
    memory: u64,
}

/// A table for so many people.
///
/// # Errors
/// A process that fails, and an audit that finds a difference.
pub fn run(n_people: usize) -> Result<String, String> {
    let dir = root().join("target/bench/live");
    emptied(&dir)?;
    std::fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
    let (data, n_people) = (dir.join("data"), n_people as u64);
    let (seg, project) = (cold::seg_command()?, root().join(live::PROJECT));
    let first = taken(&seg, &project, &data, |lines| records(n_people, lines))?;
    let disk = live::size(&data)?;
    let again = taken(&seg, &project, &data, |_| Ok(()))?;
    let audit = Command::new(&seg).args(["live", "audit"]).arg(&project).arg("--data").arg(&data).output();
    let audit = audit.map_err(|e| format!("{e}\n"))?;
    if !audit.status.success() {
        return Err(String::from_utf8_lossy(&audit.stderr).into_owned());
    }
    emptied(&dir)?;
    let n_events = n_people * EVENTS_EACH;
    Ok(format!(
        "{}\n\n`seg live` with the {} segments, {EVENTS_EACH} events of each person in the {DAYS} days before, through a pipe:\n\n\
         | people | events | events a second | memory, MB | disk, MB | begun again in s | memory then, MB |\n\
         | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n\
         | {n_people} | {n_events} | {:.0} | {} | {} | {:.1} | {} |\n",
        super::machine(),
        live::PROJECT,
        n_events as f64 / first.wall.as_secs_f64(),
        first.memory >> 20,
        disk >> 20,
        again.wall.as_secs_f64(),
        again.memory >> 20,
    ))
}

/// Runs `seg live` over what is written to its standard input.
fn taken(
    seg: &Path,
    project: &Path,
    data: &Path,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()> + Send,
) -> Result<Taken, String> {
    let begun = Instant::now();
    let mut command = Command::new(seg);
    command.arg("live").arg(project).arg("--data").arg(data).args(["--from", "-", "--changes"]);
    command.arg(data.with_extension("ndjson")).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("{e}\n"))?;
    let input = child.stdin.take().ok_or("no standard input\n")?;
    let memory = std::thread::scope(|scope| {
        let writing = scope.spawn(move || {
            let mut lines = BufWriter::with_capacity(1 << 20, input);
            write(&mut lines).and_then(|()| lines.flush())
        });
        let memory = watched(&mut child)?;
        match writing.join() {
            Ok(Ok(())) => Ok(memory),
            Ok(Err(error)) => Err(format!("{error}\n")),
            Err(_) => Err("what writes records failed\n".to_owned()),
        }
    })?;
    Ok(Taken { wall: begun.elapsed(), memory })
}

/// Waits until a process has ended well, and gives the most memory that it had in use.
fn watched(child: &mut Child) -> Result<u64, String> {
    let mut most = 0;
    loop {
        if let Ok(memory) = crate::server::memory_of(child.id()) {
            most = most.max(memory);
        }
        match child.try_wait().map_err(|e| format!("{e}\n"))? {
            Some(status) if status.success() => return Ok(most),
            Some(status) => return Err(format!("`seg live` ended with {status}\n")),
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// The events of everybody, in the order of time.
fn records(n_people: u64, lines: &mut dyn Write) -> std::io::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    let (n, length) = (n_people * EVENTS_EACH, DAYS * 86_400_000_000);
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for nth in 0..n {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let time = Timestamp((now - length / n * (n - nth)) as i64);
        let (person, event) = (chance % n_people, live::EVENTS[(chance >> 40) as usize % live::EVENTS.len()]);
        writeln!(
            lines,
            "{{\"id\":\"person-{person}\",\"event\":\"{event}\",\"time\":\"{time}\",\"message_id\":\"message-{nth}\",\
             \"value\":19.5,\"amount\":49.9,\"category\":\"serum\"}}"
        )?;
    }
    Ok(())
}
