//! Hand-written loops for the twelve segments: what somebody would write who
//! had one segment and all day. Each fills one word of 64 profiles at a time,
//! from Arrow's own buffers, as native code does.

use super::generate::NOW;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{BooleanArray, DictionaryArray, RecordBatch};
use seg::Mask;
use std::num::NonZero;

pub const HOUR: i64 = 3_600_000_000;
pub const DAY: i64 = 24 * HOUR;
/// Ten-thousandths in a unit of money.
pub const UNIT: i64 = 10_000;

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
        3 => {
            let orders = &records.column_by_name("total_orders")?.as_primitive::<Int64Type>().values()[..n];
            let last = records.column_by_name("last_order_date")?.as_primitive::<TimestampMicrosecondType>();
            let (from, to) = (NOW.0 - 45 * DAY, NOW.0 - 30 * DAY);
            let times = &last.values()[..n];
            fill(n, threads, |at| {
                (orders[at] == 1) & (times[at] >= from) & (times[at] <= to) && arrow_array::Array::is_valid(last, at)
            })
        }
        4 => {
            let [orders, opened, clicked] =
                ["Order Completed", "Email Opened", "Email Clicked"].map(|name| events(records, name));
            let (quarter, month) = (NOW.0 - 90 * DAY, NOW.0 - 30 * DAY);
            fill(n, threads, |at| orders.last(at) < quarter && (opened.last(at) >= month || clicked.last(at) >= month))
        }
        5 => {
            let orders = events(records, "Order Completed");
            let category = orders.rows.column_by_name("category")?.as_dictionary::<Int32Type>();
            let (shoes, accessories) = (flags(category, &["shoes"]), flags(category, &["accessories"]));
            let keys = &category.keys().values()[..];
            fill(n, threads, |at| {
                let keys = &keys[orders.of(at)];
                keys.iter().any(|key| shoes[*key as usize]) && !keys.iter().any(|key| accessories[*key as usize])
            })
        }
        7 => {
            let (checkouts, orders) = (events(records, "Checkout Started"), events(records, "Order Completed"));
            let (week, within) = (NOW.0 - 7 * DAY, 2 * HOUR);
            fill(n, threads, |at| {
                let orders = &orders.times[orders.of(at)];
                let checkouts = checkouts.times[checkouts.of(at)].iter().rev().take_while(|time| **time >= week);
                checkouts.into_iter().any(|first| {
                    let next = orders.iter().rev().take_while(|time| *time >= first).last();
                    next.is_none_or(|next| next - first > within)
                })
            })
        }
        8 => {
            let [views, carts, orders] =
                ["Product Viewed", "Added to Cart", "Order Completed"].map(|name| events(records, name));
            let month = NOW.0 - 30 * DAY;
            fill(n, threads, |at| {
                let (orders, carts) = (&orders.times[orders.of(at)], &carts.times[carts.of(at)]);
                if orders.last().is_none_or(|last| *last < month) || carts.last().is_none_or(|last| *last < month) {
                    return false;
                }
                let (mut cart, mut order) = (carts.len(), orders.len());
                views.times[views.of(at)].iter().rev().take_while(|time| **time >= month).any(|first| {
                    while cart > 0 && carts[cart - 1] >= *first {
                        cart -= 1;
                    }
                    let Some(second) = carts.get(cart) else { return false };
                    while order > 0 && orders[order - 1] >= *second {
                        order -= 1;
                    }
                    orders.get(order).is_some_and(|third| third - first <= DAY)
                })
            })
        }
        10 => {
            let all = super::generate::NAMES.map(|name| events(records, name));
            let (month, first_day) = (NOW.0 - 30 * DAY, (NOW.0 - 30 * DAY).div_euclid(DAY));
            fill(n, threads, |at| {
                let mut days = 0_u64;
                for events in &all {
                    for time in events.times[events.of(at)].iter().rev().take_while(|time| **time >= month) {
                        days |= 1 << (time.div_euclid(DAY) - first_day);
                    }
                }
                days.count_ones() >= 5
            })
        }
        11 => {
            let orders = events(records, "Order Completed");
            let amounts = &orders.rows.column_by_name("amount")?.as_primitive::<Int64Type>().values()[..];
            fill(n, threads, |at| {
                let of = orders.of(at);
                let count = of.len() as i64;
                // An average is a whole number of ten-thousandths, half to even.
                count >= 3 && 2 * amounts[of].iter().sum::<i64>() > (2 * 80 * UNIT + 1) * count
            })
        }
        12 => {
            let orders = events(records, "Order Completed");
            let from = NOW.0 - 14 * DAY;
            fill(n, threads, |at| {
                let of = orders.of(at);
                !of.is_empty() && orders.times[of.start] >= from
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

pub struct Events<'r> {
    offsets: &'r [i32],
    pub times: &'r [i64],
    pub rows: &'r arrow_array::StructArray,
}

impl<'r> Events<'r> {
    pub fn of(&self, at: usize) -> std::ops::Range<usize> {
        self.offsets[at] as usize..self.offsets[at + 1] as usize
    }

    pub fn amounts(&self) -> &'r [i64] {
        self.rows.column_by_name("amount").expect("the amounts").as_primitive::<Int64Type>().values()
    }

    fn last(&self, at: usize) -> i64 {
        let of = self.of(at);
        if of.is_empty() { i64::MIN } else { self.times[of.end - 1] }
    }
}

pub fn events<'r>(records: &'r RecordBatch, name: &str) -> Events<'r> {
    let list = records.column_by_name(name).expect("the events").as_list::<i32>();
    let rows = list.values().as_struct();
    let times = rows.column(0).as_primitive::<TimestampMicrosecondType>().values();
    Events { offsets: list.value_offsets(), times, rows }
}

pub fn bools<'r>(records: &'r RecordBatch, name: &str) -> &'r BooleanArray {
    records.column_by_name(name).expect("the attribute").as_boolean()
}

pub fn texts<'r>(records: &'r RecordBatch, name: &str) -> &'r DictionaryArray<Int32Type> {
    records.column_by_name(name).expect("the attribute").as_dictionary()
}

pub fn flags(column: &DictionaryArray<Int32Type>, wanted: &[impl AsRef<str>]) -> Vec<bool> {
    column
        .values()
        .as_string::<i32>()
        .iter()
        .map(|t| t.is_some_and(|t| wanted.iter().any(|w| w.as_ref() == t)))
        .collect()
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

/// How many bytes a second so many threads read from memory.
pub fn bandwidth(threads: NonZero<usize>) -> f64 {
    // Many times what caches hold.
    let memory: Vec<u64> = (0..64 << 20).collect();
    let once = || {
        let start = std::time::Instant::now();
        std::thread::scope(|scope| {
            for chunk in memory.chunks(memory.len().div_ceil(threads.get())) {
                scope.spawn(move || {
                    std::hint::black_box(chunk.iter().fold(0, |sum: u64, n| sum.wrapping_add(*n)));
                });
            }
        });
        (memory.len() * 8) as f64 / start.elapsed().as_secs_f64()
    };
    let mut rates: Vec<f64> = (0..5).map(|_| once()).collect();
    rates.sort_by(f64::total_cmp);
    rates[2]
}
