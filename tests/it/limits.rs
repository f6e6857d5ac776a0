//! Costs, caps, cancelling, and the other ways into a program.

use seg::{
    Batch, Cancel, Cost, Engine, EvaluateError, Evaluation, Options, Program, Project, Settings, Timestamp, Zone,
};
use seg_tests::{people, schema_text};
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z", None).expect("an instant")
}

/// Most are decided by generated code, or by walks over an event sequence, one by
/// a kernel of the calendar that goes over whole columns.
const SENTENCES: [&str; 5] = [
    "ordered at least 2 times in the past 30 days",
    "have total amount of orders in the past 60 days is more than 40",
    "ordered on at least 2 different days in the past 20 days",
    "ordered in the past 50 days followed by Email Opened within 10 days",
    "ordered on a weekend in the past 30 days",
];

fn program(sentences: &[&str]) -> Program {
    let segment = |(n, s)| format!("segment \"{n}\" include people who {s}\n");
    let text: String = sentences.iter().enumerate().map(segment).collect();
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let project = Project::from_text(&schema_text("shop"), [("s.seg", text.as_str())], settings);
    seg::compile(&project).unwrap_or_else(|e| panic!("{e}"))
}

/// People with some orders and mails each, all of them before now.
fn batch_of(program: &Program, n: usize) -> Batch {
    let event = |name: &str, hours: usize, amount: usize| {
        format!("{{\"event\": \"{name}\", \"time\": \"{hours} hours ago\", \"amount\": {amount}}}")
    };
    let line = |at: usize| {
        let orders = (0..at % 5).map(|k| event("Order Completed", 1 + (at * 37 + k * 331) % 2_000, at % 50));
        let mails = (0..at % 3).map(|k| {
            format!("{{\"event\": \"Email Opened\", \"time\": \"{} hours ago\"}}", (at * 37 + k * 17) % 2_000)
        });
        let events: Vec<String> = orders.chain(mails).collect();
        format!("{{\"id\": \"{at}\", \"events\": [{}]}}\n", events.join(", "))
    };
    people(&(0..n).map(line).collect::<String>(), program.schema(), Some(Zone::UTC), now())
}

/// The same people over and over.
fn copies_of(batch: &Batch, n_copies: usize) -> Batch {
    let copies = vec![batch.records(); n_copies];
    let records = arrow_select::concat::concat_batches(&batch.records().schema(), copies).expect("one schema");
    Batch::new(Arc::clone(batch.schema()), records).expect("a batch")
}

#[test]
fn cost_grows_with_the_data_and_caps_refuse() {
    let program = program(&SENTENCES);
    let (few, many) = (batch_of(&program, 100), batch_of(&program, 1_000));
    let prepared = program.prepare();
    let cost = |batch: &Batch| prepared.cost(batch, now()).expect("a batch");
    let (low, high) = (cost(&few), cost(&many));
    assert!(low.0 > Duration::ZERO);
    let ratio = high.0.as_secs_f64() / low.0.as_secs_f64();
    assert!((9.0..11.0).contains(&ratio), "ten times the people cost {ratio} times as much");
    let capped = |max_cost| Options::new().with_max_cost(max_cost);
    let refused = prepared.evaluate_with(&many, now(), &capped(low));
    assert_eq!(refused.expect_err("too much"), EvaluateError::CostLimitExceeded { cost: high, max_cost: low });
    let allowed = prepared.evaluate_with(&many, now(), &capped(high)).expect("not too much");
    assert_eq!(allowed.masks(), prepared.evaluate(&many, now()).expect("a batch").masks());
    // A year of days costs more than one of them.
    let days: Vec<Timestamp> = (0..10).map(|day| Timestamp(now().0 - day * 86_400_000_000)).collect();
    let refused = prepared.sizes_at(&many, &days, &capped(high));
    assert!(matches!(refused, Err(EvaluateError::CostLimitExceeded { .. })));
    assert!(Cost(Duration::from_millis(1)).to_string() == "1.0 ms" && low.to_string().ends_with("µs"));
}

