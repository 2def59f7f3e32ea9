//! The three primitives of a token: HMAC-SHA256, AES-256-GCM, and the key StremThru makes of a password.

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use chill_core::Chance;
use chill_core::chance::NoChance;
use data_encoding::BASE64;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

const NONCE: usize = 12;

/// base64 of nonce, ciphertext and tag.
pub(super) fn sealed(key: &[u8; 32], text: &str, chance: &Chance) -> Result<String, NoChance> {
    let nonce = chance.bytes::<NONCE>()?;
    let cipher = Aes256Gcm::new(&(*key).into());
    // It fails only for texts beyond 64 GiB.
    let sealed = cipher.encrypt(&Nonce::from(nonce), text.as_bytes()).unwrap_or_default();
    Ok(BASE64.encode(&[nonce.as_slice(), &sealed].concat()))
}

/// The text in what [`sealed`] gave, when the key is right and nothing was changed.
pub(super) fn unsealed(key: &[u8; 32], sealed: &str) -> Option<String> {
    let bytes = BASE64.decode(sealed.as_bytes()).ok()?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let text = Aes256Gcm::new(&(*key).into()).decrypt(&Nonce::from(nonce), sealed).ok()?;
    String::from_utf8(text).ok()
}

/// The key of links that StremThru sealed with a password.
pub(super) fn password_key(password: &str) -> [u8; 32] {
    Sha256::digest(password.as_bytes()).into()
}

pub(super) fn signature(key: &[u8], signed: &str) -> Vec<u8> {
    mac(key, signed).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
}

/// Compares in constant time.
pub(super) fn is_signed(key: &[u8], signed: &str, signature: &[u8]) -> bool {
    mac(key, signed).is_some_and(|mac| mac.verify_slice(signature).is_ok())
}

fn mac(key: &[u8], signed: &str) -> Option<Hmac<Sha256>> {
    // HMAC takes keys of any length.
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).ok()?;
    mac.update(signed.as_bytes());
    Some(mac)
}
