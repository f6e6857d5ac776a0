//! Events that memory has no room for: put aside on the disk, cut by ranges of people, until
//! those of a range are asked for.
//!
//! Each time memory is full its events go to the disk as lists by person, as a run of an
//! external sort does (Knuth, "The Art of Computer Programming", volume 3, 5.4), in blocks of
//! people who are rows beside each other. The events of a range of people are what its blocks
//! of all runs hold, merged.

use crate::gather::{Stretch, gathered};
use crate::ipc::{self, decode};
use crate::report::ReadError;
use crate::sequences::{Parts, Sequences};
use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, UInt32Array};
use arrow_buffer::Buffer;
use seg_data::schema::Event;
use seg_data::{PropertyId, Schema, parallel};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How much memory reading may take, and where what it has no room for goes meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'m> {
    /// Of everything: people, events, and what files are unpacked into.
    pub bytes: u64,
    /// How much of it is taken before anything was read, and by files while they are unpacked.
    pub bytes_beside: u64,
    /// What each person will take beside that, once everything is read.
    pub bytes_a_person: u64,
    /// A folder in which a file without a name is made; it is gone with the process.
    pub folder: &'m Path,
}

impl<'m> Memory<'m> {
    /// So many bytes, and a folder for what they have no room for.
    pub fn new(bytes: u64, folder: &'m Path) -> Memory<'m> {
        Memory { bytes, bytes_beside: BYTES_BESIDE, bytes_a_person: 0, folder }
    }

    /// The same for a packing, which also writes down what it knows of each person.
    pub fn to_pack(bytes: u64, folder: &'m Path) -> Memory<'m> {
        Memory { bytes_a_person: PACKED_PERSON_BYTES, ..Memory::new(bytes, folder) }
    }

    /// Whether there is room for people and what some of them did.
    ///
    /// # Errors
    /// That there is not, and how much is needed.
    pub(crate) fn check(&self, n_people_bytes: u64, n_event_bytes: u64) -> Result<(), ReadError> {
        let needed = self.bytes_beside + n_people_bytes + 2 * n_event_bytes;
        if needed <= self.bytes {
            return Ok(());
        }
        let why =
            "a part of the store takes more memory than there is; pack it with `seg pack --memory`, or give it more";
        Err(ReadError::new("store", format!("{why}: `--memory {}MiB`", shown(needed))))
    }
}

/// Bytes as the least number of megabytes that anybody would write.
fn shown(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20).next_multiple_of(64)
}

/// What a process takes before it has read anything, and files take while they are unpacked.
const BYTES_BESIDE: u64 = 128 << 20;
/// What a packing keeps of a person to compare later rows with, as rows and as columns.
const PACKED_PERSON_BYTES: u64 = 200;
/// While events are grouped they are there more than once.
const COPIES: u64 = 4;
/// With less of the memory than this part for events, blocks would be too many.
const ROOM_PART: u64 = 64;
/// Into how many blocks the people are cut who were met when memory was full first, and the
/// least and the most people of a block.
const BLOCKS: usize = 64;
const BLOCK_PEOPLE: Range<usize> = 1 << 6..1 << 20;

/// How much memory there is for events, and those that were put aside.
pub(crate) struct Room {
    /// All there is.
    bytes: u64,
    /// What people and all else took before events were read.
    n_bytes_before: u64,
    /// What each person will take beside that.
    bytes_a_person: u64,
    folder: PathBuf,
    spill: Option<Spill>,
}

impl Room {
    /// Beside people who take so many bytes before their events are read.
    pub fn new(memory: Memory<'_>, n_bytes_before: u64) -> Room {
        let Memory { bytes, bytes_beside, bytes_a_person, folder } = memory;
        let (n_bytes_before, folder) = (bytes_beside + n_bytes_before, folder.to_owned());
        Room { bytes, n_bytes_before, bytes_a_person, folder, spill: None }
    }

