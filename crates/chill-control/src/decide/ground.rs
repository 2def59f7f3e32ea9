//! What a group of decisions stands on: the rows read for it, kept up to date in memory while the group is decided.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chill_core::clock::millis;
use chill_core::pool::{Candidate, Choice, Serving, choose};
use chill_core::{DeviceId, Epoch, KeyId, LeaseRequest, LinkId, Millis, StoreCode, UserId};
use chill_db::{Asked, AskingDevice, Db, DbError, DeviceState, Key, LinkedUser, Moment, Tx};

use crate::control::Core;

#[derive(Default)]
pub(super) struct Ground {
    pub(super) now: Millis,
    /// Read first: everything below is at least as new.
    pub(super) epoch: Epoch,
    pub(super) users: HashMap<LinkId, LinkedUser>,
    /// Those who were not read but remembered: how many devices they have may have changed.
    pub(super) remembered: HashSet<LinkId>,
    /// All of this is from memory, and whoever writes must find that it is still this moment.
    pub(super) unproven: Option<Moment>,
    pub(super) devices: HashMap<(UserId, DeviceId), AskingDevice>,
    /// Active devices whose place may be given away: row ids.
    pub(super) away: HashMap<UserId, Vec<String>>,
    pub(super) seats: HashMap<(UserId, StoreCode), KeyId>,
    pub(super) keys: HashMap<KeyId, Arc<Key>>,
    /// Stores of whose keys every one was read that may be chosen in this group.
    pub(super) pools: HashSet<StoreCode>,
}

impl Ground {
    /// What is remembered, when that is enough to write new devices without a question before; nobody may be answered from it.
    pub(super) fn recalled(core: &Core, asks: &[&LeaseRequest]) -> Option<Self> {
        let now = core.clock.now();
        let remembered = core.known_users.recall(asks, &core.config, now);
        let new = remembered.found.iter().all(|one| one.device.is_none());
        if !new || !remembered.missing.is_empty() || !remembered.is_proven {
            return None;
        }
        let moment = remembered.moment;
        let mut ground = Self { now, epoch: moment.epoch, unproven: Some(moment), ..Self::default() };
        ground.remembered = remembered.found.iter().map(|one| one.user.link).collect();
        ground.add(remembered.found);
        let keys = core.known_keys.recall(ground.epoch, &ground.seat_keys())?;
        ground.keys = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
        Some(ground)
    }

    /// Reads what the requests need, without locks. Keys without a place in question are read only where they are needed.
    pub(super) async fn read(core: &Core, db: &Db, asks: &[&LeaseRequest]) -> Result<Self, DbError> {
        let mut tx = db.read().await?;
        let mut ground = Self { now: core.clock.now(), ..Self::default() };
        ground.recall(core, &mut tx, asks).await?;
        let wanted = ground.seat_keys();
        let keys = core.known_keys.read(&mut tx, ground.epoch, wanted, ground.now).await?;
        ground.keys = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
        ground.read_away(&mut tx, core, asks, 0).await?;
        let pools = ground.stores_in_question(asks);
        ground.read_pools(&mut tx, &pools, asks.len()).await?;
        tx.commit().await?;
        Ok(ground)
    }

