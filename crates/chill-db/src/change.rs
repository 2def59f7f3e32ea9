//! Epochs and changes: what edges are told, in the order of commits.

use chill_core::control::{Act, Subject};
use chill_core::{Change, Epoch, Millis};

use crate::column::{parse, sum};
use crate::engine::run;
use crate::statement::statements;
use crate::{DbError, Tx};

statements! {
    EPOCH = "SELECT n FROM epoch WHERE id = 1";
    NEXT_EPOCH = "UPDATE epoch SET n = n + 1 WHERE id = 1 RETURNING n";
    INSERT_CHANGE = "INSERT INTO changes (epoch, kind, link_id, device_id, key_id, act, at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    CHANGES = "SELECT epoch, kind, link_id, device_id, key_id, act, at FROM changes WHERE epoch > $1 ORDER BY epoch LIMIT 256";
    FORGET_CHANGES = "DELETE FROM changes WHERE at < $1";
}

impl Tx {
    /// The present epoch. What is read after it in this transaction is at least as new.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn epoch(&mut self) -> Result<Epoch, DbError> {
        run!(one self, (i64,), EPOCH).map(|(n,)| sum(n))
    }

    /// Tells edges of a change when this transaction commits. Do it last: it orders all transactions that do.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn publish(&mut self, subject: &Subject, act: Act, now: Millis) -> Result<Epoch, DbError> {
        let (epoch,) = run!(one self, (i64,), NEXT_EPOCH)?;
        let (kind, link, device, key) = match subject {
            Subject::Link(link) => ("link", Some(link.to_string()), None, None),
            Subject::Device(link, device) => ("device", Some(link.to_string()), Some(device.as_str()), None),
            Subject::Key(key) => ("key", None, None, Some(key.as_str())),
            Subject::Everything => ("everything", None, None, None),
        };
        let act = match act {
            Act::Revoke => "revoke",
            Act::Refresh => "refresh",
        };
        run!(done self, INSERT_CHANGE, epoch, kind, link, device, key, act, now)?;
        self.news = true;
        Ok(sum(epoch))
    }

    /// Changes after `since` in their order, at most 256.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn changes_after(&mut self, since: Epoch) -> Result<Vec<Change>, DbError> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        run!(all self, Columns, CHANGES, since)?.into_iter().map(change).collect()
    }

    /// Forgets changes made before a time. Whoever asks for them is told to start anew.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn changes_forget(&mut self, before: Millis) -> Result<u64, DbError> {
        run!(done self, FORGET_CHANGES, before)
    }
}

type Columns = (i64, String, Option<String>, Option<String>, Option<String>, String, Millis);

fn change((epoch, kind, link, device, key, act, at): Columns) -> Result<Change, DbError> {
    let missing = || DbError::corrupt("changes", "subject");
    let subject = match kind.as_str() {
        "link" => Subject::Link(parse("changes", &link.ok_or_else(missing)?)?),
        "device" => {
            let (link, device) = (link.ok_or_else(missing)?, device.ok_or_else(missing)?);
            Subject::Device(parse("changes", &link)?, parse("changes", &device)?)
        }
        "key" => Subject::Key(parse("changes", &key.ok_or_else(missing)?)?),
        _ => Subject::Everything,
    };
    let act = if act == "revoke" { Act::Revoke } else { Act::Refresh };
    Ok(Change { epoch: sum(epoch), subject, act, at: Some(at) })
}
