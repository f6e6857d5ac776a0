//! Whole suites, each as one program.

use super::generate::{self, NOW};
use super::hand_suite::Suite;
use super::{Flush, SAMPLES, evaluate, median, ms, settings, slice, suite};
use seg::{Batch, Engine, Options, Prepared, Project};
use std::fmt::Write;
use std::num::NonZero;
use std::time::{Duration, Instant};

/// The heading of the table of suites.
pub const HEADING: &str = "\n| segments in one program | native | by hand | ratio | front | compile | first | layouts, of the batch | \
memory besides | one person |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";

/// A whole suite as one program.
pub fn together(
    schema: &str,
    suite: &str,
    batch: &Batch,
    threads: NonZero<usize>,
    flush: &mut Flush,
) -> Result<String, String> {
    let project = Project::from_text(schema, [("s.seg", suite)], settings());
    let front = median(flush, || seg::compile(&project).is_ok());
    let prepare = || seg::compile(&project).map(|program| program.prepare()).map_err(|e| e.to_string());
    let prepared = prepare()?;
    let small = slice(batch, 64)?;
    let options = Options::new().with_engine(Engine::Jit).with_threads(threads.get());
    let on_few = |prepared: &Prepared| prepared.evaluate_with(&small, NOW, &options);
    let warm = prepare()?;
    let warm = median(flush, || on_few(&warm).is_ok());
    let fresh: Vec<Prepared> = (0..SAMPLES).map(|_| prepare()).collect::<Result<_, _>>()?;
    let mut fresh = fresh.iter();
    let compile = median(flush, || fresh.next().map(|program| on_few(program).is_ok())).saturating_sub(warm);
    // Without the layouts that were kept before.
    let batch = Batch::new(batch.schema().clone(), batch.records().clone()).map_err(|e| e.to_string())?;
    prepared.check(&batch).map_err(|e| e.to_string())?;
    let memory = Memory::start();
    let start = Instant::now();
    let mut masks = evaluate(&prepared, &batch, &options, Vec::new())?;
    let first = start.elapsed();
    let (kept, whole) = (seg_exec::derived_size(&batch) as f64, batch.records().get_array_memory_size() as f64);
    let besides = memory.and_then(|memory| memory.grown()).map(|grown| (grown as f64 - kept).max(0.0));
    let mut again = || evaluate(&prepared, &batch, &options, std::mem::take(&mut masks)).map(|again| masks = again);
    let native = median(flush, || again().is_ok());
    let by_hand = Suite::new(suite::segments(suite));
    let by_hand = by_hand.over(batch.records());
    let differ = by_hand.run(threads).iter().zip(&masks).filter(|(hand, mask)| hand != mask).count();
    if differ > 0 {
        return Err(format!("{differ} of {} segments differ by hand\n", masks.len()));
    }
    let hand = median(flush, || by_hand.run(threads));
    // Of many people, here and there, the time of one.
    let rows: Vec<usize> = (0..1_000).map(|n| n * 7_919 % batch.len()).collect();
    let few = options.without_derived_columns();
    let bound = prepared.bind(&batch, NOW, &few).map_err(|e| e.to_string())?;
    let mut people = bound.one_by_one().map_err(|e| e.to_string())?;
    let person =
        median(flush, || rows.iter().map(|row| people.segments(*row).len()).sum::<usize>()) / rows.len() as u32;
    let of_batch = |bytes: f64| format!("{:.1} %", bytes / whole * 100.0);
    let (kept, besides) = (of_batch(kept), besides.map_or("–".to_owned(), of_batch));
    let micros = person.as_secs_f64() * 1e6;
    let ratio = native.as_secs_f64() / hand.as_secs_f64();
    let [native, hand, front, compile, first] = [native, hand, front, compile, first].map(ms);
    Ok(format!(
        "{native} | {hand} | {ratio:.2} | {front} | {compile} | {first} | {kept} | {besides} | {micros:.1} µs |"
    ))
}

/// How much memory the process has had at most since a moment, as Linux tells.
struct Memory {
    before: u64,
}

impl Memory {
    fn start() -> Option<Memory> {
        // Makes the most of before be forgotten.
        std::fs::write("/proc/self/clear_refs", "5").ok()?;
        Memory::of("VmRSS").map(|before| Memory { before })
    }

    fn grown(&self) -> Option<u64> {
        Memory::of("VmHWM").map(|most| most.saturating_sub(self.before))
    }

    fn of(name: &str) -> Option<u64> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let kib =
            status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024)
    }
}

/// The suites over three times as many people: how many times as long they take.
pub fn grown(
    schema: &str,
    project: &Project,
    batch: &Batch,
    threads: NonZero<usize>,
    flush: &mut Flush,
    text: &mut String,
) -> Result<(), String> {
    eprintln!("generating {} profiles", 3 * batch.len());
    let large = generate::generate(project.schema(), 3 * batch.len());
    text.push_str("\n| three times the profiles | once | three times | ratio |\n|---|---:|---:|---:|\n");
    let twelve = suite::segments(suite::TWELVE).enumerate().map(|(at, s)| (format!("segment {}", at + 1), s));
    let suites = [("12 segments", suite::TWELVE), ("100 segments", suite::HUNDRED), ("1000 segments", suite::THOUSAND)];
    for (title, segments) in twelve.chain(suites.map(|(title, suite)| (title.to_owned(), suite))) {
        let project = Project::from_text(schema, [("s.seg", segments)], settings());
        let prepared = seg::compile(&project).map_err(|e| e.to_string())?.prepare();
        let options = Options::new().with_engine(Engine::Jit).with_threads(threads.get());
        let mut time = |batch: &Batch| -> Result<Duration, String> {
            let mut masks = evaluate(&prepared, batch, &options, Vec::new())?;
            let mut again =
                || evaluate(&prepared, batch, &options, std::mem::take(&mut masks)).map(|again| masks = again);
            Ok(median(flush, || again().is_ok()))
        };
        let (once, more) = (time(batch)?, time(&large)?);
        let ratio = more.as_secs_f64() / once.as_secs_f64();
        let _ = writeln!(text, "| {title} | {} | {} | {ratio:.1} |", ms(once), ms(more));
    }
    Ok(())
}
