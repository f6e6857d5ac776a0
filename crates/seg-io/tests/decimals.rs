//! Decimals of Parquet files are the amounts that they say, to the last digit.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "tests may panic")]

use arrow_array::{
    Array, ArrayRef, Decimal32Array, Decimal64Array, Decimal128Array, Decimal256Array, Int64Array, ListArray,
    RecordBatch,
};
use arrow_buffer::{OffsetBuffer, i256};
use arrow_schema::Field;
use parquet::arrow::ArrowWriter;
use seg_data::schema::parse;
use seg_data::{AttributeId, Batch, Decimal, Timestamp, Value};
use seg_io::manifest::{Data, ProfileFiles};
use seg_io::{LoadRequest, Loaded, load};
use std::path::Path;
use std::sync::Arc;

/// Bits of a decimal, the most digits that it has, and values at which reading has
/// gone wrong: beside 2^53, where floating point has no odd numbers, at the ends
/// of what 64 bits hold, and at those of the width.
const WIDTHS: [(u32, u8, &[&str]); 4] = [
    (32, 9, &["0", "1", "-1", "10", "12345", "999999999", "-999999999"]),
    (64, 18, &["0", "7", "100", "9007199254740993", "-9007199254740993", "999999999999999999"]),
    (
        128,
        38,
        &[
            "0",
            "-30",
            "9007199254740993",
            "900719925474099300",
            "9223372036854775807",
            "-9223372036854775808",
            "9223372036854775808",
            "922337203685477580700",
            "99999999999999999999999999999999999999",
        ],
    ),
    (
        256,
        76,
        &[
            "0",
            "55",
            "-9007199254740993",
            "922337203685477580700",
            "-922337203685477580800",
            "-922337203685477580900",
            "9999999999999999999999999999999999999999999999999999999999999999999999999999",
        ],
    ),
];

fn decimals(bits: u32, precision: u8, scale: i8, values: &[Option<i256>]) -> ArrayRef {
    let narrow = |value: &Option<i256>| value.map(|v| v.to_i128().expect("narrow"));
    let values = values.iter();
    match bits {
        32 => {
            let array: Decimal32Array = values.map(|v| narrow(v).map(|v| v as i32)).collect();
            Arc::new(array.with_precision_and_scale(precision, scale).expect("a decimal"))
        }
        64 => {
            let array: Decimal64Array = values.map(|v| narrow(v).map(|v| v as i64)).collect();
            Arc::new(array.with_precision_and_scale(precision, scale).expect("a decimal"))
        }
        128 => {
            let array: Decimal128Array = values.map(narrow).collect();
            Arc::new(array.with_precision_and_scale(precision, scale).expect("a decimal"))
        }
        _ => {
            let array: Decimal256Array = values.copied().collect();
            Arc::new(array.with_precision_and_scale(precision, scale).expect("a decimal"))
        }
    }
}

const TYPES: [&str; 4] = ["money", "integer", "number", "text"];

/// The people of a file whose `value` is of each type.
fn people(dir: &Path, file: &str) -> Vec<Loaded> {
    let of_type = |ty: &&str| {
        let (schema, problems) = parse(&format!("[attributes]\nvalue = \"{ty}\"\n"));
        assert_eq!(problems, []);
        let profiles = ProfileFiles::new(vec![file.into()], "id");
        let data = Data { profiles: vec![profiles], ..Data::default() };
        load(LoadRequest::new(dir, &data, &Arc::new(schema))).expect(file)
    };
    TYPES.iter().map(of_type).collect()
}

fn values(loaded: &Loaded) -> Vec<Option<Value>> {
    let value = |row| loaded.batch.attribute(AttributeId(0), row, Timestamp(0));
    (0..loaded.batch.len()).map(value).collect()
}

/// Kinds of problems, how often, and what stood there.
fn problems(loaded: &Loaded) -> Vec<(&'static str, u64, Vec<String>)> {
    let problem =
        |p: &seg_io::Problem| (p.kind.slug(), p.count, p.examples.iter().map(|place| place.value.clone()).collect());
    loaded.report.problems.iter().map(problem).collect()
}

