//! Asking stores about keys: what a report only suspects, the control plane's own question settles.

use chill_core::clock::millis;
use chill_core::control::{Act as Consequence, Subject};
use chill_core::pool::{KeyState, Serving};
use chill_core::store::Account;
use chill_core::{Millis, Outcome, Secret, StoreCode, StoreError, StoreErrorKind};
use chill_db::Key;

use crate::actor::Act;
use crate::control::Core;
use crate::{Actor, UseError};

/// What a probe found.
#[derive(Debug)]
pub(crate) enum Finding {
    /// The store knows the key.
    Account(Account),
    /// The store does not accept the key.
    Refused(StoreError),
    /// The store could not say; nothing is known.
    Silent(StoreError),
}

/// Pauses between probes of a key that is not back yet, in milliseconds; the last one repeats.
const PAUSES: [Millis; 5] = [30_000, 120_000, 600_000, 3_600_000, 6 * 3_600_000];
/// A key that serves is asked about this often, so that a subscription that ran out is found before a viewer finds it.
const ROUTINE: Millis = 24 * 3_600_000;
/// A claimed probe is free again after this long, should its claimer have died.
const CLAIM: Millis = 120_000;
/// Characters kept of an error.
const ERROR: usize = 200;

/// Writes a finding into a key.
pub(crate) fn apply(key: &mut Key, finding: &Finding, now: Millis) {
    key.last_probe_at = Some(now);
    match finding {
        Finding::Account(account) => {
            key.state = key.state.after_probe(account, now);
            (key.has_worked, key.last_error) = (true, None);
        }
        Finding::Refused(error) => {
            key.state = key.state.after_rejected_probe(key.has_worked);
            key.last_error = Some(sentence(error));
        }
        Finding::Silent(error) => {
            key.state = match error.kind {
                StoreErrorKind::TooManyRequests { .. } => key.state.after_report(Outcome::Throttled, now),
                StoreErrorKind::PaymentRequired => key.state.after_probe(&EXPIRED, now),
                _ => key.state,
            };
            key.last_error = Some(sentence(error));
        }
    }
    let settled = matches!(finding, Finding::Account(_)) && key.state.serving(now) == Serving::Everybody;
    let by_hand = matches!(key.state, KeyState::Draining | KeyState::Disabled);
    if by_hand {
        (key.probe_due, key.probe_failures) = (None, 0);
    } else if settled {
        (key.probe_due, key.probe_failures) = (Some(now.saturating_add(ROUTINE)), 0);
    } else {
        let pause = PAUSES.get(key.probe_failures as usize).or(PAUSES.last()).copied().unwrap_or_default();
        (key.probe_due, key.probe_failures) = (Some(now.saturating_add(pause)), key.probe_failures.saturating_add(1));
    }
}

/// What a store means that answers "payment required" to the plainest question.
const EXPIRED: Account =
    Account { active: false, plan: String::new(), expires_at: None, slots: None, cooldown_until: None };

/// The store's kind of failure in our words, without the vendor's, bounded.
fn sentence(error: &StoreError) -> String {
    error.to_string().chars().take(ERROR).collect()
}

impl Core {
    /// Asks a store about a key, for a bounded time.
    pub(crate) async fn probe(&self, store: StoreCode, secret: &Secret) -> Finding {
        let failed = |kind, message: &str| StoreError { store, kind, message: message.to_owned() };
        let Some(port) = self.stores.get(&store) else {
            return Finding::Silent(failed(StoreErrorKind::Unavailable, "this store is not offered here"));
        };
        match tokio::time::timeout(self.config.probe_timeout, port.account(secret)).await {
            Ok(Ok(account)) => Finding::Account(account),
            Ok(Err(error)) if error.kind == StoreErrorKind::Unauthorized => Finding::Refused(error),
            Ok(Err(error)) => Finding::Silent(error),
            Err(_) => Finding::Silent(failed(StoreErrorKind::Timeout, "no answer to a probe")),
        }
    }

    /// Asks about a key and stores the answer, unless the key got a new secret meanwhile. Returns the key as it is then.
    pub(crate) async fn probe_and_store(&self, key: &Key, actor: &Actor) -> Result<Key, UseError> {
        let secret = self.vault.open(&key.id, key.store, &key.sealed)?;
        let finding = self.probe(key.store, &secret).await;
        let now = self.clock.now();
        let mut tx = self.db.write().await?;
        let locked = tx.keys_lock(std::slice::from_ref(&key.id)).await?.pop();
        let mut found = locked.ok_or_else(|| UseError::not_found("key", &key.name))?;
        if found.sealed != key.sealed {
            return Ok(found);
        }
        let before = found.state;
        apply(&mut found, &finding, now);
        tx.key_update(&found).await?;
        if let Some(act) = state_changed(before, &found, "a probe") {
            self.audit(&mut tx, actor, act, now).await?;
        }
        if let Some(consequence) = consequence(before, found.state, now) {
            tx.publish(&Subject::Key(found.id.clone()), consequence, now).await?;
        }
        tx.commit().await?;
        if before != found.state {
            tracing::info!(key = %found.id, store = %found.store, from = %before, to = %found.state, "a key changed its state");
        }
        Ok(found)
    }

    /// Probes every key that is due, one after the other. Returns when the next one is due at the latest.
    pub(crate) async fn probe_due(&self) -> Result<(), UseError> {
        const AT_ONCE: u32 = 16;
        let now = self.clock.now();
        let mut tx = self.db.read().await?;
        let due = tx.keys_to_probe(now, AT_ONCE).await?;
        drop(tx);
        for key in due {
            let mut tx = self.db.write().await?;
            let mine = tx.key_claim_probe(&key.id, now, now.saturating_add(CLAIM)).await?;
            tx.commit().await?;
            if mine && let Err(error) = self.probe_and_store(&key, &Actor::system()).await {
                tracing::warn!(key = %key.id, %error, "a key could not be probed");
            }
        }
        Ok(())
    }

    /// How long a device's last sight may lag behind without a write.
    pub(crate) fn stale_after(&self) -> Millis {
        const MINUTE: Millis = 60_000;
        MINUTE.min(millis(self.config.device_idle) / 2)
    }
}

/// A change of a key's state as an act; none when only the end of a rest moved.
pub(crate) fn state_changed<'a>(before: KeyState, key: &'a Key, why: &str) -> Option<Act<'a>> {
    let detail = Some(format!("{before} to {}, after {why}", key.state));
    let changed = before.word() != key.state.word();
    changed.then(|| Act { act: "key.state", kind: "key", id: key.id.to_string(), name: &key.name, detail })
}

/// What a change of state asks of the edges: nothing while whom the key serves stays the same.
pub(crate) fn consequence(before: KeyState, after: KeyState, now: Millis) -> Option<Consequence> {
    let (was, is) = (before.serving(now), after.serving(now));
    match (was, is) {
        _ if was == is => None,
        (Serving::RestingUntil(_), Serving::RestingUntil(_)) => None,
        (_, Serving::Nobody) => Some(Consequence::Revoke),
        _ => Some(Consequence::Refresh),
    }
}
