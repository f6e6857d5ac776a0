//! Profile batches: Arrow record batches in the layout that a schema gives.
//!
//! One row a profile. Column [`ID_COLUMN`] holds its id as text, or
//! [`OWN_ID_COLUMN`] where the schema has something of the first name; an attribute is a
//! column of its own name; an event is a column of its own name that holds
//! `List<Struct<time, property…>>`, ascending by time; an attribute whose history
//! the schema says is kept may be a `List<Struct<time, value>>` instead. A column
//! that the batch lacks reads as missing, an event column that it lacks as no events.
//! Column [`EXISTS_COLUMN`] may say from when on each person exists: before that they
//! are in no segment. Where it is null, and without it, they always have. Column
//! [`MERGED_COLUMN`] may hold the ids that were merged into each person's.
//!
//! Each column is checked when a program that reads it meets the batch, and none is
//! trusted unchecked. Data in this layout is not copied, slices included. Other
//! layouts of the same values (large, view and fixed-size lists, large, view and
//! plain texts, other units of time, narrower integers, decimals, dictionaries with
//! repeated or null texts) are converted once, and
//! [`Batch::conversions`](crate::Batch::conversions) says so.

#[doc(inline)]
pub use seg_data::batch::{
    ARRIVAL_FIELD, BatchError, BatchProblem, Conversion, EXISTS_COLUMN, ID_COLUMN, MERGED_COLUMN, OWN_ID_COLUMN,
    TIME_FIELD, VALUE_FIELD, event_type, storage_type, time_type,
};