fn write(path: &Path, ids: &[i64], array: ArrayRef) {
    let id: ArrayRef = Arc::new(Int64Array::from(ids.to_vec()));
    let records = RecordBatch::try_from_iter([("id", id, true), ("value", array, true)].map(|(n, a, _)| (n, a)));
    let records = records.expect("a batch");
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).expect("a file"), records.schema(), None);
    writer.as_mut().expect("a writer").write(&records).expect("written");
    writer.expect("a writer").close().expect("closed");
}

fn write_csv(path: &Path, ids: &[i64], values: &[Option<i256>], scale: i8) {
    let text = |value: &Option<i256>| value.map_or_else(String::new, |value| Decimal { value, scale }.to_string());
    let rows = ids.iter().zip(values).map(|(id, value)| format!("{id},{}\n", text(value)));
    std::fs::write(path, format!("id,value\n{}", rows.collect::<String>())).expect("written");
}

/// Taken as whole columns where all values are fit, else row by row, decimals give
/// what the same amounts give in CSV, and the same is reported.
#[test]
fn decimals_of_every_width_are_the_amounts_of_csv() {
    let dir = tempfile::tempdir().expect("a directory");
    for (bits, precision, digits) in WIDTHS {
        let all: Vec<Option<i256>> = digits.iter().map(|digits| i256::from_string(digits)).chain([None]).collect();
        for scale in [0, 2, 4, 6] {
            let amount = |value: &Option<i256>| value.is_none_or(|value| Decimal { value, scale }.money().is_ok());
            let fit: Vec<Option<i256>> = all.iter().copied().filter(amount).collect();
            for values_of_file in [&all, &fit] {
                let distinct: Vec<i64> = (0..values_of_file.len() as i64).collect();
                // A person who comes twice is taken row by row.
                let mut repeated = distinct.clone();
                repeated[0] = 1;
                for ids in [distinct, repeated] {
                    write(&dir.path().join("p.parquet"), &ids, decimals(bits, precision, scale, values_of_file));
                    write_csv(&dir.path().join("p.csv"), &ids, values_of_file, scale);
                    let (parquet, csv) = (people(dir.path(), "p.parquet"), people(dir.path(), "p.csv"));
                    for ((parquet, csv), ty) in parquet.iter().zip(&csv).zip(TYPES) {
                        assert_eq!(values(parquet), values(csv), "{bits} bits, scale {scale}, {ty}");
                        assert_eq!(problems(parquet), problems(csv), "{bits} bits, scale {scale}, {ty}");
                    }
                }
            }
        }
    }
}

/// What must come of some of them, without a second way of reading to agree with.
#[test]
fn amounts_are_exact_or_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    let money = |bits: u32, scale: i8, digits: &[&str]| {
        let values_of_file: Vec<Option<i256>> = digits.iter().map(|digits| i256::from_string(digits)).collect();
        let ids: Vec<i64> = (0..digits.len() as i64).collect();
        let precision = WIDTHS.iter().find(|(of, ..)| *of == bits).expect("a width").1;
        write(&dir.path().join("p.parquet"), &ids, decimals(bits, precision, scale, &values_of_file));
        let of_types = people(dir.path(), "p.parquet");
        (values(&of_types[0]), problems(&of_types[0]), values(&of_types[1]), values(&of_types[2]))
    };
    // Floating point would make 900719925474.0992 of it.
    let (amounts, found, ..) = money(128, 4, &["9007199254740993", "9223372036854775807"]);
    assert_eq!(amounts, [Some(Value::Money(9_007_199_254_740_993)), Some(Value::Money(i64::MAX.into()))]);
    assert_eq!(found, []);
    let (amounts, found, whole, numbers) = money(64, 6, &["1234567", "1234500", "1000000"]);
    assert_eq!(amounts, [None, Some(Value::Money(12_345)), Some(Value::Money(10_000))]);
    assert_eq!(found, [("too-fine", 1, vec!["1.234567".to_owned()])]);
    assert_eq!(whole, [None, None, Some(Value::Integer(1))]);
    assert_eq!(numbers, [1.234567, 1.2345, 1.0].map(|number| Some(Value::Number(number))));
    let (amounts, found, whole, _) = money(256, 0, &["922337203685477", "922337203685478", "-9223372036854775808"]);
    assert_eq!(amounts, [Some(Value::Money(9_223_372_036_854_770_000)), None, None]);
    assert_eq!(found[0].0, "too-large");
    assert_eq!(found[0].1, 2);
    assert_eq!(whole[2], Some(Value::Integer(i64::MIN.into())));
    let message = |file: &str| people(dir.path(), file)[0].report.problems[0].to_string();
    assert_eq!(message("p.parquet"), "2 values in `value` are too large and count as missing");
    write_csv(&dir.path().join("p.csv"), &[1], &[i256::from_string("1234567")], 6);
    assert_eq!(message("p.csv"), "1 value in `value` has more than the four places of money and counts as missing");
}

