//! Engines that people would use instead, on the same people, in one run.
//!
//! The profiles are written as Parquet, a virtual environment is made with the
//! engines in it, and each runs the suite in its best layout, by the programs of
//! `crates/xtask/peers`. What they count is compared with Seg's answers.

use super::{Flush, evaluate, median, median_after, ms, settings, suite};
use seg::{Batch, Engine, Mask, Options, Prepared, Project};
use serde_json::Value;
use std::fmt::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The engines, by their names in the programs, and how many seconds they have: one
/// that takes longer is stopped, and what it has measured counts. DataFusion takes
/// minutes for each suite, without coming near the others.
const ENGINES: [(&str, u64); 4] = [("duckdb", 420), ("polars", 420), ("clickhouse", 420), ("datafusion", 200)];

/// What one engine measured.
pub struct Peer {
    pub name: &'static str,
    /// Which it was in order.
    at: usize,
    results: Value,
}

/// Median times of one suite, or of one segment of the twelve.
pub struct Measured {
    pub time: Duration,
    /// The same asked again and again, with nothing between.
    back: Option<Duration>,
    /// Members and the sum of their ids, a pair each segment.
    checks: Vec<(u64, u64)>,
}

impl Peer {
    /// How long a step of reading the files took, in seconds.
    fn step(&self, step: &str) -> Option<f64> {
        self.results.get("load")?.get(step)?.as_f64()
    }

    /// The quickest of some steps.
    fn quickest(&self, steps: &[&str]) -> Option<f64> {
        steps.iter().filter_map(|step| self.step(step)).reduce(f64::min)
    }

    /// How long it took from the files to the fastest of its layouts in which
    /// events are in an order, in seconds.
    pub fn ready(&self) -> Option<f64> {
        match self.name {
            // Merging parts is left out, which is in its favour.
            "duckdb" | "clickhouse" => {
                let sorted = self.quickest(&["events name,ts", "events name,pid,ts", "events pid,ts"])?;
                Some(self.step("profiles")? + sorted)
            }
            "polars" => Some(self.step("events_unsorted")? + self.step("split by name, sort ts")?),
            _ => Some(self.step("events_unsorted")? + self.step("split by name")?),
        }
    }

    /// Likewise to events by person and time, as Seg has them, where the engine was
    /// measured with such a layout.
    pub fn ready_by_person(&self) -> Option<f64> {
        match self.name {
            "duckdb" | "clickhouse" => {
                Some(self.step("profiles")? + self.quickest(&["events name,pid,ts", "events pid,ts"])?)
            }
            // Splitting by name, which comes before, is left out in its favour.
            "polars" => Some(self.step("events_unsorted")? + self.step("split by name, sort pid,ts")?),
            _ => None,
        }
    }

    /// The twelve one by one, by number.
    pub fn single(&self, number: usize) -> Option<Measured> {
        let of = self.results.get("single")?.get(number.to_string())?;
        let check = of.get("check")?;
        let back = of.get("back").and_then(Value::as_f64).map(Duration::from_secs_f64);
        Some(Measured { time: median_of(of)?, back, checks: vec![pair(check)?] })
    }

    /// So many segments in one statement.
    pub fn together(&self, n: usize) -> Option<Measured> {
        let of = self.results.get("multi")?.get(n.to_string())?;
        let checks = of.get("check")?.as_array()?.iter().map(pair).collect::<Option<Vec<_>>>()?;
        Some(Measured { time: median_of(of)?, back: None, checks })
    }
}

impl Measured {
    /// How many of the segments have other members than ours.
    pub fn differences(&self, batch: &Batch, masks: &[Mask]) -> usize {
        let ours = masks.iter().map(|mask| {
            let sum = mask.rows().filter_map(|row| batch.id(row).parse::<u64>().ok()).sum::<u64>();
            (mask.count() as u64, sum)
        });
        ours.zip(&self.checks).filter(|(ours, theirs)| ours != *theirs).count()
            + masks.len().abs_diff(self.checks.len())
    }
}

fn median_of(of: &Value) -> Option<Duration> {
    of.get("median")?.as_f64().map(Duration::from_secs_f64)
}

fn pair(check: &Value) -> Option<(u64, u64)> {
    Some((check.get(0)?.as_u64()?, check.get(1)?.as_u64()?))
}

