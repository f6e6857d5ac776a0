//! How segments share people, and which of several takes whom.

use crate::compile::Program;
use seg_data::Mask;
use std::collections::HashSet;

/// Two segments beside each other, at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The earlier of the two, by its position among the segments that are run.
    pub a: usize,
    /// The other one.
    pub b: usize,
    /// How many people are in the first.
    pub size_a: u64,
    /// How many are in the second.
    pub size_b: u64,
    /// How many are in both.
    pub both: u64,
    /// Whether everybody of the first is in the second.
    pub a_in_b: Contained,
    /// Whether everybody of the second is in the first.
    pub b_in_a: Contained,
    /// Whether they share people, are both used, and nothing says which of them goes first.
    pub is_unordered: bool,
}

/// Whether everybody of one segment is in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contained {
    /// Somebody is not, or nobody is in the segment and nothing is proved.
    No,
    /// All those who are in it now are, which other data may change.
    InData,
    /// Whatever the data, by what the conditions say.
    Proved,
}

impl Pair {
    /// The part of the first segment that is in the second; none where the first is empty.
    pub fn share_of_a(&self) -> Option<f64> {
        quotient(self.both, self.size_a)
    }

    /// The part of the second segment that is in the first; none where the second is empty.
    pub fn share_of_b(&self) -> Option<f64> {
        quotient(self.both, self.size_b)
    }

    /// Jaccard's index: those in both over those in either; none where nobody is in either.
    pub fn jaccard(&self) -> Option<f64> {
        quotient(self.both, (self.size_a + self.size_b).saturating_sub(self.both))
    }
}

fn quotient(n: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| n as f64 / of as f64)
}

/// Every pair of some segments, by their positions among those that are run: first those that
/// need an order, then by how many people they share.
///
/// `masks` are those of an evaluation of the program, whose rules and exclusions are applied.
/// `order` says which goes first of several, where that is not what the project says.
pub fn pairs(program: &Program, masks: &[Mask], segments: &[usize], order: &[usize]) -> Vec<Pair> {
    let module = program.module();
    let proved: HashSet<(usize, usize)> = seg_plan::passes::contained(module).into_iter().collect();
    let is_used: Vec<bool> = module.run().map(|(_, segment)| !segment.header.uses.is_empty()).collect();
    let is_used = |at: usize| is_used.get(at).copied().unwrap_or(false);
    let sizes: Vec<u64> = masks.iter().map(|mask| mask.count() as u64).collect();
    let size = |at: usize| sizes.get(at).copied().unwrap_or(0);
    let mut pairs = Vec::new();
    for (at, a) in segments.iter().enumerate() {
        for b in segments.iter().skip(at + 1) {
            let (Some(mask_a), Some(mask_b)) = (masks.get(*a), masks.get(*b)) else { continue };
            let (size_a, size_b) = (size(*a), size(*b));
            let both = mask_a.and(mask_b).count() as u64;
            let contained = |one: usize, other: usize, size: u64| match proved.contains(&(one, other)) {
                true => Contained::Proved,
                false if both == size && size > 0 => Contained::InData,
                false => Contained::No,
            };
            let has_order = order.contains(a) && order.contains(b);
            pairs.push(Pair {
                a: *a,
                b: *b,
                size_a,
                size_b,
                both,
                a_in_b: contained(*a, *b, size_a),
                b_in_a: contained(*b, *a, size_b),
                is_unordered: both > 0 && is_used(*a) && is_used(*b) && !has_order,
            });
        }
    }
    pairs.sort_by_key(|pair| (!pair.is_unordered, std::cmp::Reverse(pair.both)));
    pairs
}

/// What becomes of the people of a segment when each person goes to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The segment, by its position among those that are run.
    pub segment: usize,
    /// How many people are in it.
    pub members: u64,
    /// How many of them it keeps: those who are in none that goes before it.
    pub kept: u64,
    /// For each segment of the order how many it takes; of itself none.
    pub goes_to: Vec<u64>,
}

/// Whom each segment of an order of precedence keeps, and who takes the rest, the most
/// preferred segment first. `kept` and `goes_to` of a row add up to its `members`.
pub fn waterfall(masks: &[Mask], order: &[usize]) -> Vec<Taken> {
    let rows = order.iter().enumerate().filter_map(|(at, segment)| {
        let mask = masks.get(*segment)?;
        let mut left = mask.clone();
        let mut goes_to = vec![0; order.len()];
        for (slot, other) in goes_to.iter_mut().zip(order).take(at) {
            let Some(other) = masks.get(*other) else { continue };
            *slot = left.and(other).count() as u64;
            left = left.without(other);
        }
        Some(Taken { segment: *segment, members: mask.count() as u64, kept: left.count() as u64, goes_to })
    });
    rows.collect()
}

/// The project's order of precedence, as positions among the segments that are run.
pub fn declared_order(program: &Program) -> Vec<usize> {
    let module = program.module();
    let position = |id: &seg_hir::hir::SegmentId| module.run().position(|(run, _)| run == *id);
    module.precedence.iter().filter_map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[usize]) -> Mask {
        Mask::from_bools((0..10).map(|row| rows.contains(&row)))
    }

    #[test]
    fn everybody_of_a_row_is_kept_or_taken_once() {
        let masks = [mask(&[0, 1, 2, 3]), mask(&[2, 3, 4]), mask(&[3, 4, 5, 6]), mask(&[])];
        // The second goes first, then the first, then the third; the fourth does not compete.
        let rows = waterfall(&masks, &[1, 0, 2]);
        let row = |segment, members, kept, goes_to: &[u64]| Taken { segment, members, kept, goes_to: goes_to.to_vec() };
        assert_eq!(rows, [row(1, 3, 3, &[0, 0, 0]), row(0, 4, 2, &[2, 0, 0]), row(2, 4, 2, &[2, 0, 0])]);
        for row in &rows {
            assert_eq!(row.kept + row.goes_to.iter().sum::<u64>(), row.members);
        }
        assert!(waterfall(&masks, &[]).is_empty());
    }
}
