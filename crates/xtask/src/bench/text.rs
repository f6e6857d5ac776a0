//! From text files to the numbers on the screen, each time in a process of its own, beside
//! an engine that reads the same files for the same question.

use super::cold::{Answer, ask_seg, engine_answer, middle, seg_command};
use super::files;
use std::fmt::Write;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Whole processes of each, one after another in turn; the median counts.
const ROUNDS: usize = 5;
/// Ways to ask, at most.
const VARIANTS_MAX: usize = 4;
/// About as many bytes each file has.
const FILE_BYTES: u64 = 290_000_000;
const NOW: &str = "2026-11-27T12:00:00Z";
/// When the window of the question begins.
const SINCE: &str = "2026-05-11T12:00:00Z";
const NAMES: [&str; 6] = ["purchase", "view", "cart", "search", "login", "refund"];
const SEGMENT: &str = "segment \"1\" include people who did \"purchase\" where (product is \"product-7\" and amount is \
                       more than 50 and quantity is at least 2) in the past 200 days\n";

/// Measures both kinds of files.
///
/// # Errors
/// Files that cannot be written or a command that fails.
pub fn measure(threads: NonZero<usize>, has_peers: bool, text: &mut String) -> Result<(), String> {
    let seg = seg_command()?;
    let python = if has_peers { Some(super::peers::environment(&files::root())?) } else { None };
    text.push_str("\n| file | MB | seg, ms | duckdb | duckdb by seg | duckdb's query by seg |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|\n");
    for ending in ["csv", "ndjson"] {
        let (dir, file) = project(ending)?;
        eprintln!("asking {ending}");
        let n_bytes = std::fs::metadata(&file).map_err(|e| format!("{}: {e}\n", file.display()))?.len();
        let first = ask_seg(&seg, &dir)?;
        // The quickest of the ways to ask counts.
        let mut best: Option<(usize, Duration)> = None;
        for variant in (0..VARIANTS_MAX).filter(|_| python.is_some()) {
            let Some(answer) = ask_duckdb(python.as_deref(), threads, &file, variant)? else { break };
            if answer.members != first.members {
                return Err(format!("duckdb answers {ending} otherwise: {:?}\n", answer.members));
            }
            if best.is_none_or(|(_, least)| answer.whole < least) {
                best = Some((variant, answer.whole));
            }
        }
        let (mut own, mut whole, mut query) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            own.push(ask_seg(&seg, &dir)?.whole);
            let Some((variant, _)) = best else { continue };
            if let Some(answer) = ask_duckdb(python.as_deref(), threads, &file, variant)? {
                whole.push(answer.whole);
                query.extend(answer.query);
            }
        }
        let own = middle(&mut own).unwrap_or_default();
        let (whole, query) = (middle(&mut whole), middle(&mut query));
        let ratio = |time: Option<Duration>| {
            time.map_or("–".to_owned(), |time| format!("{:.2}", time.as_secs_f64() / own.as_secs_f64()))
        };
        let (megabytes, engine) = (n_bytes / 1_000_000, whole.map_or("–".to_owned(), super::ms));
        let (by_seg, alone) = (ratio(whole), ratio(query));
        let _ = writeln!(text, "| {ending} | {megabytes} | {} | {engine} | {by_seg} | {alone} |", super::ms(own));
    }
    let _ = writeln!(
        text,
        "\nWhole processes, from their start to the answer, with the files in the page cache and {threads} threads each; \
         in turn, medians of {ROUNDS} rounds. Of the ways to ask DuckDB (types found or told) the quickest counts."
    );
    Ok(())
}

/// The question as a project, and the file that it is asked of.
fn project(ending: &str) -> Result<(PathBuf, PathBuf), String> {
    let root = files::root().join("text");
    let (dir, file) = (root.join(ending), root.join(format!("events.{ending}")));
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}\n", dir.display()))?;
    let manifest = format!(
        "name = \"text\"\ntimezone = \"UTC\"\nat = \"{NOW}\"\n\n[data.events]\nfiles = [{file:?}]\nid = \"user_id\"\n\
         event = \"event\"\ntime = \"time\"\n"
    );
    let properties = "properties = { product = \"text\", amount = \"number\", quantity = \"integer\" }";
    let schema: String = NAMES.iter().map(|name| format!("[events.{name}]\n{properties}\n")).collect();
    for (name, text) in [("seg.toml", manifest.as_str()), ("schema.toml", &schema), ("s.seg", SEGMENT)] {
        let path = dir.join(name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}\n", path.display()))?;
    }
    if !file.exists() {
        eprintln!("writing events as {ending}");
        // A file appears only when it is whole.
        let partial = root.join(format!("events.{ending}.partial"));
        write(&partial, ending == "csv").map_err(|e| format!("{}: {e}\n", partial.display()))?;
        std::fs::rename(&partial, &file).map_err(|e| format!("{}: {e}\n", file.display()))?;
    }
    Ok((dir, file))
}

/// Events by chance, the same ones each time: some people and some products have most.
fn write(path: &Path, is_csv: bool) -> std::io::Result<()> {
    let mut state = 1_u64;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut out = BufWriter::new(File::create(path)?);
    let (mut line, mut n_bytes) = (String::new(), 0);
    if is_csv {
        out.write_all(b"user_id,event,time,product,amount,quantity\n")?;
    }
    while n_bytes < FILE_BYTES {
        let user = { 1 + below(400_000).min(below(400_000)) };
        let name = NAMES[{ below(6).min(below(6)) } as usize];
        let (month, day, clock) = (1 + below(10), 1 + below(28), below(86_400_000));
        let (hour, minute, second) = (clock / 3_600_000, clock / 60_000 % 60, clock / 1_000 % 60);
        let time = format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", clock % 1_000);
        let product = { below(5_000).min(below(5_000)).min(below(5_000)) };
        let (amount, quantity) = (below(20_000), 1 + below(9));
        let (whole, cents) = (amount / 100, amount % 100);
        line.clear();
        let _ = if is_csv {
            writeln!(line, "{user},{name},{time},product-{product},{whole}.{cents:02},{quantity}")
        } else {
            writeln!(
                line,
                "{{\"user_id\":{user},\"event\":\"{name}\",\"time\":\"{time}\",\"product\":\"product-{product}\",\
                 \"amount\":{whole}.{cents:02},\"quantity\":{quantity}}}"
            )
        };
        out.write_all(line.as_bytes())?;
        n_bytes += line.len() as u64;
    }
    out.flush()
}

/// None where there is no such way to ask.
fn ask_duckdb(
    python: Option<&Path>,
    threads: NonZero<usize>,
    file: &Path,
    variant: usize,
) -> Result<Option<Answer>, String> {
    let Some(python) = python else { return Ok(None) };
    let mut command = Command::new(python);
    command.arg("text.py").arg(threads.to_string()).arg(file).arg(variant.to_string());
    engine_answer("duckdb", command.env("SINCE", SINCE).env("NOW", NOW))
}
