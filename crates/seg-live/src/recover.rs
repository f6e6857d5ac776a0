//! The state out of what a store holds.

use crate::coded;
use crate::commit::{Commit, Table};
use crate::core::{CLOCK, Clock, Core, INPUT, INSTANCE, NAME, PROGRAM, SEGMENT};
use crate::error::LiveError;
use crate::ids::Ids;
use crate::kept::Kept;
use crate::limits::{Counts, Limits};
use crate::program::Segments;
use crate::store::EachRow;
use seg::unstable::io::facts::{Bytes, Names, StoredFacts};
use seg::{Prepared, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What a store holds, on its way into the state.
#[derive(Default)]
struct Rows {
    clock: Option<(Clock, u32)>,
    names: BTreeMap<u32, String>,
    segments: BTreeMap<u32, String>,
    /// The version of the segments, and what tells their meaning.
    program: (u32, Option<String>),
    instance: Option<String>,
    inputs: BTreeMap<String, u64>,
    ids: Ids,
    kept: BTreeMap<u32, Kept>,
    base: BTreeMap<u32, Vec<u8>>,
    tail: BTreeMap<(u32, u64), Vec<u8>>,
}

impl Rows {
    /// Takes a row; nothing where it is none of ours.
    fn take(&mut self, table: Table, key: &[u8], value: &[u8]) -> Option<()> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        match table {
            Table::Meta if key == CLOCK => {
                let mut row = Bytes(value);
                let now = Timestamp(row.signed()?);
                let clock = Clock { now, seq: row.number()?, n_arrived: row.number()? };
                self.clock = Some((clock, u32::try_from(row.number()?).ok()?));
            }
            Table::Meta if key == INSTANCE => self.instance = Some(text(value)?),
            Table::Meta if key == PROGRAM => {
                let (version, fingerprint) = value.split_at_checked(4)?;
                self.program = (coded::number_of(version)?, Some(text(fingerprint)?));
            }
            Table::Meta => {
                if let Some(number) = key.strip_prefix(NAME) {
                    self.names.insert(coded::number_of(number)?, text(value)?);
                } else if let Some(number) = key.strip_prefix(SEGMENT) {
                    self.segments.insert(coded::number_of(number)?, text(value)?);
                } else {
                    let name = text(key.strip_prefix(INPUT)?)?;
                    self.inputs.insert(name, u64::from_be_bytes(value.try_into().ok()?));
                }
            }
            Table::Ids => {
                let (number, links) = coded::id_of(value)?;
                self.ids.put(number, &text(key)?, links).then_some(())?;
            }
            Table::People => drop(self.kept.insert(coded::number_of(key)?, coded::kept_of(value)?)),
            Table::Base => drop(self.base.insert(coded::number_of(key)?, value.to_vec())),
            Table::Tail => {
                let (number, arrival) = key.split_at_checked(4)?;
                let key = (coded::number_of(number)?, u64::from_be_bytes(arrival.try_into().ok()?));
                self.tail.insert(key, value.to_vec());
            }
            // What went out is read by whoever sends it.
            Table::Out(_) => {}
        }
        Some(())
    }

    /// Gives each id its facts.
    fn facts(&mut self) -> Option<()> {
        for (number, facts) in std::mem::take(&mut self.base) {
            self.ids.get_mut(number)?.facts = facts;
        }
        for ((number, arrival), fact) in std::mem::take(&mut self.tail) {
            let known = self.ids.get_mut(number)?;
            known.facts.extend_from_slice(&fact);
            known.tail.push(arrival);
        }
        let numbers: Vec<u32> = self.ids.all().map(|(number, _)| number).collect();
        for number in numbers {
            let known = self.ids.get_mut(number)?;
            known.n_facts = StoredFacts::of(&known.facts).count();
        }
        Some(())
    }
}