#[test]
fn limits_change_no_answer() {
    let native: &[&str] = &SENTENCES[..3];
    for sentences in [native, &SENTENCES[..]] {
        let program = program(sentences);
        let batch = copies_of(&batch_of(&program, 700), 7);
        let prepared = program.prepare();
        let evaluate =
            |options: Options| prepared.evaluate_with(&batch, now(), &options).expect("nothing stops it").into_masks();
        let expected = evaluate(Options::new().with_engine(Engine::Plan));
        assert!(expected.iter().all(|mask| mask.count() > 0));
        for engine in [Engine::Jit, Engine::Plan, Engine::Evaluator] {
            let options = Options::new().with_engine(engine).with_threads(2).with_cancel(&Cancel::new());
            assert_eq!(evaluate(options), expected, "{engine:?}");
        }
        assert_eq!(evaluate(Options::new().with_cancel(&Cancel::new())), expected);
    }
}

#[test]
fn sizes_are_those_of_each_instant() {
    let native: &[&str] = &SENTENCES[..3];
    for sentences in [native, &SENTENCES[..]] {
        let program = program(sentences);
        let batch = copies_of(&batch_of(&program, 700), 4);
        let prepared = program.prepare();
        let days: Vec<Timestamp> = (0..40).map(|day| Timestamp(now().0 - day * 86_400_000_000)).collect();
        let each = |day: &Timestamp| -> Vec<u64> {
            let options = Options::new().with_engine(Engine::Plan);
            let evaluation = prepared.evaluate_with(&batch, *day, &options).expect("a batch");
            evaluation.masks().iter().map(|mask| mask.count() as u64).collect()
        };
        let expected: Vec<Vec<u64>> = days.iter().map(each).collect();
        let options = Options::new().with_threads(2);
        assert_eq!(prepared.sizes_at(&batch, &days, &options).expect("nothing stops it"), expected);
        assert!(expected.windows(2).any(|days| days[0] != days[1]), "some day differs from the one before");
    }
    let program = program(&SENTENCES);
    let nobody = Batch::empty(Arc::clone(program.schema())).expect("a batch");
    let sizes = program.prepare().sizes_at(&nobody, &[now()], &Options::new()).expect("nothing stops it");
    assert_eq!(sizes, [[0; 5]]);
}

#[test]
fn one_person_after_another_gives_what_all_at_once_do() {
    let program = program(&SENTENCES);
    let batch = batch_of(&program, 300);
    for engine in [Engine::Jit, Engine::Plan] {
        let bound = program.prepare().bind(&batch, now(), &Options::new().with_engine(engine)).expect("a batch");
        let masks = bound.evaluate().expect("nothing stops it").into_masks();
        let mut one_by_one = bound.one_by_one().expect("nothing stops it");
        // In no order, and past the end.
        for row in (0..300).rev().step_by(7).chain([0, 63, 64, 299]) {
            let expected: Vec<bool> = masks.iter().map(|mask| mask.get(row)).collect();
            assert_eq!(one_by_one.segments(row), expected, "row {row}");
        }
        assert_eq!(one_by_one.segments(300), [false; 5]);
    }
}

#[test]
fn cancelling_stops_every_engine_soon() {
    let native: &[&str] = &SENTENCES[..3];
    for (sentences, engine) in
        [(native, Engine::Jit), (&SENTENCES[..], Engine::Jit), (native, Engine::Plan), (native, Engine::Evaluator)]
    {
        let program = program(sentences);
        let batch = copies_of(&batch_of(&program, 5_000), 40);
        let prepared = program.prepare();
        let cancel = Cancel::new();
        let options = Options::new().with_engine(engine).with_threads(2).with_cancel(&cancel);
        // Over and over, so that it is at work when it is cancelled.
        let work = || -> Result<Evaluation, EvaluateError> {
            loop {
                prepared.evaluate_with(&batch, now(), &options)?;
            }
        };
        let (stopped, waited) = std::thread::scope(|scope| {
            let worker = scope.spawn(work);
            std::thread::sleep(Duration::from_millis(30));
            let start = Clock::now();
            cancel.cancel();
            (worker.join().expect("no panic"), start.elapsed())
        });
        assert_eq!(stopped.expect_err("cancelled"), EvaluateError::Cancelled);
        // Far above what is promised, since tests share their machine.
        assert!(waited < Duration::from_secs(2), "{engine:?} took {waited:?} to stop");
        assert_eq!(prepared.sizes_at(&batch, &[now()], &options), Err(EvaluateError::Cancelled));
    }
}

