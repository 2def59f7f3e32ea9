//! The short way for most writes: a device never seen, of a user who has room and a key that serves. What the reading task found
//! is written together, whatever the size of the group, under the condition that the user is still as he was found.

use std::collections::HashMap;

use chill_core::{Lease, LeaseRequest, UserId};
use chill_db::{AskingDevice, DbError, DeviceState, LinkedUser, Moment, NewDevice, NewPlace};

use super::plan::label;
use crate::control::Core;

/// What the reading task found. The lease is as old as its epoch says, like any other that was decided on a read; the limit
/// holds, for the place is taken only while the user has room.
pub(super) struct Fresh {
    pub(super) user: UserId,
    /// How many devices he must still have; none when that was remembered and not read.
    count: Option<u32>,
    max_devices: Option<u32>,
    limit: u32,
    /// Until when it was decided from memory alone, which the statement that writes must still find.
    moment: Option<Moment>,
    /// With the new device counted.
    pub(super) lease: Lease,
}

impl Fresh {
    pub(super) fn new(user: &LinkedUser, remembered: bool, moment: Option<Moment>, limit: u32, lease: Lease) -> Self {
        // Twice the same new device finds the count changed and is decided under the locks; of a user who is remembered, so are
        // his devices.
        let count = (!remembered).then_some(user.device_count);
        Self { user: user.id, count, max_devices: user.max_devices, limit, moment, lease }
    }
}

impl Core {
    /// Writes new devices, one of a user at most, in one transaction. Returns whose device was written, and how many that user
    /// has then: the others have changed and are to be decided under their locks.
    pub(super) async fn write_fresh(&self, fresh: &[(&LeaseRequest, &Fresh)]) -> Result<HashMap<UserId, u32>, DbError> {
        let now = self.clock.now();
        let moment = fresh.iter().filter_map(|(_, fresh)| fresh.moment).max();
        let (mut places, mut devices) = (Vec::with_capacity(fresh.len()), Vec::with_capacity(fresh.len()));
        // Of two moments one is over.
        for (ask, fresh) in fresh.iter().filter(|(_, fresh)| fresh.moment.is_none() || fresh.moment == moment) {
            let row = self.row_id().map_err(|error| DbError::Other(error.to_string()))?;
            let (user, device, label) = (fresh.user, ask.device.clone(), label(ask));
            let (count, max_devices, limit) = (fresh.count, fresh.max_devices, fresh.limit);
            let asking = AskingDevice { row, device, state: DeviceState::Active, last_seen: now };
            let device = NewDevice { id: asking.row.clone(), user, device: asking.device.clone(), label };
            places.push(NewPlace { device, count, max_devices, limit });
            devices.push((ask.link, user, asking));
        }
        let mut tx = self.db.write_at_once().await?;
        let placed: HashMap<_, _> = tx.places_take(places, moment, now).await?.into_iter().collect();
        tx.commit().await?;
        if placed.is_empty() {
            self.known_users.doubt();
        }
        for (link, user, device) in devices {
            if let Some(count) = placed.get(&user) {
                self.known_users.placed(link, device, *count);
            }
        }
        Ok(placed)
    }
}
