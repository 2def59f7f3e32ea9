//! What is allowed, decided on a ground without touching storage.

use chill_core::clock::millis;
use chill_core::pool::{Choice, remaining};
use chill_core::{ControlError, Denial, DenialCode, KeyId, Lease, LeaseRequest};
use chill_db::{DeviceState, LinkedUser, UserStatus};

use super::Answer;
use super::fresh::Fresh;
use super::ground::Ground;
use crate::control::Core;

/// What the reading task makes of a request.
pub(super) enum Verdict {
    /// Decided; the second is the row of a device whose sight is to be noted.
    Answer(Answer, Option<String>),
    /// It needs a place, so it needs a write; with what was found for a device never seen.
    Write(Option<Box<Fresh>>),
}

/// How a device that asks stands to its user.
pub(super) enum Place {
    /// It holds a place: its row's id, and when it was seen last.
    Held(String, i64),
    /// It had a place once: its row's id.
    Lost(String),
    /// It was never seen.
    New,
}

fn denied(code: DenialCode, message: String, device_count: Option<u32>) -> ControlError {
    ControlError::Denied(Denial { code, message, device_count })
}

impl Core {
    /// How many devices a user may have.
    pub(super) fn limit(&self, user: &LinkedUser) -> u32 {
        user.max_devices.unwrap_or(self.config.max_devices)
    }

    /// The user who asks, when he may ask at all.
    pub(super) fn asker<'a>(&self, ground: &'a Ground, ask: &LeaseRequest) -> Result<&'a LinkedUser, ControlError> {
        let user = ground.users.get(&ask.link).filter(|user| user.current).ok_or_else(|| {
            let said = "This link is not known here. Ask the operator for a new one.";
            denied(DenialCode::UserUnknown, said.to_owned(), None)
        })?;
        if user.status != UserStatus::Active {
            let said = "This account is suspended. Ask the operator to activate it.";
            return Err(denied(DenialCode::UserInactive, said.to_owned(), None));
        }
        if !self.stores.contains_key(&ask.store) {
            let said = format!("{} is not offered here.", ask.store.name());
            return Err(denied(DenialCode::ServiceUnknown, said, None));
        }
        Ok(user)
    }

    /// How the device stands; refused when the operator shut it out.
    pub(super) fn place(&self, ground: &Ground, user: &LinkedUser, ask: &LeaseRequest) -> Result<Place, ControlError> {
        let device = ground.devices.get(&(user.id, ask.device.clone()));
        match device.map(|device| (device.state, device.row.clone(), device.last_seen)) {
            None => Ok(Place::New),
            Some((DeviceState::Active, row, seen)) => Ok(Place::Held(row, seen)),
            Some((DeviceState::Idle, row, _)) => Ok(Place::Lost(row)),
            Some((DeviceState::Revoked, ..)) => {
                let said = "This device was shut out. Ask the operator to let it in again.";
                Err(denied(DenialCode::DeviceRevoked, said.to_owned(), Some(user.device_count)))
            }
        }
    }

    /// The rows whose places must be freed for one more device; refused when none can be.
    pub(super) fn make_room(&self, ground: &Ground, user: &LinkedUser) -> Result<Vec<String>, ControlError> {
        let limit = self.limit(user);
        if user.device_count < limit {
            return Ok(Vec::new());
        }
        let away = ground.away.get(&user.id).cloned().unwrap_or_default();
        let left = user.device_count.saturating_sub(u32::try_from(away.len()).unwrap_or(u32::MAX));
        if left < limit {
            return Ok(away);
        }
        let said = format!("Maximum {limit} devices allowed per user");
        Err(denied(DenialCode::DeviceLimit, said, Some(user.device_count)))
    }

    /// A refusal for want of a key, from the pool's choice; none when there is one.
    pub(super) fn refusal(&self, ground: &Ground, choice: &Choice, ask: &LeaseRequest) -> Option<ControlError> {
        match choice {
            Choice::Stay(_) | Choice::Assign(_) => None,
            Choice::Resting(until) => Some(ControlError::Exhausted { retry_after: remaining(*until, ground.now) }),
            Choice::Nothing => {
                let said = format!("There is no {} key for this account now. Ask the operator.", ask.store.name());
                Some(denied(DenialCode::NoKey, said, None))
            }
        }
    }

    /// A lease on a key that was read.
    pub(super) fn grant(&self, ground: &Ground, user: &LinkedUser, key: &KeyId, device_count: u32) -> Answer {
        let lost = || ControlError::unavailable("the key was not read");
        let key = ground.keys.get(key).ok_or_else(lost)?;
        let secret = self.vault.open(&key.id, key.store, &key.sealed).map_err(|error| {
            tracing::error!(key = %key.id, %error, "a pool key cannot be opened");
            ControlError::unavailable("a pool key cannot be opened")
        })?;
        Ok(Lease {
            key: secret,
            key_id: key.id.clone(),
            store: key.store,
            device_count,
            ttl: self.config.lease_ttl,
            grace: self.config.lease_grace,
            epoch: ground.epoch,
            delivery: user.delivery,
            max_streams: key.passport.max_streams(),
        })
    }

    /// Decides without a write what can be decided so.
    pub(super) fn verdict(&self, ground: &Ground, ask: &LeaseRequest) -> Verdict {
        match self.try_verdict(ground, ask) {
            Ok(verdict) => verdict,
            Err(refusal) => Verdict::Answer(Err(refusal), None),
        }
    }

    fn try_verdict(&self, ground: &Ground, ask: &LeaseRequest) -> Result<Verdict, ControlError> {
        let user = self.asker(ground, ask)?;
        let place = self.place(ground, user, ask)?;
        if matches!(place, Place::New) {
            self.make_room(ground, user)?;
        }
        let choice = ground.choice(user.id, ask);
        if !matches!(place, Place::Lost(_))
            && let Some(refusal) = self.refusal(ground, &choice, ask)
        {
            return Err(refusal);
        }
        let (row, seen, key) = match (place, choice) {
            (Place::Held(row, seen), Choice::Stay(key)) => (row, seen, key),
            (Place::New, Choice::Stay(key)) if user.device_count < self.limit(user) => {
                let lease = self.grant(ground, user, &key, user.device_count.saturating_add(1))?;
                let remembered = ground.remembered.contains(&ask.link);
                let fresh = Fresh::new(user, remembered, ground.unproven, self.limit(user), lease);
                return Ok(Verdict::Write(Some(Box::new(fresh))));
            }
            _ => return Ok(Verdict::Write(None)),
        };
        let unseen = ground.now.saturating_sub(seen);
        if unseen > millis(self.config.device_idle) / 2 {
            // Its place might be given away before the sight is noted.
            return Ok(Verdict::Write(None));
        }
        let touch = (unseen >= self.stale_after()).then_some(row);
        if touch.is_some() {
            self.known_users.touched(ask.link, &ask.device, ground.now);
        }
        Ok(Verdict::Answer(self.grant(ground, user, &key, user.device_count), touch))
    }
}
