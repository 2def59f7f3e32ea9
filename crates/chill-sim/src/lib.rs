//! Stand-ins for the outside world: the TorBox API with its CDN, a Torznab indexer, Cinemeta, Kitsu.
//!
//! Tests and the demo talk to these over real HTTP, so a client is proven against a server and not against a mock of
//! itself. The behaviour follows the vendors' documents; this crate refuses to know anything of our own clients or
//! types, so that a wrong field name cannot agree with itself. Nothing here is meant to face the internet.
//!
//! Start reading at [`World`]; its handles ([`Torbox`], [`Cdn`], [`Torznab`], [`Cinemeta`], [`Kitsu`], [`SimClock`]) hold the state
//! and the knobs, and [`control`](World::control_url) offers the same to other processes as JSON.

mod calls;
mod cdn;
mod cinemeta;
mod clock;
mod content;
mod control;
mod demo;
mod fault;
mod front;
mod kitsu;
mod metainfo;
mod serve;
mod torbox;
mod torznab;
mod world;

pub use calls::Call;
pub use cdn::{Cdn, CdnFault, CdnFaultRule};
pub use cinemeta::{Cinemeta, Title, TitleKind, Video};
pub use clock::SimClock;
pub use content::{content_bytes, content_seed, content_sha256};
pub use demo::{demo_world, seed_demo};
pub use fault::{ErrorField, Fault, FaultRule, RateLimitShape};
pub use kitsu::{Anime, Kitsu};
pub use torbox::{
    AddedTorrent, Behaviour, Duplicate, Plan, RateReset, Torbox, Torrent, TorrentFile, TorrentState, WhenFull,
};
pub use torznab::{Indexer, Release, Torznab};
pub use world::{World, WorldUrls};
