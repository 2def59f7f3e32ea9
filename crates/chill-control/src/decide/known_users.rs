//! Users as they were read, for as long as no change of theirs was told: a known device's answer, and the decision about a new
//! one, then need no question about the user, but one about the moment for the whole group.
//!
//! What is remembered is used only when the database says, in the transaction that answers, that its moment is still that of
//! the memory. How many devices a user has does not move the moment: a place is taken only under a condition in the statement
//! that takes it, and what is told of the number is at most [`LIFE`] old.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chill_core::clock::millis;
use chill_core::control::Subject;
use chill_core::{DeviceId, KeyId, LeaseRequest, LinkId, Millis, StoreCode, UserId};
use chill_db::{Asked, AskingDevice, DbError, DeviceState, LinkedUser, Moment, Tx};

use crate::ControlConfig;

/// How long a user is believed without being asked about again, in milliseconds.
const LIFE: Millis = 60_000;
/// Users remembered, in each of two generations.
const MOST: usize = 10_000;
/// Users of whom one request was seen, and nothing is remembered yet.
const MOST_MET: usize = 50_000;
/// Devices remembered of a user, those that asked last.
const DEVICES: usize = 8;
/// Devices that users read together may have, so that they are remembered at all.
const MOST_DEVICES: u32 = 20_000;

/// The memory of all groups.
#[derive(Default)]
pub(crate) struct KnownUsers {
    known: Mutex<Known>,
    hasher: RandomState,
}

#[derive(Default)]
struct Known {
    moment: Moment,
    /// The database said so last time.
    is_proven: bool,
    young: HashMap<LinkId, KnownUser>,
    old: HashMap<LinkId, KnownUser>,
    /// Whoever asks once in a long while is not worth reading all his devices.
    met: HashSet<LinkId>,
}

struct KnownUser {
    user: LinkedUser,
    read_at: Millis,
    seats: Vec<(StoreCode, KeyId)>,
    devices: VecDeque<AskingDevice>,
    /// All devices he has, as hashes: what is not among them is new, unless another node stored it a moment ago, which the
    /// database then says.
    all: HashSet<u64>,
}

/// What is remembered of requests.
pub(super) struct Remembered<'a> {
    /// When it was true.
    pub(super) moment: Moment,
    /// That moment was not over when the database was asked last.
    pub(super) is_proven: bool,
    pub(super) found: Vec<Asked>,
    pub(super) missing: Vec<&'a LeaseRequest>,
}

