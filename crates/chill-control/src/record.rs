//! Counting usage, and believing what it says about keys only as far as a rest.

use std::collections::{BTreeMap, HashMap};

use chill_core::control::{Recorded, Subject};
use chill_core::pool::KeyState;
use chill_core::{KeyId, LinkId, Millis, Outcome, UsageEvent};
use chill_db::{CountedEvent, DbError, Key, Tx};

use crate::Actor;
use crate::control::Core;
use crate::probe::{consequence, state_changed};

impl Core {
    /// Counts events that were not counted before, and lets keys rest that had trouble. All or nothing.
    pub(crate) async fn record(&self, events: &[UsageEvent]) -> Result<Recorded, DbError> {
        if events.is_empty() {
            return Ok(Recorded::default());
        }
        let now = self.clock.now();
        // An edge's clock may run ahead; nothing happens later than now.
        let events: Vec<_> = events.iter().map(|e| UsageEvent { at: e.at.clamp(0, now), ..e.clone() }).collect();
        let mut tx = self.db.write().await?;
        let links: Vec<LinkId> = events.iter().map(|event| event.link).collect();
        let users: HashMap<_, _> =
            tx.users_by_link(&links).await?.into_iter().map(|user| (user.link, user.id)).collect();
        let counted: Vec<_> =
            events.iter().map(|event| CountedEvent { event, user: users.get(&event.link).copied() }).collect();
        let new = tx.usage_count(&counted, now).await?;
        let mut reports: BTreeMap<&KeyId, Vec<&UsageEvent>> = BTreeMap::new();
        for event in events.iter().filter(|event| new.contains(&event.id)) {
            reports.entry(&event.key).or_default().push(event);
        }
        let suspicion = self.hear(&mut tx, &reports, now).await?;
        tx.commit().await?;
        if suspicion {
            self.suspicion.notify_one();
        }
        Ok(Recorded { accepted: new.len(), duplicates: events.len() - new.len() })
    }

    /// Takes reports to the keys they are about; true when a key is suspected and a probe waits.
    async fn hear(
        &self,
        tx: &mut Tx,
        reports: &BTreeMap<&KeyId, Vec<&UsageEvent>>,
        now: Millis,
    ) -> Result<bool, DbError> {
        let trouble = |event: &&UsageEvent| event.outcome != Outcome::Ok;
        let ids: Vec<KeyId> = reports.keys().map(|id| (*id).clone()).collect();
        let known = tx.keys_by_id(&ids).await?;
        // Most batches say "it worked" of keys that are known to work: those need no lock.
        let news = |key: &Key| !key.has_worked || reports.get(&key.id).is_some_and(|of| of.iter().any(trouble));
        let wanted: Vec<KeyId> = known.into_iter().filter(news).map(|key| key.id).collect();
        if wanted.is_empty() {
            return Ok(false);
        }
        let mut suspicion = false;
        let (mut changed, mut acts) = (Vec::new(), Vec::new());
        let actor = Actor::asking();
        for mut key in tx.keys_lock(&wanted).await? {
            let before = key.state;
            for event in reports.get(&key.id).into_iter().flatten() {
                suspicion |= hear_one(&mut key, event, now);
            }
            tx.key_update(&key).await?;
            if let Some(act) = state_changed(before, &key, "a report") {
                acts.push(self.entry(&actor, act, now).map_err(|error| DbError::Other(error.to_string()))?);
            }
            changed.extend(consequence(before, key.state, now).map(|act| (key.id, act)));
        }
        tx.audit(&acts).await?;
        for (id, act) in changed {
            tx.publish(&Subject::Key(id), act, now).await?;
        }
        Ok(suspicion)
    }
}

/// One report about one key; true when it raises a suspicion.
fn hear_one(key: &mut Key, event: &UsageEvent, now: Millis) -> bool {
    let outcome = event.outcome;
    key.state = key.state.after_report(outcome, event.at);
    if outcome == Outcome::Ok {
        key.has_worked = true;
        return false;
    }
    key.last_error = Some(format!("an edge reported: {outcome}"));
    let suspected = matches!(outcome, Outcome::KeyRejected | Outcome::PlanRestricted);
    let askable = !matches!(key.state, KeyState::Draining | KeyState::Disabled);
    if suspected && askable && key.probe_due.is_none_or(|due| due > now) {
        key.probe_due = Some(now);
        return true;
    }
    false
}
