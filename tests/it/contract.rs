//! The batch contract: every layout that is taken gives the same answers by
//! every engine, and every violation is refused with its column named, through
//! the embedding API and through Arrow IPC, before any engine sees the data.

use arrow_array::builder::{Int32Builder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type, UInt16Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray, FixedSizeListArray,
    Float32Array, Float64Array, Int32Array, Int64Array, LargeListArray, LargeStringArray, ListArray, ListViewArray,
    RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field};
use seg::{Batch, Program, Project, Settings, Timestamp, Zone};
use seg_data::{AttributeId, EventId};
use seg_tests::{Native, Planned, Reference, TestEngine};
use std::sync::Arc;

const SCHEMA: &str = r#"
event_id = "order_id"
[attributes]
country = "text"
spent = "money"
score = "number"
visits = "integer"
vip = "boolean"
tags = "list of text"
born = "date"
seen_at = "timestamp"
[events.Order]
also = ["ordered"]
properties = { amount = "money", category = "text", order_id = "text" }
"#;

const SEGMENTS: &str = r#"
segment "country" include people whose country is "DE"
segment "spent" include people whose spent is at least 10
segment "score" include people whose score is more than 1.6
segment "visits" include people whose visits is at least 3
segment "vip" include people whose vip is true
segment "tags" include people whose tags include "b"
segment "born" include people whose born is before 2000-01-01
segment "seen" include people whose seen_at is in the past 30 days
segment "twice" include people who ordered at least 2 times in the past 30 days
segment "amount" include people whose total amount of Order is at least 15
segment "category" include people who ordered ever where category is "x"
segment "same" include people who ordered ever where category is country
segment "last" include people whose last 2 Order all had category "x"
"#;

/// Who is in: one line a segment.
const ANSWERS: &[(&str, &str)] = &[
    ("country", "a d"),
    ("spent", "a b d"),
    ("score", "c e"),
    ("visits", "b c"),
    ("vip", "a c e"),
    ("tags", "a d"),
    ("born", "a c"),
    ("seen", "a d"),
    ("twice", "b d"),
    ("amount", "b d"),
    ("category", "b d"),
    ("same", "a"),
    ("last", "d"),
];

const DAY: i64 = 86_400_000_000;

fn now() -> Timestamp {
    Timestamp::parse("2026-06-01T12:00:00Z", None).expect("an instant")
}

fn program() -> Program {
    let settings = Settings { zone: Some(Zone::UTC), ..Settings::default() };
    let project = Project::from_text(SCHEMA, [("contract.seg", SEGMENTS)], settings);
    seg::compile(&project).unwrap_or_else(|e| panic!("{e}"))
}

fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

/// Days before now, in microseconds.
fn ago(days: i64) -> i64 {
    now().0 - days * DAY
}

const OFFSETS: [i32; 6] = [0, 1, 3, 3, 6, 7];

fn times() -> Vec<i64> {
    [400, 20, 2, 40, 3, 1, 300].map(ago).to_vec()
}

fn coded(texts: &[Option<&str>]) -> DictionaryArray<Int32Type> {
    let mut builder = StringDictionaryBuilder::new();
    texts.iter().for_each(|t| builder.append_option(*t));
    builder.finish()
}

const CATEGORIES: [Option<&str>; 7] = [Some("DE"), Some("x"), Some("y"), Some("y"), Some("x"), Some("x"), None];
const AMOUNTS: [Option<i64>; 7] =
    [Some(140_000), Some(100_000), Some(50_000), None, Some(150_000), Some(10_000), Some(0)];
const ORDER_IDS: [Option<&str>; 7] = [Some("1"), Some("2"), Some("3"), Some("4"), Some("5"), Some("6"), Some("7")];

fn rows(times: ArrayRef, amounts: ArrayRef, categories: ArrayRef) -> StructArray {
    let ids = array(coded(&ORDER_IDS));
    let field = |name: &str, a: &ArrayRef| Arc::new(Field::new(name, a.data_type().clone(), true));
    StructArray::from(vec![
        (field("time", &times), times),
        (field("amount", &amounts), amounts),
        (field("category", &categories), categories),
        (field("order_id", &ids), ids),
    ])
}

fn plain_rows() -> StructArray {
    let times = TimestampMicrosecondArray::from(times()).with_timezone("UTC");
    rows(array(times), array(Int64Array::from(AMOUNTS.to_vec())), array(coded(&CATEGORIES)))
}