/// What a prepared program keeps of one batch serves the next only where the same is
/// known of it.
#[test]
fn what_was_fitted_to_one_batch_is_not_taken_for_another() {
    let program = program(&[
        "ordered at least 2 times in the past 200 days",
        "have total amount of orders in the past 200 days is more than 40",
        "ordered more than 100 days ago",
        "last order was more than 20 days ago",
        "last Order Completed 300 to 100 days ago had amount is more than 10",
    ]);
    let (batch, prepared) = (batch_of(&program, 300), program.prepare());
    let options = Options::new().with_engine(Engine::Jit);
    // In more ways than are kept, forwards and back again.
    let days: Vec<i64> = (0..=300).step_by(20).collect();
    for n_days in days.iter().chain(days.iter().rev()) {
        let now = Timestamp(now().0 + n_days * 86_400_000_000);
        let reference = Options::new().with_engine(Engine::Evaluator);
        let expected = program.prepare().evaluate_with(&batch, now, &reference).expect("an answer");
        let found = prepared.evaluate_with(&batch, now, &options).expect("an answer");
        assert_eq!(found.masks(), expected.masks(), "{n_days} days later");
        assert_eq!(found.engine(), Engine::Jit);
    }
}

/// What the extent of the data decides is not asked again; what is left is shared
/// by windows that differ before the first event alone.
#[test]
fn windows_are_fitted_to_the_data() {
    let program = program(&[
        "ordered at least 2 times in the past 365 days",
        "ordered at least 2 times in the past 400 days",
        "have total amount of orders in the past 365 days is more than 40",
        "have total amount of orders is more than 50",
        "ordered more than 300 days ago",
        "ordered in the past 30 days followed by Email Opened within 10 days",
    ]);
    let batch = batch_of(&program, 300);
    let prepared = program.prepare();
    let fitted = |batch: &Batch, now| {
        prepared.check(batch).expect("a batch");
        seg::unstable::fitted_plan(&prepared, batch, now)
    };
    let plan = fitted(&batch, now());
    insta::assert_snapshot!(seg_plan::print(&plan, program.schema()), @r#"
    n0 = property "amount": money
    n1 = 40.00
    n2 = 50.00
    n3 = last-time 2("Order Completed")
    n4 = known n3
    n5 = false
    n6 = total(n0 of "Order Completed")
    n7 = n6 > n1
    n8 = n6 > n2
    n9 = followed by "Email Opened" within 10 d  [kernel: chain]
    n10 = last-time("Order Completed" in [now - 30 d, ..) where n9)
    n11 = known n10
    segment "0" = n4
    segment "1" = n4
    segment "2" = n7
    segment "3" = n8
    segment "4" = n5
    segment "5" = n11
    shared n6, computed once for n7, n8
    reads event "Order Completed" (amount), all of the past
    reads event "Email Opened", since now - 30 d
    the answer changes as time passes
    "#);
    // A year later the windows begin within the data.
    let later = Timestamp(now().0 + 330 * 86_400_000_000);
    let plan = seg_plan::print(&fitted(&batch, later), program.schema());
    assert!(plan.contains("in [now - 365 d, ..)") && plan.contains("in [now - 365 d, now]"), "{plan}");
    // But for the short one, which is behind all of them.
    assert!(!plan.contains("now - 30 d") && plan.contains("= false"), "{plan}");
    // Over nobody's events nothing is decided.
    let nobody = Batch::empty(Arc::clone(program.schema())).expect("a batch");
    assert_eq!(fitted(&nobody, now()), *seg::unstable::plan_of(&program));
}
