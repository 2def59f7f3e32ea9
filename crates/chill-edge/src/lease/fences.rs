//! Which answers of the control plane are too old to be used: for every subject, the newest change seen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chill_core::control::Subject;
use chill_core::{Change, DeviceId, Epoch, KeyId, LinkId};

/// More subjects than this are folded into one floor: everybody asks once more, and memory stays bounded.
const MOST_SUBJECTS: usize = 65_536;

/// The state of the control plane an answer was decided on, as far as this edge can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    generation: u64,
    pub(crate) epoch: Epoch,
}

/// The newest change seen for every subject. An answer older than its fence is never used, also when it was on its way
/// while the change arrived.
#[derive(Debug, Default)]
pub(crate) struct Fences(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Grows when everything is dropped, since epochs may then begin anew.
    generation: u64,
    floor: Epoch,
    seen: Epoch,
    by_subject: HashMap<Subject, Epoch>,
}

impl Fences {
    /// What has been seen so far; taken before a question, it dates an answer that bears no epoch of its own.
    pub(crate) fn now(&self) -> Stamp {
        let inner = self.lock();
        Stamp { generation: inner.generation, epoch: inner.seen }
    }

    /// The date of an answer to a question asked at `before`; `epoch` is the answer's own, or 0.
    pub(crate) fn stamp(before: Stamp, epoch: Epoch) -> Stamp {
        Stamp { epoch: if epoch == 0 { before.epoch } else { epoch }, ..before }
    }

    /// Puts up the fence of one change.
    pub(crate) fn raise(&self, change: &Change) {
        let mut inner = self.lock();
        if change.subject == Subject::Everything {
            let generation = inner.generation + 1;
            *inner = Inner { generation, floor: change.epoch, seen: change.epoch, by_subject: HashMap::new() };
            return;
        }
        inner.seen = inner.seen.max(change.epoch);
        if inner.by_subject.len() >= MOST_SUBJECTS {
            inner.floor = inner.seen;
            inner.by_subject.clear();
        }
        let fence = inner.by_subject.entry(change.subject.clone()).or_default();
        *fence = change.epoch.max(*fence);
    }

    /// Whether an answer of that date may still be used.
    pub(crate) fn allow(&self, stamp: Stamp, link: LinkId, device: &DeviceId, key: Option<&KeyId>) -> bool {
        let inner = self.lock();
        if stamp.generation != inner.generation || stamp.epoch < inner.floor {
            return false;
        }
        if inner.by_subject.is_empty() {
            return true;
        }
        let passes = |subject: &Subject| inner.by_subject.get(subject).is_none_or(|fence| stamp.epoch >= *fence);
        passes(&Subject::Link(link))
            && passes(&Subject::Device(link, device.clone()))
            && key.is_none_or(|key| passes(&Subject::Key(key.clone())))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chill_core::control::Act;

    fn link(n: u8) -> LinkId {
        format!("00000000-0000-4000-8000-0000000000{n:02}").parse().unwrap()
    }

    fn device() -> DeviceId {
        "d".parse().unwrap()
    }

    fn change(epoch: Epoch, subject: Subject) -> Change {
        Change { epoch, subject, act: Act::Refresh, at: None }
    }

    #[test]
    fn an_answer_older_than_the_change_of_its_subject_is_refused() {
        let fences = Fences::default();
        let before = fences.now();
        fences.raise(&change(7, Subject::Link(link(1))));
        let allow = |epoch, who| fences.allow(Fences::stamp(before, epoch), link(who), &device(), None);
        assert!(!allow(6, 1));
        assert!(allow(7, 1));
        assert!(allow(6, 2), "another user's change is none of his business");
    }

    #[test]
    fn an_answer_without_an_epoch_is_dated_by_its_question() {
        let fences = Fences::default();
        let before = fences.now();
        fences.raise(&change(3, Subject::Device(link(1), device())));
        assert!(!fences.allow(Fences::stamp(before, 0), link(1), &device(), None));
        assert!(fences.allow(Fences::stamp(fences.now(), 0), link(1), &device(), None));
    }

    #[test]
    fn keys_have_fences_of_their_own() {
        let fences = Fences::default();
        let key: KeyId = "pk-1".parse().unwrap();
        let before = fences.now();
        fences.raise(&change(5, Subject::Key(key.clone())));
        assert!(!fences.allow(Fences::stamp(before, 4), link(1), &device(), Some(&key)));
        assert!(fences.allow(Fences::stamp(before, 5), link(1), &device(), Some(&key)));
    }

    #[test]
    fn dropping_everything_also_drops_answers_with_higher_numbers_of_before() {
        let fences = Fences::default();
        let before = fences.now();
        fences.raise(&change(2, Subject::Everything));
        assert!(!fences.allow(Fences::stamp(before, 900), link(1), &device(), None));
        assert!(fences.allow(Fences::stamp(fences.now(), 2), link(1), &device(), None));
    }

    #[test]
    fn very_many_subjects_become_one_floor() {
        let fences = Fences::default();
        let before = fences.now();
        for n in 0..=MOST_SUBJECTS as u64 {
            let key: KeyId = format!("pk-{n}").parse().unwrap();
            fences.raise(&change(n + 1, Subject::Key(key)));
        }
        assert!(!fences.allow(Fences::stamp(before, 9), link(1), &device(), None));
        assert!(fences.lock().by_subject.len() < 10);
    }
}