fn item(rows: &StructArray) -> Arc<Field> {
    Arc::new(Field::new("item", rows.data_type().clone(), true))
}

fn lists(offsets: &[i32], rows: StructArray, nulls: Option<NullBuffer>) -> ArrayRef {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets.to_vec()));
    array(ListArray::new(item(&rows), offsets, Arc::new(rows), nulls))
}

fn tags() -> ListArray {
    let values = StringArray::from(vec!["a", "b", "b", "c"]);
    let nulls = NullBuffer::from(vec![true, true, false, true, true]);
    let field = Arc::new(Field::new("item", DataType::Utf8, true));
    ListArray::new(field, OffsetBuffer::from_lengths([2, 0, 0, 1, 1]), Arc::new(values), Some(nulls))
}

/// Five people in the layout that engines read.
fn base() -> RecordBatch {
    let seen = [Some(ago(1)), Some(ago(60)), None, Some(ago(29)), Some(ago(31))];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("profile_id", array(StringArray::from(vec!["a", "b", "c", "d", "e"]))),
        ("country", array(coded(&[Some("DE"), Some("FR"), Some("US"), Some("DE"), None]))),
        ("spent", array(Int64Array::from(vec![Some(100_000), Some(200_000), None, Some(300_000), Some(50_000)]))),
        ("score", array(Float64Array::from(vec![Some(1.5), Some(f64::NAN), Some(3.0), None, Some(2.0)]))),
        ("visits", array(Int64Array::from(vec![Some(1), Some(3), Some(70), None, Some(-4)]))),
        ("vip", array(BooleanArray::from(vec![Some(true), Some(false), Some(true), None, Some(true)]))),
        ("tags", array(tags())),
        ("born", array(Date32Array::from(vec![Some(3_000), Some(12_000), Some(-5), None, Some(11_000)]))),
        ("seen_at", array(TimestampMicrosecondArray::from(seen.to_vec()).with_timezone("UTC"))),
        ("Order", lists(&OFFSETS, plain_rows(), None)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).expect("a record batch")
}

