//! What is said of values: operands, and what they are compared with.

mod aggregate;
pub(super) mod comparison;
mod condition;
mod elements;
mod emptiness;
mod history;
mod operand;
mod profile;