/// Runs the engines over a batch, of which `data` has the files; `before` is called
/// before each of them.
///
/// # Errors
/// An environment that cannot be made; engines that fail are left out with a
/// word on standard error.
pub fn run(batch: &Batch, threads: usize, mut before: impl FnMut()) -> Result<Vec<Peer>, String> {
    let dir = super::files::root();
    let scale = batch.len().to_string();
    let python = environment(&dir)?;
    let programs = seg_tests::root().join("crates/xtask/peers");
    let results = dir.join("results");
    let mut peers = Vec::new();
    for (at, (name, seconds)) in ENGINES.into_iter().enumerate() {
        before();
        eprintln!("measuring {name}");
        let status = Command::new("timeout")
            .arg(seconds.to_string())
            .arg(&python)
            .args(["bench.py", name, &threads.to_string(), &scale, "load,single,m100,m1000"])
            .current_dir(&programs)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("DATA_DIR", dir.join("data"))
            .env("RESULTS_DIR", &results)
            .status()
            .map_err(|e| format!("{name}: {e}\n"))?;
        if !status.success() {
            eprintln!("{name} stopped early: {status}");
        }
        let path = results.join(format!("{name}-{scale}-t{threads}.json"));
        match std::fs::read_to_string(&path)
            .map_err(|e| e.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
        {
            Ok(found) => peers.push(Peer { name, at, results: found }),
            Err(why) => eprintln!("{name} is left out: {}: {why}", path.display()),
        }
    }
    Ok(peers)
}

/// A Python with the engines, made once.
pub fn environment(dir: &Path) -> Result<PathBuf, String> {
    let venv = dir.join("venv");
    let python = venv.join("bin/python");
    let requirements = seg_tests::root().join("crates/xtask/peers/requirements.txt");
    if !python.exists() {
        eprintln!("making an environment with the engines of {}", requirements.display());
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    succeed(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))?;
    Ok(python)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{command:?}: {e}\n"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}\n")) }
}

/// A suite, or a segment of the twelve, as Seg evaluates it.
struct Ours<'b> {
    title: String,
    /// How many segments, or the number of one.
    number: usize,
    prepared: Prepared,
    batch: &'b Batch,
    masks: Vec<Mask>,
    /// After a scan of other memory, and with nothing between.
    times: Vec<[Duration; 2]>,
}