    /// What is left for events.
    fn left(&self, n_other_bytes: u64) -> u64 {
        self.bytes.saturating_sub(self.n_bytes_before + n_other_bytes) / COPIES
    }

    /// What so many people will take beside what they take by now.
    pub fn bytes_of(&self, n_people: usize) -> u64 {
        n_people as u64 * self.bytes_a_person
    }

    /// Whether there is room for events of so many bytes beside all else.
    pub fn is_for(&self, n_bytes: u64, n_other_bytes: u64) -> bool {
        n_bytes <= self.left(n_other_bytes)
    }

    /// Why nothing can be read beside what people take.
    pub fn refused(&self, n_other_bytes: u64) -> Option<ReadError> {
        (self.left(n_other_bytes) < self.bytes / ROOM_PART).then(|| {
            let taken = self.n_bytes_before + n_other_bytes;
            let least = taken + taken.div_ceil(ROOM_PART / COPIES - 1);
            let megabytes = shown(least);
            let why = "so little memory has no room for everybody and some of their events";
            ReadError::new("data", format!("{why}; give it more: `--memory {megabytes}MiB`"))
        })
    }

    /// Whether events were put aside.
    pub fn has_spilled(&self) -> bool {
        self.spill.is_some()
    }

    /// A run that is about to be written.
    ///
    /// # Errors
    /// A folder in which no file can be made.
    pub fn writing(&self, n_people: usize) -> Result<Writing<'_>, ReadError> {
        let (file, end, block) = match &self.spill {
            Some(spill) => {
                let file = spill.file.lock().unwrap_or_else(PoisonError::into_inner);
                (file.try_clone(), spill.end, spill.block)
            }
            None => {
                let block = (n_people / BLOCKS).next_power_of_two();
                (tempfile::tempfile_in(&self.folder), 0, block.clamp(BLOCK_PEOPLE.start, BLOCK_PEOPLE.end))
            }
        };
        let failed = |error: std::io::Error| self.failed(&error);
        let appended = Appended { file: file.map_err(failed)?, end, places: Vec::new(), filled: Vec::new() };
        Ok(Writing { room: self, n_people, block, appended: Mutex::new(Ok(appended)) })
    }

    /// Takes note of a run.
    pub fn put_aside(&mut self, written: Written) {
        let Written { appended: Appended { file, end, places, filled }, block, n_people } = written;
        let folder = &self.folder;
        let left = self.bytes.saturating_sub(self.n_bytes_before + self.bytes_of(n_people));
        let spill = self.spill.get_or_insert_with(|| Spill::new(folder, file, block));
        spill.end = end;
        spill.left = left;
        for (key, place) in places {
            spill.places.entry(key).or_default().push(place);
        }
        spill.filled.extend(filled);
    }

    /// What was put aside.
    pub fn into_spill(self) -> Option<Spill> {
        self.spill
    }

    fn failed(&self, error: &std::io::Error) -> ReadError {
        failed(&self.folder, error)
    }
}

fn failed(folder: &Path, error: &std::io::Error) -> ReadError {
    let why = "events that memory has no room for are put aside in this folder, and the disk says";
    ReadError::new(folder.to_string_lossy(), format!("{why}: {error}"))
}

/// An event of the schema by its place, and a block of people by its number.
type Key = (usize, u32);

/// Where a block lies in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: u64,
    bytes: u64,
}

/// A run that is being written, by several threads.
pub(crate) struct Writing<'r> {
    room: &'r Room,
    n_people: usize,
    block: usize,
    appended: Mutex<Result<Appended, ReadError>>,
}

struct Appended {
    file: File,
    end: u64,
    places: Vec<(Key, Place)>,
    /// The properties that have a value.
    filled: Vec<(usize, PropertyId)>,
}

/// A run that was written.
pub(crate) struct Written {
    appended: Appended,
    block: usize,
    n_people: usize,
}

