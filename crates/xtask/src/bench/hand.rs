//! Hand-written loops for some of the segments: what somebody would write who
//! had one segment and all day. Each fills one word of 64 profiles at a time,
//! from Arrow's own buffers, as native code does.

use super::generate::NOW;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{BooleanArray, DictionaryArray, RecordBatch};
use seg::Mask;
use std::num::NonZero;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// Ten-thousandths in a unit of money.
const UNIT: i64 = 10_000;

/// The loop for a segment of the suite, where there is one.
pub fn run(number: u32, records: &RecordBatch, threads: NonZero<usize>) -> Option<Mask> {
    let n = records.num_rows();
    // Columns are cut to one length first, so that indexing needs no checks.
    Some(match number {
        1 => {
            let (checkouts, orders) = (events(records, "Checkout Started"), events(records, "Order Completed"));
            let consent = bools(records, "sms_consent").values();
            let from = NOW.0 - 2 * HOUR;
            fill(n, threads, |at| consent.value(at) && checkouts.last(at) >= from && orders.last(at) < from)
        }
        2 => {
            let (views, orders) = (events(records, "Product Viewed"), events(records, "Order Completed"));
            let from = NOW.0 - 3 * DAY;
            fill(n, threads, |at| {
                let of = views.of(at);
                of.len() >= 2 && views.times[of.end - 2] >= from && orders.of(at).is_empty()
            })
        }
        6 => {
            let orders = events(records, "Order Completed");
            let amounts = &orders.rows.column_by_name("amount")?.as_primitive::<Int64Type>().values()[..];
            let country = texts(records, "country");
            let wanted = flags(country, &["US", "GB", "CA"]);
            let (keys, from) = (&country.keys().values()[..n], NOW.0 - 365 * DAY);
            fill(n, threads, |at| {
                wanted[keys[at] as usize] && {
                    let of = orders.of(at);
                    let pairs = orders.times[of.clone()].iter().zip(&amounts[of]);
                    pairs.map(|(t, a)| if *t >= from { *a } else { 0 }).sum::<i64>() >= 500 * UNIT
                }
            })
        }
        9 => {
            let spent = &records.column_by_name("total_spent")?.as_primitive::<Int64Type>().values()[..n];
            let consent = bools(records, "email_consent").values();
            let suppressed = bools(records, "suppressed").values();
            let plan = texts(records, "plan");
            let premium = plan.values().as_string::<i32>().iter().position(|t| t == Some("premium"))? as i32;
            let keys = &plan.keys().values()[..n];
            fill(n, threads, |at| {
                (spent[at] > 200 * UNIT) & (keys[at] == premium) && consent.value(at) && !suppressed.value(at)
            })
        }
        _ => return None,
    })
}

struct Events<'r> {
    offsets: &'r [i32],
    times: &'r [i64],
    rows: &'r arrow_array::StructArray,
}

impl Events<'_> {
    fn of(&self, at: usize) -> std::ops::Range<usize> {
        self.offsets[at] as usize..self.offsets[at + 1] as usize
    }

    fn last(&self, at: usize) -> i64 {
        let of = self.of(at);
        if of.is_empty() { i64::MIN } else { self.times[of.end - 1] }
    }
}

fn events<'r>(records: &'r RecordBatch, name: &str) -> Events<'r> {
    let list = records.column_by_name(name).expect("the events").as_list::<i32>();
    let rows = list.values().as_struct();
    let times = rows.column(0).as_primitive::<arrow_array::types::TimestampMicrosecondType>().values();
    Events { offsets: list.value_offsets(), times, rows }
}

fn bools<'r>(records: &'r RecordBatch, name: &str) -> &'r BooleanArray {
    records.column_by_name(name).expect("the attribute").as_boolean()
}

fn texts<'r>(records: &'r RecordBatch, name: &str) -> &'r DictionaryArray<arrow_array::types::Int32Type> {
    records.column_by_name(name).expect("the attribute").as_dictionary()
}

fn flags(column: &DictionaryArray<arrow_array::types::Int32Type>, wanted: &[&str]) -> Vec<bool> {
    column.values().as_string::<i32>().iter().map(|t| t.is_some_and(|t| wanted.contains(&t))).collect()
}

/// A bit for each profile, each thread its own stretch of words.
fn fill(n: usize, threads: NonZero<usize>, holds: impl Fn(usize) -> bool + Sync) -> Mask {
    let mut words = vec![0_u64; n.div_ceil(64)];
    let per_thread = words.len().div_ceil(threads.get()).max(1);
    std::thread::scope(|scope| {
        for (at, chunk) in words.chunks_mut(per_thread).enumerate() {
            let holds = &holds;
            scope.spawn(move || {
                for (word, to) in chunk.iter_mut().enumerate() {
                    let first = (at * per_thread + word) * 64;
                    *to = (first..n.min(first + 64)).fold(0, |bits, row| bits | u64::from(holds(row)) << (row - first));
                }
            });
        }
    });
    Mask::from_words(words, n)
}
