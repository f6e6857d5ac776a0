//! Engines as such: which is chosen, what they leave behind, and what happens
//! where native code cannot be had.

use seg::{Batch, Engine, Mask, Options, Program, Project, Reason, Settings, Timestamp, Zone};
use seg_exec::ExecOptions;
use seg_tests::{people, schema_text};
use std::num::NonZero;
use std::process::Command;
use std::sync::Arc;

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z", None).expect("an instant")
}

fn program(sentences: &[&str]) -> Program {
    program_of(&schema_text("shop"), sentences)
}

fn program_of(schema: &str, sentences: &[&str]) -> Program {
    let text: Vec<String> =
        sentences.iter().enumerate().map(|(n, s)| format!("segment \"{n}\" include people who {s}")).collect();
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let project = Project::from_text(schema, [("s.seg", text.join("\n").as_str())], settings);
    seg::compile(&project).unwrap_or_else(|e| panic!("{e}"))
}

fn batch_of(program: &Program, n: usize) -> Batch {
    let line = |at: usize| {
        let orders =
            format!("{{\"event\": \"Order Completed\", \"time\": \"{} days ago\", \"amount\": {at}}}", at % 90);
        format!("{{\"id\": \"{at}\", \"score\": {}, \"events\": [{orders}]}}\n", at % 7)
    };
    people(&(0..n).map(line).collect::<String>(), program.schema(), Some(Zone::UTC), now())
}

#[test]
fn the_choice_has_reasons() {
    let program = program(&["ordered in the past 30 days", "have score is at least 3"]);
    let batch = batch_of(&program, 3_000);
    let prepared = program.prepare();
    let many = prepared.evaluate(&batch, now()).expect("a batch");
    assert_eq!((many.engine(), many.reason()), (Engine::Jit, &Reason::ManyPeople));
    assert_eq!(many.masks()[0].count(), 1_023 + 30);
    let slice = Batch::new(Arc::clone(program.schema()), batch.records().slice(0, 100)).expect("a slice");
    let few = prepared.evaluate(&slice, now()).expect("a batch");
    assert_eq!((few.engine(), few.reason()), (Engine::Plan, &Reason::FewPeople));
    let asked = Options::new().with_engine(Engine::Evaluator);
    let asked = prepared.evaluate_with(&batch, now(), &asked).expect("a batch");
    assert_eq!((asked.engine(), asked.reason()), (Engine::Evaluator, &Reason::Asked));
    assert_eq!(asked.masks(), many.masks());
    let constant = self::program(&["ordered at least 0 times"]);
    let everyone = constant.prepare().evaluate(&batch, now()).expect("a batch");
    assert_eq!((everyone.engine(), everyone.reason()), (Engine::Plan, &Reason::Constant));
    assert_eq!(everyone.masks()[0].count(), 3_000);
}

/// What a server keeps is shared by its threads.
#[test]
fn the_types_of_the_facade_may_be_shared() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Project>();
    is_shared::<Program>();
    is_shared::<seg::Prepared>();
    is_shared::<seg::BoundProgram>();
    is_shared::<seg::Evaluation>();
    is_shared::<seg::EvaluateError>();
    is_shared::<seg::Diagnostics>();
    is_shared::<Options>();
    is_shared::<seg::Cancel>();
    is_shared::<Batch>();
    is_shared::<Mask>();
    is_shared::<seg::Explanation>();
    is_shared::<seg::TestReport>();
}

/// Masks are found by the names of their segments, and become Arrow arrays.
#[test]
fn masks_have_names_and_become_arrow_arrays() {
    let program = program(&["have score is at least 3", "have score is less than 3"]);
    let batch = batch_of(&program, 100);
    let evaluation = program.prepare().evaluate(&batch, now()).expect("a batch");
    assert_eq!(evaluation.mask("1"), evaluation.masks().get(1));
    assert_eq!(evaluation.mask("2"), None);
    let records = evaluation.to_arrow().expect("two columns");
    let column: &arrow_array::BooleanArray = arrow_array::cast::AsArray::as_boolean(records.column(0));
    let members: Vec<usize> = (0..100).filter(|row| column.value(*row)).collect();
    assert_eq!(members, evaluation.masks()[0].rows().collect::<Vec<_>>());
    assert_eq!((records.num_columns(), records.num_rows()), (2, 100));
}