impl Writing<'_> {
    /// Adds the events of one name, whose place in the schema is `at`, as lists of everybody.
    pub fn add(&self, at: usize, event: &Event, lists: Result<ArrayRef, String>) {
        let done = lists.map_err(|why| ReadError::new("data", why)).and_then(|lists| self.add_lists(at, event, &lists));
        if let Err(error) = done {
            let mut appended = self.appended.lock().unwrap_or_else(PoisonError::into_inner);
            *appended = Err(error);
        }
    }

    fn add_lists(&self, at: usize, event: &Event, lists: &ArrayRef) -> Result<(), ReadError> {
        let internal =
            |what: &dyn std::fmt::Display| ReadError::new("data", format!("grouping by person failed: {what}"));
        let offsets = lists.as_list_opt::<i32>().map(|lists| lists.value_offsets()).unwrap_or_default();
        for (number, start) in (0..).zip((0..self.n_people).step_by(self.block)) {
            let end = (start + self.block).min(self.n_people);
            if offsets.get(start) == offsets.get(end) {
                continue;
            }
            let own = gathered(&[Arc::clone(lists)], &[Stretch { column: 0, start, end }]);
            let own =
                Sequences::of_lists(event, &own.map_err(|e| internal(&e))?).ok_or_else(|| internal(&"no lists"))?;
            let own = own.of_some();
            let filled = (0..).map(PropertyId).zip(&own.properties).filter(|(_, column)| column.is_some());
            let filled: Vec<PropertyId> = filled.map(|(property, _)| property).collect();
            let people: ArrayRef = Arc::new(UInt32Array::new(own.people.clone().unwrap_or_default(), None));
            let n_lists = own.n_lists();
            let lists =
                own.into_lists(event, |property| filled.contains(&property), n_lists).map_err(|e| internal(&e))?;
            let mut bytes = Vec::new();
            let columns = [("person".to_owned(), people), ("events".to_owned(), lists)];
            ipc::write(&mut bytes, &columns).map_err(|e| internal(&e))?;
            self.append((at, number), &bytes, filled)?;
        }
        Ok(())
    }

    fn append(&self, key: Key, bytes: &[u8], filled: Vec<PropertyId>) -> Result<(), ReadError> {
        let mut appended = self.appended.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread failed, and says so.
        let Ok(appended) = appended.as_mut() else { return Ok(()) };
        let at = appended.end;
        let written = appended.file.seek(SeekFrom::Start(at)).and_then(|_| appended.file.write_all(bytes));
        written.map_err(|error| self.room.failed(&error))?;
        appended.end += bytes.len() as u64;
        appended.places.push((key, Place { at, bytes: bytes.len() as u64 }));
        appended.filled.extend(filled.into_iter().map(|property| (key.0, property)));
        Ok(())
    }

    /// What was written.
    ///
    /// # Errors
    /// What the disk said.
    pub fn finish(self) -> Result<Written, ReadError> {
        let appended = self.appended.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        Ok(Written { appended, block: self.block, n_people: self.n_people })
    }
}

/// Events that were put aside.
pub(crate) struct Spill {
    folder: PathBuf,
    /// Whoever reads moves its place.
    file: Mutex<File>,
    end: u64,
    /// How many bytes of memory there were beside people.
    left: u64,
    /// How many people are in a block.
    block: usize,
    /// By run.
    places: BTreeMap<Key, Vec<Place>>,
    filled: BTreeSet<(usize, PropertyId)>,
}

impl Spill {
    fn new(folder: &Path, file: File, block: usize) -> Spill {
        let (places, filled) = Default::default();
        Spill { folder: folder.to_owned(), file: Mutex::new(file), end: 0, left: 0, block, places, filled }
    }

    /// Whether any event of a name has a value of a property.
    pub fn has_value(&self, event: usize, property: PropertyId) -> bool {
        self.filled.contains(&(event, property))
    }

