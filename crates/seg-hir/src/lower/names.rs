//! What names mean: of the schema, and of what the project declares.

mod declared;
mod places;
pub(super) mod resolve;
