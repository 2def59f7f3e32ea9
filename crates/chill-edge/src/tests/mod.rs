//! The edge as a player meets it: requests through the router, with a control plane and stores that do as they are told,
//! and films from the simulated CDN over real HTTP.

mod configure;
mod failover;
pub(crate) mod fakes;
mod fallbacks;
mod links;
mod lists;
mod outages;
mod players;
mod plays;
mod revocations;
pub(crate) mod stage;
mod store;
mod usage;
