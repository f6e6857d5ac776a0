//! The parameters of a kernel: literals, and the buffers that it reads.
//!
//! A slot holds a number or the address of a buffer. Addresses are taken here and
//! nowhere else, each from a buffer that the parameters keep alive, and of each it
//! is recorded how much lies there. `check.rs` holds that record against what the
//! code of a template reads before a kernel may be run.

use crate::template::{Column, Domain, List, Merged, Nulls, Slot, Source, Store, ZoneOffsets};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use seg_data::Type;
use seg_data::batch::{Column as Values, Events, MergedEvents};

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Number,
    /// So many bits, in whole bytes.
    Bits(usize),
    Bytes(usize),
    Ints32(usize),
    /// Integers, instants or numbers of 64 bits.
    Words(usize),
    /// Keys of texts: those that are there, as the bitmap of these slots says, are
    /// below `n_texts`.
    Keys {
        len: usize,
        n_texts: usize,
        nulls: Option<Nulls>,
    },
    /// The 32-bit offsets of lists, which ascend and, once `base` is taken off, stay
    /// within the items.
    Lists {
        n_lists: usize,
        base: usize,
        n_items: usize,
        /// The most items of one list that is there, as the bitmap of these slots says.
        longest: usize,
        /// Lists that are not there may lie over more items.
        nulls: Option<Nulls>,
    },
    /// The 64-bit offsets of merged events, which ascend and stay within `n_items`.
    Sequences {
        n_lists: usize,
        n_items: usize,
        /// The most events of one person.
        longest: usize,
        /// How many events each source has.
        n_events: Vec<usize>,
    },
    /// Which source each event of the sequences in this slot is of.
    Sources(Slot),
    /// Where it is there, below the number that the source has.
    Places(Slot),
    /// Pairs of an instant and an offset, of which the first holds from before any
    /// time on.
    Zone {
        n_pairs: usize,
    },
}

/// The keys of the items of lists of texts: each below the number of texts.
#[derive(Debug, Clone)]
pub struct ItemKeys {
    keys: ScalarBuffer<i32>,
    n_texts: usize,
}

impl ItemKeys {
    /// Keys for all items of a column of lists; `None` where one is no key of
    /// `n_texts` texts.
    pub fn new(keys: Vec<i32>, n_texts: usize) -> Option<ItemKeys> {
        let fits = |key: &i32| usize::try_from(*key).is_ok_and(|key| key < n_texts);
        keys.iter().all(fits).then(|| ItemKeys { keys: keys.into(), n_texts })
    }
}

/// The slots of a kernel's parameter block, and the buffers whose addresses they
/// hold.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    words: Vec<u64>,
    contents: Vec<Content>,
    buffers: Vec<Buffer>,
}

impl Parameters {
    /// None yet.
    pub fn new() -> Parameters {
        Parameters::default()
    }

    /// The block itself.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    /// What a slot holds.
    pub(crate) fn content(&self, slot: Slot) -> Option<&Content> {
        self.contents.get(slot as usize)
    }

    /// The number in a slot that holds one.
    pub fn number(&self, slot: Slot) -> Option<i64> {
        let word = self.words.get(slot as usize)?;
        (self.content(slot)? == &Content::Number).then_some(*word as i64)
    }

    /// Puts another number into a slot that holds one.
    #[cfg(feature = "faults")]
    pub(crate) fn change(&mut self, slot: Slot, change: impl FnOnce(i64) -> i64) {
        if let (Some(number), Some(word)) = (self.number(slot), self.words.get_mut(slot as usize)) {
            *word = change(number) as u64;
        }
    }

    fn slot(&mut self, word: u64, content: Content) -> Slot {
        self.words.push(word);
        self.contents.push(content);
        (self.words.len() - 1) as Slot
    }

    /// The address of a buffer, which is kept.
    fn buffer(&mut self, buffer: &Buffer, content: Content) -> Slot {
        self.buffers.push(buffer.clone());
        self.slot(buffer.as_ptr() as u64, content)
    }

    /// An integer.
    pub fn int(&mut self, value: i64) -> Slot {
        self.slot(value as u64, Content::Number)
    }

    /// A number of floating point.
    pub fn float(&mut self, value: f64) -> Slot {
        self.slot(value.to_bits(), Content::Number)
    }

    /// Both halves of a 128-bit integer.
    pub fn wide(&mut self, value: i128) -> (Slot, Slot) {
        (self.int(value as i64), self.int((value >> 64) as i64))
    }

    /// Bytes of a table.
    pub fn bytes(&mut self, bytes: &ScalarBuffer<u8>) -> Slot {
        self.buffer(bytes.inner(), Content::Bytes(bytes.len()))
    }

    /// Integers of a table.
    pub fn ints32(&mut self, ints: &ScalarBuffer<i32>) -> Slot {
        self.buffer(ints.inner(), Content::Ints32(ints.len()))
    }

    /// Integers of a table.
    pub fn ints64(&mut self, ints: &ScalarBuffer<i64>) -> Slot {
        self.buffer(ints.inner(), Content::Words(ints.len()))
    }

    /// A column of 64-bit integers, of which [`crate::template::MISSING`] is none.
    pub fn optional(&mut self, domain: Domain, values: &ScalarBuffer<i64>) -> Column {
        Column { domain, store: Store::Optional, values: self.ints64(values), nulls: None }
    }

    /// A column of bits, all of them there.
    pub fn bits(&mut self, domain: Domain, bits: &BooleanBuffer) -> Column {
        let (values, offset) = self.bitmap(bits);
        Column { domain, store: Store::Bit(offset), values, nulls: None }
    }