/// A batch that is handed over, not read, may have what no Parquet file has: a
/// scale below zero.
#[test]
fn batches_of_decimals_are_exact_or_refused() {
    let batch = |ty: &str, array: ArrayRef| {
        let (schema, problems) = parse(&format!("[attributes]\nvalue = \"{ty}\"\n"));
        assert_eq!(problems, []);
        let ids: ArrayRef =
            Arc::new(arrow_array::StringArray::from_iter_values((0..array.len()).map(|n| n.to_string())));
        let records = RecordBatch::try_from_iter([("profile_id", ids), ("value", array)]).expect("a batch");
        Batch::try_new(Arc::new(schema), records).map_err(|error| error.to_string())
    };
    for (bits, precision, digits) in WIDTHS {
        for scale in [-2, 0, 2, 4, 6] {
            for digits in digits {
                let value = i256::from_string(digits).expect("digits");
                let decimal = Decimal { value, scale };
                let array = || decimals(bits, precision, scale, &[Some(value), None]);
                let said = |ty: &str| {
                    let batch = batch(ty, array())?;
                    assert_eq!(batch.attribute(AttributeId(0), 1, Timestamp(0)), None);
                    Ok(batch.attribute(AttributeId(0), 0, Timestamp(0)).expect("a value"))
                };
                let exact = |money: Result<i64, _>, unit: fn(i128) -> Value| money.ok().map(|m| unit(m.into()));
                assert_eq!(said("money").ok(), exact(decimal.money().map(|m| m.0), Value::Money), "{decimal}");
                assert_eq!(said("integer").ok(), exact(decimal.whole(), Value::Integer), "{decimal}");
                let number: f64 = decimal.to_string().parse().expect("a number");
                let found: Result<Value, String> = said("number");
                assert_eq!(found, Ok(Value::Number(number)), "{decimal}");
            }
        }
    }
    // Lists of them, too: one with the first two, and one with the last.
    let items = decimals(128, 38, 1, &[Some(i256::from(1)), None, Some(i256::from(20))]);
    let item = Arc::new(Field::new("item", items.data_type().clone(), true));
    let lists = || ListArray::new(Arc::clone(&item), OffsetBuffer::from_lengths([2, 1]), Arc::clone(&items), None);
    let numbers = batch("list of number", Arc::new(lists())).expect("numbers");
    let list = |row| numbers.attribute(AttributeId(0), row, Timestamp(0));
    assert_eq!(list(0), Some(Value::List(vec![Value::Number(0.1)])));
    assert_eq!(list(1), Some(Value::List(vec![Value::Number(2.0)])));
    let whole = batch("list of integer", Arc::new(lists())).expect_err("a fraction");
    assert!(whole.ends_with("a number has a fraction"), "{whole}");
    let fraction = batch("integer", decimals(64, 18, 2, &[i256::from_string("150")])).expect_err("a fraction");
    assert_eq!(fraction, "column `value` is Decimal64(18, 2), which does not become Int64: a number has a fraction");
}