impl Core {
    /// Begins from the rows of a store, of which an empty one has none. `instance` is what the
    /// ids of changes begin with, where the store has no other. Whoever was judged by other
    /// segments is judged again in [`Core::turn`].
    ///
    /// # Errors
    /// Rows that were not written by this.
    pub fn open(
        prepared: &Prepared,
        limits: Limits,
        instance: &str,
        each_row: impl FnOnce(&mut EachRow<'_>) -> Result<(), LiveError>,
    ) -> Result<Core, LiveError> {
        let mut rows = Rows::default();
        let mut damage = None;
        each_row(&mut |table, key, value| {
            if rows.take(table, key, value).is_none() && damage.is_none() {
                damage = Some(format!("a row of {table:?} cannot be read"));
            }
        })?;
        if let Some(damage) = damage {
            return Err(LiveError::Damaged(damage));
        }
        rows.facts().ok_or_else(|| LiveError::Damaged("there are facts of an id that is not there".to_owned()))?;
        let Rows {
            clock, names: kept_names, segments, program, instance: kept_instance, inputs, mut ids, kept, ..
        } = rows;
        let (clock, n_given) = clock.unwrap_or((Clock { now: Timestamp::MIN, seq: 0, n_arrived: 0 }, 0));
        ids.begin_after(n_given);
        let mut unsaved = Commit::default();
        let mut names = Names::default();
        kept_names.values().for_each(|name| names.add_name(name));
        let segments = adopted(prepared, (&mut names, segments), (program.0, program.1.as_deref()), &mut unsaved);
        if kept_instance.is_none() {
            unsaved.put(Table::Meta, INSTANCE, instance.as_bytes().to_vec());
        }
        let due = kept.iter().filter_map(|(number, kept)| Some((kept.until?, *number))).collect();
        let stale = stale(&kept, segments.version);
        let mut sizes: BTreeMap<u32, u64> = BTreeMap::new();
        for segment in kept.values().flat_map(|kept| &kept.segments) {
            *sizes.entry(*segment).or_default() += 1;
        }
        Ok(Core {
            segments,
            names,
            ids,
            kept,
            due,
            stale,
            sizes,
            clock,
            instance: kept_instance.unwrap_or_else(|| instance.to_owned()),
            limits,
            counts: Counts::default(),
            inputs,
            unsaved,
            #[cfg(feature = "faults")]
            fault: None,
        })
    }

    /// Goes on with other segments. Those that mean the same tell nothing; of the others everybody
    /// is judged again in [`Core::turn`], and whoever something comes of before then at once.
    pub fn reload(&mut self, prepared: &Prepared) {
        let before = (self.segments.version, Some(self.segments.fingerprint.as_str()));
        let known = (&mut self.names, self.segments.names.clone());
        self.segments = adopted(prepared, known, before, &mut self.unsaved);
        self.stale = stale(&self.kept, self.segments.version);
    }
}

/// The segments of a program, and rows for what the store does not know of them yet.
fn adopted(
    prepared: &Prepared,
    (names, known): (&mut Names, BTreeMap<u32, String>),
    before: (u32, Option<&str>),
    unsaved: &mut Commit,
) -> Segments {
    let n_kept = names.all().len();
    names.add(prepared.program().schema());
    for (number, name) in (0_u32..).zip(names.all()).skip(n_kept) {
        unsaved.put(Table::Meta, [NAME, &number.to_be_bytes()].concat(), name.as_bytes().to_vec());
    }
    let (segments, new) = Segments::new(prepared, known, before);
    for number in new {
        let name = segments.name(number).as_bytes().to_vec();
        unsaved.put(Table::Meta, [SEGMENT, &number.to_be_bytes()].concat(), name);
    }
    if segments.version != before.0 {
        let mut row = coded::key(segments.version);
        row.extend_from_slice(segments.fingerprint.as_bytes());
        unsaved.put(Table::Meta, PROGRAM, row);
    }
    segments
}

/// Whoever was judged by segments of another version.
fn stale(kept: &BTreeMap<u32, Kept>, version: u32) -> BTreeSet<u32> {
    kept.iter().filter(|(_, kept)| kept.program != version).map(|(number, _)| *number).collect()
}