/// Every error says what it comes from.
#[test]
fn errors_have_sources() {
    use std::error::Error;
    let program = program(&["have score is at least 3"]);
    let other = Batch::empty(Arc::default()).expect("a batch");
    let error = program.prepare().evaluate(&other, now()).expect_err("another schema");
    assert!(error.source().is_some_and(|source| source.is::<seg::batch::BatchError>()), "{error}");
    let batch = batch_of(&program, 1);
    let error = program.prepare().evaluate(&batch, Timestamp(i64::MAX)).expect_err("no calendar has it");
    assert!(error.source().is_some_and(|source| source.is::<seg::TimestampError>()), "{error}");
    assert_eq!(error.to_string(), "the instant is not in the years 1 to 9999");
}

/// Until the instant that is named, nothing changes, and then it does; what comes
/// later in the data is not known yet.
#[test]
fn the_next_change_is_the_first() {
    let sentences = [
        ("ordered in the past 2 hours", Some("2026-06-01T13:00:00.000001Z")),
        ("ordered more than 2 hours ago", Some("2026-06-01T13:00:00.000001Z")),
        ("ordered at least 2 hours ago", Some("2026-06-01T13:00:00Z")),
        ("ordered in the past 1 month", Some("2026-07-01T11:00:00.000001Z")),
        (
            "ordered at least 1 times in the past 3 days and did not do Signed In ever",
            Some("2026-06-04T11:00:00.000001Z"),
        ),
        ("ordered today", Some("2026-06-02T00:00:00Z")),
        ("ordered this week", Some("2026-06-08T00:00:00Z")),
        ("ordered ever", None),
        ("have birthday 3 to 4 days ago", Some("2026-06-02T00:00:00Z")),
        ("have last_order_date in the past 30 days", Some("2026-06-20T08:00:00.000001Z")),
        ("did Signed In ever", None),
        ("have score is at least 5", None),
        ("have city was \"a\" at any time in the past 3 days", Some("2026-06-03T12:00:00Z")),
        ("have city has been \"b\" for at least 3 days", Some("2026-06-03T12:00:00Z")),
        ("have city changed in the past 3 days", Some("2026-06-03T12:00:00.000001Z")),
        ("have city changed", None),
    ];
    let texts: Vec<&str> = sentences.iter().map(|(text, _)| *text).collect();
    let kept = "city = { type = \"text\", history = true }";
    let program = program_of(&schema_text("shop").replace("city = \"text\"", kept), &texts);
    let line = r#"{"id": "ann", "city": "a", "changes": [{"time": "1 day ago", "city": "b"}], "birthday": "2026-05-30", "last_order_date": "2026-05-21T08:00:00Z", "score": 3, "events":
        [{"event": "Order Completed", "time": "1 hour ago"}, {"event": "Signed In", "time": "2026-06-03T09:00:00Z"}]}"#;
    let batch = people(&line.replace('\n', ""), program.schema(), Some(Zone::UTC), now());
    let prepared = program.prepare();
    prepared.check(&batch).expect("a batch");
    let known = batch.known_at(0..1, now()).expect("a batch");
    for (root, (text, expected)) in sentences.into_iter().enumerate() {
        let found = seg_plan::next_change(seg::unstable::plan_of(&program), root, &batch, 0, now());
        let found = found.expect("a segment and a person").at;
        assert_eq!(found.map(|at| at.to_string()).as_deref(), expected, "{text}");
        let is_in = |at: i64| prepared.evaluate(&known, Timestamp(at)).expect("a batch").masks()[root].get(0);
        let Some(found) = found else { continue };
        assert!(is_in(found.0) != is_in(now().0), "{text}");
        for n in 0..50 {
            assert_eq!(is_in(now().0 + (found.0 - 1 - now().0) / 50 * n), is_in(now().0), "{text}");
        }
    }
}

