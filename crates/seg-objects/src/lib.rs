//! Objects in the stores of Amazon, Google and Azure: read in ranges, written whole.
//!
//! Internal to Seg, without a promise of stability; embed the crate `seg`.
//!
//! It isolates the crate `object_store`, which knows how each provider signs and answers, and
//! has it speak by the HTTP client that the command has already. It reads no environment: the
//! variables that the tools of providers take are given to [`stores`].

mod cloud;
mod errors;
mod http;
mod settings;

use cloud::Cloud;
use seg_io::objects::ObjectStores;
pub use settings::is_setting;

/// The stores of all providers, by the variables that their tools take from the environment;
/// others among them are passed over.
pub fn stores(variables: impl IntoIterator<Item = (String, String)>) -> ObjectStores {
    ObjectStores::new(Cloud::new(variables.into_iter().filter(|(name, _)| is_setting(name)).collect()))
}
