//! Texts that people's events have had, as bits.

use arrow_array::Array;
use arrow_buffer::{NullBuffer, ScalarBuffer};
use seg_data::batch::Events;
use seg_data::{Batch, EventId, PropertyId, Timestamp};
use std::sync::Arc;

/// Which texts a property of a person's events has had: a bit a text that is
/// asked for.
pub(crate) struct TextsMet {
    events: Arc<Events>,
    keys: ScalarBuffer<i32>,
    nulls: Option<NullBuffer>,
    /// For each key the bits of its text.
    masks: Vec<u64>,
    texts: Vec<String>,
}

impl TextsMet {
    /// For the texts of a column of which no event is later than now.
    pub fn new(batch: &Batch, event: EventId, property: PropertyId, now: Timestamp) -> Option<TextsMet> {
        let events = Arc::clone(batch.events(event)?);
        if events.extent().is_some_and(|(_, last)| last > now) {
            return None;
        }
        let (coded, values) = events.property_column(property)?.texts()?;
        let nulls = coded.nulls().filter(|n| n.null_count() > 0).cloned();
        let (keys, masks) = (coded.keys().values().clone(), vec![0; values.len()]);
        Some(TextsMet { events, keys, nulls, masks, texts: Vec::new() })
    }

    /// The bit of a text; none where there are too many.
    pub fn bit(&mut self, batch: &Batch, event: EventId, property: PropertyId, text: &str) -> Option<u32> {
        if let Some(at) = self.texts.iter().position(|t| t == text) {
            return Some(at as u32);
        }
        let bit = u32::try_from(self.texts.len()).ok().filter(|bit| *bit < 64)?;
        let (_, values) = batch.events(event)?.property_column(property)?.texts()?;
        for (mask, value) in self.masks.iter_mut().zip(values) {
            *mask |= u64::from(value == Some(text)) << bit;
        }
        self.texts.push(text.to_owned());
        Some(bit)
    }

    /// The bits of a person.
    pub fn of(&self, row: usize) -> i64 {
        let range = self.events.range(row);
        let first = range.start;
        let keys = self.keys.get(range).unwrap_or(&[]);
        let mask = |key: &i32| self.masks.get(*key as usize).copied().unwrap_or(0);
        let bits = match &self.nulls {
            None => keys.iter().fold(0, |bits, key| bits | mask(key)),
            Some(nulls) => {
                let known = keys.iter().enumerate().filter(|(at, _)| nulls.is_valid(first + at));
                known.fold(0, |bits, (_, key)| bits | mask(key))
            }
        };
        bits as i64
    }
}

#[cfg(feature = "faults")]
impl TextsMet {
    /// Makes a mistake on purpose.
    pub fn apply(&mut self, fault: crate::fault::Fault) {
        if fault == crate::fault::Fault::TextsAreOthers {
            self.masks.reverse();
        }
    }
}
