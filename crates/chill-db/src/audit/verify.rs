//! Reading the audit trail from end to end, to see whether anything of it was changed, taken out or put elsewhere.

use std::fmt;

use super::chain::{Link, hash};
use super::{AuditEntry, Head};
use crate::{Db, DbError, Tx};

/// What a walk over the whole trail found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// The days that are kept, oldest first.
    pub days: Vec<AuditDay>,
    /// The first thing that is not as it was written; none when all is.
    pub broken: Option<AuditBreak>,
    /// Rows that are not in the chain yet: a release without it wrote them.
    pub unsealed: u64,
    /// The hash of the newest row, which stands for the whole trail. Kept elsewhere, it proves later that nothing was rewritten.
    pub hash: String,
}

/// One day of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditDay {
    /// Days since 1970-01-01, in UTC.
    pub day: i64,
    /// How many acts.
    pub rows: u64,
    /// The hash of its last row.
    pub hash: String,
}

/// Where the chain breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditBreak {
    /// The number of the row in the chain, from 1.
    pub n: i64,
    /// The row's id, when it is there.
    pub id: Option<String>,
    /// How it breaks.
    pub how: AuditFault,
}

/// How the chain breaks at a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFault {
    /// It is not there.
    Missing,
    /// It is not what was written, or not after what it was written after.
    Changed,
}

impl fmt::Display for AuditBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.how, &self.id) {
            (AuditFault::Missing, _) => write!(f, "row {} is missing", self.n),
            (AuditFault::Changed, Some(id)) => write!(f, "row {} ({id}) was changed", self.n),
            (AuditFault::Changed, None) => write!(f, "row {} was changed", self.n),
        }
    }
}

/// Rows read at once.
const PAGE: u32 = 1_000;

impl Db {
    /// Walks over the whole audit trail, oldest first, up to the row that is the newest now.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn audit_verify(&self) -> Result<AuditReport, DbError> {
        self.read().await?.audit_verify().await
    }
}

impl Tx {
    pub(crate) async fn audit_verify(&mut self) -> Result<AuditReport, DbError> {
        loop {
            let head = self.audit_head().await?;
            let report = walk(self, &head).await?;
            // Old days may have been forgotten while we read them.
            if report.broken.is_none() || self.audit_head().await?.gone == head.gone {
                return Ok(report);
            }
        }
    }
}

async fn walk(tx: &mut Tx, head: &Head) -> Result<AuditReport, DbError> {
    let mut report = AuditReport { unsealed: tx.audit_unsealed().await?, ..AuditReport::default() };
    let mut last = Link { n: head.gone.0, day: i64::MIN, hash: head.gone.1.clone() };
    while last.n < head.last.n {
        let page = tx.audit_page(last.n, PAGE).await?;
        let rows = page.into_iter().take_while(|(link, _)| link.n <= head.last.n).collect::<Vec<_>>();
        if rows.is_empty() {
            break;
        }
        for (link, entry) in rows {
            if report.broken.is_none() {
                report.broken = compare(&last, &link, &entry);
            }
            count(&mut report.days, &link);
            last = link;
        }
    }
    let end = &head.last;
    if report.broken.is_none() && (last.n, &last.hash) != (end.n, &end.hash) {
        let how = if last.n == end.n { AuditFault::Changed } else { AuditFault::Missing };
        report.broken = Some(AuditBreak { n: end.n.min(last.n.saturating_add(1)), id: None, how });
    }
    report.hash = last.hash;
    Ok(report)
}

/// What is wrong with a row, seen from the row before it.
fn compare(last: &Link, link: &Link, entry: &AuditEntry) -> Option<AuditBreak> {
    let expected = last.n.saturating_add(1);
    if link.n != expected {
        return Some(AuditBreak { n: expected, id: None, how: AuditFault::Missing });
    }
    let right = link.day >= last.day && hash(&last.hash, link.n, link.day, entry) == link.hash;
    (!right).then(|| AuditBreak { n: link.n, id: Some(entry.id.clone()), how: AuditFault::Changed })
}

fn count(days: &mut Vec<AuditDay>, link: &Link) {
    match days.last_mut().filter(|day| day.day == link.day) {
        Some(day) => {
            day.rows += 1;
            day.hash.clone_from(&link.hash);
        }
        None => days.push(AuditDay { day: link.day, rows: 1, hash: link.hash.clone() }),
    }
}
