//! Lists as one parameter: a JSON array that `json_each` takes apart on both engines.

use serde::Serialize;

use crate::DbError;

/// The JSON text of a list, for `json_each($n)`.
pub(crate) fn json(list: &impl Serialize) -> Result<String, DbError> {
    serde_json::to_string(list).map_err(|e| DbError::Other(format!("a list could not be written: {e}")))
}
