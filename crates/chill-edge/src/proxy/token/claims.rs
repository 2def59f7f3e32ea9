//! The JSON in a signed token.

use chill_core::Millis;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Unopened, seal};

pub(super) const AES: &str = "AES-GCM-256";
const BASE_64: &str = "base64";
const ISSUER: &str = "stremthru";
const ALGORITHM: &str = "HS256";

/// The JOSE header (RFC 7515 §4).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    /// Extensions that must be understood; there are none.
    #[serde(default, skip_serializing)]
    crit: Option<serde::de::IgnoredAny>,
}

impl Header {
    pub(super) fn ours(kid: &str) -> Self {
        Self { alg: ALGORITHM.to_owned(), kid: Some(kid.to_owned()), typ: Some("JWT".to_owned()), crit: None }
    }

    pub(super) fn is_hs256(&self) -> bool {
        self.alg == ALGORITHM && self.typ.as_deref().is_none_or(|typ| typ == "JWT") && self.crit.is_none()
    }
}

/// The claims (RFC 7519 §4), with StremThru's `data`. Times are seconds since the epoch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    pub(super) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<serde_json::Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<serde_json::Number>,
    pub(super) data: Data,
}

/// The target, sealed or not.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Data {
    pub(super) enc_link: String,
    pub(super) enc_format: String,
    /// Which way out StremThru would take; one is enough here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tunt: Option<String>,
}

impl Claims {
    pub(super) fn new(user: &str, expires_at: Option<i64>, data: Data) -> Self {
        Self { iss: ISSUER.to_owned(), sub: user.to_owned(), exp: expires_at.map(Into::into), nbf: None, data }
    }

    /// Whether this is a token for links, and its time has come and not gone.
    pub(super) fn is_for(&self, now: Millis) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds are exact in a double for 285,000 years")]
        let now = now as f64 / 1_000.0;
        let ends = self.exp.as_ref().is_none_or(|exp| exp.as_f64().is_some_and(|exp| now < exp));
        let begun = self.nbf.as_ref().is_none_or(|nbf| nbf.as_f64().is_some_and(|nbf| nbf <= now));
        self.iss == ISSUER && ends && begun
    }
}

impl Data {
    /// The target's text. `sealed`: only if it is sealed.
    pub(super) fn text(&self, key: &[u8; 32], sealed: bool) -> Result<String, Unopened> {
        match self.enc_format.as_str() {
            AES => seal::unsealed(key, &self.enc_link).ok_or(Unopened::Unauthorized),
            BASE_64 if !sealed => {
                let text = BASE64.decode(self.enc_link.as_bytes()).map_err(|_| Unopened::Malformed)?;
                String::from_utf8(text).map_err(|_| Unopened::Malformed)
            }
            _ => Err(Unopened::Malformed),
        }
    }
}
