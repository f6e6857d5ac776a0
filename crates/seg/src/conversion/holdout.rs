//! Segments without the condition that keeps some people out for comparison.

use seg_data::{Batch, Mask, sample};
use seg_hir::hir::{Cond, Module, SegmentId};

/// A segment as it is without its holdout, and who is held out of it.
#[derive(Debug, Clone)]
pub(super) struct Holdout {
    /// The segments, the one that is meant without that condition.
    pub module: Module,
    below: u64,
    /// Whether those below are kept out rather than those above.
    holds_out_those_below: bool,
}

impl Holdout {
    /// Takes the random part of all people that is drawn by a name out of a segment, wherever
    /// it keeps people out. None where the segment does not speak of it, or where it stands
    /// there in several ways, so that nobody can tell who is held out.
    pub fn of(module: &Module, id: SegmentId, name: &str) -> Option<Holdout> {
        let mut module = module.clone();
        let segment = module.segments.get_mut(id.idx())?;
        let mut found = Vec::new();
        let required = std::iter::once(&mut segment.include).chain(&mut segment.rules);
        required.for_each(|cond| take_out(cond, name, true, &mut found));
        segment.excludes.iter_mut().for_each(|cond| take_out(cond, name, false, &mut found));
        let first = *found.first()?;
        let is_one = found.iter().all(|other| *other == first);
        is_one.then_some(Holdout { module, below: first.0, holds_out_those_below: first.1 })
    }

    /// Who of a batch is held out.
    pub fn people(&self, batch: &Batch, name: &str) -> Mask {
        let is_below = |row| sample::place(name, batch.id(row)) < self.below;
        Mask::from_bools((0..batch.len()).map(|row| is_below(row) == self.holds_out_those_below))
    }
}

/// Puts in place of each such part of all people what lets everybody in, and says of each from
/// where on people are, and whether it kept those below out.
fn take_out(cond: &mut Cond, name: &str, is_required: bool, found: &mut Vec<(u64, bool)>) {
    match cond {
        Cond::Sample { name: own, below, is_complement } if own == name => {
            found.push((*below, *is_complement == is_required));
            *cond = Cond::Const(is_required);
        }
        Cond::Not(inner) => take_out(inner, name, !is_required, found),
        Cond::All(members) | Cond::Any(members) => {
            members.iter_mut().for_each(|member| take_out(member, name, is_required, found));
        }
        // How many of several hold is neither for nor against any of them.
        Cond::Cardinality { .. }
        | Cond::Const(_)
        | Cond::InSegment(_)
        | Cond::Known(_)
        | Cond::Compare(..)
        | Cond::OneOf(..)
        | Cond::Text(..)
        | Cond::Has(..)
        | Cond::FirstOrLastN { .. }
        | Cond::Chain(_)
        | Cond::Items { .. }
        | Cond::Sample { .. }
        | Cond::Profile(_)
        | Cond::Elements { .. }
        | Cond::InList(..) => {}
    }
}
