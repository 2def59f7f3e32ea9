//! All simulators together, each on a port of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde::Serialize;

use crate::serve::{Bound, Listening};
use crate::{Cdn, Cinemeta, Kitsu, SimClock, Torbox, Torznab, control};

/// Addresses of the simulators, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorldUrls {
    /// The TorBox API; clients add `/v1/api`.
    pub torbox: String,
    /// TorBox's CDN.
    pub cdn: String,
    /// The Torznab indexer; clients add `/api`.
    pub torznab: String,
    /// Cinemeta; clients add `/meta/…`.
    pub cinemeta: String,
    /// Kitsu; clients add `/api/edge/…`.
    pub kitsu: String,
    /// The JSON control API.
    pub control: String,
}

/// A running world: TorBox with its CDN, an indexer, Cinemeta, Kitsu, and their control API. Dropping it stops everything.
#[derive(Debug)]
pub struct World {
    rooms: Rooms,
    urls: WorldUrls,
    listeners: Vec<Listening>,
}

/// The handles, as the control API and the demo's seed need them.
#[derive(Clone, Debug)]
pub(crate) struct Rooms {
    pub(crate) torbox: Torbox,
    pub(crate) cdn: Cdn,
    pub(crate) torznab: Torznab,
    pub(crate) cinemeta: Cinemeta,
    pub(crate) kitsu: Kitsu,
    pub(crate) clock: SimClock,
}

impl World {
    /// Starts everything empty on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn start() -> anyhow::Result<Self> {
        let clock = SimClock::start();
        let (torbox_port, cdn_port) = (Bound::loopback().await?, Bound::loopback().await?);
        let (torznab_port, cinemeta_port) = (Bound::loopback().await?, Bound::loopback().await?);
        let (kitsu_port, control_port) = (Bound::loopback().await?, Bound::loopback().await?);
        let cdn_accepted = Arc::<AtomicU64>::default();
        let cdn = Cdn::new(clock.clone(), cdn_port.url(), cdn_accepted.clone());
        let torbox = Torbox::new(clock.clone(), cdn.clone());
        let torznab = Torznab::new(clock.clone(), torznab_port.url());
        let (cinemeta, kitsu) = (Cinemeta::default(), Kitsu::default());
        let rooms = Rooms { torbox, cdn, torznab, cinemeta, kitsu, clock };
        let urls = WorldUrls {
            torbox: torbox_port.url(),
            cdn: cdn_port.url(),
            torznab: torznab_port.url(),
            cinemeta: cinemeta_port.url(),
            kitsu: kitsu_port.url(),
            control: control_port.url(),
        };
        let listeners = vec![
            torbox_port.serve(rooms.torbox.router(), Arc::default()),
            cdn_port.serve(rooms.cdn.router(), cdn_accepted),
            torznab_port.serve(rooms.torznab.router(), Arc::default()),
            cinemeta_port.serve(rooms.cinemeta.router(), Arc::default()),
            kitsu_port.serve(rooms.kitsu.router(), Arc::default()),
            control_port.serve(control::router(rooms.clone(), urls.clone()), Arc::default()),
        ];
        Ok(Self { rooms, urls, listeners })
    }

    /// Stops every listener and the connections they have.
    pub async fn shutdown(self) {
        for listener in self.listeners {
            listener.stop().await;
        }
    }

    /// Every address.
    pub fn urls(&self) -> &WorldUrls {
        &self.urls
    }

    /// Where the TorBox API answers; clients add `/v1/api`.
    pub fn torbox_url(&self) -> String {
        self.urls.torbox.clone()
    }

    /// Where the CDN's links lead.
    pub fn cdn_url(&self) -> String {
        self.urls.cdn.clone()
    }

    /// Base of the indexer; clients add `/api?t=…`.
    pub fn torznab_url(&self) -> String {
        self.urls.torznab.clone()
    }

    /// Base of Cinemeta; clients add `/meta/{type}/{id}.json`.
    pub fn cinemeta_url(&self) -> String {
        self.urls.cinemeta.clone()
    }

    /// Base of Kitsu; clients add `/api/edge/…`.
    pub fn kitsu_url(&self) -> String {
        self.urls.kitsu.clone()
    }

    /// The JSON control API, for tests in other processes.
    pub fn control_url(&self) -> String {
        self.urls.control.clone()
    }

    /// TorBox's state and knobs.
    pub fn torbox(&self) -> &Torbox {
        &self.rooms.torbox
    }

    /// The CDN's state and knobs.
    pub fn cdn(&self) -> &Cdn {
        &self.rooms.cdn
    }

    /// The indexer's state and knobs.
    pub fn torznab(&self) -> &Torznab {
        &self.rooms.torznab
    }

    /// Cinemeta's state and knobs.
    pub fn cinemeta(&self) -> &Cinemeta {
        &self.rooms.cinemeta
    }

    /// Kitsu's state and knobs.
    pub fn kitsu(&self) -> &Kitsu {
        &self.rooms.kitsu
    }

    /// The simulated time.
    pub fn clock(&self) -> &SimClock {
        &self.rooms.clock
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}
