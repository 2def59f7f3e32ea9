//! The audit trail: reading it, proving it whole, and letting its oldest days go.

use chill_core::Millis;
use chill_db::{AuditEntry, AuditReport};

use crate::actor::{Act, Actor};
use crate::control::Core;
use crate::{Control, UseError};

/// Acts of one answer.
const ENTRIES: u32 = 500;
/// Rows sealed in one transaction.
const SEALED: u32 = 500;

impl Control {
    /// Acts not before a time and before the entry named, newest first, at most 500.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn audit_trail(&self, before: Option<&str>, since: Millis) -> Result<Vec<AuditEntry>, UseError> {
        let mut tx = self.core.db.read().await?;
        Ok(tx.audit_entries(before, since, ENTRIES).await?)
    }

    /// Walks over the whole trail and says whether it is as it was written.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn audit_verify(&self) -> Result<AuditReport, UseError> {
        Ok(self.core.db.audit_verify().await?)
    }
}

impl Core {
    /// Seals what a release without the chain wrote into the trail, which may run beside this one during an upgrade.
    pub(crate) async fn seal_audit(&self) -> Result<(), UseError> {
        let mut tx = self.db.read().await?;
        let unsealed = tx.audit_unsealed().await?;
        drop(tx);
        for _ in 0..unsealed.div_ceil(u64::from(SEALED)) {
            let mut tx = self.db.write().await?;
            tx.audit_seal(SEALED).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Lets whole days go that are older than `before`, and writes that down.
    pub(crate) async fn forget_audit(&self, before: Millis, now: Millis) -> Result<(), UseError> {
        let act = Act { act: "audit.forget", kind: "audit", id: String::new(), name: "", detail: None };
        let told = self.entry(&Actor::system(), act, now)?;
        let mut tx = self.db.write().await?;
        tx.audit_forget(before, |rows| AuditEntry { detail: Some(format!("rows={rows}")), ..told }).await?;
        tx.commit().await?;
        Ok(())
    }
}
