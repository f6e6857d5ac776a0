//! Plans over batches that they were not made for, and evaluations that nobody would
//! ask for: each is refused or harmless. What attacks generated code itself stands
//! in `crates/seg-jit/tests/hostile`.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, FixedSizeListArray, Int64Array, ListArray, RecordBatch};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field};
use seg::unstable::plan_of;
use seg::{Batch, Mask, Program, Project, Settings, Timestamp, Zone};
use seg_data::{AttributeId, EventId};
use seg_exec::{AccessPolicy, CompiledPlan, ExecOptions, Jit, SizesError};
use seg_tests::{people, schema_text};
use std::num::NonZero;
use std::sync::Arc;

/// Of every way in which a condition is decided, and of every use of time.
const SENTENCES: &[&str] = &[
    "ordered in the past 30 days",
    "ordered more than 90 days ago",
    "ordered at least twice in the past 2 months",
    "ordered on at least 2 different days in the past 80 days",
    "ordered on at least 2 different days",
    "did Order Completed where category contains \"a\" at least twice",
    "did Order Completed where amount is more than 5 at least twice in the past 40 days",
    "have total amount of orders in the past 30 days is at least 20",
    "have total amount of orders is at least 20",
    "have average amount of orders is at least 20",
    "have largest amount of orders in the past 30 days is at least 20",
    "have number of different amount of orders is at least 1",
    "have score is at least 3",
    "have country is \"DE\"",
    "have city contains \"a\"",
    "have tags include \"b\"",
    "have birthday in the next 10 days",
    "have last_order_date in the past 30 days",
    "did not do Signed In ever",
    "ordered in the past 10 days or whose score is more than 2",
];

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z", None).expect("an instant")
}

fn options(access: AccessPolicy) -> ExecOptions {
    ExecOptions { access, ..ExecOptions::default() }
}

const POLICIES: [AccessPolicy; 3] = [AccessPolicy::Walk, AccessPolicy::Column, AccessPolicy::Cheapest];

fn program() -> Program {
    let settings = || Settings { zone: Some(Zone::parse("Europe/Berlin").expect("a zone")), ..Settings::default() };
    let schema = schema_text("shop");
    let mut text = String::new();
    for (n, sentence) in SENTENCES.iter().enumerate() {
        text += &format!("segment \"{n}\" include people who {sentence}\n");
    }
    seg::compile(&Project::from_text(&schema, [("s.seg", text.as_str())], settings())).unwrap_or_else(|e| panic!("{e}"))
}

fn crowd(program: &Program, n: usize) -> Batch {
    let line = |at: usize| {
        let order = |ago: usize| {
            let event = r#""event": "Order Completed", "category": "abc""#;
            format!("{{{event}, \"time\": \"{ago} days ago\", \"amount\": {at}}}")
        };
        let orders: Vec<String> = (0..at % 4).map(|n| order(at % 90 + 7 * n)).collect();
        let about =
            format!("\"score\": {}, \"tags\": [\"b\"], \"country\": \"DE\", \"city\": \"Ulm{}\"", at % 7, at % 30);
        format!("{{\"id\": \"{at}\", {about}, \"events\": [{}]}}\n", orders.join(", "))
    };
    people(&(0..n).map(line).collect::<String>(), program.schema(), Some(Zone::UTC), now())
}

fn compile(program: &Program, batch: &Batch, now: Timestamp, access: AccessPolicy) -> CompiledPlan {
    seg_exec::compile(&Jit::new(), plan_of(program), batch, now, &options(access)).unwrap_or_else(|e| panic!("{e}"))
}

/// Checks every column.
fn check(batch: &Batch) {
    (0..batch.n_columns()).for_each(|at| batch.check_column(at).expect("a column"));
}

fn threads(n: usize) -> NonZero<usize> {
    NonZero::new(n).expect("some")
}

#[test]
fn sizes_are_of_one_batch() {
    let program = program();
    let (many, few) = (crowd(&program, 3_000), crowd(&program, 70));
    let none = Batch::new(Arc::clone(program.schema()), few.records().slice(70, 0)).expect("nobody");
    [&many, &few, &none].into_iter().for_each(check);
    let cancel = seg::Cancel::new();
    for (a, b) in [(&many, &few), (&few, &many), (&none, &few), (&many, &none)] {
        let plans = [a, b].map(|batch| compile(&program, batch, now(), AccessPolicy::Cheapest));
        for n in 1..4 {
            assert_eq!(seg_exec::sizes(&plans, threads(n), &cancel), Err(SizesError::DifferentBatches));
        }
        let sizes = seg_exec::sizes(&plans[..1], threads(2), &cancel).expect("sizes");
        let masks = plans[0].evaluate(threads(1)).expect("masks");
        assert_eq!(sizes[0], masks.iter().map(|mask| mask.count() as u64).collect::<Vec<_>>());
    }
    assert_eq!(seg_exec::sizes(&[], threads(1), &cancel), Ok(Vec::new()));
}

