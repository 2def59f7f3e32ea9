//! The edge: Stremio addons and the relay.
//!
//! For: answering players. It finds out who asks and from which device, leases a key through the [`ControlPlane`] port,
//! lists torrents that the viewer's stores have, and carries or redirects the film.
//!
//! Refuses: to know the control plane, the database, the vendors or the indexers by name; they come in as ports. It shows
//! no key and no store's link to a viewer but in a redirect that the operator or the viewer's own token asked for.
//!
//! Start reading at [`edge`] (what it is made of), then [`stremio`] (what players ask) and `lease` (why they may).
//!
//! [`ControlPlane`]: chill_core::ControlPlane

mod access;
mod background;
pub mod choose;
mod cors;
pub mod edge;
pub mod error;
mod held;
mod lease;
mod limit;
mod playbacks;
pub mod proxy;
pub mod refusal;
pub mod relay;
mod request_id;
pub mod stremio;
pub mod torznab;
mod usage;
mod viewer;

#[cfg(test)]
mod tests;

pub use edge::{Edge, EdgeConfig, Ports, router};
pub use request_id::{REQUEST_ID, request_id};
pub use stremio::{ADDON_ROUTE, addon, is_addon};