#[test]
fn a_program_is_shared_by_threads() {
    let program = program(&[
        "ordered at least 1 times in the past 30 days",
        "have number of different amount of orders is at least 1",
        "ordered on at least 1 different days in the past 80 days and whose score is more than 2",
    ]);
    let batch = batch_of(&program, 5_000);
    let prepared = program.prepare();
    let evaluate = |options: &Options| -> Vec<Mask> {
        prepared.evaluate_with(&batch, now(), options).expect("a batch").into_masks()
    };
    let native = |threads| evaluate(&Options::new().with_engine(Engine::Jit).with_threads(threads));
    let expected = evaluate(&Options::new().with_engine(Engine::Evaluator));
    // All at once, from the first compilation on, with more or fewer threads each.
    std::thread::scope(|scope| {
        let handles: Vec<_> = (1..=6).map(|n| scope.spawn(move || (0..20).map(|_| native(n)).collect())).collect();
        for handle in handles {
            let all: Vec<Vec<Mask>> = handle.join().expect("no panic");
            assert!(all.iter().all(|masks| *masks == expected));
        }
    });
}

#[test]
fn literals_are_no_part_of_code() {
    let program = program(&[
        "have largest amount of orders in the past 30 days is at least 20",
        "have largest amount of orders in the past 3 days is at least 50",
        "did Order Completed where amount is at least 15 at least twice",
        "did Order Completed where amount is at least 25 at least 3 times",
        "did Order Completed where category contains \"a\" at least twice",
        "did Order Completed where category contains \"b\" at least twice",
        "have score is at least 1.5",
        "have city contains \"a\"",
        "have country is \"DE\"",
    ]);
    // Their orders begin before either window.
    let batch = batch_of(&program, 40);
    let jit = seg_exec::Jit::new();
    program.prepare().check(&batch).expect("a batch");
    seg_exec::compile(&jit, seg::unstable::plan_of(&program), &batch, now(), &ExecOptions::default())
        .expect("native code");
    // The largest amount, how many of some amount, how many of some text. Columns
    // of attributes need no code.
    assert_eq!(jit.n_kernels(), 3);
}

/// Runs one test of this file in a process of its own, so that what it changes
/// or measures is its own.
fn alone(test: &str, change: impl Fn(&mut Command)) {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", "--nocapture", test]).env("SEG_TEST_ALONE", test);
    change(&mut command);
    let output = command.output().expect("started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn is_alone(test: &str) -> bool {
    std::env::var("SEG_TEST_ALONE").is_ok_and(|t| t == test)
}

/// Memory of this process, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux tells");
    let pages: u64 = text.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("a number");
    pages * 4_096
}

#[test]
fn code_is_freed_when_it_is_dropped() {
    const TEST: &str = "engines::code_is_freed_when_it_is_dropped";
    if !is_alone(TEST) {
        return alone(TEST, |_| {});
    }
    let program = program(&["have score is at least 3"]);
    let batch = batch_of(&program, 1);
    program.prepare().check(&batch).expect("a batch");
    let mut before = 0;
    for round in 0..10_000 {
        let jit = seg_exec::Jit::new();
        let bound = seg_exec::compile(&jit, seg::unstable::plan_of(&program), &batch, now(), &ExecOptions::default())
            .expect("native code");
        assert_eq!(bound.evaluate(NonZero::<usize>::MIN).expect("masks")[0].count(), 0);
        if round == 1_000 {
            before = resident();
        }
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 20, "grown by {grown} bytes");
}

#[test]
fn without_executable_memory_the_plan_evaluator_answers() {
    const TEST: &str = "engines::without_executable_memory_the_plan_evaluator_answers";
    if !is_alone(TEST) {
        return alone(TEST, |command| {
            use std::os::unix::process::CommandExt;
            // SAFETY: between fork and exec nothing but one system call is made.
            unsafe {
                command.pre_exec(|| {
                    // From Linux 6.3 on: memory may not be made executable.
                    libc::prctl(libc::PR_SET_MDWE, libc::PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
                    Ok(())
                });
            }
        });
    }
    // SAFETY: asks this process about itself.
    let is_refused = unsafe { libc::prctl(libc::PR_GET_MDWE, 0, 0, 0, 0) } == 1;
    let program = program(&["have largest amount of orders in the past 30 days is at least 0"]);
    let batch = batch_of(&program, 100);
    let options = Options::new().with_engine(Engine::Jit);
    let evaluation = program.prepare().evaluate_with(&batch, now(), &options).expect("a batch");
    assert_eq!(evaluation.masks()[0].count(), 41);
    match evaluation.reason() {
        Reason::NoNativeCode(why) => {
            assert_eq!(evaluation.engine(), Engine::Plan);
            assert!(why.starts_with("native code cannot be run here"), "{why}");
        }
        reason => assert!(!is_refused, "{reason}"),
    }
}
