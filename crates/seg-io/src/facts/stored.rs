//! Facts of one id as they are kept, one behind the other.

use super::code::{Bytes, put_number, put_signed, put_text};
use super::names::Names;
use super::{Fact, FactKind};
use crate::cell::Cell;
use seg_data::Timestamp;

const ROW: u8 = 0;
const EVENT: u8 = 1;

/// Appends a fact to those of its id. `arrival` counts all facts of everybody in the order in
/// which they came, and `time` is when it was.
pub fn append(facts: &mut Vec<u8>, fact: &Fact, arrival: u64, time: Timestamp) {
    let mut own = Vec::with_capacity(fact.values.len() + 24);
    put_number(&mut own, arrival);
    put_signed(&mut own, time.0);
    match &fact.kind {
        FactKind::Row => own.push(ROW),
        FactKind::Event { name, message, event_id } => {
            own.push(EVENT);
            put_number(&mut own, u64::from(*name));
            put_text(&mut own, message.as_deref().unwrap_or_default());
            put_text(&mut own, event_id.as_deref().unwrap_or_default());
        }
    }
    own.extend_from_slice(&fact.values);
    put_number(facts, own.len() as u64);
    facts.extend_from_slice(&own);
}

/// The facts of one id, in the order in which they arrived.
#[derive(Debug, Clone, Copy)]
pub struct StoredFacts<'f>(Bytes<'f>);

impl<'f> StoredFacts<'f> {
    /// Of bytes that [`append`] made.
    pub fn of(facts: &'f [u8]) -> StoredFacts<'f> {
        StoredFacts(Bytes(facts))
    }
}

impl<'f> Iterator for StoredFacts<'f> {
    type Item = StoredFact<'f>;

    fn next(&mut self) -> Option<StoredFact<'f>> {
        let len = usize::try_from(self.0.number()?).ok()?;
        StoredFact::of(Bytes(self.0.take(len)?))
    }
}

/// A fact as it is kept.
#[derive(Debug, Clone, Copy)]
pub struct StoredFact<'f> {
    /// How many facts came before it.
    pub arrival: u64,
    /// When it was.
    pub time: Timestamp,
    /// The number of the event's name; none for what somebody is.
    pub event: Option<u32>,
    /// The id of the message that told of it; empty without one.
    pub message: &'f str,
    /// The event's id as it was read; empty without one.
    pub event_id: &'f str,
    values: Bytes<'f>,
}

impl<'f> StoredFact<'f> {
    fn of(mut bytes: Bytes<'f>) -> Option<StoredFact<'f>> {
        let arrival = bytes.number()?;
        let time = Timestamp(bytes.signed()?);
        let (event, message, event_id) = match bytes.byte()? {
            ROW => (None, "", ""),
            EVENT => (Some(u32::try_from(bytes.number()?).ok()?), bytes.text()?, bytes.text()?),
            _ => return None,
        };
        Some(StoredFact { arrival, time, event, message, event_id, values: bytes })
    }

    /// The numbers of the names that it has values of.
    pub fn named(&self, names: &Names) -> Vec<u32> {
        self.cells(names).map(|(number, _)| number).collect()
    }

    /// The values, as a line of JSON has them: texts and numbers under their names.
    pub fn to_json(&self, names: &Names) -> serde_json::Map<String, serde_json::Value> {
        let named = self.cells(names).filter_map(|(number, cell)| Some((names.name(number)?.to_owned(), json(&cell))));
        named.collect()
    }

    /// The values with the numbers of their names.
    pub(super) fn cells<'n>(&self, names: &'n Names) -> impl Iterator<Item = (u32, Cell<'n>)>
    where
        'f: 'n,
    {
        let mut values = self.values;
        std::iter::from_fn(move || if values.is_empty() { None } else { values.named(names) })
    }
}

fn json(cell: &Cell<'_>) -> serde_json::Value {
    match cell {
        Cell::Missing | Cell::Other(_) => serde_json::Value::Null,
        Cell::Text(text) | Cell::Digits(text) => (*text).into(),
        Cell::Boolean(value) => (*value).into(),
        Cell::Integer(value) => (*value).into(),
        Cell::Number(value) => (*value).into(),
        // An amount is exact as a text.
        Cell::Decimal(value) => value.to_string().into(),
        Cell::Timestamp(value) => value.to_string().into(),
        Cell::Date(value) => value.to_string().into(),
        Cell::List(items) => items.iter().map(json).collect(),
        Cell::Record(fields) => fields.iter().map(|(name, cell)| ((*name).to_owned(), json(cell))).collect(),
    }
}
