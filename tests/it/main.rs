//! Everything that is not a case file.

mod contract;
mod differential;
mod docs;
mod examples;
mod properties;
