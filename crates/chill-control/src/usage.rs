//! Reports of what was used.

use chill_db::{UsageBy, UsageRow, UsageWindow};

use crate::{Control, UseError};

/// Rows of one report.
const ROWS: u32 = 10_000;

impl Control {
    /// What was used, by user, key or day: playbacks started, how many of them the store had already, and bytes carried.
    ///
    /// # Errors
    /// [`UseError::Db`].
    pub async fn usage(&self, by: UsageBy, window: UsageWindow) -> Result<Vec<UsageRow>, UseError> {
        let mut tx = self.core.db.read().await?;
        Ok(tx.usage(by, window, ROWS).await?)
    }
}