/// The batch with another column in the place of one.
fn with(name: &str, column: ArrayRef) -> RecordBatch {
    let base = base();
    let schema = base.schema();
    let columns = schema.fields().iter().zip(base.columns()).map(|(f, c)| {
        let column = if f.name() == name { Arc::clone(&column) } else { Arc::clone(c) };
        (f.name().clone(), column, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns.collect::<Vec<_>>()).expect("a record batch")
}

/// Through Arrow's stream format and back.
fn through_ipc(records: &RecordBatch) -> RecordBatch {
    let mut reader = StreamReader::try_new(ipc(records).as_slice_reader(), None).expect("a stream");
    reader.next().expect("a batch").expect("a batch")
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn as_slice_reader(&self) -> std::io::Cursor<Vec<u8>> {
        std::io::Cursor::new(self.0.clone())
    }
}

fn ipc(records: &RecordBatch) -> Bytes {
    let mut writer = StreamWriter::try_new(Vec::new(), &records.schema()).expect("a writer");
    writer.write(records).expect("written");
    writer.finish().expect("finished");
    Bytes(writer.into_inner().expect("the bytes"))
}

/// Every engine gives the answers that are known; gives what was converted.
fn answers(what: &str, records: RecordBatch) -> Vec<String> {
    let program = program();
    let batch = Batch::new(Arc::clone(program.schema()), records).unwrap_or_else(|e| panic!("{what}: {e}"));
    all_answer(what, &program, &batch);
    batch.conversions().iter().map(ToString::to_string).collect()
}

/// All engines give the answers for those who are in a batch.
fn all_answer(what: &str, program: &Program, batch: &Batch) {
    let n_people = batch.len();
    let engines: [&dyn TestEngine; 3] = [&Reference, &Planned, &Native];
    for engine in engines {
        let masks = engine.evaluate(program, batch, now());
        for ((name, expected), mask) in ANSWERS.iter().zip(&masks) {
            let members: Vec<&str> = mask.rows().map(|row| batch.id(row)).collect();
            let expected: Vec<&str> =
                expected.split(' ').filter(|id| (0..n_people).any(|row| batch.id(row) == *id)).collect();
            assert_eq!(members, expected, "{what}: segment {name:?} by the {}", engine.name());
        }
        assert_eq!(masks.len(), ANSWERS.len());
    }
}

/// Answers for a layout that is read where it lies, also through IPC.
fn reads_in_place(what: &str, records: &RecordBatch) {
    assert_eq!(answers(what, records.clone()), Vec::<String>::new(), "{what}");
    answers(&format!("{what}, through IPC"), through_ipc(records));
}

/// Answers for a layout that is converted, which is reported.
fn converts(column: &str, records: &RecordBatch) {
    for records in [records.clone(), through_ipc(records)] {
        let conversions = answers(column, records);
        assert!(
            matches!(conversions.as_slice(), [one] if one.starts_with(&format!("column `{column}` was converted"))),
            "{column}: {conversions:?}"
        );
    }
}

#[test]
fn the_layout_is_read_in_place() {
    reads_in_place("the layout itself", &base());
    // No column of it is copied.
    let program = program();
    let records = base().slice(1, 3);
    let batch = Batch::new(Arc::clone(program.schema()), records.clone()).expect("a batch");
    program.prepare().check(&batch).expect("the layout");
    let spent = batch.attribute_column(AttributeId(1)).expect("a column").array();
    let given = records.column_by_name("spent").expect("a column");
    let address = |array: &ArrayRef| array.as_primitive::<arrow_array::types::Int64Type>().values().as_ptr();
    assert_eq!(address(spent), address(given));
    let times = batch.events(EventId(0)).expect("orders").times().as_ptr();
    let orders = records.column_by_name("Order").expect("a column").as_list::<i32>();
    let time = orders.values().as_struct().column(0).as_primitive::<arrow_array::types::TimestampMicrosecondType>();
    assert_eq!(times, time.values()[1..].as_ptr());
}

#[test]
fn slices_are_read_in_place_whatever_bit_they_begin_at() {
    for from in 0..5 {
        for len in 1..=5 - from {
            assert_eq!(answers("a slice", base().slice(from, len)), Vec::<String>::new());
        }
    }
    let many = arrow_select::concat::concat_batches(&base().schema(), &vec![base(); 40]).expect("one batch");
    for from in [0, 5, 60, 65, 125] {
        let slice = many.slice(from, 5);
        answers("a slice past a word", slice);
    }
}

/// What was checked of a batch holds of its slices, and of slices of these.
#[test]
fn batches_that_were_checked_are_sliced_without_looking_again() {
    let program = program();
    for (people, what) in [(base(), "canonical"), (through_ipc(&base()), "through IPC")] {
        let batch = Batch::new(Arc::clone(program.schema()), people).expect("a batch");
        program.prepare().check(&batch).expect("the layout");
        for from in 0..5 {
            for len in 0..=5 - from {
                let slice = batch.slice(from..from + len, |_| true);
                assert_eq!((slice.len(), slice.records().num_rows()), (len, len));
                all_answer(&format!("{what}: a slice of a batch"), &program, &slice);
                for row in 0..len {
                    all_answer(&format!("{what}: one of a slice"), &program, &slice.slice(row..row + 1, |_| true));
                }
            }
        }
        // Beyond the end there is nobody, and what is not asked for is not there.
        assert!(batch.slice(5..9, |_| true).is_empty() && batch.slice(9..12, |_| true).is_empty());
        let none = batch.slice(0..5, |_| false);
        assert!(none.attribute_column(AttributeId(0)).is_none() && none.events(EventId(0)).is_none());
        assert_eq!(none.id(4), batch.id(4));
    }
}

#[test]
fn lists_that_begin_above_zero_are_read_in_place() {
    let twice = Int32Array::from_iter_values((0..7).chain(0..7));
    let padded = arrow_select::take::take(&plain_rows(), &twice, None).expect("rows");
    let offsets: Vec<i32> = OFFSETS.iter().map(|o| o + 7).collect();
    reads_in_place("offsets above zero", &with("Order", lists(&offsets, padded.as_struct().clone(), None)));
}

#[test]
fn null_lists_over_events_have_none_of_them() {
    // The person c gets the events of d as a null list; d's own follow.
    let rows = plain_rows();
    let indices = Int32Array::from(vec![0, 1, 2, 3, 4, 5, 3, 4, 5, 6]);
    let rows = arrow_select::take::take(&rows, &indices, None).expect("rows");
    let nulls = NullBuffer::from(vec![true, true, false, true, true]);
    reads_in_place("a null list", &with("Order", lists(&[0, 1, 3, 6, 9, 10], rows.as_struct().clone(), Some(nulls))));
}

#[test]
fn validity_and_values_may_begin_at_different_bits() {
    let values = BooleanBuffer::from(vec![false, true, true, false, true, true, true]).slice(2, 5);
    let nulls = NullBuffer::new(BooleanBuffer::from(vec![false, true, true, true, false, true]).slice(1, 5));
    assert_eq!(values.offset(), 2);
    reads_in_place("bit offsets", &with("vip", array(BooleanArray::new(values, Some(nulls)))));
}

#[test]
fn other_lists_are_converted_once() {
    let rows = plain_rows();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(OFFSETS.map(i64::from).to_vec()));
    let large = LargeListArray::new(item(&rows), offsets, Arc::new(rows.clone()), None);
    converts("Order", &with("Order", array(large.clone())));
    let slice = with("Order", array(large)).slice(2, 3);
    assert_eq!(answers("a slice of large lists", slice).len(), 1);
    // Views in another order than the people, and overlapping where unused.
    let (starts, sizes) = (vec![0, 1, 5, 3, 6], vec![1, 2, 0, 3, 1]);
    let nulls = NullBuffer::from(vec![true, true, false, true, true]);
    let view = ListViewArray::new(item(&rows), starts.into(), sizes.into(), Arc::new(rows), Some(nulls));
    converts("Order", &with("Order", array(view)));
    let tag_texts = LargeStringArray::from(vec!["a", "b", "b", "c"]);
    let offsets = OffsetBuffer::from_lengths([2, 0, 0, 1, 1]);
    let field = Arc::new(Field::new("item", DataType::LargeUtf8, true));
    converts("tags", &with("tags", array(LargeListArray::new(field, offsets, Arc::new(tag_texts), None))));
}

#[test]
fn fixed_size_lists_are_converted_once() {
    let program = program();
    let indices = Int32Array::from(vec![1, 2, 4, 5]);
    let rows = arrow_select::take::take(&plain_rows(), &indices, None).expect("rows");
    let field = item(rows.as_struct());
    let fixed = FixedSizeListArray::new(field, 2, rows, None);
    let ids: ArrayRef = array(StringArray::from(vec!["b", "d"]));
    let records = RecordBatch::try_from_iter([("profile_id", ids), ("Order", array(fixed))]).expect("a record batch");
    let batch = Batch::new(Arc::clone(program.schema()), records).expect("a batch");
    for engine in [&Reference as &dyn TestEngine, &Planned, &Native] {
        let counts: Vec<usize> = engine.evaluate(&program, &batch, now()).iter().map(|m| m.count()).collect();
        assert_eq!(counts, [0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 0, 1], "{}", engine.name());
    }
    assert_eq!(batch.conversions().len(), 1);
}

#[test]
fn other_texts_are_converted_once() {
    let texts = [Some("DE"), Some("FR"), Some("US"), Some("DE"), None];
    converts("country", &with("country", array(StringArray::from(texts.to_vec()))));
    converts("country", &with("country", array(LargeStringArray::from(texts.to_vec()))));
    converts("country", &with("country", array(StringViewArray::from(texts.to_vec()))));
    let mut small = StringDictionaryBuilder::<Int8Type>::new();
    let mut unsigned = StringDictionaryBuilder::<UInt16Type>::new();
    texts.iter().for_each(|t| small.append_option(*t));
    texts.iter().for_each(|t| unsigned.append_option(*t));
    converts("country", &with("country", array(small.finish())));
    converts("country", &with("country", array(unsigned.finish())));
}

#[test]
fn other_ids_are_converted_once() {
    let ids = ["a", "b", "c", "d", "e"];
    converts("profile_id", &with("profile_id", array(LargeStringArray::from(ids.to_vec()))));
    converts("profile_id", &with("profile_id", array(StringViewArray::from(ids.to_vec()))));
    let program = program();
    let records = with("profile_id", array(Int64Array::from(vec![7, 8, 9, 10, 11])));
    let batch = Batch::new(Arc::clone(program.schema()), records).expect("a batch");
    assert_eq!((batch.id(0), batch.id(4), batch.conversions().len()), ("7", "11", 1));
}

#[test]
fn repeated_and_null_texts_of_a_dictionary_are_made_canonical() {
    let values = StringArray::from(vec![Some("DE"), None, Some("FR"), Some("DE"), Some("US")]);
    let keys = Int32Array::from(vec![Some(3), Some(2), Some(4), Some(0), Some(1)]);
    converts("country", &with("country", array(DictionaryArray::new(keys, Arc::new(values)))));
    let values = StringArray::from(vec![Some("x"), Some("x"), Some("y"), Some("DE"), None]);
    let keys = Int32Array::from(vec![Some(3), Some(1), Some(2), Some(2), Some(0), Some(1), Some(4)]);
    let categories = array(DictionaryArray::new(keys, Arc::new(values)));
    let times = TimestampMicrosecondArray::from(times()).with_timezone("UTC");
    let rows = rows(array(times), array(Int64Array::from(AMOUNTS.to_vec())), categories);
    converts("Order.category", &with("Order", lists(&OFFSETS, rows, None)));
}

#[test]
fn other_units_and_widths_are_converted_once() {
    let divided = |by: i64| times().iter().map(|t| t / by).collect::<Vec<i64>>();
    let seconds: ArrayRef = array(TimestampSecondArray::from(divided(1_000_000)));
    let millis: ArrayRef = array(TimestampMillisecondArray::from(divided(1_000)).with_timezone("Asia/Tokyo"));
    let nanos: Vec<i64> = times().iter().map(|t| t * 1_000 + 999).collect();
    let nanos: ArrayRef = array(TimestampNanosecondArray::from(nanos));
    for times in [seconds, millis, nanos] {
        let rows = rows(times, array(Int64Array::from(AMOUNTS.to_vec())), array(coded(&CATEGORIES)));
        converts("Order.time", &with("Order", lists(&OFFSETS, rows, None)));
    }
    // The zone of a column says nothing about the instant, so it is read in place.
    let seen = [Some(ago(1)), Some(ago(60)), None, Some(ago(29)), Some(ago(31))];
    reads_in_place("no zone", &with("seen_at", array(TimestampMicrosecondArray::from(seen.to_vec()))));
    let cents = vec![Some(1_000), Some(2_000), None, Some(3_000), Some(500)];
    let cents = Decimal128Array::from(cents).with_precision_and_scale(12, 2).expect("decimals");
    converts("spent", &with("spent", array(cents)));
    let scores = vec![Some(1.5_f32), Some(f32::INFINITY), Some(3.0), None, Some(2.0)];
    converts("score", &with("score", array(Float32Array::from(scores))));
    let mut visits = Int32Builder::new();
    [Some(1), Some(3), Some(70), None, Some(-4)].iter().for_each(|v| visits.append_option(*v));
    converts("visits", &with("visits", array(visits.finish())));
    let day = 86_400_000;
    let born = vec![Some(3_000 * day), Some(12_000 * day), Some(-5 * day), None, Some(11_000 * day)];
    converts("born", &with("born", array(Date64Array::from(born))));
}

#[test]
fn events_at_one_instant_may_lie_in_any_order() {
    let at = ago(3);
    let times = TimestampMicrosecondArray::from(vec![ago(400), ago(20), ago(2), at, at, at, ago(300)]);
    let categories = [Some("DE"), Some("x"), Some("y"), Some("x"), Some("x"), Some("y"), None];
    // By their ids the second and the third come before the first, and only the
    // first two of that order are x.
    let ids = ["1", "2", "3", "6", "5", "4", "7"];
    let fields = plain_rows();
    let columns = vec![
        array(times.with_timezone("UTC")),
        Arc::clone(fields.column(1)),
        array(coded(&categories)),
        array(coded(&ids.map(Some))),
    ];
    let rows = StructArray::new(fields.fields().clone(), columns, None);
    answers("ties in another order", with("Order", lists(&OFFSETS, rows, None)));
}

/// What is wrong, in the words of the error.
fn refusal(records: &RecordBatch) -> String {
    let program = program();
    let batch = match Batch::new(Arc::clone(program.schema()), records.clone()) {
        Ok(batch) => batch,
        Err(error) => return error.to_string(),
    };
    let Err(error) = program.prepare().check(&batch) else { panic!("taken") };
    // Asked again, it is refused again, and reading everything refuses it too.
    assert_eq!(program.prepare().check(&batch).err(), Some(error.clone()));
    let whole = Batch::try_new(Arc::clone(program.schema()), records.clone());
    assert_eq!(whole.err(), Some(error.clone()));
    error.to_string()
}

fn refuses(records: &RecordBatch, words: &str) {
    assert_eq!(refusal(records), words);
    assert_eq!(refusal(&through_ipc(records)), words, "through IPC");
}

fn with_times(times: Vec<Option<i64>>) -> RecordBatch {
    let times = TimestampMicrosecondArray::from(times).with_timezone("UTC");
    let rows = rows(array(times), array(Int64Array::from(AMOUNTS.to_vec())), array(coded(&CATEGORIES)));
    with("Order", lists(&OFFSETS, rows, None))
}

#[test]
fn each_violation_is_refused_by_name() {
    let ids = array(StringArray::from(vec![Some("a"), None, Some("c"), Some("d"), Some("e")]));
    refuses(&with("profile_id", ids), "column `profile_id` has a profile without an id");
    let ids = array(Float64Array::from(vec![0.0; 5]));
    refuses(&with("profile_id", ids), "column `profile_id` is Float64, where Utf8 is needed");
    let without = base().project(&(1..10).collect::<Vec<_>>()).expect("the others");
    refuses(&without, "column `profile_id` is missing");
    let wrong = array(Int64Array::from(vec![1; 5]));
    refuses(&with("vip", Arc::clone(&wrong)), "column `vip` is Int64, where Boolean is needed");
    refuses(&with("country", Arc::clone(&wrong)), "column `country` is Int64, where Dictionary(Int32, Utf8) is needed");
    assert!(refusal(&with("Order", wrong)).starts_with("column `Order` is Int64, where List("));

    let some = |mut times: Vec<i64>, at: usize, time: i64| {
        times[at] = time;
        times.into_iter().map(Some).collect::<Vec<_>>()
    };
    refuses(&with_times(some(times(), 2, ago(21))), "column `Order.time` has times that do not ascend");
    let range = "column `Order.time` has a time outside the years 1 to 9999";
    refuses(&with_times(some(times(), 0, i64::MIN)), range);
    refuses(&with_times(some(times(), 0, Timestamp::MIN.0 - 1)), range);
    refuses(&with_times(some(times(), 2, Timestamp::MAX.0 + 1)), range);
    let mut missing: Vec<Option<i64>> = times().into_iter().map(Some).collect();
    missing[4] = None;
    refuses(&with_times(missing), "column `Order.time` has an event without a time");
    let rows = plain_rows();
    let nulls = NullBuffer::from(vec![true, true, true, true, true, false, true]);
    let rows = StructArray::new(rows.fields().clone(), rows.columns().to_vec(), Some(nulls));
    refuses(&with("Order", lists(&OFFSETS, rows, None)), "column `Order` has a null among its events");
    let rows = plain_rows();
    let only = StructArray::new(vec![rows.fields()[1].clone()].into(), vec![rows.column(1).clone()], None);
    refuses(&with("Order", lists(&OFFSETS, only, None)), "column `Order.time` is missing");
    let wrong = array(Int64Array::from(times()));
    let rows = self::rows(wrong, array(Int64Array::from(AMOUNTS.to_vec())), array(coded(&CATEGORIES)));
    let words = "column `Order.time` is Int64, where Timestamp(µs, \"UTC\") is needed";
    refuses(&with("Order", lists(&OFFSETS, rows, None)), words);
    let fine = Decimal128Array::from(vec![100_000_i128; 5]).with_precision_and_scale(20, 5).expect("decimals");
    answers_are_taken(&with("spent", array(fine)));
    let fine = Decimal128Array::from(vec![100_001_i128; 5]).with_precision_and_scale(20, 5).expect("decimals");
    let words = "column `spent` is Decimal128(20, 5), which does not become Int64: an amount has more than four places";
    refuses(&with("spent", array(fine)), words);
    let huge = Decimal128Array::from(vec![i128::from(i64::MAX); 5]).with_precision_and_scale(38, 0).expect("decimals");
    let words = "column `spent` is Decimal128(38, 0), which does not become Int64: an amount does not fit 64 bits";
    refuses(&with("spent", array(huge)), words);
}

fn answers_are_taken(records: &RecordBatch) {
    let program = program();
    let batch = Batch::new(Arc::clone(program.schema()), records.clone()).expect("a batch");
    program.prepare().check(&batch).expect("taken");
}

/// Who exists later than now is in nothing, in whatever unit that is said, and on
/// slices too.
#[test]
fn nobody_is_in_anything_before_they_exist() {
    let text = "segment \"all\" include everyone\nsegment \"none\" include people who have never ordered";
    let project = Project::from_text(SCHEMA, [("s.seg", text)], Settings::default());
    let program = seg::compile(&project).expect("no errors");
    let from = [None, Some(now().0), Some(now().0 + 1), Some(ago(900)), Some(now().0 + 86_400_000_000)];
    let micros = array(TimestampMicrosecondArray::from(from.to_vec()).with_timezone("UTC"));
    let in_nanos = array(TimestampNanosecondArray::from_iter(from.map(|time| time.map(|time| time * 1_000))));
    for (column, n_conversions) in [(micros, 0), (in_nanos, 1)] {
        let mut columns: Vec<(String, ArrayRef)> = vec![("$exists_from".to_owned(), column)];
        let base = base();
        columns.extend(base.schema().fields().iter().map(|f| f.name().clone()).zip(base.columns().iter().cloned()));
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let records = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
        for records in [records.clone(), through_ipc(&records)] {
            for first in 0..records.num_rows() {
                let slice = records.slice(first, records.num_rows() - first);
                let batch = Batch::new(Arc::clone(program.schema()), slice).expect("a batch");
                let exists = ["a", "b", "d"].into_iter().filter(|id| (0..batch.len()).any(|row| batch.id(row) == *id));
                let exists: Vec<&str> = exists.collect();
                for engine in seg_tests::engines() {
                    let masks = engine.evaluate(&program, &batch, now());
                    let ids = |mask: &seg::Mask| mask.rows().map(|row| batch.id(row)).collect::<Vec<_>>();
                    assert_eq!(ids(&masks[0]), exists, "{}", engine.name());
                    assert!(ids(&masks[1]).iter().all(|id| exists.contains(id)), "{}", engine.name());
                }
                assert_eq!(batch.conversions().iter().filter(|c| c.column == "$exists_from").count(), n_conversions);
            }
        }
    }
    let wrong = array(Int64Array::from(vec![1; 5]));
    let ids = array(StringArray::from(vec!["a", "b", "c", "d", "e"]));
    let records = RecordBatch::try_from_iter([("profile_id", ids), ("$exists_from", wrong)]).expect("columns");
    refuses(&records, "column `$exists_from` is Int64, where Timestamp(µs, \"UTC\") is needed");
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let program = program();
    let other = Project::from_text("[attributes]\ncountry = \"integer\"\n", [], Settings::default());
    let batch = Batch::new(Arc::clone(other.schema()), base()).expect("a batch");
    let error = program.prepare().check(&batch).expect_err("another schema");
    assert_eq!(error.to_string(), "column `profile_id` is of a batch that was made for another schema");
}

#[test]
fn columns_that_no_segment_reads_are_not_looked_at() {
    let text = r#"segment "s" include people whose spent is at least 10"#;
    let project = Project::from_text(SCHEMA, [("s.seg", text)], Settings::default());
    let program = seg::compile(&project).expect("no errors");
    let records = with("vip", array(Int64Array::from(vec![1; 5])));
    let batch = Batch::new(Arc::clone(program.schema()), records).expect("a batch");
    let evaluation = program.prepare().evaluate(&batch, now()).expect("vip is not read");
    assert_eq!(evaluation.masks()[0].count(), 3);
}

/// What no constructor of Arrow lets through, but a foreign library might send:
/// taken without Arrow's own checks, it is refused by Seg's.
mod unchecked {
    use super::*;

    fn offsets(offsets: Vec<i32>) -> RecordBatch {
        let rows = plain_rows();
        // SAFETY: only checks of the contract read these offsets, and they check
        // them before they follow them.
        let offsets = unsafe { OffsetBuffer::new_unchecked(ScalarBuffer::from(offsets)) };
        // SAFETY: likewise.
        let lists = unsafe { ListArray::new_unchecked(item(&rows), offsets, Arc::new(rows), None) };
        with("Order", array(lists))
    }

    #[test]
    fn offsets_and_keys_are_not_trusted() {
        let outside = "column `Order` has list offsets that lead outside its items";
        let descending = "column `Order` has list offsets that do not ascend";
        assert_eq!(refusal(&offsets(vec![0, 1, 3, 3, 6, 8])), outside);
        assert_eq!(refusal(&offsets(vec![0, 1, 3, 2, 6, 7])), descending);
        assert_eq!(refusal(&offsets(vec![-1, 1, 3, 3, 6, 7])), outside);
        for key in [3, -1, i32::MAX] {
            let values = array(StringArray::from(vec!["DE", "FR", "US"]));
            let keys = Int32Array::from(vec![0, 1, 2, key, 0]);
            // SAFETY: only the check of the keys reads them.
            let wrong = unsafe { DictionaryArray::<Int32Type>::new_unchecked(keys, values) };
            let words = "column `country` has a dictionary key that leads outside the dictionary";
            assert_eq!(refusal(&with("country", array(wrong))), words);
        }
    }

    #[test]
    fn lists_that_contradict_their_own_type_are_refused() {
        // Nulls where the type says there are none, in a layout that is converted.
        let rows = plain_rows();
        let nulls = NullBuffer::from(vec![true, true, true, true, true, false, true]);
        let rows = StructArray::new(rows.fields().clone(), rows.columns().to_vec(), Some(nulls));
        let field = Arc::new(Field::new("item", rows.data_type().clone(), false));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(OFFSETS.map(i64::from).to_vec()));
        // SAFETY: only the conversion reads it, which checks it.
        let lists = unsafe { LargeListArray::new_unchecked(field, offsets, Arc::new(rows), None) };
        let words = refusal(&with("Order", array(lists)));
        assert!(words.starts_with("column `Order` is LargeList("), "{words}");
        assert!(words.contains("does not become List("), "{words}");
    }

    /// The bytes of a stream with one array of integers in the place of another.
    fn patched(from: &[i32], to: &[i32]) -> Vec<u8> {
        let bytes = |ints: &[i32]| ints.iter().flat_map(|i| i.to_le_bytes()).collect::<Vec<u8>>();
        let (from, to) = (bytes(from), bytes(to));
        let mut stream = ipc(&base()).0;
        let places: Vec<usize> = (0..stream.len() - from.len()).filter(|at| stream[*at..].starts_with(&from)).collect();
        assert!(!places.is_empty(), "the array is in the stream");
        for at in places {
            stream[at..at + to.len()].copy_from_slice(&to);
        }
        stream
    }

    #[test]
    fn streams_with_broken_buffers_are_refused() {
        let cases: [(&[i32], &[i32], &str); 3] = [
            (&OFFSETS, &[0, 1, 3, 3, 6, 9], "column `Order` has list offsets that lead outside its items"),
            (&OFFSETS, &[0, 1, 3, 2, 6, 7], "column `Order` has list offsets that do not ascend"),
            // The keys of the country.
            (
                &[0, 1, 2, 0, 0],
                &[0, 1, 9, 0, 0],
                "column `country` has a dictionary key that leads outside the dictionary",
            ),
        ];
        for (from, to, words) in cases {
            let stream = patched(from, to);
            // Arrow's reader refuses it when it is let check.
            let checked = StreamReader::try_new(stream.as_slice(), None).map(|mut r| r.next());
            assert!(!matches!(checked, Ok(Some(Ok(_)))), "{words}: taken by the reader");
            let reader = StreamReader::try_new(stream.as_slice(), None).expect("a stream");
            // SAFETY: nothing reads the batch but the checks of the contract.
            let mut reader = unsafe { reader.with_skip_validation(true) };
            let records = reader.next().expect("a batch").expect("a batch");
            assert_eq!(refusal(&records), words);
        }
    }

    #[test]
    fn truncated_and_scrambled_streams_never_panic() {
        let stream = ipc(&base()).0;
        let mut state = 7_u64;
        for round in 0..600 {
            let mut bytes = stream.clone();
            if round % 3 == 0 {
                bytes.truncate(stream.len() * round / 600);
            } else {
                for _ in 0..4 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let at = (state >> 33) as usize % bytes.len();
                    bytes[at] ^= (state >> 20) as u8;
                }
            }
            // What the reader lets through is evaluated by every engine alike.
            let Ok(mut reader) = StreamReader::try_new(bytes.as_slice(), None) else { continue };
            let Ok(Some(Ok(records))) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.next())) else {
                continue;
            };
            let program = program();
            let Ok(batch) = Batch::new(Arc::clone(program.schema()), records) else { continue };
            if program.prepare().check(&batch).is_ok() {
                let expected = Reference.evaluate(&program, &batch, now());
                assert_eq!(Native.evaluate(&program, &batch, now()), expected, "round {round}");
                assert_eq!(Planned.evaluate(&program, &batch, now()), expected, "round {round}");
            }
        }
    }
}
