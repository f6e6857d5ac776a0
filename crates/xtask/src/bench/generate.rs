//! The workload: profiles and six months of events, at any scale.
//!
//! The shape of the data is that of a web shop with heavy-tailed visits: most
//! people come a few times, some hundreds of times; nearly half have gone away;
//! carts, checkouts and orders get rarer in that order. The same scale and seed
//! give the same rows everywhere.

use arrow_array::builder::{BooleanBuilder, Int64Builder, StringDictionaryBuilder, TimestampMicrosecondBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use seg::batch::{ID_COLUMN, TIME_FIELD};
use seg::{Batch, Schema, Timestamp};
use std::sync::Arc;

/// 2026-06-01T12:00:00Z.
pub const NOW: Timestamp = Timestamp(1_780_315_200_000_000);
const MINUTE: f64 = 60e6;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// The events, in the order of the schema.
pub const NAMES: [&str; 12] = [
    "Product Viewed",
    "Product Searched",
    "Added to Cart",
    "Removed from Cart",
    "Checkout Started",
    "Order Completed",
    "Order Refunded",
    "Email Opened",
    "Email Clicked",
    "Email Delivered",
    "SMS Clicked",
    "Page Viewed",
];
const VIEWED: usize = 0;
const SEARCHED: usize = 1;
const CARTED: usize = 2;
const REMOVED: usize = 3;
const CHECKOUT: usize = 4;
const ORDERED: usize = 5;
const REFUNDED: usize = 6;
const OPENED: usize = 7;
const CLICKED: usize = 8;
const DELIVERED: usize = 9;
const SMS: usize = 10;
const PAGE: usize = 11;
pub const CATEGORIES: [&str; 16] = [
    "tops",
    "shoes",
    "dresses",
    "accessories",
    "bottoms",
    "bags",
    "outerwear",
    "beauty",
    "home",
    "kids",
    "sports",
    "electronics",
    "jewelry",
    "swim",
    "sale",
    "gifts",
];
const COUNTRIES: [&str; 20] = [
    "US", "GB", "CA", "DE", "FR", "AU", "NL", "ES", "IT", "SE", "BR", "IN", "JP", "MX", "PL", "IE", "NZ", "DK", "NO",
    "FI",
];
const PLANS: [&str; 3] = ["free", "basic", "premium"];

/// SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
/// generators, 2014).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// How many tries until one with this chance succeeds.
    fn geometric(&mut self, p: f64) -> u64 {
        ((1.0 - self.unit()).ln() / (1.0 - p).ln()).floor() as u64 + 1
    }

    /// One of n, the k-th with a weight of 1 / k^s.
    fn zipf(&mut self, n: usize, s: f64) -> usize {
        let total: f64 = (1..=n).map(|k| (k as f64).powf(-s)).sum();
        let mut left = self.unit() * total;
        (1..=n)
            .position(|k| {
                left -= (k as f64).powf(-s);
                left <= 0.0
            })
            .unwrap_or(0)
    }
}

struct Event {
    time: i64,
    category: Option<u8>,
    /// Ten-thousandths.
    amount: Option<i64>,
}

/// The events of one name, for one person after another.
#[derive(Default)]
struct Table {
    lengths: Vec<usize>,
    times: Vec<i64>,
    categories: Vec<Option<i32>>,
    amounts: Vec<Option<i64>>,
}

/// Makes a batch of so many profiles.
pub fn generate(schema: &Arc<Schema>, n_profiles: usize) -> Batch {
    let mut tables: Vec<Table> = NAMES.iter().map(|_| Table::default()).collect();
    let mut people = People::default();
    for at in 0..n_profiles {
        let mut random = Random(20_260_601_u64.wrapping_mul(0x1000_0000_01b3) ^ at as u64);
        let mut events: [Vec<Event>; 12] = Default::default();
        person(&mut random, &mut events);
        for (table, events) in tables.iter_mut().zip(&mut events) {
            events.retain(|e| e.time <= NOW.0);
            events.sort_by_key(|e| e.time);
            table.lengths.push(events.len());
            for event in events {
                table.times.push(event.time);
                table.categories.push(event.category.map(i32::from));
                table.amounts.push(event.amount);
            }
        }
        people.push(at, &mut random, &events);
    }
    let mut columns = people.finish();
    for (name, table) in NAMES.iter().zip(tables) {
        columns.push(((*name).to_owned(), table.finish()));
    }
    let records = RecordBatch::try_from_iter(columns).expect("columns of one length");
    Batch::new(Arc::clone(schema), records).expect("a batch")
}

