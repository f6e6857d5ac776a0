//! Runs and packings within so much memory, beside those that take what they like: what they
//! take, how long, and that the answers are the same.

use super::cold::{Origin, members, middle, questions, seg_command};
use super::files;
use serde_json::Value;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whole processes of each, one after another in turn; the median counts.
const ROUNDS: usize = 3;
/// How much memory each may take, in megabytes; none where it may take what it likes.
const LIMITS: [Option<u64>; 4] = [None, Some(1_000), Some(700), Some(520)];
/// How often it is looked how much memory a process has taken so far.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// What a process did.
struct Observed {
    whole: Duration,
    peak_bytes: u64,
    answer: Vec<u8>,
}

/// Measures a run of many segments, and a packing, which reads everything.
///
/// # Errors
/// A command that fails, that answers otherwise, or that takes more memory than it may.
pub fn measure(scale: usize, text: &mut String) -> Result<(), String> {
    let seg = seg_command()?;
    let question = questions(Origin::Parquet, scale)?.pop().ok_or("there is no question\n")?;
    let store = files::root().join("within-memory");
    text.push_str("\n| command | `--memory`, MB | peak, MB | ms | times as long |\n|---|---:|---:|---:|---:|\n");
    let run: [&OsStr; 2] = ["run".as_ref(), question.dir.as_ref()];
    let pack: [&OsStr; 4] = ["pack".as_ref(), question.dir.as_ref(), "--store".as_ref(), store.as_ref()];
    let commands: [(&str, &[&OsStr]); 2] = [("run, 100 segments", &run), ("pack", &pack)];
    for (title, arguments) in commands {
        let mut observed: Vec<Vec<Observed>> = LIMITS.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (limit, observed) in LIMITS.iter().zip(&mut observed) {
                eprintln!("{title} within {limit:?} MB");
                let mut command = Command::new(&seg);
                command.args(arguments).args(["--format", "json"]);
                if let Some(limit) = limit {
                    command.args(["--memory", &format!("{limit}MB")]);
                }
                observed.push(observe(&mut command)?);
            }
        }
        let first = observed.first().and_then(|of_limit| of_limit.first()).map(answer).transpose()?;
        let mut free = None;
        for (limit, of_limit) in LIMITS.iter().zip(&observed) {
            for one in of_limit {
                if Some(answer(one)?) != first {
                    return Err(format!("{title} answers otherwise within {limit:?} MB\n"));
                }
            }
            let mut times: Vec<Duration> = of_limit.iter().map(|observed| observed.whole).collect();
            let time = middle(&mut times).unwrap_or_default();
            let peak = of_limit.iter().map(|observed| observed.peak_bytes).max().unwrap_or_default() / 1_000_000;
            let ratio = time.as_secs_f64() / free.get_or_insert(time).as_secs_f64();
            let shown = limit.map_or("–".to_owned(), |limit| limit.to_string());
            let _ = writeln!(text, "| {title} | {shown} | {peak} | {} | {ratio:.2} |", super::ms(time));
            if limit.is_some_and(|limit| peak > limit) {
                return Err(format!("{text}\n{title} takes {peak} MB, and may take {shown}\n"));
            }
        }
    }
    let _ = writeln!(
        text,
        "\nWhole processes, medians of {ROUNDS} rounds in turn; the peak is the greatest of them, with the pages of files \
         that are mapped. The files are in no order of people."
    );
    Ok(())
}

/// What is the same whatever memory there is: how many people and events there are, and how
/// many are in each segment.
fn answer(observed: &Observed) -> Result<(Vec<u64>, [Option<u64>; 2]), String> {
    let found: Value = serde_json::from_slice(&observed.answer).map_err(|e| format!("{e}\n"))?;
    let events = found["events"].as_u64().or_else(|| found["data"]["events"].as_u64());
    Ok((members(&observed.answer)?, [found["people"].as_u64(), events]))
}

/// Runs a command, and looks meanwhile how much memory it takes.
fn observe(command: &mut Command) -> Result<Observed, String> {
    let path = files::root().join("answer.json");
    let failed = |e: std::io::Error| format!("{}: {e}\n", path.display());
    let start = Instant::now();
    let to = File::create(&path).map_err(failed)?;
    let mut child = command.stdout(to).stderr(Stdio::null()).spawn().map_err(failed)?;
    let mut peak_bytes = 0;
    let status = loop {
        peak_bytes = peak_bytes.max(peak(child.id()).unwrap_or_default());
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        sleep(LOOK_EVERY);
    };
    let whole = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?}: {status}\n"));
    }
    Ok(Observed { whole, peak_bytes, answer: read(&path)? })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{}: {e}\n", path.display()))
}

/// The most memory that a process had so far, as Linux tells it.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
}