impl KnownUsers {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, device: &DeviceId) -> u64 {
        self.hasher.hash_one(device.as_str())
    }

    /// What is remembered of these requests. Whoever seems to have no room is asked about again.
    pub(super) fn recall<'a>(&self, asks: &[&'a LeaseRequest], config: &ControlConfig, now: Millis) -> Remembered<'a> {
        let life = LIFE.min(millis(config.device_idle) / 4);
        let mut known = self.lock();
        let (mut found, mut missing) = (Vec::with_capacity(asks.len()), Vec::new());
        for ask in asks {
            match known.get(ask.link).and_then(|user| user.recall(ask, self.hash(&ask.device), config, now - life)) {
                Some(asked) => found.push(asked),
                None => missing.push(*ask),
            }
        }
        Remembered { moment: known.moment, is_proven: known.is_proven, found, missing }
    }

    /// The database says that it is this moment.
    pub(super) fn prove(&self, moment: Moment) {
        let mut known = self.lock();
        if known.moment == moment {
            known.is_proven = true;
        }
    }

    /// The moment may be over.
    pub(super) fn doubt(&self) {
        self.lock().is_proven = false;
    }

    /// Forgets whatever has changed until a moment that was read in this transaction.
    pub(super) async fn advance(&self, tx: &mut Tx, to: Moment) -> Result<(), DbError> {
        let from = {
            let mut known = self.lock();
            if known.moment.moves != to.moves || known.young.len() + known.old.len() == 0 {
                *known = Known { moment: to, ..Known::default() };
            }
            known.moment
        };
        if from.epoch >= to.epoch {
            return Ok(());
        }
        let changes = tx.changes_after(from.epoch).await?;
        let whole = changes.first().is_some_and(|change| change.epoch == from.epoch + 1)
            && changes.last().is_some_and(|change| change.epoch >= to.epoch);
        let mut known = self.lock();
        if known.moment != from {
            return Ok(());
        }
        if !whole || changes.iter().any(|change| change.subject == Subject::Everything) {
            *known = Known { moment: to, ..Known::default() };
            return Ok(());
        }
        for change in changes {
            if let Subject::Link(link) | Subject::Device(link, _) = change.subject {
                known.forget(link);
            }
        }
        known.moment = to;
        Ok(())
    }

    /// Remembers what was read at a moment; what needs all devices of a user reads them, when he is not met for the first time.
    pub(super) async fn learn(&self, tx: &mut Tx, moment: Moment, asked: &[Asked], now: Millis) -> Result<(), DbError> {
        let mut unread = HashSet::new();
        {
            let mut known = self.lock();
            if known.moment != moment {
                return Ok(());
            }
            for one in asked.iter().filter(|one| one.user.current) {
                if let Some(user) = known.get(one.user.link) {
                    if user.user.device_count == one.user.device_count {
                        user.all.extend(one.device.iter().map(|device| self.hash(&device.device)));
                        user.learn(one, now);
                        continue;
                    }
                } else if !known.meet(one.user.link) {
                    continue;
                }
                unread.insert(one.user.id);
            }
        }
        if unread.is_empty() {
            return Ok(());
        }
        let users: Vec<_> = unread.iter().copied().collect();
        let Some(devices) = tx.device_ids(&users, MOST_DEVICES).await? else { return Ok(()) };
        let mut all: HashMap<UserId, HashSet<u64>> = HashMap::new();
        for (user, device) in devices {
            all.entry(user).or_default().insert(self.hash(&device));
        }
        let mut known = self.lock();
        if known.moment == moment {
            for one in asked.iter().filter(|one| unread.contains(&one.user.id)) {
                let all = all.get(&one.user.id).cloned().unwrap_or_default();
                known.remember(one, all, now);
            }
        }
        Ok(())
    }

    /// Whether a user has such a device, as far as is known.
    pub(super) fn has(&self, ask: &LeaseRequest) -> bool {
        let hash = self.hash(&ask.device);
        self.lock().get(ask.link).is_some_and(|user| user.all.contains(&hash))
    }

    /// A device was stored, and its user has so many then.
    pub(super) fn placed(&self, link: LinkId, device: AskingDevice, count: u32) {
        let hash = self.hash(&device.device);
        if let Some(user) = self.lock().get(link) {
            user.all.insert(hash);
            user.user.device_count = count;
            user.seen(device);
        }
    }

    /// The sight of a device will be noted.
    pub(super) fn touched(&self, link: LinkId, device: &DeviceId, now: Millis) {
        if let Some(user) = self.lock().get(link)
            && let Some(known) = user.devices.iter_mut().find(|known| known.device == *device)
        {
            known.last_seen = now;
        }
    }

    /// Users whose rows were written the long way.
    pub(super) fn forget(&self, links: impl Iterator<Item = LinkId>) {
        let mut known = self.lock();
        links.for_each(|link| known.forget(link));
    }
}

impl Known {
    fn get(&mut self, link: LinkId) -> Option<&mut KnownUser> {
        if !self.young.contains_key(&link) {
            let user = self.old.remove(&link)?;
            self.insert(link, user);
        }
        self.young.get_mut(&link)
    }

    fn insert(&mut self, link: LinkId, user: KnownUser) {
        if self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(link, user);
    }

    fn forget(&mut self, link: LinkId) {
        self.young.remove(&link);
        self.old.remove(&link);
    }

    /// Whether he was met before.
    fn meet(&mut self, link: LinkId) -> bool {
        if self.met.len() >= MOST_MET {
            self.met.clear();
        }
        !self.met.insert(link)
    }

    fn remember(&mut self, one: &Asked, all: HashSet<u64>, now: Millis) {
        self.forget(one.user.link);
        let (seats, devices) = (Vec::new(), VecDeque::new());
        let mut user = KnownUser { user: one.user.clone(), read_at: now, seats, devices, all };
        user.learn(one, now);
        self.insert(one.user.link, user);
    }
}

impl KnownUser {
    fn recall(&self, ask: &LeaseRequest, hash: u64, config: &ControlConfig, since: Millis) -> Option<Asked> {
        if self.read_at < since {
            return None;
        }
        let seat = self.seats.iter().find(|(store, _)| *store == ask.store)?;
        let device = self.devices.iter().find(|device| device.device == ask.device);
        if device.is_none() && self.all.contains(&hash) {
            return None;
        }
        let limit = self.user.max_devices.unwrap_or(config.max_devices);
        if device.is_none_or(|device| device.state != DeviceState::Active) && self.user.device_count >= limit {
            return None;
        }
        Some(Asked { user: self.user.clone(), device: device.cloned(), seat: Some(seat.clone()) })
    }

    /// He was asked about again, and has as many devices as were known.
    fn learn(&mut self, one: &Asked, now: Millis) {
        self.user = one.user.clone();
        self.read_at = now;
        if let Some((store, key)) = &one.seat {
            self.seats.retain(|(known, _)| known != store);
            self.seats.push((*store, key.clone()));
        }
        if let Some(device) = &one.device {
            self.seen(device.clone());
        }
    }

    fn seen(&mut self, device: AskingDevice) {
        self.devices.retain(|known| known.device != device.device);
        if self.devices.len() >= DEVICES {
            self.devices.pop_front();
        }
        self.devices.push_back(device);
    }
}
