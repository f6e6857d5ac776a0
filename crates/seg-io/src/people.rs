//! Who rows are about: ids to rows of the batch.

use crate::cell::Cell;
use crate::merge::Merges;
use crate::texts::has_blanks;
use arrow_array::StringArray;
use arrow_array::builder::StringBuilder;
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// Everyone met so far: ids to rows of the batch. An id is a text; the many that
/// are the text of a whole number are kept by that number, which need no hashing
/// where they are small.
#[derive(Default)]
pub(crate) struct People {
    ids: StringBuilder,
    n_people: u32,
    n_bytes: usize,
    /// How many ids begin or end with blanks.
    pub n_blanks: u64,
    pub merges: Merges,
    /// Rows of people whose ids are no whole numbers.
    named: HashMap<String, u32>,
    /// By number, rows of people whose ids are small whole numbers; a number that
    /// was not met yet has [`NOBODY`].
    numbered: Vec<u32>,
    /// The rows of ids that are larger numbers than `numbered` has room for, or below
    /// zero.
    large: HashMap<i64, u32>,
}

const NOBODY: u32 = u32::MAX;

/// What an id takes in a table beside its bytes.
const NAMED_BYTES: usize = 48;

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
    pub fn len(&self) -> usize {
        self.n_people as usize
    }

    /// About how many bytes of memory they take.
    pub fn n_memory_bytes(&self) -> u64 {
        let named = self.named.len() * (NAMED_BYTES + self.n_bytes / self.len().max(1));
        let numbered = 4 * self.numbered.len() + 16 * self.large.len();
        (self.n_bytes + 4 * self.len() + named + numbered) as u64
    }

    /// Adds people who were met before all others, in their order, each a row of its own
    /// whoever is merged with whom.
    pub fn begin_with(&mut self, ids: &StringArray) {
        for id in ids.iter().flatten() {
            match whole_number(id) {
                Some(number) => drop(self.numbered(number)),
                None => {
                    let row = self.add(id);
                    self.named.insert(id.to_owned(), row);
                }
            }
        }
        // What was told before is not told again.
        self.n_blanks = 0;
    }

    /// The ids by row, or why a batch cannot hold them.
    pub fn finish(&mut self) -> Result<StringArray, String> {
        // Places of bytes have 31 bits, and the last rows stand for nobody.
        if i32::try_from(self.n_bytes).is_err() || self.n_people > i32::MAX as u32 {
            return Err("there are more people than a batch can hold; cut the data in parts".to_owned());
        }
        Ok(self.ids.finish())
    }

    /// The rows of people whose ids are numbers, where all were met before; none
    /// where ids are merged, for merges go by text.
    pub fn known(&self, numbers: &[i64]) -> Option<Vec<u32>> {
        if !self.merges.is_empty() {
            return None;
        }
        // Without a choice in it, so that the machine waits for many rows at once.
        let small = |number: &i64| usize::try_from(*number).ok().and_then(|n| self.numbered.get(n)).copied();
        let mut rows: Vec<u32> = numbers.iter().map(|number| small(number).unwrap_or(NOBODY)).collect();
        for (row, number) in rows.iter_mut().zip(numbers) {
            if *row == NOBODY {
                *row = *self.large.get(number)?;
            }
        }
        Some(rows)
    }

    /// Whether everybody whose id is one of these numbers was met before.
    pub fn knows(&self, ids: RangeInclusive<i64>) -> bool {
        let (first, last) = (usize::try_from(*ids.start()), usize::try_from(*ids.end()));
        let (Ok(first), Ok(last), true) = (first, last, self.merges.is_empty()) else { return false };
        let rows = self.numbered.get(first..).and_then(|from| from.get(..=last.checked_sub(first)?));
        rows.is_some_and(|rows| !rows.contains(&NOBODY))
    }

    fn of_number(&self, number: i64) -> Option<u32> {
        let place = usize::try_from(number).ok().and_then(|n| self.numbered.get(n)).copied();
        place.filter(|row| *row != NOBODY).or_else(|| self.large.get(&number).copied())
    }

    /// The row of a person whose id was met before.
    pub fn row(&self, id: &str) -> Option<u32> {
        let id = one_spelling(id);
        let id = self.merges.identity(id).map_or(id, |i| i.survivor.as_str());
        match whole_number(id) {
            Some(number) => self.of_number(number),
            None => self.named.get(id).copied(),
        }
    }

    /// The person that a cell names.
    pub fn person_of(&mut self, id: &Cell<'_>) -> Person {
        match id {
            Cell::Integer(number) if self.merges.is_empty() => self.numbered(*number),
            id => self.person(&id.as_text().unwrap_or_default()),
        }
    }

    /// The person that an id belongs to.
    pub fn person(&mut self, id: &str) -> Person {
        let id = one_spelling(id);
        let identity = self.merges.identity(id).cloned();
        let rank = identity.as_ref().map_or(0, |i| i.rank);
        let id = identity.as_ref().map_or(id, |i| i.survivor.as_str());
        if let Some(number) = whole_number(id) {
            return Person { rank, ..self.numbered(number) };
        }
        if let Some(row) = self.named.get(id) {
            return Person { row: *row, rank, is_new: false };
        }
        let row = self.add(id);
        self.named.insert(id.to_owned(), row);
        Person { row, rank, is_new: true }
    }

    /// The person whose id is a number, merged with none.
    fn numbered(&mut self, number: i64) -> Person {
        if let Some(row) = self.of_number(number) {
            return Person { row, rank: 0, is_new: false };
        }
        // A stray large number shall not cost memory for all below it.
        let place = usize::try_from(number).ok().filter(|n| *n < NUMBERED_MAX && *n / 64 <= self.len());
        let row = self.add(&number.to_string());
        match place {
            Some(place) => {
                if self.numbered.len() <= place {
                    self.numbered.resize((place + 1).next_power_of_two(), NOBODY);
                }
                if let Some(slot) = self.numbered.get_mut(place) {
                    *slot = row;
                }
            }
            None => {
                self.large.insert(number, row);
            }
        }
        Person { row, rank: 0, is_new: true }
    }

    /// Gives the next row to an id. What no longer fits is said at the end.
    fn add(&mut self, id: &str) -> u32 {
        let row = self.n_people;
        self.n_people = self.n_people.saturating_add(1).min(NOBODY - 1);
        self.n_bytes += id.len();
        self.n_blanks += u64::from(has_blanks(id));
        if i32::try_from(self.n_bytes).is_ok() {
            self.ids.append_value(id);
        }
        row
    }
}