/// Everything one person did.
fn person(random: &mut Random, events: &mut [Vec<Event>; 12]) {
    let visits = (2.52 * (1.0 - random.unit()).powf(-1.0 / 1.3)).min(300.0);
    let n_visits = if random.chance(0.08) { 0 } else { (visits + random.unit()).floor() as usize };
    let age = 180.0 * random.unit().powf(0.55);
    let gone = if random.chance(0.45) { random.unit() } else { 0.0 };
    let favourite = random.zipf(16, 0.9) as u8;
    let eager = (random.unit() * random.unit()).sqrt();
    for _ in 0..n_visits {
        let recent = random.unit().powf(1.35);
        let at = NOW.0 as f64 - age * (gone + (1.0 - gone) * recent) * DAY;
        if random.chance(0.30) {
            mailing(random, events, at, eager);
        } else {
            visit(random, events, at, eager, favourite);
        }
    }
}

fn add(events: &mut [Vec<Event>; 12], name: usize, at: f64, category: Option<u8>, amount: Option<f64>) {
    // Times of a shop are in milliseconds, prices in quarters.
    let time = (at / 1e3) as i64 * 1_000;
    events[name].push(Event { time, category, amount: amount.map(|a| (a * 4.0) as i64 * 2_500) });
}

fn visit(random: &mut Random, events: &mut [Vec<Event>; 12], at: f64, eager: f64, favourite: u8) {
    let category = if random.chance(0.55) { favourite } else { random.zipf(16, 0.9) as u8 };
    let price = |random: &mut Random| (3.5 + 0.7 * (random.unit() + random.unit() + random.unit() - 1.5) * 2.0).exp();
    for _ in 0..random.geometric(0.33) {
        let at = at + random.exponential(6.0 * MINUTE);
        add(events, PAGE, at, None, None);
    }
    if random.chance(0.35) {
        let seen = random.chance(0.5).then_some(category);
        let at = at + random.exponential(4.0 * MINUTE);
        add(events, SEARCHED, at, seen, None);
    }
    for _ in 0..random.geometric(0.36) - u64::from(random.chance(0.2)) {
        let (at, price) = (at + random.exponential(8.0 * MINUTE), price(random));
        add(events, VIEWED, at, Some(category), Some(price));
    }
    if !random.chance(0.22 + 0.35 * eager) {
        return;
    }
    let mut cart = (at, 0.0);
    for _ in 0..random.geometric(0.7) {
        cart = (at + 3.0 * MINUTE + random.exponential(9.0 * MINUTE), price(random));
        add(events, CARTED, cart.0, Some(category), Some(cart.1));
        if random.chance(0.18) {
            let at = cart.0 + random.exponential(4.0 * MINUTE);
            add(events, REMOVED, at, Some(category), Some(cart.1));
        }
    }
    if !random.chance(0.58) {
        return;
    }
    let (checkout, amount) = (cart.0 + random.exponential(7.0 * MINUTE), cart.1 * random.geometric(0.55).min(6) as f64);
    add(events, CHECKOUT, checkout, Some(category), Some(amount));
    if random.chance(0.40 + 0.5 * eager) {
        let late = random.chance(0.12);
        let after = if late { random.unit() * 30.0 * HOUR } else { random.exponential(12.0 * MINUTE) };
        add(events, ORDERED, checkout + after, Some(category), Some(amount));
        if random.chance(0.05) {
            let at = checkout + after + (1.0 + 20.0 * random.unit()) * DAY;
            add(events, REFUNDED, at, Some(category), Some(amount));
        }
    }
}

