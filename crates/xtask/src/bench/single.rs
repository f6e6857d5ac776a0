//! One segment alone: natively, by both evaluators and by hand.

use super::generate::NOW;
use super::{Flush, PLAN_PROFILES, REFERENCE_PROFILES, SAMPLES, evaluate, hand, median, ms, settings, slice};
use seg::{Batch, Engine, Mask, Options, Prepared, Project};
use std::num::NonZero;
use std::time::{Duration, Instant};

/// What was measured of a segment.
pub struct Row {
    n_members: usize,
    native: Duration,
    hand: Option<Duration>,
    plan: Duration,
    reference: Duration,
    front: Duration,
    compile: Duration,
    /// Front and compiling, right after one another.
    in_a_row: Duration,
}

impl Row {
    pub fn measure(
        schema: &str,
        text: &str,
        number: u32,
        batch: &Batch,
        threads: NonZero<usize>,
        flush: &mut Flush,
    ) -> Result<Row, String> {
        let compile = || {
            let project = Project::from_text(schema, [("s.seg", text)], settings());
            seg::compile(&project).map(|program| program.prepare()).map_err(|e| e.to_string())
        };
        // The schema is read once in practice; the sentence is what is timed.
        let project = Project::from_text(schema, [("s.seg", text)], settings());
        let front = median(flush, || seg::compile(&project).is_ok());
        let program = compile()?;
        let by = |program: &Prepared, batch: &Batch, engine, threads: NonZero<usize>| {
            let options = Options::new().with_engine(engine).with_threads(threads.get());
            let evaluation = program.evaluate_with(batch, NOW, &options).expect("the batch keeps the contract");
            assert_eq!(evaluation.engine(), engine, "{}", evaluation.reason());
            evaluation.into_masks()
        };
        let one = NonZero::<usize>::MIN;
        let small = slice(batch, 64)?;
        let warm = median(flush, || by(&program, &small, Engine::Jit, one));
        let fresh: Vec<Prepared> = (0..SAMPLES).map(|_| compile()).collect::<Result<_, _>>()?;
        let mut fresh = fresh.iter();
        let cold = median(flush, || fresh.next().map(|program| by(program, &small, Engine::Jit, one)));
        let in_a_row = in_a_row(&project, |program| drop(by(program, &small, Engine::Jit, one)))?;
        let masks = by(&program, batch, Engine::Jit, threads);
        let mask = masks.first().ok_or("no segment")?;
        let options = Options::new().with_engine(Engine::Jit).with_threads(threads.get());
        let mut again = masks.clone();
        let mut native = || evaluate(&program, batch, &options, std::mem::take(&mut again)).map(|masks| again = masks);
        let native = median(flush, || native().is_ok());
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
        Ok(Row { n_members: mask.count(), native, hand, plan, reference, front, compile, in_a_row })
    }
}

/// From text to code without a scan between samples: the front, and what a first
/// run takes longer than a second. The median.
fn in_a_row(project: &Project, run: impl Fn(&Prepared)) -> Result<Duration, String> {
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let start = Instant::now();
        let program = seg::compile(project).map_err(|e| e.to_string())?.prepare();
        let front = start.elapsed();
        let [first, again] = [(); 2].map(|()| time(&|| run(&program)));
        times.push(front + first.saturating_sub(again));
    }
    times.sort_unstable();
    Ok(times[SAMPLES / 2])
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hand = self.hand.map_or((String::new(), String::new()), |hand| {
            (ms(hand), format!("{:.2}", self.native.as_secs_f64() / hand.as_secs_f64()))
        });
        write!(
            f,
            "{} | {} | {} | {} | {:.0} | {:.0} | {} | {} | {} |",
            self.n_members,
            ms(self.native),
            hand.0,
            hand.1,
            self.plan.as_secs_f64() * 1e3,
            self.reference.as_secs_f64() * 1e3,
            ms(self.front),
            ms(self.compile),
            ms(self.in_a_row),
        )
    }
}
