//! Every limit of the front end, in one place. Each is tested at the limit
//! and one past it.

/// How deeply brackets may nest inside one item. Because this is checked
/// before pest runs, every recursive walk over a tree is bounded too.
pub const NESTING_MAX: usize = 64;

/// The longest item, in bytes.
pub const ITEM_BYTES_MAX: usize = 256 * 1024;

/// The longest source file, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest count (`at least N times`) that can be written.
pub const COUNT_MAX: u64 = 1_000_000_000;

/// The longest length of time that can be written, in days: the span between
/// the years 1 and 9999.
pub const DURATION_DAYS_MAX: u64 = 3_652_059;

/// How many values one piece of arithmetic may join, brackets included. It
/// bounds the depth of arithmetic trees as [`NESTING_MAX`] bounds brackets.
pub const ARITHMETIC_TERMS_MAX: usize = 64;
