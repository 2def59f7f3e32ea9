//! Keys as they were read, for as long as no change was told: a known device's answer then needs one question to the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chill_core::pool::Serving;
use chill_core::{Epoch, KeyId, Millis};
use chill_db::{DbError, Key, Tx};

/// Whatever makes a key serve others than before, gives it another secret or removes it takes the next epoch. So what was read
/// at an epoch is true while it lasts; but for how many users a key has, which nobody may ask these.
#[derive(Default)]
pub(crate) struct KnownKeys(Mutex<Known>);

#[derive(Default)]
struct Known {
    epoch: Epoch,
    keys: HashMap<KeyId, Arc<Key>>,
}

impl KnownKeys {
    /// All of these keys as they are at an epoch, when they are known without a question.
    pub(super) fn recall(&self, epoch: Epoch, wanted: &[KeyId]) -> Option<Vec<Arc<Key>>> {
        let mut found = None;
        self.with(epoch, |keys| found = wanted.iter().map(|id| keys.get(id).cloned()).collect());
        found
    }

    /// These keys as they are at an epoch that was read in this transaction before; those that are gone are absent.
    pub(super) async fn read(
        &self,
        tx: &mut Tx,
        epoch: Epoch,
        mut wanted: Vec<KeyId>,
        now: Millis,
    ) -> Result<Vec<Arc<Key>>, DbError> {
        let mut found = Vec::with_capacity(wanted.len());
        self.with(epoch, |keys| {
            wanted.retain(|id| {
                keys.get(id).is_none_or(|key| {
                    found.push(Arc::clone(key));
                    false
                })
            });
        });
        if !wanted.is_empty() {
            let new: Vec<_> = tx.keys_by_id(&wanted).await?.into_iter().map(Arc::new).collect();
            self.with(epoch, |keys| {
                // The end of a rest may move without an epoch.
                let lasting = |key: &&Arc<Key>| !matches!(key.state.serving(now), Serving::RestingUntil(_));
                keys.extend(new.iter().filter(lasting).map(|key| (key.id.clone(), Arc::clone(key))));
            });
            found.extend(new);
        }
        Ok(found)
    }

    /// What is known at an epoch; nothing is at one that is over.
    fn with(&self, epoch: Epoch, act: impl FnOnce(&mut HashMap<KeyId, Arc<Key>>)) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.epoch < epoch {
            *known = Known { epoch, keys: HashMap::new() };
        }
        if known.epoch == epoch {
            act(&mut known.keys);
        }
    }
}
