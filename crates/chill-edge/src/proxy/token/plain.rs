//! StremThru's tokens without a signature: the maker's credential and the target, in base64.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::Deserialize;

use super::{Opened, Unopened};
use crate::proxy::ProxyUsers;
use crate::proxy::request_headers;
use crate::proxy::target::Target;

#[derive(Deserialize)]
struct Plain {
    /// `user:password`.
    u: String,
    /// The URL.
    v: String,
    #[serde(default)]
    reqh: Option<BTreeMap<String, String>>,
}

/// Opens what comes after `base64.`.
pub(super) fn open<'a>(users: &'a ProxyUsers, encoded: &str) -> Result<Opened<'a>, Unopened> {
    let json = BASE64.decode(encoded.as_bytes()).map_err(|_| Unopened::Malformed)?;
    let plain: Plain = serde_json::from_slice(&json).map_err(|_| Unopened::Malformed)?;
    let (user, password) = plain.u.split_once(':').ok_or(Unopened::Unauthorized)?;
    let user = users.verify(user, password).ok_or(Unopened::Unauthorized)?;
    let reqh = plain.reqh.unwrap_or_default();
    let headers = request_headers::from_pairs(reqh.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let headers = headers.map_err(|_| Unopened::Malformed)?;
    Ok(Opened { user, target: Target::new(&plain.v, headers)? })
}
