//! What is in a link: who made it, where it leads, and until when.
//!
//! Ours is a JSON Web Token (RFC 7519) in StremThru's layout, signed with HMAC-SHA256 and with its target sealed by
//! AES-256-GCM, with keys of this server that the header's `kid` names. StremThru's are read too: the same layout without
//! `kid`, under its maker's password, and those that begin with `base64.`.

mod claims;
pub mod doors;
mod keys;
mod plain;
mod seal;

use data_encoding::BASE64URL_NOPAD;

use super::ProxyUsers;
use super::target::{InvalidTarget, Target};
use chill_core::Millis;
use claims::{Claims, Data, Header};

pub(super) use keys::{KeyRing, Keys};

/// Longest token that is opened: no listener takes a longer head. Those made here are far shorter (`link`).
pub(super) const LONGEST: usize = crate::relay::VIEWER_BUFFER;

/// A token that was opened.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) user: &'a str,
    pub(super) target: Target,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It is not a token at all.
    Malformed,
    /// Not made by this server or one of its users, or not for now.
    Unauthorized,
}

impl From<InvalidTarget> for Unopened {
    fn from(_: InvalidTarget) -> Self {
        Self::Malformed
    }
}

/// Makes a token that ends at a second since the epoch, or never.
pub(super) fn make(
    keys: &Keys,
    user: &str,
    target: &Target,
    expires_at: Option<i64>,
    chance: &chill_core::Chance,
) -> Result<String, chill_core::chance::NoChance> {
    let enc_link = seal::sealed(keys.seal(), target.to_text().expose(), chance)?;
    let data = Data { enc_link, enc_format: claims::AES.to_owned(), tunt: Some("a".to_owned()) };
    let claims = Claims::new(user, expires_at, data);
    let signed = format!("{}.{}", part(&Header::ours(keys.id())), part(&claims));
    let signature = BASE64URL_NOPAD.encode(&seal::signature(keys.sign(), &signed));
    Ok(format!("{signed}.{signature}"))
}

/// Opens a token, if it is good at this moment and its maker a user.
pub(super) fn open<'a>(
    keys: &KeyRing,
    users: &'a ProxyUsers,
    token: &str,
    now: Millis,
) -> Result<Opened<'a>, Unopened> {
    if token.len() > LONGEST {
        return Err(Unopened::Malformed);
    }
    match token.strip_prefix("base64.") {
        Some(plain) => plain::open(users, plain),
        None => open_signed(keys, users, token, now),
    }
}

/// Whether only its maker's password opens a token, so that many tokens would be many guesses at it.
pub(super) fn rests_on_a_password(token: &str) -> bool {
    let header = || read::<Header>(token.split('.').next().unwrap_or_default());
    token.len() <= LONGEST && (token.starts_with("base64.") || header().is_ok_and(|header| header.kid.is_none()))
}

fn open_signed<'a>(keys: &KeyRing, users: &'a ProxyUsers, token: &str, now: Millis) -> Result<Opened<'a>, Unopened> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Unopened::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Unopened::Malformed)?;
    let (header, claims): (Header, Claims) = (read(header)?, read(claims)?);
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| Unopened::Malformed)?;
    // The algorithm is ours to say, never the token's.
    if !header.is_hs256() || !claims.is_for(now) {
        return Err(Unopened::Unauthorized);
    }
    // Nobody's key is looked for, let alone used, before there is somebody.
    let (user, password) = users.entry(&claims.sub).ok_or(Unopened::Unauthorized)?;
    let ours = header.kid.as_deref().map(|kid| keys.named(kid).ok_or(Unopened::Unauthorized)).transpose()?;
    let sign = ours.map_or(password.expose().as_bytes(), Keys::sign);
    if sign.is_empty() || !seal::is_signed(sign, signed, &signature) {
        return Err(Unopened::Unauthorized);
    }
    let seal = ours.map_or_else(|| seal::password_key(password.expose()), |keys| *keys.seal());
    let text = claims.data.text(&seal, ours.is_some())?;
    Ok(Opened { user, target: Target::from_text(&text)? })
}

fn part(value: &impl serde::Serialize) -> String {
    BASE64URL_NOPAD.encode(&serde_json::to_vec(value).unwrap_or_default())
}

fn read<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, Unopened> {
    let json = BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Unopened::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Unopened::Malformed)
}

#[cfg(test)]
mod tests;
