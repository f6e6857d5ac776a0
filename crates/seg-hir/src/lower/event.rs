//! What is said of events: which, how often, when, and one after another.

mod condition;
mod ends;
mod fit;
mod gathered;
mod parts;
mod query;
mod rhythm;
mod sequence;

pub(super) use condition::Counted;
pub(super) use parts::EventParts;
pub(super) use query::{is_ahead_of_now, is_own_past};