    /// Locks the users, reads the same, and locks the pools in which someone needs a place. What was read is true until
    /// the transaction ends, but for states of keys: those are as new as the epoch.
    pub(super) async fn lock(core: &Core, tx: &mut Tx, asks: &[&LeaseRequest]) -> Result<Self, DbError> {
        let mut ground = Self { now: core.clock.now(), ..Self::default() };
        let links: HashSet<_> = asks.iter().map(|ask| ask.link).collect();
        let (_, users) = tx.askers(&links.into_iter().collect::<Vec<_>>()).await?;
        let users: HashSet<_> = users.into_iter().filter(|user| user.current).map(|user| user.id).collect();
        tx.users_lock(&users.into_iter().collect::<Vec<_>>()).await?;
        ground.read_asked(tx, asks).await?;
        ground.read_seat_keys(tx).await?;
        // The whole group may take places before the last of it is decided.
        let others = u32::try_from(asks.len().saturating_sub(1)).unwrap_or(u32::MAX);
        ground.read_away(tx, core, asks, others).await?;
        let mut pools = ground.stores_in_question(asks);
        if !pools.is_empty() {
            pools.sort_unstable();
            tx.pools_lock(&pools).await?;
            // A key may have been removed, with its places, while we waited for the pool.
            ground.read_asked(tx, asks).await?;
            ground.read_seat_keys(tx).await?;
            ground.read_pools(tx, &pools, asks.len()).await?;
        }
        Ok(ground)
    }

    /// Takes users from memory as far as the database says that it still holds, and reads the others.
    async fn recall(&mut self, core: &Core, tx: &mut Tx, asks: &[&LeaseRequest]) -> Result<(), DbError> {
        let known = &core.known_users;
        let remembered = known.recall(asks, &core.config, self.now);
        let (moment, asked) = ask(tx, &remembered.missing).await?;
        self.epoch = moment.epoch;
        if moment != remembered.moment {
            known.advance(tx, moment).await?;
        }
        known.prove(moment);
        known.learn(tx, moment, &asked, self.now).await?;
        self.add(asked);
        if moment == remembered.moment {
            self.remembered = remembered.found.iter().map(|one| one.user.link).collect();
            self.add(remembered.found);
        } else if !remembered.found.is_empty() {
            // The others are a little older than these; so is the epoch.
            let missing: HashSet<_> = remembered.missing.iter().map(|ask| (ask.link, ask.store, &ask.device)).collect();
            let again: Vec<_> =
                asks.iter().filter(|a| !missing.contains(&(a.link, a.store, &a.device))).copied().collect();
            self.add(ask(tx, &again).await?.1);
        }
        Ok(())
    }

    /// Reads users, their devices that ask, and their keys' ids.
    async fn read_asked(&mut self, tx: &mut Tx, asks: &[&LeaseRequest]) -> Result<(), DbError> {
        let (moment, asked) = ask(tx, asks).await?;
        self.epoch = moment.epoch;
        self.users.clear();
        self.devices.clear();
        self.seats.clear();
        self.add(asked);
        Ok(())
    }

    fn add(&mut self, asked: Vec<Asked>) {
        for one in asked {
            let user = one.user.id;
            self.seats.extend(one.seat.map(|(store, key)| ((user, store), key)));
            self.devices.extend(one.device.map(|device| ((user, device.device.clone()), device)));
            self.users.insert(one.user.link, one.user);
        }
    }

    fn seat_keys(&self) -> Vec<KeyId> {
        let ids: HashSet<_> = self.seats.values().collect();
        ids.into_iter().cloned().collect()
    }

    async fn read_seat_keys(&mut self, tx: &mut Tx) -> Result<(), DbError> {
        let wanted = self.seat_keys();
        let keys = if wanted.is_empty() { Vec::new() } else { tx.keys_by_id(&wanted).await? };
        self.keys = keys.into_iter().map(|key| (key.id.clone(), Arc::new(key))).collect();
        Ok(())
    }

    /// Reads which places could be freed where free ones may not do once so many others are decided.
    async fn read_away(
        &mut self,
        tx: &mut Tx,
        core: &Core,
        asks: &[&LeaseRequest],
        others: u32,
    ) -> Result<(), DbError> {
        let crowded: HashSet<_> = asks.iter().filter_map(|ask| self.crowded(core, ask, others)).collect();
        if !crowded.is_empty() {
            let before = self.now.saturating_sub(millis(core.config.device_idle));
            for (row, user) in tx.devices_away(&crowded.into_iter().collect::<Vec<_>>(), before).await? {
                self.away.entry(user).or_default().push(row);
            }
        }
        Ok(())
    }

