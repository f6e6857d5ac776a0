//! `cargo xtask bench`: the suite natively, by the plan evaluator and by the
//! reference evaluator, beside hand-written loops, all in one run.

mod generate;
mod hand;
mod peers;
mod suite;

use generate::NOW;
use seg::{Batch, Engine, Mask, Options, Program, Project, Settings, Zone};
use std::fmt::Write;
use std::num::NonZero;
use std::process::Command;
use std::time::{Duration, Instant};

/// Samples of each measurement; the median counts.
const SAMPLES: usize = 9;
/// The slow engines are measured on so many profiles and scaled up.
const PLAN_PROFILES: usize = 100_000;
const REFERENCE_PROFILES: usize = 10_000;

/// Runs the benchmark over so many profiles; `record` writes it down under
/// `docs/benchmarks`.
pub fn run(args: &[&str]) -> Result<(), String> {
    // Optimised code is measured, however this was started.
    if cfg!(debug_assertions) {
        let status = Command::new("cargo")
            .args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"])
            .args(args)
            .status()
            .map_err(|e| format!("cargo: {e}\n"))?;
        return if status.success() { Ok(()) } else { Err("the benchmark failed\n".to_owned()) };
    }
    let mut n_profiles = 1_000_000;
    let mut wanted = Wanted { singles: true, peers: false, growth: false, only: None };
    let mut record = false;
    for arg in args {
        match *arg {
            only if only.starts_with("--only=") => wanted.only = only.split('=').nth(1).and_then(|n| n.parse().ok()),
            "--record" => record = true,
            "--suites" => wanted.singles = false,
            "--peers" => wanted.peers = true,
            "--growth" => wanted.growth = true,
            number => n_profiles = number.replace('_', "").parse().map_err(|_| format!("`{number}` is no number\n"))?,
        }
    }
    let text = measure(n_profiles, wanted)?;
    print!("{text}");
    if record {
        let name = format!("docs/benchmarks/{}-{}.md", today()?, n_profiles);
        let path = seg_tests::root().join(&name);
        std::fs::write(&path, text).map_err(|e| format!("{}: {e}\n", path.display()))?;
        println!("written to {name}");
    }
    Ok(())
}

fn today() -> Result<String, String> {
    output("date", &["-u", "+%Y-%m-%d"])
}

