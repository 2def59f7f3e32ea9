//! What a group of decisions writes: gathered in memory, applied in one order by all, and only then answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chill_core::control::{Act as Consequence, Subject};
use chill_core::pool::Choice;
use chill_core::{ControlError, KeyId, LeaseRequest, LinkId, StoreCode, UserId};
use chill_db::{AskingDevice, AuditEntry, DbError, DeviceState, NewDevice, Seat, Tx};

use super::ground::Ground;
use super::rules::{Place, Verdict};
use super::{Answer, Request};
use crate::actor::Act;
use crate::control::Core;

/// Characters kept of a device's label.
const LABEL: usize = 40;

#[derive(Default)]
struct Plan {
    freed: Vec<String>,
    revived: Vec<String>,
    seen: Vec<String>,
    new: Vec<NewDevice>,
    places: BTreeMap<UserId, i64>,
    seats: BTreeMap<(UserId, StoreCode), KeyId>,
    assigned: BTreeMap<KeyId, i64>,
    /// Who leaves a key for another. Other edges may still hold his lease of the old one, whose place is free now.
    moved: BTreeSet<LinkId>,
    acts: Vec<AuditEntry>,
}

impl Core {
    pub(super) async fn try_read(&self, asks: &[&LeaseRequest]) -> Result<Vec<Verdict>, DbError> {
        if let Some(ground) = Ground::recalled(self, asks) {
            let verdicts: Vec<_> = asks.iter().map(|ask| self.verdict(&ground, ask)).collect();
            if verdicts.iter().all(|verdict| matches!(verdict, Verdict::Write(Some(_)))) {
                return Ok(verdicts);
            }
        }
        let ground = Ground::read(self, &self.db, asks).await?;
        Ok(asks.iter().map(|ask| self.verdict(&ground, ask)).collect())
    }

    pub(super) async fn try_write(&self, asks: &[&Request], seen: Vec<String>) -> Result<Vec<Answer>, DbError> {
        // Also when it fails: nobody knows then what was written.
        let written = self.try_write_locked(asks, seen).await;
        self.known_users.forget(asks.iter().map(|ask| ask.lease.link));
        written
    }

    async fn try_write_locked(&self, asks: &[&Request], seen: Vec<String>) -> Result<Vec<Answer>, DbError> {
        let mut tx = self.db.write().await?;
        let leases: Vec<_> = asks.iter().map(|ask| &ask.lease).collect();
        let mut ground = if asks.is_empty() { Ground::default() } else { Ground::lock(self, &mut tx, &leases).await? };
        ground.now = self.clock.now();
        let mut plan = Plan { seen, ..Plan::default() };
        let answers = asks.iter().map(|ask| self.settle(&mut ground, &mut plan, ask)).collect();
        plan.apply(&mut tx, ground.now).await?;
        tx.commit().await?;
        Ok(answers)
    }

    /// Decides one request on the locked ground, and moves ground and plan along.
    fn settle(&self, ground: &mut Ground, plan: &mut Plan, request: &Request) -> Answer {
        let ask = &request.lease;
        let user = self.asker(ground, ask)?.clone();
        let place = self.place(ground, &user, ask)?;
        let freed = match place {
            Place::Held(..) => Vec::new(),
            Place::Lost(_) | Place::New => self.make_room(ground, &user)?,
        };
        let choice = ground.choice(user.id, ask);
        if let Some(refusal) = self.refusal(ground, &choice, ask) {
            return Err(refusal);
        }
        let key = match &choice {
            Choice::Stay(key) | Choice::Assign(key) => key.clone(),
            Choice::Resting(_) | Choice::Nothing => {
                return Err(ControlError::unavailable("the pool gave no key"));
            }
        };
        // Opened before anything is planned, so that a broken seal takes no place.
        let mut lease = self.grant(ground, &user, &key, user.device_count)?;
        let row = self.row_of(&place)?;
        let act = if matches!(choice, Choice::Assign(_)) {
            Some(self.assignment(ground, request, user.id, &key)?)
        } else {
            None
        };
        lease.device_count = plan.admit(ground, ask, user.id, &place, row, freed);
        if let Some(act) = act {
            plan.assign(ground, user.id, ask, &key);
            plan.acts.push(act);
        }
        Ok(lease)
    }

    fn assignment(
        &self,
        ground: &Ground,
        request: &Request,
        user: UserId,
        key: &KeyId,
    ) -> Result<AuditEntry, ControlError> {
        let store = request.lease.store;
        let before = ground.seats.get(&(user, store)).map(|old| format!(" instead of {old}")).unwrap_or_default();
        let detail = Some(format!("store={store} key={key}{before}"));
        let act = Act { act: "user.assign", kind: "user", id: user.to_string(), name: "", detail };
        let entry = self.entry(&request.by, act, ground.now);
        entry.map_err(|error| ControlError::unavailable(error.to_string()))
    }

