//! Who rows are about: ids to rows of the batch.

use crate::cell::Cell;
use crate::merge::Merges;
use std::collections::HashMap;

/// Everyone met so far: ids to rows of the batch.
#[derive(Default)]
pub(crate) struct People {
    rows: HashMap<String, u32>,
    pub ids: Vec<String>,
    pub merges: Merges,
    /// By number, rows of people whose ids are small whole numbers; a number that
    /// was not met yet has [`NOBODY`].
    numbered: Vec<u32>,
    /// The same for other numbers.
    large: HashMap<i64, u32>,
}

const NOBODY: u32 = u32::MAX;

/// Ids below this are looked up by number.
const NUMBERED_MAX: usize = 1 << 26;

/// Who an id belongs to.
pub(crate) struct Person {
    pub row: u32,
    /// See [`crate::merge::Identity::rank`].
    pub rank: u32,
    /// Whether they were met for the first time.
    pub is_new: bool,
}

impl People {
    /// The row of a person whose id is a number that was met before; none where
    /// ids are merged, for merges go by text.
    #[inline]
    pub fn known(&self, number: i64) -> Option<u32> {
        let place = usize::try_from(number).ok().and_then(|n| self.numbered.get(n)).copied();
        let row = place.filter(|row| *row != NOBODY).or_else(|| self.large.get(&number).copied());
        row.filter(|_| self.merges.is_empty())
    }

    /// The row of a person whose id was met before.
    pub fn row(&self, id: &str) -> Option<u32> {
        let id = self.merges.identity(id).map_or(id, |i| i.survivor.as_str());
        self.rows.get(id).copied()
    }

    /// The person that a cell names. Most ids are numbers in practice, and most of
    /// them small, which need no text and no hashing.
    pub fn person_of(&mut self, id: &Cell<'_>) -> Person {
        if let Cell::Integer(number) = id
            && let Some(row) = self.known(*number)
        {
            return Person { row, rank: 0, is_new: false };
        }
        let person = self.person(&id.as_text().unwrap_or_default());
        if let Cell::Integer(number) = id {
            // A stray large number shall not cost memory for all below it.
            let place = usize::try_from(*number).ok().filter(|n| *n < NUMBERED_MAX && *n / 64 <= self.ids.len());
            match place {
                Some(place) => {
                    if self.numbered.len() <= place {
                        self.numbered.resize((place + 1).next_power_of_two(), NOBODY);
                    }
                    if let Some(slot) = self.numbered.get_mut(place) {
                        *slot = person.row;
                    }
                }
                None => {
                    self.large.insert(*number, person.row);
                }
            }
        }
        person
    }

    /// The person that an id belongs to.
    pub fn person(&mut self, id: &str) -> Person {
        let (id, rank) = self.merges.identity(id).map_or((id, 0), |i| (i.survivor.as_str(), i.rank));
        if let Some(row) = self.rows.get(id) {
            return Person { row: *row, rank, is_new: false };
        }
        let row = self.ids.len() as u32;
        self.rows.insert(id.to_owned(), row);
        self.ids.push(id.to_owned());
        Person { row, rank, is_new: true }
    }
}