    fn bitmap(&mut self, bits: &BooleanBuffer) -> (Slot, Slot) {
        let address = self.buffer(bits.inner(), Content::Bits(bits.inner().len() * 8));
        (address, self.int(bits.offset() as i64))
    }

    fn nulls(&mut self, nulls: Option<&NullBuffer>) -> Option<Nulls> {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0)?;
        let (bits, offset) = self.bitmap(nulls.inner());
        Some(Nulls { bits, offset })
    }

    /// A column of a batch, but for lists and records; the keys of one of texts.
    pub fn column(&mut self, domain: Domain, column: &Values) -> Option<Column> {
        self.array(domain, column.ty(), column.array().as_ref())
    }

    fn array(&mut self, domain: Domain, ty: &Type, array: &dyn Array) -> Option<Column> {
        let nulls = self.nulls(array.nulls());
        let len = array.len();
        let (store, values) = match ty {
            Type::Boolean => {
                let (values, offset) = self.bitmap(array.as_boolean_opt()?.values());
                (Store::Bit(offset), values)
            }
            Type::Integer | Type::Money | Type::Duration => {
                (Store::I64, self.ints64(array.as_primitive_opt::<Int64Type>()?.values()))
            }
            Type::Timestamp => {
                (Store::I64, self.ints64(array.as_primitive_opt::<TimestampMicrosecondType>()?.values()))
            }
            Type::Date => (Store::I32, self.ints32(array.as_primitive_opt::<Date32Type>()?.values())),
            Type::Number => {
                let values = array.as_primitive_opt::<Float64Type>()?.values();
                (Store::F64, self.buffer(values.inner(), Content::Words(len)))
            }
            Type::Text => {
                let coded = array.as_dictionary_opt::<Int32Type>()?;
                let content = Content::Keys { len, n_texts: coded.values().len(), nulls: nulls.clone() };
                (Store::I32, self.buffer(coded.keys().values().inner(), content))
            }
            Type::List(_) | Type::Records(_) => return None,
        };
        Some(Column { domain, store, values, nulls })
    }

    /// A column of lists of integers or numbers, or of texts with the keys of their
    /// items.
    pub fn list(&mut self, domain: Domain, column: &Values, keys: Option<&ItemKeys>) -> Option<List> {
        let Type::List(element) = column.ty() else { return None };
        let array = column.array().as_list_opt::<i32>()?;
        let n_items = array.values().len();
        let items = match (element.ty(), keys) {
            (Type::Text, Some(keys)) if keys.keys.len() == n_items => {
                let nulls = self.nulls(array.values().nulls());
                let content = Content::Keys { len: n_items, n_texts: keys.n_texts, nulls: None };
                let values = self.buffer(keys.keys.inner(), content);
                Column { domain: Domain::Person, store: Store::I32, values, nulls }
            }
            (Type::Text, _) => return None,
            (ty, _) => self.array(Domain::Person, &ty, array.values().as_ref())?,
        };
        let offsets = array.offsets().inner();
        let content = Content::Lists { n_lists: array.len(), base: 0, n_items, longest: n_items, nulls: None };
        let offsets = self.buffer(offsets.inner(), content);
        Some(List { domain, offsets, nulls: self.nulls(array.nulls()), items })
    }

    /// The events of a name, which ask for nothing yet.
    pub fn events(&mut self, events: &Events) -> Source {
        let (base, n_items) = (events.base(), events.len());
        let (n_lists, longest) = (events.n_profiles(), events.longest());
        let nulls = self.nulls(events.list_nulls());
        let content = Content::Lists { n_lists, base, n_items, longest, nulls: nulls.clone() };
        let offsets = self.buffer(events.offsets().inner().inner(), content);
        Source {
            offsets,
            base: (base != 0).then(|| self.int(base as i64)),
            nulls,
            times: self.ints64(events.times()),
            filter: None,
            measure: None,
            predicate: None,
        }
    }

    /// The events of several names in order.
    pub fn merged(&mut self, merged: &MergedEvents) -> Merged {
        let lengths = merged.offsets().iter().zip(merged.offsets().iter().skip(1)).map(|(start, end)| end - start);
        let content = Content::Sequences {
            n_lists: merged.offsets().len() - 1,
            n_items: merged.times().len(),
            longest: lengths.max().map_or(0, |longest| longest as usize),
            n_events: merged.n_events().to_vec(),
        };
        let offsets = self.buffer(merged.offsets().inner().inner(), content);
        let times = self.ints64(merged.times());
        let source = self.buffer(merged.sources().inner(), Content::Sources(offsets));
        let place = self.buffer(merged.places().inner(), Content::Places(offsets));
        Merged { offsets, times, source, place }
    }

    /// The offsets of a zone, each with the instant from which it holds; the first
    /// holds from before any time on.
    pub fn zone(&mut self, offsets: &[(i64, i64)]) -> ZoneOffsets {
        let first = offsets.first().map_or(0, |(_, offset)| *offset);
        if offsets.len() < 2 {
            return ZoneOffsets::Fixed(self.int(first));
        }
        let later = offsets.iter().skip(1).flat_map(|(from, offset)| [*from, *offset]);
        let pairs: Vec<i64> = [i64::MIN, first].into_iter().chain(later).collect();
        let n_pairs = offsets.len();
        let table = self.buffer(ScalarBuffer::from(pairs).inner(), Content::Zone { n_pairs });
        ZoneOffsets::Steps { table, last: self.int(n_pairs as i64 - 1) }
    }
}
