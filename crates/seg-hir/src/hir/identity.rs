//! Who somebody is, by their ids.

use super::{ListRef, TextOp};

/// A test of the ids of a person: their own, and where ids are named also those that were
/// merged into it. Ids are as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum IdTest {
    /// Whether one of their ids is one of these.
    OneOf(Vec<String>),
    /// Whether one of their ids is in a list.
    InList(ListRef),
    /// What their own id is like.
    Text(TextOp, String),
}

impl IdTest {
    /// Whether it holds of a person's own id and those merged into it.
    pub fn holds<'i>(
        &self,
        own: &str,
        mut merged: impl Iterator<Item = &'i str>,
        matches: impl FnOnce(TextOp, &str, &str) -> bool,
    ) -> bool {
        match self {
            IdTest::OneOf(ids) => {
                let is_it = |id: &str| ids.iter().any(|other| other == id);
                is_it(own) || merged.any(is_it)
            }
            IdTest::InList(list) => list.0.values.contains(own) || merged.any(|id| list.0.values.contains(id)),
            IdTest::Text(op, text) => matches(*op, own, text),
        }
    }
}
