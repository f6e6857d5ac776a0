//! Everything that is not a case file.

mod docs;
mod examples;
mod properties;
