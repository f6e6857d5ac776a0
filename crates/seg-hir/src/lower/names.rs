//! What names mean: of the schema, and of what the project declares.

mod declared;
mod habits;
mod places;
pub(super) mod resolve;
