//! A store that has what a test gives it, and fails for the keys a test names.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::store::{Account, AddMode, CachedTorrent, Item, ItemId, ItemStatus, StoreFile};
use chill_core::{InfoHash, Secret, Store, StoreCode, StoreError, StoreErrorKind};

use super::fakes::lock;

/// Before the first secret of an account: another one of the same account.
pub(super) const ROTATED: &str = "rotated-";

/// One call: what, and with which key.
pub(super) type Call = (&'static str, String);

pub(super) struct FakeStore {
    code: StoreCode,
    /// What it has at once.
    pub(super) has: Mutex<HashMap<InfoHash, Vec<StoreFile>>>,
    /// How it fails for a key, and in which call (`""` is every call).
    pub(super) fails: Mutex<HashMap<String, (&'static str, StoreErrorKind)>>,
    /// How far what it does not have is.
    pub(super) status: Mutex<ItemStatus>,
    /// Where films come from.
    pub(super) link: Mutex<String>,
    /// Where they come from for a key that is named here.
    pub(super) links: Mutex<HashMap<String, String>>,
    pub(super) calls: Mutex<Vec<Call>>,
    /// What it has is only ready a moment after it was added.
    pub(super) lags: Mutex<bool>,
    /// How long adding takes.
    pub(super) takes: Mutex<Duration>,
    /// How long a link takes.
    pub(super) link_takes: Mutex<Duration>,
    /// Keys whose account lost everything since something was added.
    pub(super) emptied: Mutex<HashSet<String>>,
}

impl FakeStore {
    pub(super) fn new(code: StoreCode) -> Arc<Self> {
        Arc::new(Self {
            code,
            has: Mutex::default(),
            fails: Mutex::default(),
            status: Mutex::new(ItemStatus::Downloading),
            link: Mutex::new("http://127.0.0.1:9/film".to_owned()),
            links: Mutex::default(),
            calls: Mutex::default(),
            lags: Mutex::default(),
            takes: Mutex::default(),
            link_takes: Mutex::default(),
            emptied: Mutex::default(),
        })
    }

    pub(super) fn has(&self, hash: InfoHash, files: &[(&str, u64)]) {
        let files = files.iter().enumerate().map(|(id, (path, size))| StoreFile {
            id: Some(id as u64),
            path: (*path).to_owned(),
            size: Some(*size),
        });
        lock(&self.has).insert(hash, files.collect());
    }

    /// Fails for `key` in `call`.
    pub(super) fn fail(&self, key: &str, call: &'static str, kind: StoreErrorKind) {
        lock(&self.fails).insert(key.to_owned(), (call, kind));
    }

    /// The calls so far, as `what key`.
    pub(super) fn calls(&self) -> Vec<String> {
        lock(&self.calls).iter().map(|(what, key)| format!("{what} {key}")).collect()
    }

    fn called(&self, what: &'static str, key: &Secret) -> Result<(), StoreError> {
        lock(&self.calls).push((what, key.expose().to_owned()));
        match lock(&self.fails).get(key.expose()) {
            Some((call, kind)) if call.is_empty() || *call == what => {
                Err(StoreError { store: self.code, kind: *kind, message: "as the test wants".to_owned() })
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Store for FakeStore {
    fn code(&self) -> StoreCode {
        self.code
    }

    async fn account(&self, key: &Secret) -> Result<Account, StoreError> {
        self.called("account", key)?;
        Ok(Account { active: true, plan: "pro".to_owned(), expires_at: None, slots: None, cooldown_until: None })
    }

    async fn cached(&self, key: &Secret, hashes: &[InfoHash]) -> Result<Vec<CachedTorrent>, StoreError> {
        self.called("cached", key)?;
        let has = lock(&self.has);
        let without_ids = |files: &Vec<StoreFile>| files.iter().cloned().map(|f| StoreFile { id: None, ..f }).collect();
        let known = hashes.iter().filter_map(|hash| Some((*hash, has.get(hash)?)));
        Ok(known.map(|(hash, files)| CachedTorrent { hash, files: without_ids(files) }).collect())
    }

    async fn add(&self, key: &Secret, hash: &InfoHash, _: AddMode) -> Result<Item, StoreError> {
        let called = self.called("add", key);
        let takes = *lock(&self.takes);
        tokio::time::sleep(takes).await;
        called?;
        lock(&self.emptied).remove(key.expose());
        let lags = *lock(&self.lags);
        let files = lock(&self.has).get(hash).filter(|_| !lags).cloned();
        let status = if files.is_some() { ItemStatus::Downloaded } else { *lock(&self.status) };
        let id = Some(ItemId(format!("{hash}@{}", key.expose())));
        Ok(Item { id, hash: *hash, name: "A torrent".to_owned(), status, files: files.unwrap_or_default() })
    }

    async fn item(&self, key: &Secret, id: &ItemId) -> Result<Item, StoreError> {
        self.called("item", key)?;
        let hash: InfoHash = id.0.split('@').next().unwrap_or_default().parse().unwrap();
        let files = lock(&self.has).get(&hash).cloned();
        let status = if files.is_some() { ItemStatus::Downloaded } else { *lock(&self.status) };
        Ok(Item { id: Some(id.clone()), hash, name: "A torrent".to_owned(), status, files: files.unwrap_or_default() })
    }

    async fn link(
        &self,
        key: &Secret,
        item: &ItemId,
        _: u64,
        _: Option<IpAddr>,
        _: bool,
    ) -> Result<Secret, StoreError> {
        self.called("link", key)?;
        let takes = *lock(&self.link_takes);
        tokio::time::sleep(takes).await;
        if lock(&self.emptied).contains(key.expose()) {
            let (kind, message) = (StoreErrorKind::NotFound, "the account lost it".to_owned());
            return Err(StoreError { store: self.code, kind, message });
        }
        assert!(
            item.0.ends_with(key.expose().trim_start_matches(ROTATED)),
            "an item is only known to the account it was added to"
        );
        let own = lock(&self.links).get(key.expose()).cloned();
        Ok(Secret::new(own.unwrap_or_else(|| lock(&self.link).clone())))
    }

    async fn remove(&self, key: &Secret, _: &ItemId) -> Result<(), StoreError> {
        self.called("remove", key)
    }
}
