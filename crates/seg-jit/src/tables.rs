//! What is derived from a batch when a plan is bound to it: answers for each
//! text of a dictionary, ranks of texts, orders of events, calendars.
//!
//! Each is made once for all conditions that need it, and kept where it lies
//! until the binding is dropped, since code is given its address.

use crate::zone;
use arrow_array::Array;
use seg_data::batch::{Column, Layout};
use seg_data::time::DAY;
use seg_data::{AttributeId, Batch, Date, EventId, Instant, PropertyId, Zone};
use seg_hir::hir::{CompareOp, PeriodUnit, TextOp};
use seg_hir::text::{compile_pattern, fold_case};
use seg_plan::NodeId;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A column of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnRef {
    Attribute(AttributeId),
    Property(EventId, PropertyId),
}

impl ColumnRef {
    /// The column, unless the batch lacks it.
    pub fn of(self, batch: &Batch) -> Option<&Column> {
        match self {
            ColumnRef::Attribute(id) => batch.attribute_column(id),
            ColumnRef::Property(event, property) => batch.events(event)?.property_column(property),
        }
    }
}

/// Texts of a column, perhaps with their case folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Texts {
    pub column: ColumnRef,
    pub is_folded: bool,
}

/// A test of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// How it compares with a text.
    Compare(CompareOp, String),
    OneOf(Vec<String>),
    Text {
        op: TextOp,
        text: String,
        ignore_case: bool,
    },
}

impl Test {
    /// The test as a function; patterns are compiled once.
    fn prepare(&self) -> Box<dyn Fn(&str) -> bool + '_> {
        match self {
            Test::Compare(op, text) => Box::new(move |value| op.holds(value.cmp(text))),
            Test::OneOf(texts) => Box::new(move |value| texts.iter().any(|t| t == value)),
            Test::Text { op, text, ignore_case } => match op {
                TextOp::Contains => Box::new(move |value| value.contains(text.as_str())),
                TextOp::StartsWith => Box::new(move |value| value.starts_with(text.as_str())),
                TextOp::EndsWith => Box::new(move |value| value.ends_with(text.as_str())),
                TextOp::Matches => {
                    let pattern = compile_pattern(text, *ignore_case).ok();
                    Box::new(move |value| pattern.as_ref().is_some_and(|p| p.is_match(value)))
                }
            },
        }
    }
}

/// The items of lists of texts: a key for each item, and the different texts.
pub struct Coded {
    pub keys: Vec<i32>,
    texts: Vec<String>,
}

/// The events of several names in the order of the language.
#[derive(Default)]
pub struct Order {
    /// Wider than those of columns: several of them together may be longer
    /// than one can be.
    pub offsets: Vec<i64>,
    pub times: Vec<i64>,
    /// Which of the names, by place in the list.
    pub source: Vec<i32>,
    pub place: Vec<i32>,
}

/// Periods over a stretch of time, for a zone.
pub struct Periods {
    /// Pairs of instant and offset.
    pub offsets: Vec<(i64, i64)>,
    /// The start of the earliest local day, in local microseconds.
    pub first_day: i64,
    /// From a day to its period, where periods are longer than days.
    pub table: Option<Vec<i32>>,
    /// How many different periods there can be.
    pub n_periods: usize,
}

/// All that is derived from one batch.
pub struct Tables<'b> {
    batch: &'b Batch,
    tests: HashMap<(Texts, Test), Box<[u8]>>,
    item_tests: HashMap<(Texts, Test), Box<[u8]>>,
    ranks: HashMap<Texts, Box<[i32]>>,
    coded: HashMap<ColumnRef, Box<Coded>>,
    orders: HashMap<Vec<EventId>, Box<Order>>,
    periods: HashMap<(PeriodUnit, Zone, i64, i64), Box<Periods>>,
    ints: Vec<Box<[i64]>>,
    bits: HashMap<(NodeId, Option<EventId>), Box<[u8]>>,
    layouts: Vec<Arc<Layout>>,
}

