//! Which key a user gets: the one already assigned while it serves, else the least loaded one with room.

use std::cmp::Ordering;

use super::{KeyState, Passport, Serving};
use crate::{KeyId, Millis};

/// A key as the choice sees it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which key.
    pub id: KeyId,
    /// What it allows.
    pub passport: Passport,
    /// How it is.
    pub state: KeyState,
    /// Users assigned to it, this one included when it is.
    pub assigned: u32,
    /// The operator's weight, at least 1: a key of weight 2 takes twice the users.
    pub weight: u32,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The user stays with the key already assigned.
    Stay(KeyId),
    /// The user is assigned to this key from now on.
    Assign(KeyId),
    /// Every key the user might have rests; the first is back at this time.
    Resting(Millis),
    /// No key may serve this user.
    Nothing,
}

/// Chooses among the keys of one store. `current` is the key assigned to the user, `excluded` those that just failed.
///
/// A key the user has and that serves (or drains without another being there) is kept; otherwise the key with the fewest
/// users per weight and a free place is taken, ties by id so that every node chooses alike.
#[must_use]
pub fn choose(candidates: &[Candidate], current: Option<&KeyId>, excluded: &[KeyId], now: Millis) -> Choice {
    let offered = || candidates.iter().filter(|key| !excluded.contains(&key.id));
    let mine = offered().find(|key| Some(&key.id) == current);
    if let Some(key) = mine
        && key.state.serving(now) == Serving::Everybody
    {
        return Choice::Stay(key.id.clone());
    }
    let is_mine = |key: &Candidate| Some(&key.id) == current;
    let free = offered().filter(|key| !is_mine(key) && key.passport.has_room(key.assigned));
    let best = free.clone().filter(|key| key.state.serving(now) == Serving::Everybody).min_by(|a, b| by_load(a, b));
    match (best, mine.map(|key| key.state.serving(now))) {
        (Some(key), _) => Choice::Assign(key.id.clone()),
        (None, Some(Serving::Leaving)) => mine.map_or(Choice::Nothing, |key| Choice::Stay(key.id.clone())),
        (None, _) => first_back(free.chain(mine), now),
    }
}

/// When the first of these keys serves again.
fn first_back<'a>(keys: impl Iterator<Item = &'a Candidate>, now: Millis) -> Choice {
    let times = keys.filter_map(|key| match key.state.serving(now) {
        Serving::RestingUntil(time) => Some(time),
        Serving::Everybody | Serving::Leaving | Serving::Nobody => None,
    });
    times.min().map_or(Choice::Nothing, Choice::Resting)
}