    /// The user who asks, when the device needs a place and none may be free once the others are decided.
    fn crowded(&self, core: &Core, ask: &LeaseRequest, others: u32) -> Option<UserId> {
        let user = self.users.get(&ask.link).filter(|user| user.current)?;
        let device = self.devices.get(&(user.id, ask.device.clone()));
        let placed = device.is_some_and(|device| device.state != DeviceState::Idle);
        (!placed && user.device_count.saturating_add(others) >= core.limit(user)).then_some(user.id)
    }

    /// Stores where someone cannot simply stay with the key he has.
    fn stores_in_question(&self, asks: &[&LeaseRequest]) -> Vec<StoreCode> {
        let in_question = |ask: &&&LeaseRequest| {
            let user = self.users.get(&ask.link).filter(|user| user.current);
            user.is_some_and(|user| !matches!(self.choice(user.id, ask), Choice::Stay(_)))
        };
        let stores: HashSet<_> = asks.iter().filter(in_question).map(|ask| ask.store).collect();
        stores.into_iter().collect()
    }

    /// Reads of these pools the keys that a group of so many may get. Each request takes the least loaded key that it does not
    /// exclude, and has no other than those before it left; so this many of the least loaded are as good as all. The keys that
    /// users leave in this group were read with the users.
    async fn read_pools(&mut self, tx: &mut Tx, stores: &[StoreCode], group: usize) -> Result<(), DbError> {
        // Excluded ones and the user's own, and one more.
        const BESIDE: usize = LeaseRequest::MAX_EXCLUDED + 2;
        let wanted = u32::try_from(group.saturating_add(BESIDE)).unwrap_or(u32::MAX);
        for store in stores {
            let mut keys = tx.keys_least_loaded(*store, self.now, wanted).await?;
            if keys.len() < wanted as usize {
                // Somebody may find nothing that serves, and is told when the first is back.
                keys.extend(tx.keys_first_back(*store, self.now, wanted).await?);
            }
            self.keys.extend(keys.into_iter().map(|key| (key.id.clone(), Arc::new(key))));
        }
        self.pools.extend(stores);
        Ok(())
    }

    /// The pool's choice among the keys that were read. A key that drains counts as a place to stay only when the whole pool
    /// was read, for there may be a better one.
    pub(super) fn choice(&self, user: UserId, ask: &LeaseRequest) -> Choice {
        let current = self.seats.get(&(user, ask.store));
        let whole = self.pools.contains(&ask.store);
        let candidate = |key: &Arc<Key>| Candidate {
            id: key.id.clone(),
            passport: key.passport,
            state: key.state,
            assigned: key.assigned,
            weight: key.weight,
        };
        let candidates: Vec<_> = if whole {
            self.keys.values().filter(|key| key.store == ask.store).map(candidate).collect()
        } else {
            current.and_then(|id| self.keys.get(id)).map(candidate).into_iter().collect()
        };
        let choice = choose(&candidates, current, &ask.exclude, self.now);
        let leaving = |id: &KeyId| self.keys.get(id).is_some_and(|key| key.state.serving(self.now) == Serving::Leaving);
        match choice {
            Choice::Stay(id) if !whole && leaving(&id) => Choice::Nothing,
            other => other,
        }
    }
}

/// What is known of the requests, and the moment it was read at.
async fn ask(tx: &mut Tx, asks: &[&LeaseRequest]) -> Result<(Moment, Vec<Asked>), DbError> {
    let requests: HashSet<_> = asks.iter().map(|ask| (ask.link, ask.store, &ask.device)).collect();
    let read =
        if requests.is_empty() { None } else { Some(tx.asked(&requests.into_iter().collect::<Vec<_>>()).await?) };
    match read {
        Some((Some(moment), asked)) => Ok((moment, asked)),
        // Nobody of whom nothing is known: any moment is as good.
        _ => Ok((tx.moment().await?, Vec::new())),
    }
}
