//! Debrid services as the edge and the control plane see them: one trait, ten vendors.
//!
//! The key is an argument of every call, so one instance serves the whole pool.

mod code;
mod error;

pub use code::StoreCode;
pub use error::{DEFAULT_PAUSE, Retry, StoreError, StoreErrorKind};

use std::net::IpAddr;

use async_trait::async_trait;

use crate::{InfoHash, Millis, Secret};

/// An account at a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whether the subscription is paid and running.
    pub active: bool,
    /// The plan's name as the vendor calls it.
    pub plan: String,
    /// When the subscription ends, when the vendor says.
    pub expires_at: Option<Millis>,
    /// Downloads that may run at once, when the vendor says.
    pub slots: Option<u32>,
    /// New downloads are refused until then; what is cached still plays.
    pub cooldown_until: Option<Millis>,
}

/// A torrent a store already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedTorrent {
    /// Its hash.
    pub hash: InfoHash,
    /// Its files, when the store lists them. Their ids are unknown at this point.
    pub files: Vec<StoreFile>,
}

/// One file of a torrent at a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreFile {
    /// The vendor's number for it, when known; 0 is a valid number.
    pub id: Option<u64>,
    /// Path inside the torrent, root folder removed, starting with `/`, so that vendors compare equal.
    pub path: String,
    /// Bytes, when known.
    pub size: Option<u64>,
}

impl StoreFile {
    /// Last part of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Whether adding may start a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddMode {
    /// Only what the store already has; else [`StoreErrorKind::NotCached`].
    CachedOnly,
    /// Start a download when it must.
    Download,
}

/// The vendor's identifier of a torrent in an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ItemId(pub String);

/// How far a torrent in an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemStatus {
    /// Accepted, nothing moved yet.
    Queued,
    /// Bytes are moving.
    Downloading,
    /// The data is there and is being unpacked, verified or moved.
    Processing,
    /// The vendor pushes it to its own storage.
    Uploading,
    /// Every wanted file can be linked now.
    Downloaded,
    /// The vendor gave up.
    Failed,
    /// The torrent itself is unusable.
    Invalid,
    /// A word this client does not know: keep asking.
    Unknown,
}

/// A torrent in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The vendor's id; none while it only waits in a queue.
    pub id: Option<ItemId>,
    /// Its hash.
    pub hash: InfoHash,
    /// Its name at the vendor.
    pub name: String,
    /// How far it is.
    pub status: ItemStatus,
    /// Its files; empty until they are known.
    pub files: Vec<StoreFile>,
}

/// A debrid service.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Which one.
    fn code(&self) -> StoreCode;

    /// The account behind a key.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn account(&self, key: &Secret) -> Result<Account, StoreError>;

    /// Those of `hashes` that the store already has; the others are simply absent. Adds nothing to the account.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn cached(&self, key: &Secret, hashes: &[InfoHash]) -> Result<Vec<CachedTorrent>, StoreError>;

    /// Puts a torrent into the account, or finds it there.
    ///
    /// # Errors
    /// See [`StoreError`]; [`StoreErrorKind::NotCached`] only with [`AddMode::CachedOnly`].
    async fn add(&self, key: &Secret, hash: &InfoHash, mode: AddMode) -> Result<Item, StoreError>;

    /// The present state of a torrent in the account, not a stale copy.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn item(&self, key: &Secret, id: &ItemId) -> Result<Item, StoreError>;

    /// A URL from which the file's bytes come. It never carries the key, and works for some hours: never store it in a
    /// database or show it. `fresh` asks the vendor even when an unexpired link is at hand, because that one failed.
    /// `viewer` only chooses a near CDN node.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn link(
        &self,
        key: &Secret,
        item: &ItemId,
        file: u64,
        viewer: Option<IpAddr>,
        fresh: bool,
    ) -> Result<Secret, StoreError>;

    /// Takes a torrent out of the account.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn remove(&self, key: &Secret, id: &ItemId) -> Result<(), StoreError>;
}