#[test]
fn a_plan_keeps_what_it_reads() {
    let program = program();
    for access in POLICIES {
        let batch = crowd(&program, 5_000);
        check(&batch);
        let jit = Jit::new();
        let plan = seg_exec::compile(&jit, plan_of(&program), &batch, now(), &options(access)).expect("native code");
        let expected = plan.evaluate(threads(1)).expect("masks");
        assert!(expected.iter().any(|mask| mask.count() > 0));
        drop((jit, batch));
        // Others take the memory that would have been given back.
        let other = crowd(&program, 5_000);
        let plan = &plan;
        let evaluate =
            move |n: usize| (plan.evaluate(threads(n)).expect("masks"), plan.one_by_one().segments(9).count());
        std::thread::scope(|scope| {
            let handles: Vec<_> = (1..=6).map(|n| scope.spawn(move || evaluate(n))).collect();
            for handle in handles {
                let (masks, n_segments) = handle.join().expect("no panic");
                assert_eq!((masks, n_segments), (expected.clone(), SENTENCES.len()));
            }
        });
        drop(other);
    }
}

#[test]
fn masks_of_other_lengths_become_those_of_the_batch() {
    let program = program();
    let batch = crowd(&program, 200);
    check(&batch);
    let plan = compile(&program, &batch, now(), AccessPolicy::Cheapest);
    let expected = plan.evaluate(threads(1)).expect("masks");
    for n_masks in [0, 1, 7, 100] {
        for len in [0, 1, 64, 199, 201, 10_000] {
            let mut masks = vec![Mask::from_bools((0..len).map(|_| true)); n_masks];
            plan.evaluate_into(threads(2), &mut masks).expect("masks");
            assert_eq!(masks, expected);
        }
    }
}

#[test]
fn rows_past_the_end_are_in_nothing() {
    let program = program();
    for n in [1, 64, 65] {
        let batch = crowd(&program, n);
        check(&batch);
        let plan = compile(&program, &batch, now(), AccessPolicy::Cheapest);
        let mut one = plan.one_by_one();
        for row in [n, n + 1, 128, 1 << 40, usize::MAX - 63, usize::MAX] {
            assert!(one.segments(row).all(|is_in| !is_in), "row {row} of {n}");
        }
        let expected = plan.evaluate(threads(1)).expect("masks");
        for row in (0..n).rev() {
            assert!(one.segments(row).eq(expected.iter().map(|mask| mask.get(row))));
        }
    }
}

/// Who embeds Seg is refused such instants; the executor itself bears them.
#[test]
fn no_instant_is_too_early_or_too_late_to_be_harmless() {
    let program = program();
    let batch = crowd(&program, 100);
    check(&batch);
    let edges = [i64::MIN, i64::MIN + 1, i64::MIN / 2, -1, 0, i64::MAX / 2, i64::MAX - 1, i64::MAX];
    for now in edges.map(Timestamp) {
        for access in POLICIES {
            if let Ok(plan) = seg_exec::compile(&Jit::new(), plan_of(&program), &batch, now, &options(access)) {
                plan.evaluate(threads(2)).expect("masks");
            }
        }
        drop(seg_exec::clif(plan_of(&program), &batch, now));
        let known = batch.known_at(0..100, now).expect("a batch");
        assert_eq!((known.len(), batch.as_of(now).len()), (100, 100));
    }
}

#[test]
fn rows_of_no_batch_are_not_known() {
    let program = program();
    let batch = crowd(&program, 100);
    check(&batch);
    #[allow(clippy::reversed_empty_ranges, reason = "somebody may ask for them")]
    for (rows, expected) in
        [(0..100, 100), (90..200, 10), (100..100, 0), (500..600, 0), (7..7, 0), (9..3, 0), (0..usize::MAX, 100)]
    {
        let known = batch.known_at(rows, now()).expect("a batch");
        assert_eq!(known.len(), expected);
        check(&known);
        let masks = compile(&program, &known, now(), AccessPolicy::Cheapest).evaluate(threads(1)).expect("masks");
        assert!(masks.iter().all(|mask| mask.len() == expected));
    }
}

