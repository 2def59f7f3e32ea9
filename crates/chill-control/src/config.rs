//! What an operator may set about the control plane.

use std::time::Duration;

/// Settings of the control plane.
#[derive(Clone, Debug)]
pub struct ControlConfig {
    /// Devices a user may have, unless he has his own limit.
    pub max_devices: u32,
    /// A device away for this long gives up its place when another one needs it.
    pub device_idle: Duration,
    /// How long an edge may keep a lease while it hears of changes.
    pub lease_ttl: Duration,
    /// How long a running film goes on after an edge has lost the control plane.
    pub lease_grace: Duration,
    /// How many TorBox keys the pool may hold; 0 is unlimited.
    pub torbox_pool_size: u32,
    /// Decide waiting leases together, in one transaction; off only to measure what that brings.
    pub group_commit: bool,
    /// How long single usage events are kept; their daily sums stay.
    pub event_retention: Duration,
    /// How long hourly sums are kept.
    pub hourly_retention: Duration,
    /// How long the audit trail is kept, in whole days.
    pub audit_retention: Duration,
    /// How long changes are kept; an edge away for longer starts anew.
    pub change_retention: Duration,
    /// How long a torrent that no search found again is remembered.
    pub torrent_retention: Duration,
    /// How long a store may take to answer a probe.
    pub probe_timeout: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for ControlConfig {
    fn default() -> Self {
        Self {
            max_devices: 3,
            device_idle: 30 * DAY,
            lease_ttl: Duration::from_secs(300),
            lease_grace: Duration::from_secs(60),
            torbox_pool_size: 10,
            group_commit: true,
            event_retention: 90 * DAY,
            hourly_retention: 90 * DAY,
            audit_retention: 400 * DAY,
            change_retention: 7 * DAY,
            torrent_retention: 90 * DAY,
            probe_timeout: Duration::from_secs(20),
        }
    }
}
