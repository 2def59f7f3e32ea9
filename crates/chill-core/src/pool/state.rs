//! The states of a key, each with its own way back.

use std::fmt;

use crate::Millis;
use crate::store::Account;
use crate::usage::Outcome;

/// How a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Serves.
    Healthy,
    /// The store said "too many requests"; serves again at this time by itself.
    Throttled(Millis),
    /// A limit of the account was met; serves again at this time by itself.
    Cooling(Millis),
    /// The store does not accept it, verified by a probe; back with a probe that succeeds, or a new secret.
    Rejected,
    /// The provider replaced it (a good key suddenly not accepted); back with a new secret.
    RotatedByProvider,
    /// The subscription ran out; back with a probe that finds it running.
    Expired,
    /// Gets no new users; those it has keep it. Back by hand.
    Draining,
    /// Serves nobody, by the operator's hand; back by hand.
    Disabled,
}

/// Whom a key may serve now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Old and new users.
    Everybody,
    /// Nobody new: who has it moves at the next lease, when another key is there.
    Leaving,
    /// Nobody until this time.
    RestingUntil(Millis),
    /// Nobody until something is done.
    Nobody,
}

/// Rest after a 429 and after an account's limit, in milliseconds.
const THROTTLE_REST: Millis = 60_000;
const LIMIT_REST: Millis = 10 * 60_000;
/// Rest while a report of a rejected key waits for the control plane's own probe.
const SUSPICION_REST: Millis = 30_000;

impl KeyState {
    /// Whom the key serves at `now`. A rest that is over needs no write to be over.
    #[must_use]
    pub fn serving(self, now: Millis) -> Serving {
        match self {
            Self::Throttled(until) | Self::Cooling(until) if until > now => Serving::RestingUntil(until),
            Self::Healthy | Self::Throttled(_) | Self::Cooling(_) => Serving::Everybody,
            Self::Draining => Serving::Leaving,
            Self::Rejected | Self::RotatedByProvider | Self::Expired | Self::Disabled => Serving::Nobody,
        }
    }

    /// The state after an edge's report. A report alone only ever makes a key rest, and one that the store does not accept
    /// the key does not even that, since all other edges would go without it: the control plane's own probe decides.
    #[must_use]
    pub fn after_report(self, outcome: Outcome, now: Millis) -> Self {
        let serves = matches!(self.serving(now), Serving::Everybody | Serving::RestingUntil(_));
        if !serves {
            return self;
        }
        let rest = |ms: Millis| now.saturating_add(ms);
        match (outcome, self) {
            (Outcome::Throttled, Self::Cooling(until)) if until > now => self,
            (Outcome::Throttled, _) => Self::Throttled(rest(THROTTLE_REST)),
            (Outcome::LimitReached, _) => Self::Cooling(rest(LIMIT_REST)),
            (Outcome::PlanRestricted, Self::Cooling(until)) if until > rest(SUSPICION_REST) => self,
            (Outcome::PlanRestricted, _) => Self::Cooling(rest(SUSPICION_REST)),
            (Outcome::Ok | Outcome::KeyRejected | Outcome::StoreDown | Outcome::Failed, _) => self,
        }
    }

    /// The state after the control plane's own probe found the account so. The operator's own words (draining, disabled)
    /// stand.
    #[must_use]
    pub fn after_probe(self, account: &Account, now: Millis) -> Self {
        match self {
            Self::Draining | Self::Disabled => self,
            _ if !account.active || account.expires_at.is_some_and(|end| end <= now) => Self::Expired,
            Self::Throttled(_) => self,
            Self::Cooling(until) if until > now.saturating_add(SUSPICION_REST) => self,
            _ => Self::Healthy,
        }
    }

    /// The state after a probe was answered "this key is not accepted". A key that has worked before was replaced by its
    /// provider; one that never worked was wrong.
    #[must_use]
    pub fn after_rejected_probe(self, has_worked: bool) -> Self {
        match self {
            Self::Draining | Self::Disabled => self,
            _ if has_worked => Self::RotatedByProvider,
            _ => Self::Rejected,
        }
    }

