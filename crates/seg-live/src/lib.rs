//! Memberships that are true at every instant: records come in, people's histories are
//! kept, and entries and exits go out, also when only time passes.
//!
//! Internal to Seg, without a promise of stability.
//!
//! The law: each person's membership at an instant `T` is what a batch run as of `T` says
//! over the records that had arrived by `T`. So the whole history of a person is kept and
//! judged again by the batch engine, and there is no other state that could differ from it.
//!
//! ```text
//! records ──▶ Core::step ──▶ Commit ──▶ Store::commit ──▶ changes and acknowledgements
//! ```
//!
//! [`Core`] does no I/O and has no clock: the records and the instant are arguments, and what
//! it answers is a [`Commit`], the rows to be written and the changes that they make known.
//! [`Session`] writes commits to a [`Store`], and gives changes away only when they are on
//! disk. [`Embedded`] is the store that needs nothing but a folder. [`Sinks`] send what went
//! away, each in a thread of its own that reads the store's [`Outbox`].

mod audit;
mod change;
mod clock;
mod coded;
mod commit;
mod core;
mod error;
mod export;
#[cfg(feature = "faults")]
pub mod fault;
mod ids;
mod judge;
mod kept;
mod limits;
mod outbox;
mod person;
mod pipe;
mod program;
mod recover;
mod serve;
mod session;
mod sinks;
mod store;
mod touched;

pub use audit::Difference;
pub use change::{Cause, Change, Direction};
pub use commit::{Commit, Table, Write};
pub use core::Core;
pub use error::LiveError;
pub use export::Exported;
pub use ids::{Known, Links};
pub use kept::Kept;
pub use limits::{Counts, Limits, Refusal};
pub use outbox::Outbox;
pub use person::Person;
pub use pipe::{Clock, Pipe, PipeError};
pub use serve::{Describe, Keys, Log, Notice, Reload, Serve, ServeError};
pub use session::Session;
pub use sinks::{Schedule, Secret, SinkError, SinkSettings, SinkState, SinkTo, Sinks, added_to, cursor_name};
pub use store::{EachRow, Embedded, Store, StoreError};

pub use seg::unstable::io::facts::{FactLine, Said, Unusable};