fn mailing(random: &mut Random, events: &mut [Vec<Event>; 12], at: f64, eager: f64) {
    for _ in 0..random.geometric(0.3) {
        let at = at + random.unit() * 3.0 * DAY;
        add(events, DELIVERED, at, None, None);
        if random.chance(0.15 + 0.4 * eager) {
            let at = at + random.exponential(5.0 * HOUR);
            add(events, OPENED, at, None, None);
            if random.chance(0.22) {
                let at = at + random.exponential(MINUTE);
                add(events, CLICKED, at, None, None);
            }
        }
        if random.chance(0.04) {
            let at = at + random.exponential(2.0 * HOUR);
            add(events, SMS, at, None, None);
        }
    }
}

impl Table {
    fn finish(self) -> ArrayRef {
        let times = TimestampMicrosecondArray::from(self.times).with_timezone("UTC");
        let texts = Arc::new(StringArray::from_iter_values(CATEGORIES));
        let categories: DictionaryArray<Int32Type> = DictionaryArray::new(Int32Array::from(self.categories), texts);
        let rows = StructArray::from(vec![
            field(TIME_FIELD, Arc::new(times)),
            field("category", Arc::new(categories)),
            field("amount", Arc::new(Int64Array::from(self.amounts))),
        ]);
        let item = Arc::new(Field::new("item", DataType::Struct(rows.fields().clone()), false));
        Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(self.lengths), Arc::new(rows), None))
    }
}

fn field(name: &str, array: ArrayRef) -> (Arc<Field>, ArrayRef) {
    (Arc::new(Field::new(name, array.data_type().clone(), name != TIME_FIELD)), array)
}

/// The attributes.
#[derive(Default)]
struct People {
    ids: Vec<String>,
    email_consent: BooleanBuilder,
    sms_consent: BooleanBuilder,
    suppressed: BooleanBuilder,
    country: StringDictionaryBuilder<Int32Type>,
    plan: StringDictionaryBuilder<Int32Type>,
    last_category: StringDictionaryBuilder<Int32Type>,
    total_orders: Int64Builder,
    total_spent: Int64Builder,
    first_order: TimestampMicrosecondBuilder,
    last_order: TimestampMicrosecondBuilder,
}

impl People {
    fn push(&mut self, at: usize, random: &mut Random, events: &[Vec<Event>; 12]) {
        let orders = &events[ORDERED];
        self.ids.push(at.to_string());
        self.email_consent.append_value(random.chance(0.72));
        self.sms_consent.append_value(random.chance(0.38));
        self.suppressed.append_value(random.chance(0.06));
        self.country.append_value(COUNTRIES[random.zipf(20, 1.1)]);
        let plan = random.unit().powf(1.8) * 3.0 + if orders.len() > 3 { 0.6 } else { 0.0 };
        self.plan.append_value(PLANS[(plan as usize).min(2)]);
        let last = events[VIEWED].last().and_then(|e| e.category);
        self.last_category.append_option(last.map(|c| CATEGORIES[usize::from(c)]));
        self.total_orders.append_value(orders.len() as i64);
        self.total_spent.append_value(orders.iter().filter_map(|o| o.amount).sum());
        self.first_order.append_option(orders.first().map(|o| o.time));
        self.last_order.append_option(orders.last().map(|o| o.time));
    }

    fn finish(mut self) -> Vec<(String, ArrayRef)> {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (ID_COLUMN, Arc::new(StringArray::from(self.ids))),
            ("email_consent", Arc::new(self.email_consent.finish())),
            ("sms_consent", Arc::new(self.sms_consent.finish())),
            ("suppressed", Arc::new(self.suppressed.finish())),
            ("country", Arc::new(self.country.finish())),
            ("plan", Arc::new(self.plan.finish())),
            ("last_product_category", Arc::new(self.last_category.finish())),
            ("total_orders", Arc::new(self.total_orders.finish())),
            ("total_spent", Arc::new(self.total_spent.finish())),
            ("first_order_date", Arc::new(self.first_order.finish())),
            ("last_order_date", Arc::new(self.last_order.finish())),
        ];
        columns.into_iter().map(|(name, column)| (name.to_owned(), column)).collect()
    }
}
