//! The short way for most writes: a device never seen, of a user who has room and a key that serves. What the reading task found
//! is written with two statements, whatever the size of the group, under the condition that the user is still as he was found.

use std::collections::{HashMap, HashSet};

use chill_core::{Lease, LeaseRequest, UserId};
use chill_db::{DbError, LinkedUser, NewDevice};

use super::plan::label;
use crate::control::Core;

/// What the reading task found. The lease is as old as its epoch says, like any other that was decided on a read; the limit
/// holds, for the place is taken only while the user has as many devices as were counted.
pub(super) struct Fresh {
    pub(super) user: UserId,
    count: u32,
    max_devices: Option<u32>,
    /// With the new device counted.
    pub(super) lease: Lease,
}

impl Fresh {
    pub(super) fn new(user: &LinkedUser, lease: Lease) -> Self {
        Self { user: user.id, count: user.device_count, max_devices: user.max_devices, lease }
    }
}

impl Core {
    /// Writes new devices, one of a user at most, in one transaction; `seen` devices are noted along the way. Returns whose
    /// device was written: the others have changed and are to be decided under their locks.
    pub(super) async fn write_fresh(
        &self,
        fresh: &[(&LeaseRequest, &Fresh)],
        seen: &[String],
    ) -> Result<HashSet<UserId>, DbError> {
        let now = self.clock.now();
        let users: Vec<_> = fresh.iter().map(|(_, fresh)| (fresh.user, fresh.count, fresh.max_devices)).collect();
        let mut devices = HashMap::with_capacity(fresh.len());
        for (ask, fresh) in fresh {
            let id = self.row_id().map_err(|error| DbError::Other(error.to_string()))?;
            let (user, device, label) = (fresh.user, ask.device.clone(), label(ask));
            devices.insert(user, NewDevice { id, user, device, label });
        }
        let mut tx = self.db.write().await?;
        let placed: HashSet<_> = tx.users_take_places(&users).await?.into_iter().collect();
        let devices: Vec<_> = devices.into_values().filter(|device| placed.contains(&device.user)).collect();
        if !devices.is_empty() {
            tx.devices_insert(&devices, now).await?;
        }
        if !seen.is_empty() {
            tx.devices_touch(seen, now).await?;
        }
        tx.commit().await?;
        Ok(placed)
    }
}
