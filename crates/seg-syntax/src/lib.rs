//! How segments are written: source text, diagnostics, tokens, grammar, AST.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! ```text
//! text ──lex──▶ Tokens ──split──▶ items ──pest──▶ pairs ──build──▶ ast::File
//! ```
//!
//! logos owns characters, the grammar owns structure, the AST owns neither.
//! This crate knows no schema: it is a pure function of text, and whether
//! `Order Completed` names an event is somebody else's question. Parsing never
//! fails: [`parse`] returns the best tree it can make with every problem it
//! found, and one broken item leaves the others whole.
//!
//! ```
//! use seg_syntax::{parse, source::SourceMap};
//!
//! let mut sources = SourceMap::default();
//! let text = "segment \"New\" include people who ordered in the past 7 days";
//! let id = sources.add("new.seg", text);
//! let parsed = parse(id, text);
//! assert!(parsed.diagnostics.is_empty());
//! assert_eq!(parsed.file.items.len(), 1);
//! ```

pub mod ast;
mod build;
pub mod diag;
mod expected;
mod grammar;
mod lex;
pub mod limits;
pub mod names;
mod others;
mod parse;
mod precheck;
mod repair;
pub mod source;
mod split;
pub mod token;

pub use lex::lex;
pub use parse::{Parse, leaves, parse};
