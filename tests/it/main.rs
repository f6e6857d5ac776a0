//! Everything that is not a case file.

mod differential;
mod docs;
mod examples;
mod properties;
