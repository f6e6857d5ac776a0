//! The pest parser made from `grammar/seg.pest`. Private: pest types never
//! leave [`crate::parse`] and its builder.

// The derive writes a public enum without documentation.
#[allow(missing_docs)]
mod derived {
    use pest_derive::Parser;

    #[derive(Parser)]
    #[grammar = "../../grammar/seg.pest"]
    pub struct SegParser;
}

pub(crate) use derived::{Rule, SegParser};
