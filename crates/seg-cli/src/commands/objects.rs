//! Object stores, which are asked by the variables that tools of providers take.

use seg::unstable::io::objects::ObjectStores;

/// The stores that this build can ask; none where it was built without them.
#[cfg(feature = "objects")]
pub fn stores() -> Option<ObjectStores> {
    use std::sync::OnceLock;
    static STORES: OnceLock<ObjectStores> = OnceLock::new();
    let variables =
        || std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Some(STORES.get_or_init(|| seg_objects::stores(variables())).clone())
}

/// The stores that this build can ask; none where it was built without them.
#[cfg(not(feature = "objects"))]
pub fn stores() -> Option<ObjectStores> {
    None
}