impl<'b> Tables<'b> {
    pub fn new(batch: &'b Batch) -> Tables<'b> {
        Tables {
            batch,
            bits: HashMap::new(),
            layouts: Vec::new(),
            tests: HashMap::new(),
            item_tests: HashMap::new(),
            ranks: HashMap::new(),
            coded: HashMap::new(),
            orders: HashMap::new(),
            periods: HashMap::new(),
            ints: Vec::new(),
        }
    }

    /// Keeps a layout, whose address code was given, although the batch may let it
    /// go.
    pub fn keep(&mut self, layout: Arc<Layout>) {
        self.layouts.push(layout);
    }

    /// Keeps some integers.
    pub fn ints(&mut self, ints: Vec<i64>) -> *const i64 {
        let ints = ints.into_boxed_slice();
        let address = ints.as_ptr();
        self.ints.push(ints);
        address
    }

    /// Whether a condition holds for each row, eight to a byte, and one byte at
    /// least.
    pub fn bits(&mut self, id: NodeId, event: Option<EventId>, holds: &[bool]) -> *const u8 {
        let packed = self.bits.entry((id, event)).or_insert_with(|| {
            let byte = |eight: &[bool]| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            holds.chunks(8).map(byte).chain([0]).collect()
        });
        packed.as_ptr()
    }

    /// A byte of 0 or 1 for each key of a column of texts, and one at least.
    pub fn test(&mut self, texts: Texts, test: Test) -> &[u8] {
        let batch = self.batch;
        self.tests.entry((texts, test)).or_insert_with_key(|(texts, test)| {
            let holds = test.prepare();
            entries(batch, *texts).iter().map(|t| u8::from(holds(t))).chain([0]).collect()
        })
    }

    /// The same for the items of a column of lists of texts.
    pub fn item_test(&mut self, texts: Texts, test: Test) -> *const u8 {
        self.coded(texts.column);
        let coded = self.coded.get(&texts.column);
        let table = self.item_tests.entry((texts, test)).or_insert_with_key(|(texts, test)| {
            let holds = test.prepare();
            let fold = |text: &String| if texts.is_folded { fold_case(text) } else { text.clone() };
            let bits = coded.iter().flat_map(|c| &c.texts).map(|t| u8::from(holds(&fold(t))));
            bits.chain([0]).collect()
        });
        table.as_ptr()
    }

    /// A number for each key of a column of texts, equal and ordered as the
    /// texts of all columns are that `all` names.
    pub fn rank(&mut self, texts: Texts, all: &BTreeSet<Texts>) -> *const i32 {
        if !self.ranks.contains_key(&texts) {
            let batch = self.batch;
            let columns: Vec<(Texts, Vec<String>)> = all.iter().map(|t| (*t, entries(batch, *t))).collect();
            let mut sorted: Vec<&String> = columns.iter().flat_map(|(_, texts)| texts).collect();
            sorted.sort_unstable();
            sorted.dedup();
            for (column, texts) in &columns {
                let rank = |text: &String| sorted.binary_search(&text).unwrap_or(0) as i32;
                let table = texts.iter().map(rank).chain([0]).collect();
                self.ranks.insert(*column, table);
            }
        }
        self.ranks.get(&texts).map_or(std::ptr::null(), |t| t.as_ptr())
    }

    /// The items of a column of lists of texts.
    pub fn coded(&mut self, column: ColumnRef) -> *const i32 {
        let batch = self.batch;
        let coded = self.coded.entry(column).or_insert_with(|| Box::new(code_items(batch, column)));
        coded.keys.as_ptr()
    }

    /// The events of some names in order.
    pub fn order(&mut self, names: &[EventId]) -> &Order {
        let batch = self.batch;
        self.orders.entry(names.to_vec()).or_insert_with(|| Box::new(order(batch, names)))
    }

    /// Periods from one instant to another.
    pub fn periods(&mut self, unit: PeriodUnit, zone: Zone, from: i64, to: i64) -> &Periods {
        self.periods.entry((unit, zone, from, to)).or_insert_with(|| Box::new(periods(unit, zone, from, to)))
    }
}

/// The texts of a column's dictionary.
fn entries(batch: &Batch, texts: Texts) -> Vec<String> {
    let Some((_, values)) = texts.column.of(batch).and_then(Column::texts) else { return Vec::new() };
    let fold = |text: &str| if texts.is_folded { fold_case(text) } else { text.to_owned() };
    values.iter().map(|text| fold(text.unwrap_or(""))).collect()
}

fn code_items(batch: &Batch, column: ColumnRef) -> Coded {
    use arrow_array::cast::AsArray;
    let mut coded = Coded { keys: Vec::new(), texts: Vec::new() };
    let Some(list) = column.of(batch).and_then(|c| c.array().as_list_opt::<i32>()) else { return coded };
    let Some(items) = list.values().as_string_opt::<i32>() else { return coded };
    let mut keys: HashMap<&str, i32> = HashMap::new();
    for at in 0..items.len() {
        let text = if items.is_valid(at) { items.value(at) } else { "" };
        let n_known = keys.len() as i32;
        let key = *keys.entry(text).or_insert(n_known);
        if key == n_known {
            coded.texts.push(text.to_owned());
        }
        coded.keys.push(key);
    }
    coded
}

/// Whether the events of one name already lie in the order of the language:
/// at one instant by event id, then arrival.
pub fn is_ordered(batch: &Batch, event: EventId) -> bool {
    let Some(events) = batch.events(event) else { return true };
    (0..events.n_profiles()).all(|row| {
        let range = events.range(row);
        range
            .clone()
            .zip(range.skip(1))
            .all(|(a, b)| events.time(a) != events.time(b) || tie(batch, (event, a), (event, b)) != Ordering::Greater)
    })
}

/// The order of two events at one instant.
fn tie(batch: &Batch, a: (EventId, usize), b: (EventId, usize)) -> Ordering {
    let id = |(event, idx)| batch.event_id(event, idx);
    let arrival = |(event, idx): (EventId, usize)| batch.events(event).and_then(|e| e.arrival(idx));
    id(a).cmp(&id(b)).then_with(|| arrival(a).cmp(&arrival(b))).then_with(|| a.cmp(&b))
}

fn order(batch: &Batch, names: &[EventId]) -> Order {
    let mut order = Order { offsets: vec![0], ..Order::default() };
    let mut found: Vec<(Instant, usize, usize)> = Vec::new();
    for row in 0..batch.len() {
        found.clear();
        for (source, event) in names.iter().enumerate() {
            let Some(events) = batch.events(*event) else { continue };
            found.extend(events.range(row).map(|idx| (events.time(idx), source, idx)));
        }
        let name = |source: usize| names.get(source).copied().unwrap_or(EventId(0));
        found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| tie(batch, (name(a.1), a.2), (name(b.1), b.2))));
        for (time, source, place) in &found {
            order.times.push(time.0);
            order.source.push(*source as i32);
            order.place.push(*place as i32);
        }
        order.offsets.push(order.times.len() as i64);
    }
    order
}

fn periods(unit: PeriodUnit, zone: Zone, from: i64, to: i64) -> Periods {
    let offsets = zone::offsets(zone, Instant(from), Instant(to));
    let least = offsets.iter().map(|(_, o)| *o).min().unwrap_or(0);
    let greatest = offsets.iter().map(|(_, o)| *o).max().unwrap_or(0);
    let (first, last) = ((from + least).div_euclid(DAY), (to + greatest).div_euclid(DAY));
    let number = |day: i64| unit.number(Date(day as i32));
    let n_periods = (i64::from(number(last)) - i64::from(number(first)) + 1).max(1) as usize;
    let table = match unit {
        PeriodUnit::Day => None,
        _ => Some((first..=last).map(|day| number(day) - number(first)).collect()),
    };
    Periods { offsets, first_day: first * DAY, table, n_periods }
}