    /// The word in the database and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Throttled(_) => "throttled",
            Self::Cooling(_) => "cooling",
            Self::Rejected => "rejected",
            Self::RotatedByProvider => "rotated_by_provider",
            Self::Expired => "expired",
            Self::Draining => "draining",
            Self::Disabled => "disabled",
        }
    }

    /// Until when it rests, for the states that end by themselves.
    #[must_use]
    pub fn until(self) -> Option<Millis> {
        match self {
            Self::Throttled(until) | Self::Cooling(until) => Some(until),
            _ => None,
        }
    }

    /// Reads the two columns back; an unknown word is `None`.
    #[must_use]
    pub fn from_word(word: &str, until: Option<Millis>) -> Option<Self> {
        Some(match word {
            "healthy" => Self::Healthy,
            "throttled" => Self::Throttled(until.unwrap_or(0)),
            "cooling" => Self::Cooling(until.unwrap_or(0)),
            "rejected" => Self::Rejected,
            "rotated_by_provider" => Self::RotatedByProvider,
            "expired" => Self::Expired,
            "draining" => Self::Draining,
            "disabled" => Self::Disabled,
            _ => return None,
        })
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The time until a rest is over.
#[must_use]
pub fn remaining(until: Millis, now: Millis) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(until.saturating_sub(now)).unwrap_or(0))
        .max(std::time::Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::millis;
    use proptest::prelude::*;
    use std::time::Duration;

    const NOW: Millis = 1_000_000;

    fn any_outcome() -> impl Strategy<Value = Outcome> {
        proptest::sample::select(vec![
            Outcome::Ok,
            Outcome::KeyRejected,
            Outcome::PlanRestricted,
            Outcome::LimitReached,
            Outcome::Throttled,
            Outcome::StoreDown,
            Outcome::Failed,
        ])
    }

    proptest! {
        #[test]
        fn no_run_of_reports_disables_a_key_for_good(reports in proptest::collection::vec((any_outcome(), 0_i64..100_000), 0..50)) {
            let mut state = KeyState::Healthy;
            let mut now = NOW;
            for (outcome, pause) in reports {
                now += pause;
                state = state.after_report(outcome, now);
            }
            prop_assert_eq!(state.serving(now + millis(Duration::from_secs(3_600))), Serving::Everybody);
        }

        #[test]
        fn the_operators_word_outlives_every_report(outcome in any_outcome()) {
            for state in [KeyState::Draining, KeyState::Disabled] {
                prop_assert_eq!(state.after_report(outcome, NOW), state);
            }
        }
    }

    #[test]
    fn a_rest_ends_by_itself() {
        let state = KeyState::Healthy.after_report(Outcome::Throttled, NOW);
        assert_eq!(state.serving(NOW), Serving::RestingUntil(NOW + THROTTLE_REST));
        assert_eq!(state.serving(NOW + THROTTLE_REST), Serving::Everybody);
    }

    #[test]
    fn a_shorter_rest_does_not_shorten_a_longer_one() {
        let cooling = KeyState::Healthy.after_report(Outcome::LimitReached, NOW);
        assert_eq!(cooling.after_report(Outcome::Throttled, NOW), cooling);
        assert_eq!(cooling.after_report(Outcome::KeyRejected, NOW), cooling);
    }

    #[test]
    fn probes_bring_keys_back_and_take_them_away() {
        let account = Account { active: true, plan: "Pro".into(), expires_at: None, slots: None, cooldown_until: None };
        assert_eq!(KeyState::Rejected.after_probe(&account, NOW), KeyState::Healthy);
        assert_eq!(
            KeyState::Healthy.after_probe(&Account { active: false, ..account.clone() }, NOW),
            KeyState::Expired
        );
        assert_eq!(KeyState::Disabled.after_probe(&account, NOW), KeyState::Disabled);
        assert_eq!(KeyState::Healthy.after_rejected_probe(true), KeyState::RotatedByProvider);
        assert_eq!(KeyState::Healthy.after_rejected_probe(false), KeyState::Rejected);
        assert_eq!(KeyState::Healthy.after_report(Outcome::KeyRejected, NOW), KeyState::Healthy);
        let suspected = KeyState::Healthy.after_report(Outcome::PlanRestricted, NOW);
        assert_eq!(suspected.after_probe(&account, NOW + 1_000), KeyState::Healthy);
    }

    #[test]
    fn states_round_trip_through_their_columns() {
        for state in [
            KeyState::Healthy,
            KeyState::Throttled(5),
            KeyState::Cooling(6),
            KeyState::Rejected,
            KeyState::RotatedByProvider,
            KeyState::Expired,
            KeyState::Draining,
            KeyState::Disabled,
        ] {
            assert_eq!(KeyState::from_word(state.word(), state.until()), Some(state));
        }
    }
}