impl Ours<'_> {
    fn sample(&mut self, threads: NonZero<usize>, flush: &mut Flush) {
        let options = Options::new().with_engine(Engine::Jit).with_threads(threads.get());
        let (prepared, batch, masks) = (&self.prepared, self.batch, &mut self.masks);
        let mut again = || evaluate(prepared, batch, &options, std::mem::take(masks)).map(|again| *masks = again);
        let after_scan = median(flush, || again().is_ok());
        self.times.push([after_scan, median_after(|| (), || again().is_ok())]);
    }

    /// What it took around the time at which an engine was measured: the mean of just
    /// before and just after.
    fn around(&self, peer: &Peer) -> [Duration; 2] {
        [0, 1].map(|way| self.around_in(peer, way))
    }

    fn around_in(&self, peer: &Peer, way: usize) -> Duration {
        let times = self.times.iter().skip(peer.at).take(2).map(|times| times[way]);
        times.clone().sum::<Duration>() / times.count().max(1) as u32
    }

    /// The median of what was measured at different times.
    fn time(&self) -> Duration {
        let mut times: Vec<Duration> = self.times.iter().map(|[after_scan, _]| *after_scan).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

/// The suites beside other engines: milliseconds, how many times as long as Seg
/// they take, and how many segments have other members.
///
/// A machine that others use as well is quicker at one time than at another, so
/// Seg is measured before each engine and after the last, and each is compared with
/// what Seg took just before and just after it.
pub fn beside(
    schema: &str,
    batch: &Batch,
    threads: NonZero<usize>,
    ready: Option<Duration>,
    flush: &mut Flush,
    text: &mut String,
) -> Result<(), String> {
    let twelve = suite::segments(suite::TWELVE).enumerate();
    let twelve = twelve.map(|(at, segment)| (format!("segment {}", at + 1), segment, at + 1));
    let suites = [(suite::HUNDRED, 100), (suite::THOUSAND, 1000)];
    let rows = twelve.chain(suites.map(|(suite, n)| (format!("{n} segments"), suite, n)));
    let mut programs = Vec::new();
    for (title, segments, number) in rows {
        let project = Project::from_text(schema, [("s.seg", segments)], settings());
        programs.push((title, number, seg::compile(&project).map_err(|e| e.to_string())?));
    }
    let mut ours = Vec::new();
    let options = Options::new().with_engine(Engine::Jit).with_threads(threads.get());
    for (title, number, program) in &programs {
        let prepared = program.prepare();
        let masks = evaluate(&prepared, batch, &options, Vec::new())?;
        ours.push(Ours { title: title.clone(), number: *number, prepared, batch, masks, times: Vec::new() });
    }
    let peers = run(batch, threads.get(), || ours.iter_mut().for_each(|ours| ours.sample(threads, flush)))?;
    ours.iter_mut().for_each(|ours| ours.sample(threads, flush));
    let _ = writeln!(text, "\n| against | seg | {} | fastest by seg | back to back |", names(&peers).join(" | "));
    let _ = writeln!(text, "|---|---:|{}---:|---:|", "---:|".repeat(peers.len()));
    let mut ratios = Vec::new();
    for ours in &ours {
        let (number, time) = (ours.number, ours.time());
        let mut cells = Vec::new();
        let (mut ratio, mut back): (Option<f64>, Option<f64>) = (None, None);
        for peer in &peers {
            let measured = if number < 100 { peer.single(number) } else { peer.together(number) };
            let Some(measured) = measured else {
                cells.push("–".to_owned());
                continue;
            };
            let n_other = measured.differences(batch, &ours.masks);
            let differs = if n_other > 0 { format!(" ({n_other} differ)") } else { String::new() };
            cells.push(format!("{}{differs}", ms(measured.time)));
            let [after_scan, in_a_row] = ours.around(peer);
            let by_seg = measured.time.as_secs_f64() / after_scan.as_secs_f64();
            ratio = Some(ratio.map_or(by_seg, |least| least.min(by_seg)));
            if let Some(of_peer) = measured.back {
                let by_seg = of_peer.as_secs_f64() / in_a_row.as_secs_f64();
                back = Some(back.map_or(by_seg, |least| least.min(by_seg)));
            }
        }
        ratios.extend(ratio.filter(|_| number < 100));
        let [ratio, back] = [ratio, back].map(|r| r.map_or("–".to_owned(), |r| format!("{r:.1}")));
        let _ = writeln!(text, "| {} | {} | {} | {ratio} | {back} |", ours.title, ms(time), cells.join(" | "));
    }
    if let Some(ready) = ready {
        let by_time = peers.iter().map(Peer::ready).collect();
        let by_person = peers.iter().map(Peer::ready_by_person).collect();
        for (title, times) in
            [("Parquet to the order of time, in which it is", by_time), ("Parquet to events by person", by_person)]
        {
            let _ = writeln!(text, "{}", loading(title, ready, times));
        }
    }
    let mean = (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
    let _ = writeln!(
        text,
        "\nThe geometric mean of the twelve ratios is {mean:.1}. Seg is measured before each engine and after the last: \
         its column is the median, a ratio is by the mean of just before and just after that engine, the least of the \
         four; `back to back` is the same ratio where both repeat the question with nothing between. Each engine runs in its best layout of several, as many threads \
         as Seg, warm, each sample after a scan of other memory as for Seg. The layouts that Seg keeps (columns of times, \
         totals and texts, a bit a day) are none of theirs; `first` above says what making them costs."
    );
    Ok(())
}

/// A row about reading files; times of the engines are in seconds.
fn loading(title: &str, ready: Duration, times: Vec<Option<f64>>) -> String {
    let ready = ready.as_secs_f64();
    let cells: Vec<String> = times.iter().map(|t| t.map_or("–".to_owned(), |t| format!("{:.0}", t * 1e3))).collect();
    let ratio = times.iter().flatten().copied().reduce(f64::min).map_or(0.0, |fastest| fastest / ready);
    format!("| {title} | {:.0} | {} | {ratio:.1} | – |", ready * 1e3, cells.join(" | "))
}

fn names(peers: &[Peer]) -> Vec<&'static str> {
    peers.iter().map(|peer| peer.name).collect()
}
