//! Who does something, for the audit trail.

use chill_core::{EventId, Millis};
use chill_db::{AuditEntry, Tx};

use crate::UseError;
use crate::control::Core;

/// Who acts, and from where: `root` from `command line`, an admin's name from an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// His name.
    pub name: String,
    /// Where he is.
    pub from: String,
}

impl Actor {
    /// Someone, somewhere.
    #[must_use]
    pub fn new(name: impl Into<String>, from: impl Into<String>) -> Self {
        Self { name: name.into(), from: from.into() }
    }

    /// The control plane itself.
    #[must_use]
    pub fn system() -> Self {
        Self::new("chillproxy", "itself")
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
    /// Writes an act into the audit trail, in the transaction that does it.
    pub(crate) async fn audit(&self, tx: &mut Tx, actor: &Actor, act: Act<'_>, now: Millis) -> Result<(), UseError> {
        let entry = AuditEntry {
            id: EventId::new(now, &self.chance)?.to_string(),
            at: now,
            actor: actor.name.clone(),
            actor_from: actor.from.clone(),
            act: act.act.to_owned(),
            subject_kind: act.kind.to_owned(),
            subject_id: act.id,
            subject_name: act.name.to_owned(),
            detail: act.detail,
        };
        Ok(tx.audit(&entry).await?)
    }
}
