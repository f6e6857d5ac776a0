//! What segments are about: types, values, schema, time, profile batches, masks.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! This crate knows no syntax and no plan, and depends on no other crate of
//! Seg. It reads no clock and no ambient zone: an [`Timestamp`] and a [`Zone`]
//! are values like any other. Start with [`schema::Schema`], [`batch::Batch`]
//! and [`Mask`].
//!
//! ```
//! let (schema, problems) = seg_data::schema::parse(r#"
//!     [attributes]
//!     country = "text"
//!     [events."Order Completed"]
//!     also = ["ordered"]
//! "#);
//! assert!(problems.is_empty());
//! assert_eq!(schema.lookup("Ordered").len(), 1);
//! ```

pub mod batch;
mod cancel;
pub mod decimal;
mod globe;
mod mask;
pub mod money;
pub mod parallel;
pub mod sample;
pub mod schema;
pub mod settings;
pub mod shown;
pub mod time;
mod types;
mod value;
mod wanted;

pub use batch::Batch;
pub use cancel::Cancel;
pub use decimal::Decimal;
pub use globe::Place;
pub use mask::Mask;
pub use money::Money;
pub use schema::{AttributeId, EventId, GroupId, PropertyId, Schema};
pub use time::{Date, Period, Timestamp, TimestampError, WeekStart, Zone};
pub use types::{Element, Type};
pub use value::Value;
pub use wanted::{Wanted, WantedEvents};
