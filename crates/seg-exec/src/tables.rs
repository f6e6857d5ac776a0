//! What is computed from a batch when a plan is bound to it: answers for each text
//! of a dictionary, ranks of texts, merged events, calendars. Each is made once for
//! all conditions that need it.

use crate::zone;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::{BooleanBuffer, ScalarBuffer};
use hashbrown::HashMap;
use seg_data::batch::{Column, MergedEvents};
use seg_data::time::DAY;
use seg_data::{AttributeId, Batch, Date, EventId, PropertyId, Timestamp, Zone};
use seg_hir::hir::{CompareOp, PeriodUnit, TextOp};
use seg_hir::text::{compile_pattern, fold_case};
use seg_jit::ItemKeys;
use seg_jit::template::Domain;
use seg_plan::NodeId;
use std::collections::BTreeSet;

/// A column of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ColumnRef {
    Attribute(AttributeId),
    Property(EventId, PropertyId),
}

impl ColumnRef {
    /// What a row of it is about.
    pub fn domain(self) -> Domain {
        match self {
            ColumnRef::Attribute(_) => Domain::Person,
            ColumnRef::Property(..) => Domain::Event,
        }
    }

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
struct Items {
    keys: Option<ItemKeys>,
    texts: Vec<String>,
}

/// Periods over a stretch of time, for a zone.
pub struct Periods {
    /// Pairs of instant and offset.
    pub offsets: Vec<(i64, i64)>,
    /// The start of the earliest local day, in local microseconds.
    pub first_day: i64,
    /// From a day to its period, where periods are longer than days.
    pub table: Option<ScalarBuffer<i32>>,
    /// How many different periods there can be.
    pub n_periods: usize,
}

/// What is computed once from one batch for all conditions that need it.
pub struct Tables<'b> {
    batch: &'b Batch,
    tests: HashMap<(Texts, Test), ScalarBuffer<u8>>,
    item_tests: HashMap<(Texts, Test), ScalarBuffer<u8>>,
    ranks: HashMap<Texts, ScalarBuffer<i32>>,
    items: HashMap<ColumnRef, Items>,
    merged: HashMap<Vec<EventId>, MergedEvents>,
    periods: HashMap<(PeriodUnit, Zone, i64, i64), Periods>,
    bits: HashMap<(NodeId, Option<EventId>), BooleanBuffer>,
}

impl<'b> Tables<'b> {
    pub fn new(batch: &'b Batch) -> Tables<'b> {
        Tables {
            batch,
            tests: HashMap::new(),
            item_tests: HashMap::new(),
            ranks: HashMap::new(),
            items: HashMap::new(),
            merged: HashMap::new(),
            periods: HashMap::new(),
            bits: HashMap::new(),
        }
    }

    /// Whether a condition holds for each row, as `make` says where it is not known
    /// yet.
    pub fn bits(&mut self, id: NodeId, event: Option<EventId>, make: impl FnOnce() -> Vec<bool>) -> BooleanBuffer {
        self.bits.entry((id, event)).or_insert_with(|| BooleanBuffer::from(make())).clone()
    }

    /// A byte of 0 or 1 for each key of a column of texts, and one at least.
    pub fn test(&mut self, texts: Texts, test: Test) -> ScalarBuffer<u8> {
        let batch = self.batch;
        let table = self.tests.entry((texts, test)).or_insert_with_key(|(texts, test)| {
            let holds = test.prepare();
            entries(batch, *texts).iter().map(|t| u8::from(holds(t))).chain([0]).collect()
        });
        table.clone()
    }

    /// The same for the items of a column of lists of texts.
    pub fn item_test(&mut self, texts: Texts, test: Test) -> ScalarBuffer<u8> {
        let items = &*self.items.entry(texts.column).or_insert_with(|| code_items(self.batch, texts.column));
        let table = self.item_tests.entry((texts, test)).or_insert_with_key(|(texts, test)| {
            let holds = test.prepare();
            let fold = |text: &String| if texts.is_folded { fold_case(text) } else { text.clone() };
            let bits = items.texts.iter().map(|t| u8::from(holds(&fold(t))));
            bits.chain([0]).collect()
        });
        table.clone()
    }

    /// A number for each key of a column of texts, equal and ordered as the
    /// texts of all columns are that `all` names, of which it is one.
    pub fn rank(&mut self, texts: Texts, all: &BTreeSet<Texts>) -> ScalarBuffer<i32> {
        if !self.ranks.contains_key(&texts) {
            let batch = self.batch;
            let columns = all.iter().chain(std::iter::once(&texts));
            let columns: Vec<(Texts, Vec<String>)> = columns.map(|t| (*t, entries(batch, *t))).collect();
            let mut sorted: Vec<&String> = columns.iter().flat_map(|(_, texts)| texts).collect();
            sorted.sort_unstable();
            sorted.dedup();
            for (column, texts) in &columns {
                let rank = |text: &String| sorted.binary_search(&text).unwrap_or(0) as i32;
                let table = texts.iter().map(rank).chain([0]).collect();
                self.ranks.insert(*column, table);
            }
        }
        self.ranks.get(&texts).cloned().unwrap_or_else(|| vec![0].into())
    }

    /// The keys of the items of a column of lists of texts; `None` where it is none.
    pub fn item_keys(&mut self, column: ColumnRef) -> Option<&ItemKeys> {
        let batch = self.batch;
        self.items.entry(column).or_insert_with(|| code_items(batch, column)).keys.as_ref()
    }

    /// The events of some names in order.
    pub fn merged(&mut self, names: &[EventId]) -> &MergedEvents {
        let batch = self.batch;
        self.merged.entry(names.to_vec()).or_insert_with(|| MergedEvents::new(batch, names))
    }

    /// Periods from one instant to another.
    pub fn periods(&mut self, unit: PeriodUnit, zone: Zone, from: i64, to: i64) -> &Periods {
        self.periods.entry((unit, zone, from, to)).or_insert_with(|| periods(unit, zone, from, to))
    }
}

/// The texts of a column's dictionary.
fn entries(batch: &Batch, texts: Texts) -> Vec<String> {
    let Some((_, values)) = texts.column.of(batch).and_then(Column::texts) else { return Vec::new() };
    let fold = |text: &str| if texts.is_folded { fold_case(text) } else { text.to_owned() };
    values.iter().map(|text| fold(text.unwrap_or(""))).collect()
}

fn code_items(batch: &Batch, column: ColumnRef) -> Items {
    let none = Items { keys: None, texts: Vec::new() };
    let Some(list) = column.of(batch).and_then(|c| c.array().as_list_opt::<i32>()) else { return none };
    let Some(items) = list.values().as_string_opt::<i32>() else { return none };
    let mut known: HashMap<&str, i32> = HashMap::new();
    let (mut keys, mut texts) = (Vec::with_capacity(items.len()), Vec::new());
    for text in items {
        let text = text.unwrap_or("");
        let n_known = known.len() as i32;
        let key = *known.entry(text).or_insert(n_known);
        if key == n_known {
            texts.push(text.to_owned());
        }
        keys.push(key);
    }
    Items { keys: ItemKeys::new(keys, texts.len()), texts }
}

fn periods(unit: PeriodUnit, zone: Zone, from: i64, to: i64) -> Periods {
    let offsets = zone::offsets(zone, Timestamp(from), Timestamp(to));
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