fn output(program: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(args)
        .current_dir(seg_tests::root())
        .output()
        .map_err(|e| format!("{program}: {e}\n"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What is measured besides the suites as programs.
#[derive(Clone, Copy)]
struct Wanted {
    singles: bool,
    peers: bool,
    /// Three times as many profiles as well.
    growth: bool,
    /// One segment, or one suite by its number of segments; for profiles.
    only: Option<usize>,
}

impl Wanted {
    fn has(&self, number: usize) -> bool {
        self.only.is_none_or(|only| only == number)
    }
}

fn measure(n_profiles: usize, wanted: Wanted) -> Result<String, String> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let schema = suite::schema();
    let project = Project::from_text(&schema, [], settings());
    eprintln!("generating {n_profiles} profiles");
    let start = Instant::now();
    let batch = generate::generate(&project.schema, n_profiles);
    let generated = start.elapsed();
    let n_events: usize = (0..generate::NAMES.len())
        .filter_map(|e| batch.check_events(seg_data::EventId(e as u32)).ok().flatten().map(|e| e.len()))
        .sum();
    let (mut text, mut flush) = (String::new(), Flush::new());
    // Writing to a string does not fail.
    let _ = writeln!(text, "# {n_profiles} profiles, {n_events} events\n");
    let _ = writeln!(
        text,
        "Measured on {}, commit {}: {} (generated in {:.0} s). {threads} threads for native code and the hand-written \
         loops, one for the evaluators. Milliseconds, medians of {SAMPLES} samples, each after a scan of other memory. \
         The plan evaluator is measured on {} profiles and the reference on {}, scaled up. `native` binds the program \
         to the batch and evaluates it, with its code compiled before; `compile` is what the first binding takes \
         longer, `front` from text to plan. `ratio` is native by hand. Layouts that are kept with the batch (columns of \
         times and of texts, a bit a day) are made by the first evaluation and are part of `first`, which includes \
         compiling; loops by hand have none. Masks are written to the memory of those before. `one person` is asked \
         about 1,000 people one by one.\n",
        today()?,
        output("git", &["rev-parse", "--short", "HEAD"])?,
        machine(),
        generated.as_secs_f64(),
        PLAN_PROFILES.min(n_profiles),
        REFERENCE_PROFILES.min(n_profiles),
    );
    text.push_str("| # | segment | members | native | by hand | ratio | plan | reference | front | compile |\n");
    text.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for (at, segment) in
        suite::segments(suite::TWELVE).enumerate().filter(|(at, _)| wanted.singles && wanted.has(at + 1))
    {
        let row = Row::measure(&schema, segment, at as u32 + 1, &batch, threads, &mut flush)?;
        let _ = writeln!(text, "| {} | {} | {row}", at + 1, suite::TITLES.get(at).copied().unwrap_or(""));
    }
    let _ = writeln!(text, "\n{threads} threads read {:.1} GB/s of memory.", hand::bandwidth(threads) / 1e9);
    text.push_str(
        "\n| segments in one program | native | front | compile | first | layouts, of the batch | one person |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for suite in [suite::TWELVE, suite::HUNDRED, suite::THOUSAND] {
        if !wanted.has(suite::segments(suite).count()) {
            continue;
        }
        let _ = writeln!(
            text,
            "| {} | {}",
            suite::segments(suite).count(),
            together(&schema, suite, &batch, threads, &mut flush)?
        );
    }
    if wanted.growth {
        grown(&schema, &project, &batch, threads, &mut flush, &mut text)?;
    }
    if wanted.peers {
        beside_peers(&schema, &batch, threads, &mut flush, &mut text)?;
    }
    Ok(text)
}

fn settings() -> Settings {
    Settings { zone: Some(Zone::UTC), ..Settings::default() }
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name")?.split(':').nth(1));
    model.map_or("an unknown processor".to_owned(), |m| m.trim().to_owned())
}

/// Other memory, gone through before each sample so that caches and branch
/// history are not those of the sample before.
struct Flush(Vec<u64>);

impl Flush {
    fn new() -> Flush {
        Flush((0..8 << 20).collect())
    }

    fn scan(&mut self) {
        let odd = self.0.iter().filter(|n| *n % 3 == 1).count() as u64;
        self.0[0] = self.0[0].wrapping_add(odd);
        std::hint::black_box(&self.0);
    }
}

/// A whole suite as one program.
fn together(
    schema: &str,
    suite: &str,
    batch: &Batch,
    threads: NonZero<usize>,
    flush: &mut Flush,
) -> Result<String, String> {
    let project = Project::from_text(schema, [("s.seg", suite)], settings());
    let front = median(flush, || seg::compile(&project).is_ok());
    let program = seg::compile(&project).map_err(|e| e.to_string())?;
    let small = slice(batch, 64)?;
    let one = Options { engine: Some(Engine::Jit), threads };
    let on_few = |program: &Program| program.bind(&small).map(|bound| bound.evaluate_with(one, NOW));
    let warm = {
        let program = seg::compile(&project).map_err(|e| e.to_string())?;
        median(flush, || on_few(&program).is_ok())
    };
    let fresh: Vec<Program> =
        (0..SAMPLES).map(|_| seg::compile(&project).map_err(|e| e.to_string())).collect::<Result<_, _>>()?;
    let mut fresh = fresh.iter();
    let compile = median(flush, || fresh.next().map(|program| on_few(program).is_ok())).saturating_sub(warm);
    // Without the layouts that were kept before.
    let batch = Batch::new(batch.schema().clone(), batch.records().clone()).map_err(|e| e.to_string())?;
    let bound = program.bind(&batch).map_err(|e| e.to_string())?;
    let options = Options { engine: Some(Engine::Jit), threads };
    let start = Instant::now();
    let mut masks = bound.evaluate_with(options, NOW).masks;
    let first = start.elapsed();
    let native = median(flush, || masks = bound.evaluate_again(options, NOW, std::mem::take(&mut masks)).masks);
    // Of many people, here and there, the time of one.
    let rows: Vec<usize> = (0..1_000).map(|n| n * 7_919 % batch.len()).collect();
    let person = bound.one_by_one(NOW, |judge| {
        median(flush, || rows.iter().map(|row| judge(*row).len()).sum::<usize>()) / rows.len() as u32
    });
    let (kept, whole) = (batch.layouts_size() as f64, batch.records().get_array_memory_size() as f64);
    let share = kept / whole * 100.0;
    let micros = person.as_secs_f64() * 1e6;
    let [native, front, compile, first] = [native, front, compile, first].map(ms);
    Ok(format!("{native} | {front} | {compile} | {first} | {share:.1} % | {micros:.1} µs |"))
}

/// The suites over three times as many people: how many times as long they take.
fn grown(
    schema: &str,
    project: &Project,
    batch: &Batch,
    threads: NonZero<usize>,
    flush: &mut Flush,
    text: &mut String,
) -> Result<(), String> {
    eprintln!("generating {} profiles", 3 * batch.len());
    let large = generate::generate(&project.schema, 3 * batch.len());
    text.push_str("\n| three times the profiles | once | three times | ratio |\n|---|---:|---:|---:|\n");
    let twelve = suite::segments(suite::TWELVE).enumerate().map(|(at, s)| (format!("segment {}", at + 1), s));
    let suites = [("12 segments", suite::TWELVE), ("100 segments", suite::HUNDRED), ("1000 segments", suite::THOUSAND)];
    for (title, segments) in twelve.chain(suites.map(|(title, suite)| (title.to_owned(), suite))) {
        let project = Project::from_text(schema, [("s.seg", segments)], settings());
        let program = seg::compile(&project).map_err(|e| e.to_string())?;
        let options = Options { engine: Some(Engine::Jit), threads };
        let mut time = |batch: &Batch| -> Result<Duration, String> {
            let bound = program.bind(batch).map_err(|e| e.to_string())?;
            let mut masks = bound.evaluate_with(options, NOW).masks;
            Ok(median(flush, || masks = bound.evaluate_again(options, NOW, std::mem::take(&mut masks)).masks))
        };
        let (once, more) = (time(batch)?, time(&large)?);
        let ratio = more.as_secs_f64() / once.as_secs_f64();
        let _ = writeln!(text, "| {title} | {} | {} | {ratio:.1} |", ms(once), ms(more));
    }
    Ok(())
}

/// The suites beside other engines: milliseconds, how many times as long as Seg
/// they take, and how many segments have other members.
fn beside_peers(
    schema: &str,
    batch: &Batch,
    threads: NonZero<usize>,
    flush: &mut Flush,
    text: &mut String,
) -> Result<(), String> {
    let peers = peers::run(batch, threads.get())?;
    let _ = writeln!(text, "\n| against | seg | {} | fastest by seg |", names(&peers).join(" | "));
    let _ = writeln!(text, "|---|---:|{}---:|", "---:|".repeat(peers.len()));
    let twelve: Vec<&str> = suite::segments(suite::TWELVE).collect();
    let mut ratios = Vec::new();
    let rows = twelve.iter().enumerate().map(|(at, segment)| (format!("segment {}", at + 1), *segment, at + 1));
    let suites = [(suite::HUNDRED, 100), (suite::THOUSAND, 1000)];
    let rows = rows.chain(suites.map(|(suite, n)| (format!("{n} segments"), suite, n)));
    for (title, segments, number) in rows {
        let project = Project::from_text(schema, [("s.seg", segments)], settings());
        let program = seg::compile(&project).map_err(|e| e.to_string())?;
        let bound = program.bind(batch).map_err(|e| e.to_string())?;
        let options = Options { engine: Some(Engine::Jit), threads };
        let mut masks = bound.evaluate_with(options, NOW).masks;
        let ours = median(flush, || masks = bound.evaluate_again(options, NOW, std::mem::take(&mut masks)).masks);
        let mut cells = Vec::new();
        let mut fastest: Option<Duration> = None;
        for peer in &peers {
            let measured = if number < 100 { peer.single(number) } else { peer.together(number) };
            let Some(measured) = measured else {
                cells.push("–".to_owned());
                continue;
            };
            let n_other = measured.differences(batch, &masks);
            let differs = if n_other > 0 { format!(" ({n_other} differ)") } else { String::new() };
            cells.push(format!("{}{differs}", ms(measured.time)));
            fastest = Some(fastest.map_or(measured.time, |f| f.min(measured.time)));
        }
        let ratio = fastest.map(|f| f.as_secs_f64() / ours.as_secs_f64());
        ratios.extend(ratio.filter(|_| number < 100));
        let ratio = ratio.map_or("–".to_owned(), |r| format!("{r:.1}"));
        let _ = writeln!(text, "| {title} | {} | {} | {ratio} |", ms(ours), cells.join(" | "));
    }
    let mean = (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
    let _ = writeln!(
        text,
        "\nThe geometric mean of the twelve ratios is {mean:.1}. Each engine runs in its best layout of several, as many threads \
         as Seg, warm, each sample after a scan of other memory as for Seg. The layouts that Seg keeps (columns of times \
         and texts, a bit a day) are none of theirs; `first` above says what making them costs."
    );
    Ok(())
}

fn names(peers: &[peers::Peer]) -> Vec<&'static str> {
    peers.iter().map(|peer| peer.name).collect()
}

fn ms(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64() * 1e3)
}

struct Row {
    n_members: usize,
    native: Duration,
    hand: Option<Duration>,
    plan: Duration,
    reference: Duration,
    front: Duration,
    compile: Duration,
}

impl Row {
    fn measure(
        schema: &str,
        text: &str,
        number: u32,
        batch: &Batch,
        threads: NonZero<usize>,
        flush: &mut Flush,
    ) -> Result<Row, String> {
        let compile = || {
            let project = Project::from_text(schema, [("s.seg", text)], settings());
            seg::compile(&project).map_err(|e| e.to_string())
        };
        // The schema is read once in practice; the sentence is what is timed.
        let project = Project::from_text(schema, [("s.seg", text)], settings());
        let front = median(flush, || seg::compile(&project).is_ok());
        let program = compile()?;
        let by = |program: &Program, batch: &Batch, engine, threads| {
            let bound = program.bind(batch).expect("the batch keeps the contract");
            let evaluation = bound.evaluate_with(Options { engine: Some(engine), threads }, NOW);
            assert_eq!(evaluation.engine, engine, "{}", evaluation.reason);
            evaluation.masks
        };
        let one = NonZero::<usize>::MIN;
        let small = slice(batch, 64)?;
        let warm = median(flush, || by(&program, &small, Engine::Jit, one));
        let fresh: Vec<Program> = (0..SAMPLES).map(|_| compile()).collect::<Result<_, _>>()?;
        let mut fresh = fresh.iter();
        let cold = median(flush, || fresh.next().map(|program| by(program, &small, Engine::Jit, one)));
        let masks = by(&program, batch, Engine::Jit, threads);
        let mask = masks.first().ok_or("no segment")?;
        let bound = program.bind(batch).map_err(|e| e.to_string())?;
        let (options, mut again) = (Options { engine: Some(Engine::Jit), threads }, masks.clone());
        let native = median(flush, || again = bound.evaluate_again(options, NOW, std::mem::take(&mut again)).masks);
        let hand = match hand::run(number, batch.records(), threads) {
            Some(by_hand) if by_hand != *mask => return Err(format!("segment {number}: the loop by hand differs\n")),
            Some(_) => Some(median(flush, || hand::run(number, batch.records(), threads))),
            None => None,
        };
        let scaled = |n: usize, engine| -> Result<Duration, String> {
            let part = slice(batch, n)?;
            let start = Instant::now();
            let masks = by(&program, &part, engine, one);
            let time = start.elapsed();
            let same = masks.first().is_some_and(|m: &Mask| (0..part.len()).all(|row| m.get(row) == mask.get(row)));
            if !same {
                return Err(format!("segment {number}: {} differs\n", engine.name()));
            }
            Ok(time.mul_f64(batch.len() as f64 / part.len().max(1) as f64))
        };
        let (plan, reference) = (scaled(PLAN_PROFILES, Engine::Plan)?, scaled(REFERENCE_PROFILES, Engine::Evaluator)?);
        let compile = cold.saturating_sub(warm);
        Ok(Row { n_members: mask.count(), native, hand, plan, reference, front, compile })
    }
}

/// The first profiles of a batch, their columns checked.
fn slice(batch: &Batch, n: usize) -> Result<Batch, String> {
    let records = batch.records().slice(0, n.min(batch.len()));
    Batch::try_new(batch.schema().clone(), records).map_err(|e| e.to_string())
}

fn median<T>(flush: &mut Flush, mut sample: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..SAMPLES)
        .map(|_| {
            flush.scan();
            let start = Instant::now();
            std::hint::black_box(sample());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[SAMPLES / 2]
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hand = self.hand.map_or((String::new(), String::new()), |hand| {
            (ms(hand), format!("{:.2}", self.native.as_secs_f64() / hand.as_secs_f64()))
        });
        write!(
            f,
            "{} | {} | {} | {} | {:.0} | {:.0} | {} | {} |",
            self.n_members,
            ms(self.native),
            hand.0,
            hand.1,
            self.plan.as_secs_f64() * 1e3,
            self.reference.as_secs_f64() * 1e3,
            ms(self.front),
            ms(self.compile),
        )
    }
}
