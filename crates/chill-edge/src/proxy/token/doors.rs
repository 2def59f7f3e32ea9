//! The ways in and out of a token, for fuzzing: with one user and one secret that are no secret.

use data_encoding::BASE64URL_NOPAD;

use super::{KeyRing, LONGEST, Target, make, open, part, seal};
use crate::proxy::ProxyUsers;
use chill_core::{Chance, Millis, Secret};

const NOW: Millis = 1_700_000_000_000;
const USER: &str = "alice";
const PASSWORD: &str = "s3cret";

fn keys() -> Option<KeyRing> {
    KeyRing::derive(&Secret::new("k".repeat(32)), &[]).ok()
}

/// Where a token leads, as the text of a target, when it opens.
#[must_use]
pub fn opened(token: &str) -> Option<String> {
    let users = ProxyUsers::parse(&format!("{USER}:{PASSWORD}")).ok()?;
    let opened = open(&keys()?, &users, token, NOW).ok()?;
    Some(opened.target.to_text().expose().to_owned())
}

/// A token of this server that leads to a target's text, when that is one and fits into a link.
#[must_use]
pub fn made(target: &str) -> Option<String> {
    let made = make(keys()?.first(), USER, &Target::from_text(target).ok()?, None, &Chance::seeded(1)).ok()?;
    (made.len() <= LONGEST).then_some(made)
}

/// A token with these claims, whatever they are, signed as StremThru signs for the user.
#[must_use]
pub fn signed_as_foreign(claims: &str) -> String {
    let header = part(&serde_json::json!({"alg": "HS256", "typ": "JWT"}));
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
    let signature = seal::signature(PASSWORD.as_bytes(), &signed);
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}
