//! Who does something, for the audit trail.

use std::sync::{Arc, LazyLock};

use chill_core::chance::NoChance;
use chill_core::{EventId, Millis};
use chill_db::{AuditEntry, Tx};

use crate::UseError;
use crate::control::Core;

/// Who acts, and from where: `cli` from `root@host`, `internal_api` from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// His name.
    pub name: String,
    /// Where he is.
    pub from: String,
}

static SYSTEM: LazyLock<Arc<Actor>> = LazyLock::new(|| Arc::new(Actor::new("system", "this process")));

tokio::task_local! {
    /// Whose question is being answered: the port that edges ask through has no word for it.
    static ASKING: Arc<Actor>;
}

impl Actor {
    /// Someone, somewhere.
    #[must_use]
    pub fn new(name: impl Into<String>, from: impl Into<String>) -> Self {
        Self { name: name.into(), from: from.into() }
    }

    /// The control plane itself.
    #[must_use]
    pub fn system() -> Arc<Self> {
        SYSTEM.clone()
    }

    /// Does something in the name of this actor: what [`crate::Control`] writes down for it names him.
    pub(crate) async fn asks<T>(self, question: impl Future<Output = T>) -> T {
        ASKING.scope(Arc::new(self), question).await
    }

    /// Who asks now; the control plane itself when nobody else does.
    pub(crate) fn asking() -> Arc<Self> {
        ASKING.try_with(Arc::clone).unwrap_or_else(|_| Self::system())
    }
}

/// What was done, to what.
pub(crate) struct Act<'a> {
    pub(crate) act: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: &'a str,
    pub(crate) detail: Option<String>,
}

impl Core {
    /// Writes an act into the audit trail, in the transaction that does it, after its other locks and before it publishes.
    pub(crate) async fn audit(&self, tx: &mut Tx, actor: &Actor, act: Act<'_>, now: Millis) -> Result<(), UseError> {
        Ok(tx.audit(&[self.entry(actor, act, now)?]).await?)
    }

    /// An act as a row of the audit trail.
    pub(crate) fn entry(&self, actor: &Actor, act: Act<'_>, now: Millis) -> Result<AuditEntry, NoChance> {
        Ok(AuditEntry {
            id: EventId::new(now, &self.chance)?.to_string(),
            at: now,
            actor: actor.name.clone(),
            actor_from: actor.from.clone(),
            act: act.act.to_owned(),
            subject_kind: act.kind.to_owned(),
            subject_id: act.id,
            subject_name: act.name.to_owned(),
            detail: act.detail,
        })
    }
}