    /// Whether there is any event of a name.
    pub fn has_events(&self, event: usize) -> bool {
        self.places.range((event, 0)..=(event, u32::MAX)).next().is_some()
    }

    /// Rows of people beside each other whose events memory has room for together, all of
    /// them one after another.
    pub fn parts(&self, n_people: usize) -> Vec<Range<usize>> {
        let n_blocks = n_people.div_ceil(self.block);
        let mut n_bytes = vec![0_u64; n_blocks];
        for ((_, block), places) in &self.places {
            let slot = n_bytes.get_mut(*block as usize);
            slot.into_iter().for_each(|n| *n += places.iter().map(|place| place.bytes).sum::<u64>());
        }
        let most = self.left / COPIES;
        let mut parts: Vec<Range<usize>> = Vec::new();
        let mut of_part = 0;
        for (number, n_bytes) in n_bytes.into_iter().enumerate() {
            let rows = number * self.block..(number * self.block + self.block).min(n_people);
            of_part += n_bytes;
            match parts.last_mut() {
                Some(last) if of_part <= most => last.end = rows.end,
                _ => {
                    of_part = n_bytes;
                    parts.push(rows);
                }
            }
        }
        parts
    }

    /// The events of one name of some people, who are one of [`Spill::parts`], with rows
    /// counted from the first of them.
    ///
    /// # Errors
    /// What the disk says.
    pub fn sequences(
        &self,
        schema: &Schema,
        at: usize,
        event: &Event,
        people: &Range<usize>,
    ) -> Result<Sequences, ReadError> {
        let blocks = (people.start / self.block) as u32..people.end.div_ceil(self.block) as u32;
        let mut parts = Vec::new();
        for ((_, block), places) in self.places.range((at, blocks.start)..(at, blocks.end)) {
            let before = (*block as usize * self.block - people.start) as u32;
            for place in places {
                parts.push(self.read(event, *place, before)?);
            }
        }
        let event_id = schema.event_id.as_ref().and_then(|id| event.property(id));
        match parts.as_slice() {
            [] => Ok(Sequences::none(event, people.len())),
            _ => Parts { event, parts: &parts, row_of: None, n_people: people.len(), event_id }.put_together(),
        }
    }

    /// The same for each event of the schema.
    ///
    /// # Errors
    /// What the disk says.
    pub fn all_sequences(
        &self,
        schema: &Schema,
        people: &Range<usize>,
        threads: NonZero<usize>,
    ) -> Result<Vec<Sequences>, ReadError> {
        let mut found: Vec<Option<Result<Sequences, ReadError>>> = schema.events.iter().map(|_| None).collect();
        let work: Vec<_> = schema.events.iter().enumerate().zip(&mut found).collect();
        parallel::each(
            work,
            threads,
            || (),
            |(), ((at, event), to)| {
                *to = Some(self.sequences(schema, at, event, people));
            },
        );
        found.into_iter().flatten().collect()
    }

    fn read(&self, event: &Event, place: Place, before: u32) -> Result<Sequences, ReadError> {
        let mut bytes = Vec::with_capacity(usize::try_from(place.bytes).unwrap_or_default());
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let found = file.seek(SeekFrom::Start(place.at));
            let read = found.and_then(|_| (&*file).take(place.bytes).read_to_end(&mut bytes));
            read.map_err(|error| failed(&self.folder, &error))?;
        }
        let other = || failed(&self.folder, &std::io::Error::other("what was put aside is no longer what it was"));
        let columns = decode(&Buffer::from_vec(bytes)).ok_or_else(other)?;
        let [(_, people), (_, lists)] = columns.as_slice() else { return Err(other()) };
        let people = people.as_primitive_opt::<UInt32Type>().ok_or_else(other)?;
        let own = Sequences::of_lists(event, lists).ok_or_else(other)?;
        Ok(Sequences { people: Some(people.values().iter().map(|row| row + before).collect()), ..own })
    }
}
