//! Debrid services behind one trait, `chill_core::Store`.
//!
//! For: turning each vendor's API, with its odd answers and its limits, into the few acts the edge and the control plane
//! need: is it cached, add it, how far is it, give me a link.
//!
//! Refuses: to know users, pools, databases or Stremio; to put a key or a link into an error or a log; to hand out a link
//! that carries a key; to go over a vendor's limits.
//!
//! Start reading at [`stores`], then `torbox` (the first vendor) and `client` (what every vendor stands on).

mod client;
mod registry;
mod torbox;

pub use registry::{StoresConfig, stores};
