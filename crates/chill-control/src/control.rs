//! The control plane in process: ports, settings, and the edge's questions.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chill_core::control::Recorded;
use chill_core::{
    Chance, Clock, ControlError, ControlPlane, Epoch, Feed, Lease, LeaseRequest, Store, StoreCode, UsageEvent,
};
use chill_db::{Db, DbError};
use futures_util::StreamExt;
use tokio::sync::{Notify, OnceCell};
use tokio::time::Instant;

use crate::decide::{KnownKeys, KnownUsers, Queue};
use crate::{ControlConfig, Devices, Keys, UseError, Users, Vault, VaultError};

/// The control plane. Clones share everything; it works within a tokio runtime.
#[derive(Clone)]
pub struct Control {
    pub(crate) core: Arc<Core>,
    queue: Arc<Queue>,
}

/// What every part of the control plane has at hand.
pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) vault: Vault,
    pub(crate) stores: HashMap<StoreCode, Arc<dyn Store>>,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) config: ControlConfig,
    /// Wakes the prober before its time.
    pub(crate) suspicion: Notify,
    pub(crate) known_keys: KnownKeys,
    pub(crate) known_users: KnownUsers,
    master_checked: OnceCell<()>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({:?})", self.core.db)
    }
}

impl Control {
    /// A control plane over a migrated database. Call [`Control::check_master`] before serving.
    #[must_use]
    pub fn new(
        db: Db,
        vault: Vault,
        stores: Vec<Arc<dyn Store>>,
        clock: Clock,
        chance: Chance,
        config: ControlConfig,
    ) -> Self {
        let stores = stores.into_iter().map(|store| (store.code(), store)).collect();
        let (suspicion, master_checked) = (Notify::new(), OnceCell::new());
        let (known_keys, known_users) = (KnownKeys::default(), KnownUsers::default());
        let core =
            Core { db, vault, stores, clock, chance, config, suspicion, known_keys, known_users, master_checked };
        let core = Arc::new(core);
        Self { queue: Arc::new(Queue::new(core.clone())), core }
    }

    /// Refuses a master key other than the one the database was sealed with; on a new database remembers this one.
    ///
    /// # Errors
    /// [`VaultError::WrongMaster`], [`UseError::Db`].
    pub async fn check_master(&self) -> Result<(), UseError> {
        self.core.check_master().await
    }

    /// The database, for readiness and operations.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.core.db
    }

    /// Users and their links.
    #[must_use]
    pub fn users(&self) -> Users<'_> {
        Users { core: &self.core }
    }

    /// Devices of users.
    #[must_use]
    pub fn devices(&self) -> Devices<'_> {
        Devices { core: &self.core }
    }

    /// The key pool.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys { core: &self.core }
    }
}

impl Core {
    pub(crate) async fn check_master(&self) -> Result<(), UseError> {
        self.master_checked.get_or_try_init(|| self.compare_master()).await.map(|_| ())
    }

    async fn compare_master(&self) -> Result<(), UseError> {
        let mut tx = self.db.write().await?;
        tx.master_lock().await?;
        let checks = tx.master_checks().await?;
        let known = checks.iter().any(|check| self.vault.recognises(check));
        let sealers = tx.keys_by_sealer().await?;
        if (!checks.is_empty() && !known) || sealers.iter().any(|(by, _)| !self.vault.knows(by)) {
            return Err(VaultError::WrongMaster.into());
        }
        tx.master_check_insert(&self.vault.check(&self.chance)?).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A database error as the edge may read it.
pub(crate) fn unavailable(error: &DbError) -> ControlError {
    ControlError::unavailable(error.to_string())
}

#[async_trait]
impl ControlPlane for Control {
    async fn lease(&self, ask: &LeaseRequest) -> Result<Lease, ControlError> {
        let asked = Instant::now();
        let decided = self.queue.decide(ask).await;
        metrics::histogram!("chillproxy_get_key_seconds").record(asked.elapsed().as_secs_f64());
        decided
    }

    async fn record(&self, events: &[UsageEvent]) -> Result<Recorded, ControlError> {
        self.core.record(events).await.map_err(|error| unavailable(&error))
    }

    fn watch(&self, since: Option<Epoch>) -> Feed {
        Box::pin(self.core.db.changes(since).map(|item| item.map_err(|error| unavailable(&error))))
    }
}
