//! Facts: what is known of people, one record after another, for whoever keeps them.
//!
//! [`read_facts`] reads lines as analytics calls or as the rows of a project's data are, and
//! by the same rules. What a line says of somebody is a [`Fact`]: its values are of the types
//! that the schema gives, and encoded. Facts of one id are kept one behind the other in the
//! order in which they arrived ([`append`]), and [`people_of_facts`] makes a batch of them,
//! as reading files that hold the same lines would.
//!
//! The encoding knows no schema but the numbers that [`Names`] gives to names, so that it
//! outlives a change of the schema: a value is read by the type that its name has then, and
//! what the schema no longer names stays where it is.

mod code;
mod gather;
mod lines;
mod names;
mod stored;

pub use code::{Bytes, put_number, put_signed, put_text};
pub use gather::{FactLayout, PersonFacts, people_of_facts};
pub use lines::{FactLine, Said, Unusable, read_facts};
pub use names::Names;
pub use stored::{StoredFact, StoredFacts, append};

use seg_data::Timestamp;

/// What a record says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What kind of fact.
    pub kind: FactKind,
    /// When it was; none where the record does not say.
    pub time: Option<Timestamp>,
    /// The values, each with the number of its name.
    pub values: Vec<u8>,
}

/// What kind of fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// What somebody is, from a time on.
    Row,
    /// What somebody did.
    Event {
        /// The number of the event's name.
        name: u32,
        /// The id of the message that tells of it, where it has one.
        message: Option<String>,
        /// The event's id, by the property that the schema says holds it.
        event_id: Option<String>,
    },
}