/// An id as it is known: a whole number has one spelling, so that `7.0`, as some tools write
/// it beside missing numbers, is the person `7`.
pub(crate) fn one_spelling(id: &str) -> &str {
    match id.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => {
            let digits = whole.strip_prefix('-').unwrap_or(whole);
            if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) { whole } else { id }
        }
        _ => id,
    }
}

/// The number of which an id is the text: `7`, but not `07`, which is another id.
pub(crate) fn whole_number(id: &str) -> Option<i64> {
    let digits = id.strip_prefix('-').unwrap_or(id);
    let is_plain = match digits.as_bytes() {
        [b'0'] => digits.len() == id.len(),
        [first, ..] => (b'1'..=b'9').contains(first),
        [] => false,
    };
    if is_plain { id.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_text_are_one_person() {
        let mut people = People::default();
        let mut row = |cell: Cell<'_>| people.person_of(&cell).row;
        assert_eq!(row(Cell::Integer(7)), 0);
        assert_eq!(row(Cell::Text("7")), 0);
        // Not how a number is written.
        let others = ["07", "+7", "-0", "", "7 ", "99999999999999999999"].map(Cell::Text);
        let rows: Vec<u32> = others.into_iter().map(&mut row).collect();
        assert_eq!(rows, [1, 2, 3, 4, 5, 6]);
        assert_eq!([row(Cell::Text("-7")), row(Cell::Integer(-7)), row(Cell::Integer(i64::MIN))], [7, 7, 8]);
        assert_eq!([row(Cell::Text("0")), row(Cell::Integer(0)), row(Cell::Text("-9223372036854775808"))], [9, 9, 8]);
        let ids = people.finish().expect("few people");
        assert_eq!(ids.value(0), "7");
        assert_eq!(ids.value(8), "-9223372036854775808");
    }

    #[test]
    fn numbers_are_known_once_they_were_met() {
        let mut people = People::default();
        for number in [3, i64::MAX, -1] {
            people.person_of(&Cell::Integer(number));
        }
        assert_eq!(people.known(&[-1, 3, i64::MAX, 3]), Some(vec![2, 0, 1, 0]));
        assert_eq!(people.known(&[]), Some(Vec::new()));
        for unknown in [0, 4, i64::MIN, i64::MAX - 1] {
            assert_eq!(people.known(&[3, unknown]), None, "{unknown}");
        }
    }
}