/// Fewest users per weight first: a/wa < b/wb without dividing.
fn by_load(a: &Candidate, b: &Candidate) -> Ordering {
    let left = u64::from(a.assigned) * u64::from(b.weight.max(1));
    let right = u64::from(b.assigned) * u64::from(a.weight.max(1));
    left.cmp(&right).then_with(|| a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::Terms;
    use proptest::prelude::*;

    const NOW: Millis = 1_000_000;

    fn id(n: usize) -> KeyId {
        format!("k{n:02}").parse().unwrap()
    }

    fn key(n: usize, state: KeyState, assigned: u32, max: Option<u32>) -> Candidate {
        let passport = Passport::new(Terms::Partner, max, None).unwrap();
        Candidate { id: id(n), passport, state, assigned, weight: 1 }
    }

    #[test]
    fn the_least_loaded_key_with_room_is_taken() {
        let keys = [
            key(1, KeyState::Healthy, 2, None),
            key(2, KeyState::Healthy, 1, Some(1)),
            key(3, KeyState::Healthy, 1, None),
        ];
        assert_eq!(choose(&keys, None, &[], NOW), Choice::Assign(id(3)));
        let heavy = [Candidate { weight: 3, ..key(1, KeyState::Healthy, 2, None) }, key(2, KeyState::Healthy, 1, None)];
        assert_eq!(choose(&heavy, None, &[], NOW), Choice::Assign(id(1)));
    }

    #[test]
    fn an_assignment_sticks_while_its_key_serves() {
        let keys = [key(1, KeyState::Healthy, 5, Some(5)), key(2, KeyState::Healthy, 0, None)];
        assert_eq!(choose(&keys, Some(&id(1)), &[], NOW), Choice::Stay(id(1)));
        assert_eq!(choose(&keys, Some(&id(1)), &[id(1)], NOW), Choice::Assign(id(2)));
        let rested = [key(1, KeyState::Throttled(NOW), 5, None), key(2, KeyState::Healthy, 0, None)];
        assert_eq!(choose(&rested, Some(&id(1)), &[], NOW), Choice::Stay(id(1)));
    }

    #[test]
    fn a_draining_key_is_left_when_there_is_another() {
        let with = [key(1, KeyState::Draining, 1, None), key(2, KeyState::Healthy, 0, None)];
        assert_eq!(choose(&with, Some(&id(1)), &[], NOW), Choice::Assign(id(2)));
        assert_eq!(choose(&with[..1], Some(&id(1)), &[], NOW), Choice::Stay(id(1)));
        assert_eq!(choose(&with[..1], None, &[], NOW), Choice::Nothing);
    }

    #[test]
    fn when_all_rest_the_first_back_is_named() {
        let keys = [
            key(1, KeyState::Throttled(NOW + 9), 0, None),
            key(2, KeyState::Cooling(NOW + 5), 1, None),
            key(3, KeyState::Cooling(NOW + 1), 1, Some(1)),
        ];
        assert_eq!(choose(&keys, Some(&id(2)), &[], NOW), Choice::Resting(NOW + 5));
        assert_eq!(choose(&keys, Some(&id(3)), &[], NOW), Choice::Resting(NOW + 1));
        assert_eq!(choose(&[], None, &[], NOW), Choice::Nothing);
    }

    fn any_state() -> impl Strategy<Value = KeyState> {
        proptest::sample::select(vec![
            KeyState::Healthy,
            KeyState::Throttled(NOW + 60_000),
            KeyState::Cooling(NOW - 1),
            KeyState::Rejected,
            KeyState::RotatedByProvider,
            KeyState::Expired,
            KeyState::Draining,
            KeyState::Disabled,
        ])
    }

    fn any_keys() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (any_state(), 0_u32..6, proptest::option::of(1_u32..6), 1_u32..4);
        proptest::collection::vec(one, 0..8).prop_map(|keys| {
            keys.into_iter()
                .enumerate()
                .map(|(n, (state, assigned, max, weight))| Candidate { weight, ..key(n, state, assigned, max) })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn a_choice_never_breaks_a_passport(keys in any_keys(), current in proptest::option::of(0_usize..8), excluded in proptest::collection::vec(0_usize..8, 0..3)) {
            let excluded: Vec<_> = excluded.into_iter().map(id).collect();
            let current = current.map(id).filter(|c| keys.iter().any(|k| k.id == *c));
            match choose(&keys, current.as_ref(), &excluded, NOW) {
                Choice::Assign(chosen) => {
                    let key = keys.iter().find(|k| k.id == chosen).unwrap();
                    prop_assert!(key.passport.has_room(key.assigned));
                    prop_assert_eq!(key.state.serving(NOW), Serving::Everybody);
                    prop_assert!(!excluded.contains(&chosen) && current.as_ref() != Some(&chosen));
                }
                Choice::Stay(chosen) => {
                    prop_assert_eq!(Some(&chosen), current.as_ref());
                    prop_assert!(!excluded.contains(&chosen));
                    let state = keys.iter().find(|k| k.id == chosen).unwrap().state.serving(NOW);
                    prop_assert!(matches!(state, Serving::Everybody | Serving::Leaving));
                }
                Choice::Resting(until) => prop_assert!(until > NOW),
                Choice::Nothing => {}
            }
        }

        #[test]
        fn the_order_of_the_keys_does_not_matter(keys in any_keys()) {
            let mut turned = keys.clone();
            turned.reverse();
            prop_assert_eq!(choose(&keys, None, &[], NOW), choose(&turned, None, &[], NOW));
        }
    }
}
