//! How many keys of each store are in which state, for the operator's metrics.

use std::collections::BTreeMap;

use chill_core::StoreCode;
use chill_core::pool::{KeyState, Serving};

use crate::UseError;
use crate::control::Core;

/// The words of all states, so that a state that no key is in any more shows 0.
const WORDS: [&str; 8] =
    ["healthy", "throttled", "cooling", "rejected", "rotated_by_provider", "expired", "draining", "disabled"];

impl Core {
    /// Shows the states as a gauge. Every control node of one database shows the same.
    pub(crate) async fn show_key_states(&self) -> Result<(), UseError> {
        let mut tx = self.db.read().await?;
        let keys = tx.keys().await?;
        drop(tx);
        let now = self.clock.now();
        let mut counts: BTreeMap<(StoreCode, &str), u32> = BTreeMap::new();
        for key in keys {
            for word in WORDS {
                counts.entry((key.store, word)).or_default();
            }
            *counts.entry((key.store, word(key.state, now))).or_default() += 1;
        }
        for ((store, state), count) in counts {
            metrics::gauge!("chillproxy_keys", "store" => store.as_str(), "state" => state).set(f64::from(count));
        }
        Ok(())
    }
}

/// A rest that is over is health, though nothing wrote it down yet.
fn word(state: KeyState, now: chill_core::Millis) -> &'static str {
    if state.serving(now) == Serving::Everybody { KeyState::Healthy.word() } else { state.word() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_word_and_a_rest_that_is_over_is_health() {
        let states = [
            KeyState::Healthy,
            KeyState::Throttled(2),
            KeyState::Cooling(2),
            KeyState::Rejected,
            KeyState::RotatedByProvider,
            KeyState::Expired,
            KeyState::Draining,
            KeyState::Disabled,
        ];
        assert_eq!(states.map(|state| word(state, 1)), WORDS);
        assert_eq!((word(KeyState::Throttled(2), 2), word(KeyState::Cooling(2), 3)), ("healthy", "healthy"));
    }
}