/// A plan knows columns by their numbers. In a batch of another schema other columns
/// have them, or none.
#[test]
fn a_batch_of_another_schema_is_refused_or_harmless() {
    let program = program();
    let schemas = [
        "[attributes]\na = \"number\"\n",
        "[attributes]\na = \"list of text\"\nb = \"boolean\"\nc = \"date\"\nd = \"money\"\n[events.X]\nproperties = { a = \"text\" }\n",
        "[events.P]\nproperties = { t = \"text\", d = \"date\", n = \"number\" }\n[events.Q]\n[events.R]\n[events.S]\n\
         properties = { b = \"boolean\", l = \"list of integer\" }\n",
    ];
    let mut others: Vec<Batch> = Vec::new();
    for text in schemas {
        let (schema, problems) = seg_data::schema::parse(text);
        assert!(problems.is_empty(), "{problems:?}");
        let schema = Arc::new(schema);
        others.push(Batch::empty(Arc::clone(&schema)).expect("an empty batch"));
        let line = |at: usize| {
            format!(
                "{{\"id\": \"{at}\", \"events\": [{{\"event\": \"P\", \"time\": \"3 days ago\", \"t\": \"a\", \"n\": 5}}]}}\n"
            )
        };
        let lines: String = (0..70).map(line).collect();
        let lines = if text.contains("[events.P]") { lines } else { "{\"id\": \"1\", \"a\": null}\n".to_owned() };
        let batch = people(&lines, &schema, Some(Zone::UTC), now());
        others.push(Batch::try_new(schema, batch.records().clone()).expect("a batch"));
    }
    // The same columns with their types turned round.
    let shop = schema_text("shop");
    for (from, to) in [
        ("\"number\"", "\"text\""),
        ("\"text\"", "\"number\""),
        ("\"money\"", "\"boolean\""),
        ("\"timestamp\"", "\"integer\""),
    ] {
        // What only texts may have is left out with them.
        let text: String =
            shop.lines().filter(|line| !line.contains("allowed")).map(|line| line.replace(from, to) + "\n").collect();
        let (schema, _) = seg_data::schema::parse(&text);
        others.push(Batch::empty(Arc::new(schema)).expect("an empty batch"));
    }
    for batch in &others {
        for access in POLICIES {
            match seg_exec::compile(&Jit::new(), plan_of(&program), batch, now(), &options(access)) {
                Ok(plan) => drop(plan.evaluate(threads(2)).expect("masks")),
                Err(refused) => assert!(refused.to_string().contains("a fault of Seg"), "{refused}"),
            }
        }
    }
}

/// Columns that nobody has checked yet are read by nobody, also while another thread
/// checks them.
#[test]
fn columns_may_be_checked_while_they_are_asked_for() {
    let program = program();
    for _ in 0..20 {
        let batch = crowd(&program, 130);
        let batch = Batch::new(Arc::clone(program.schema()), batch.records().clone()).expect("a batch");
        std::thread::scope(|scope| {
            scope.spawn(|| (0..batch.n_columns()).for_each(|at| batch.check_column(at).expect("a column")));
            for access in POLICIES {
                let (batch, program) = (&batch, &program);
                scope.spawn(move || {
                    match seg_exec::compile(&Jit::new(), plan_of(program), batch, now(), &options(access)) {
                        Ok(plan) => drop(plan.evaluate(threads(2)).expect("masks")),
                        // What was not there a moment ago is more than there is room for.
                        Err(refused) => assert!(refused.to_string().contains("a fault of Seg"), "{refused}"),
                    }
                });
            }
        });
    }
}

/// Lists that are null over items, in lists of a fixed size and in slices of either.
#[test]
fn null_lists_over_items_have_none_in_any_layout() {
    let schema = "[attributes]\nns = \"list of integer\"\n";
    let text =
        "segment \"has\" include people whose ns include 5\nsegment \"known\" include people whose ns is known\n";
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let program =
        seg::compile(&Project::from_text(schema, [("s.seg", text)], settings)).unwrap_or_else(|e| panic!("{e}"));
    let n = 70;
    let item = Arc::new(Field::new("item", DataType::Int64, true));
    let items: ArrayRef = Arc::new(Int64Array::from_iter((0..2 * n).map(|at| (at % 3 != 1).then_some(5))));
    let nulls = || Some(NullBuffer::from_iter((0..n).map(|row| row % 4 != 0)));
    let fixed = FixedSizeListArray::new(Arc::clone(&item), 2, Arc::clone(&items), nulls());
    let plain = ListArray::new(item, OffsetBuffer::from_lengths(vec![2; n as usize]), items, nulls());
    let ids = arrow_array::StringArray::from_iter_values((0..n).map(|row| row.to_string()));
    for column in [Arc::new(fixed) as ArrayRef, Arc::new(plain) as ArrayRef] {
        let records = RecordBatch::try_from_iter_with_nullable([
            ("profile_id", Arc::new(ids.clone()) as ArrayRef, false),
            ("ns", column, true),
        ]);
        let records = records.expect("two columns");
        for (from, len) in [(0, 70), (1, 69), (3, 64), (69, 1), (70, 0)] {
            let batch = Batch::new(Arc::clone(program.schema()), records.slice(from, len)).expect("a batch");
            check(&batch);
            let column = batch.attribute_column(AttributeId(0)).expect("a column");
            assert_eq!(column.array().as_list::<i32>().len(), len);
            let masks = compile(&program, &batch, now(), AccessPolicy::Cheapest).evaluate(threads(1)).expect("masks");
            let expected = Mask::from_bools((from..from + len).map(|row| row % 4 != 0));
            assert_eq!(masks, [expected.clone(), expected], "{from} {len}");
        }
    }
    assert!(Batch::empty(Arc::clone(program.schema())).expect("a batch").events(EventId(3)).is_none());
}
