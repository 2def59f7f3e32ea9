//! The relay as a player meets it: a listener that serves `respond` as the product's does, real HTTP to it, and behind it
//! the simulated store and CDN, or an origin that answers as no simulated CDN does.

mod beside_nginx;
mod breaks;
mod bypass;
mod conditions;
mod counters;
mod cuts;
mod framing;
mod kept_connections;
mod links;
mod odd_origins;
mod players;
mod ranges;
mod stage;
mod tls;
