//! Names that are met, of which there may be any number.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault};

/// So many names are kept with what is known of them.
pub(super) const KEPT_MAX: usize = 1_000;
/// So many more are counted.
const COUNTED_MAX: usize = 1_000_000;

/// The first names that are met, each with what is known of it, and how many more there
/// are. What it takes is bounded, whatever the number of rows.
pub(super) struct Names<T> {
    places: HashMap<String, usize>,
    kept: Vec<(String, T)>,
    /// Hashes of those that are counted only.
    others: HashSet<u64>,
}

impl<T> Default for Names<T> {
    fn default() -> Names<T> {
        Names { places: HashMap::new(), kept: Vec::new(), others: HashSet::new() }
    }
}

impl<T> Names<T> {
    /// Where a name is kept, which it is from its first time on; nowhere where there are too
    /// many.
    pub fn place(&mut self, name: &str, new: impl FnOnce() -> T) -> Option<usize> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        if self.kept.len() < KEPT_MAX {
            self.places.insert(name.to_owned(), self.kept.len());
            self.kept.push((name.to_owned(), new()));
            return Some(self.kept.len() - 1);
        }
        if self.others.len() < COUNTED_MAX {
            self.others.insert(BuildHasherDefault::<DefaultHasher>::default().hash_one(name));
        }
        None
    }

    pub fn at(&mut self, place: usize) -> Option<&mut T> {
        self.kept.get_mut(place).map(|(_, known)| known)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.kept.iter().map(|(name, known)| (name.as_str(), known))
    }

    /// How many names are not kept; a million stands for as many or more.
    pub fn n_more(&self) -> u64 {
        self.others.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_kept_and_the_others_counted() {
        let mut names: Names<u32> = Names::default();
        for round in 0..2 {
            for n in 0..5_000 {
                let place = names.place(&format!("n{n}"), || 0);
                assert_eq!(place, Some(n).filter(|n| *n < KEPT_MAX), "round {round}");
                if let Some(count) = place.and_then(|place| names.at(place)) {
                    *count += 1;
                }
            }
        }
        assert_eq!((names.iter().count(), names.n_more()), (KEPT_MAX, 4_000));
        assert!(names.iter().all(|(_, count)| *count == 2));
    }
}
