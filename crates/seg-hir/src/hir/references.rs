//! Parts of modules, and modules put together: whoever takes a segment out, or beside others,
//! gives those it refers to their new places.

use super::{Cond, Module, SegmentId};

/// A segment with those it refers to, in the order of the module, without what
/// is only said about them.
pub fn with_references(module: &Module, id: SegmentId) -> Module {
    let mut wanted = vec![false; module.segments.len()];
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        let (Some(slot), Some(segment)) = (wanted.get_mut(id.idx()), module.segments.get(id.idx())) else { continue };
        if std::mem::replace(slot, true) {
            continue;
        }
        let conds = std::iter::once(&segment.include).chain(&segment.excludes).chain(&segment.rules);
        conds.for_each(|cond| references(cond, &mut open));
    }
    let mut new_ids = vec![SegmentId(0); wanted.len()];
    let mut part = Module::default();
    for ((segment, new_id), _) in module.segments.iter().zip(&mut new_ids).zip(&wanted).filter(|(_, is)| **is) {
        *new_id = SegmentId(part.segments.len() as u32);
        part.segments.push(segment.clone());
    }
    let is_wanted = |id: &&SegmentId| wanted.get(id.idx()).copied().unwrap_or(false);
    let new_id = |id: SegmentId| new_ids.get(id.idx()).copied().unwrap_or(id);
    part.order = module.order.iter().filter(is_wanted).map(|id| new_id(*id)).collect();
    for segment in &mut part.segments {
        let conds = std::iter::once(&mut segment.include).chain(&mut segment.excludes).chain(&mut segment.rules);
        conds.for_each(|cond| rename(cond, &new_id));
    }
    part
}

/// The segments of two modules of one schema as one module, without what is only said about
/// them: those of the first, then those of the second.
pub fn joined(first: &Module, second: &Module) -> Module {
    let n_first = first.segments.len() as u32;
    let later = |id: SegmentId| SegmentId(id.0.saturating_add(n_first));
    let mut both = Module { segments: first.segments.clone(), order: first.order.clone(), ..Module::default() };
    both.order.extend(second.order.iter().map(|id| later(*id)));
    for segment in &second.segments {
        let mut segment = segment.clone();
        let conds = std::iter::once(&mut segment.include).chain(&mut segment.excludes).chain(&mut segment.rules);
        conds.for_each(|cond| rename(cond, &later));
        both.segments.push(segment);
    }
    both
}

fn members(cond: &Cond) -> &[Cond] {
    match cond {
        Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => members,
        Cond::Not(inner) => std::slice::from_ref(inner),
        Cond::Const(_)
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
        | Cond::InList(..) => &[],
    }
}

/// Adds the segments that a condition refers to.
pub(crate) fn references(cond: &Cond, out: &mut impl Extend<SegmentId>) {
    if let Cond::InSegment(id) = cond {
        out.extend([*id]);
    }
    members(cond).iter().for_each(|m| references(m, out));
}

fn rename(cond: &mut Cond, new_id: &impl Fn(SegmentId) -> SegmentId) {
    match cond {
        Cond::InSegment(id) => *id = new_id(*id),
        Cond::All(members) | Cond::Any(members) | Cond::Cardinality { members, .. } => {
            members.iter_mut().for_each(|m| rename(m, new_id));
        }
        Cond::Not(inner) => rename(inner, new_id),
        Cond::Const(_)
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
