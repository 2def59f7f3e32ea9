//! What the control plane does by itself: probes, new seals after a change of the master key, and forgetting.

use std::time::Duration;

use chill_core::KeyId;
use chill_core::clock::millis;
use tokio_util::sync::CancellationToken;

use crate::actor::Act;
use crate::control::Core;
use crate::{Actor, Control, UseError};

/// How often due probes are looked for.
const PROBES: Duration = Duration::from_secs(10);
/// How often old rows are forgotten.
const FORGET: Duration = Duration::from_secs(3_600);
/// Chunks of events forgotten in one go, so that forgetting never holds the database for long.
const CHUNKS: usize = 200;

impl Control {
    /// Works until the token is cancelled. Run it on each control node: probes are claimed, the rest may be done twice.
    pub async fn background(&self, token: CancellationToken) {
        let work = async {
            tokio::join!(self.core.keep_probing(), self.core.keep_forgetting(), self.core.reseal_once());
        };
        Box::pin(token.run_until_cancelled(work)).await;
    }

    /// Seals the keys anew that another master than the first sealed, row by row. Returns how many there were.
    ///
    /// # Errors
    /// [`UseError::Vault`], [`UseError::Db`].
    pub async fn reseal(&self) -> Result<usize, UseError> {
        self.core.reseal().await
    }

    /// Forgets what is older than the retention says. [`Control::background`] does it every hour.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn forget_old(&self) -> Result<(), UseError> {
        self.core.forget_old().await
    }

    /// Asks stores about the keys whose probe is due. [`Control::background`] does it all the time.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn probe_due(&self) -> Result<(), UseError> {
        self.core.probe_due().await
    }
}

impl Core {
    async fn keep_probing(&self) {
        loop {
            if let Err(error) = self.probe_due().await {
                tracing::warn!(%error, "keys could not be probed; trying again");
            }
            if let Err(error) = self.show_key_states().await {
                tracing::debug!(%error, "the states of the keys could not be shown");
            }
            let _ = tokio::time::timeout(PROBES, self.suspicion.notified()).await;
        }
    }

    async fn keep_forgetting(&self) {
        loop {
            if let Err(error) = self.forget_old().await {
                tracing::warn!(%error, "old rows could not be forgotten; trying again");
            }
            tokio::time::sleep(FORGET).await;
        }
    }

    async fn reseal_once(&self) {
        match self.reseal().await {
            Ok(0) => {}
            Ok(keys) => tracing::info!(keys, "keys were sealed anew with the first master key"),
            Err(error) => tracing::warn!(%error, "keys could not be sealed anew; the old master key is still needed"),
        }
    }

    async fn reseal(&self) -> Result<usize, UseError> {
        self.check_master().await?;
        let (mut after, mut done): (Option<KeyId>, usize) = (None, 0);
        loop {
            let mut tx = self.db.read().await?;
            let keys = tx.keys_to_reseal(self.vault.current(), after.as_ref()).await?;
            drop(tx);
            let Some(last) = keys.last() else { break };
            after = Some(last.id.clone());
            for key in keys {
                let secret = self.vault.open(&key.id, key.store, &key.sealed)?;
                let sealed = self.vault.seal(&key.id, key.store, &secret, &self.chance)?;
                let mut tx = self.db.write().await?;
                done += usize::from(tx.key_reseal(&key.id, &key.sealed, &sealed).await?);
                tx.commit().await?;
            }
        }
        let (now, current) = (self.clock.now(), self.vault.current());
        let mut tx = self.db.write().await?;
        tx.master_checks_forget(current).await?;
        if done > 0 {
            let (id, detail) = (current.to_owned(), Some(format!("keys={done}")));
            let act = Act { act: "key.reseal", kind: "master", id, name: "", detail };
            self.audit(&mut tx, &Actor::system(), act, now).await?;
        }
        tx.commit().await?;
        Ok(done)
    }

    async fn forget_old(&self) -> Result<(), UseError> {
        self.seal_audit().await?;
        let (now, config) = (self.clock.now(), &self.config);
        let before = |retention| now.saturating_sub(millis(retention));
        for _ in 0..CHUNKS {
            let mut tx = self.db.write().await?;
            let forgotten = tx.usage_forget(before(config.event_retention)).await?;
            tx.commit().await?;
            if forgotten == 0 {
                break;
            }
        }
        self.forget_audit(before(config.audit_retention), now).await?;
        let mut tx = self.db.write().await?;
        tx.usage_forget_hours(before(config.hourly_retention)).await?;
        tx.changes_forget(before(config.change_retention)).await?;
        tx.commit().await?;
        for _ in 0..CHUNKS {
            let mut tx = self.db.write().await?;
            let forgotten = tx.known_forget(before(config.torrent_retention)).await?;
            tx.commit().await?;
            if forgotten == 0 {
                break;
            }
        }
        Ok(())
    }
}
