//! The hash chain over the audit trail: what a row's hash is made of.

use chill_core::Millis;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::AuditEntry;

const DAY: Millis = 86_400_000;

/// Days since 1970-01-01, in UTC.
pub(super) fn day_of(at: Millis) -> i64 {
    at.div_euclid(DAY)
}

/// One row's place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) n: i64,
    pub(super) day: i64,
    pub(super) hash: String,
}

impl Link {
    /// The place of the next row. Its day is never before the last one's, also when another node's clock runs behind.
    pub(super) fn next(&self, entry: &AuditEntry) -> Self {
        let (n, day) = (self.n.saturating_add(1), self.day.max(day_of(entry.at)));
        Self { n, day, hash: hash(&self.hash, n, day, entry) }
    }
}

/// SHA-256 over the previous row's hash and all of this row, each text with its length before it, in hexadecimal.
pub(super) fn hash(previous: &str, n: i64, day: i64, entry: &AuditEntry) -> String {
    let mut sum = Sha256::new_with_prefix(b"chillproxy audit 1\n");
    text(&mut sum, previous);
    for number in [n, day, entry.at] {
        sum.update(number.to_be_bytes());
    }
    let AuditEntry { id, at: _, actor, actor_from, act, subject_kind, subject_id, subject_name, detail } = entry;
    for field in [id, actor, actor_from, act, subject_kind, subject_id, subject_name] {
        text(&mut sum, field);
    }
    sum.update([u8::from(detail.is_some())]);
    text(&mut sum, detail.as_deref().unwrap_or_default());
    HEXLOWER.encode(&sum.finalize())
}

fn text(sum: &mut Sha256, text: &str) {
    sum.update((text.len() as u64).to_be_bytes());
    sum.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the first row of all is chained to; it stands in the migration.
    const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn entry() -> AuditEntry {
        let text = str::to_owned;
        AuditEntry {
            id: text("id"),
            at: 1_790_000_000_000,
            actor: text("cli"),
            actor_from: text("root@host"),
            act: text("user.add"),
            subject_kind: text("user"),
            subject_id: text("u1"),
            subject_name: text("Anna"),
            detail: None,
        }
    }

    #[test]
    fn every_field_and_the_place_count() {
        let known = hash(START, 1, 20_717, &entry());
        let text = |n: &str| n.to_owned();
        let others = [
            hash(&"0".repeat(63), 1, 20_717, &entry()),
            hash(START, 2, 20_717, &entry()),
            hash(START, 1, 20_718, &entry()),
            hash(START, 1, 20_717, &AuditEntry { at: 1_790_000_000_001, ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { id: text("ix"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { actor: text("system"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { actor_from: text("root@hos"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { act: text("user.remove"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { subject_kind: text("key"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { subject_id: text("u2"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { subject_name: text("Bert"), ..entry() }),
            hash(START, 1, 20_717, &AuditEntry { detail: Some(String::new()), ..entry() }),
            // A letter that moves to the next field is another row.
            hash(START, 1, 20_717, &AuditEntry { subject_id: text("u"), subject_name: text("1Anna"), ..entry() }),
        ];
        assert!(others.iter().all(|other| *other != known));
    }

    #[test]
    fn a_clock_behind_does_not_turn_the_day_back() {
        let last = Link { n: 7, day: 30_000, hash: START.to_owned() };
        let next = last.next(&entry());
        assert_eq!((next.n, next.day), (8, 30_000));
        assert_eq!(Link { day: 1, ..last }.next(&entry()).day, 20_717);
    }
}
