//! Everything that is not a case file.

mod contract;
mod differential;
mod docs;
mod engines;
mod example;
mod examples;
mod figures;
mod helps;
mod history;
mod limits;
mod properties;
mod soundness;
mod streams;
mod synonyms;
mod takeaway;
mod texts;