    fn row_of(&self, place: &Place) -> Result<String, ControlError> {
        match place {
            Place::Held(row, _) | Place::Lost(row) => Ok(row.clone()),
            Place::New => self.row_id(),
        }
    }

    /// A new device's row.
    pub(super) fn row_id(&self) -> Result<String, ControlError> {
        let id = KeyId::new(self.clock.now(), &self.chance).map(|id| id.to_string());
        id.map_err(|error| ControlError::unavailable(error.to_string()))
    }
}

impl Plan {
    /// Gives the device its place; returns how many the user has then.
    fn admit(
        &mut self,
        ground: &mut Ground,
        ask: &LeaseRequest,
        user: UserId,
        place: &Place,
        row: String,
        freed: Vec<String>,
    ) -> u32 {
        let mut change = 0_i64;
        if !freed.is_empty() {
            change -= i64::try_from(freed.len()).unwrap_or(0);
            ground.away.remove(&user);
            for device in ground.devices.values_mut().filter(|device| freed.contains(&device.row)) {
                device.state = DeviceState::Idle;
            }
            self.freed.extend(freed);
        }
        match place {
            Place::Held(..) => self.seen.push(row.clone()),
            Place::Lost(_) => {
                change += 1;
                self.revived.push(row.clone());
                self.seen.push(row.clone());
            }
            Place::New => {
                change += 1;
                let label = label(ask);
                let (id, device) = (row.clone(), ask.device.clone());
                self.new.push(NewDevice { id, user, device, label });
            }
        }
        let (device, state, last_seen) = (ask.device.clone(), DeviceState::Active, ground.now);
        let device = AskingDevice { row, device, state, last_seen };
        ground.devices.insert((user, ask.device.clone()), device);
        *self.places.entry(user).or_default() += change;
        let mut count = 0;
        for linked in ground.users.values_mut().filter(|linked| linked.id == user) {
            let now = i64::from(linked.device_count).saturating_add(change);
            linked.device_count = u32::try_from(now.max(0)).unwrap_or(u32::MAX);
            count = linked.device_count;
        }
        count
    }

    /// Gives the user his place at a key, and takes back the one he had.
    fn assign(&mut self, ground: &mut Ground, user: UserId, ask: &LeaseRequest, key: &KeyId) {
        let old = ground.seats.insert((user, ask.store), key.clone());
        if old.is_some() {
            self.moved.insert(ask.link);
        }
        for (id, change) in old.map(|old| (old, -1_i64)).into_iter().chain([(key.clone(), 1)]) {
            if let Some(key) = ground.keys.get_mut(&id).map(Arc::make_mut) {
                let now = i64::from(key.assigned).saturating_add(change);
                key.assigned = u32::try_from(now.max(0)).unwrap_or(u32::MAX);
            }
            *self.assigned.entry(id).or_default() += change;
        }
        self.seats.insert((user, ask.store), key.clone());
    }

    /// Users first, then devices, then keys in the order of their ids, then the audit trail, then changes: every transaction
    /// goes this way round.
    async fn apply(self, tx: &mut Tx, now: i64) -> Result<(), DbError> {
        if !self.freed.is_empty() {
            tx.devices_set_state(&self.freed, DeviceState::Idle).await?;
        }
        if !self.revived.is_empty() {
            tx.devices_set_state(&self.revived, DeviceState::Active).await?;
        }
        if !self.new.is_empty() {
            tx.devices_insert(&self.new, now).await?;
        }
        let places: Vec<_> = self.places.into_iter().filter(|(_, change)| *change != 0).collect();
        if !places.is_empty() {
            tx.users_add_devices(&places).await?;
        }
        if !self.seen.is_empty() {
            tx.devices_touch(&self.seen, now).await?;
        }
        let assigned: Vec<_> = self.assigned.into_iter().filter(|(_, change)| *change != 0).collect();
        if !assigned.is_empty() {
            let ids: Vec<_> = assigned.iter().map(|(key, _)| key.clone()).collect();
            tx.keys_lock(&ids).await?;
            tx.keys_add_assigned(&assigned).await?;
        }
        if !self.seats.is_empty() {
            let seats: Vec<_> = self.seats.into_iter().map(|((user, store), key)| Seat { user, store, key }).collect();
            tx.seats_put(&seats, now).await?;
        }
        tx.audit(&self.acts).await?;
        for link in self.moved {
            tx.publish(&Subject::Link(link), Consequence::Refresh, now).await?;
        }
        Ok(())
    }
}

/// What an operator sees beside a new device.
pub(super) fn label(ask: &LeaseRequest) -> Option<String> {
    let text: String = ask.device_label.as_deref()?.chars().filter(|c| !c.is_control()).take(LABEL).collect();
    Some(text.trim().to_owned()).filter(|label| !label.is_empty())
}
