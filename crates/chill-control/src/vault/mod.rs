//! Sealing: pool keys at rest are AES-256-GCM ciphertext.
//!
//! A master key never seals by itself: HKDF-SHA256 (RFC 5869) derives the data key under a purpose label. A blob is
//! `1 | version (4) | nonce (12) | ciphertext and tag`; `version` is the start of the data key's SHA-256, so that several
//! masters can be in use and rows move from one to the next one by one. The additional data is store and key id: a blob
//! copied to another row does not open.
//!
//! Refuses: storage. Start reading at [`Vault`].

mod masters;

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use chill_core::{Chance, KeyId, Secret, StoreCode};
use chill_db::SealedKey;
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use masters::MasterKeys;

/// Something could not be sealed or opened. Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The configured text is no master key.
    #[error(
        "the master key is not valid: expected 32 bytes in base64, several separated by commas; `openssl rand -base64 32` makes one"
    )]
    InvalidMaster,
    /// The file cannot be read or made.
    #[error("the master key file {path} cannot be used: {why}")]
    File {
        /// Where it is.
        path: String,
        /// What the system said, or what is wrong.
        why: String,
    },
    /// What the database holds was sealed by a master that was not given.
    #[error(
        "the master key is not the one this database was sealed with: set CHILLPROXY_MASTER_KEY (or its file) to the old \
         key, or `new,old` to change it"
    )]
    WrongMaster,
    /// The blob does not belong to its row, or was damaged.
    #[error("the sealed key does not open in its row: it was moved from another row or damaged; rotate it")]
    Broken,
    /// No random bytes.
    #[error(transparent)]
    NoChance(#[from] chill_core::chance::NoChance),
}

/// Layout version of a blob.
const LAYOUT: u8 = 1;
const VERSION: usize = 4;
const NONCE: usize = 12;
/// The label under which data keys for pool keys are derived. Another purpose takes another label.
const PURPOSE: &[u8] = b"chillproxy pool keys v1";
/// The label under which the secret of `/v0/proxy` links is derived.
const LINKS: &[u8] = b"chillproxy proxy links v1";
/// What is sealed to recognise a master.
const KNOWN: &str = "chillproxy";

/// Seals with the newest master, opens with all. Clones share the keys.
#[derive(Clone)]
pub struct Vault {
    versions: Arc<[Version]>,
    links: Arc<[Secret]>,
}

struct Version {
    id: [u8; VERSION],
    word: String,
    cipher: Aes256Gcm,
}

impl Vault {
    /// A vault for these masters; the first one seals.
    #[must_use]
    pub fn new(masters: &MasterKeys) -> Self {
        let links = masters.iter().map(|master| Secret::new(data_encoding::HEXLOWER.encode(&*derive(master, LINKS))));
        Self { versions: masters.iter().map(version).collect(), links: links.collect() }
    }

    /// What links of `/v0/proxy` are signed and sealed with: 64 hexadecimal digits for each master, the first one's for new
    /// links. They tell nothing about the keys in the pool.
    #[must_use]
    pub fn link_secrets(&self) -> &[Secret] {
        &self.links
    }

    /// The version that seals, as stored beside a blob.
    #[must_use]
    pub fn current(&self) -> &str {
        self.versions.first().map_or("", |version| &version.word)
    }

    /// Whether it can open what this version sealed.
    #[must_use]
    pub fn knows(&self, version: &str) -> bool {
        self.versions.iter().any(|known| known.word == version)
    }

    /// Seals a key for its row.
    ///
    /// # Errors
    /// [`VaultError::NoChance`].
    pub fn seal(
        &self,
        id: &KeyId,
        store: StoreCode,
        secret: &Secret,
        chance: &Chance,
    ) -> Result<SealedKey, VaultError> {
        self.seal_text(secret.expose(), &row(id, store), chance)
    }

    /// Opens a key of this row.
    ///
    /// # Errors
    /// [`VaultError::WrongMaster`], [`VaultError::Broken`].
    pub fn open(&self, id: &KeyId, store: StoreCode, sealed: &SealedKey) -> Result<Secret, VaultError> {
        let text = self.open_text(sealed, &row(id, store))?;
        std::str::from_utf8(&text).map(Secret::new).map_err(|_| VaultError::Broken)
    }

    /// The known text, sealed: what start-up opens to recognise the master.
    ///
    /// # Errors
    /// [`VaultError::NoChance`].
    pub fn check(&self, chance: &Chance) -> Result<SealedKey, VaultError> {
        self.seal_text(KNOWN, b"key_check", chance)
    }

    /// Whether a check was sealed by one of the masters here.
    #[must_use]
    pub fn recognises(&self, check: &SealedKey) -> bool {
        self.open_text(check, b"key_check").is_ok_and(|text| *text == *KNOWN.as_bytes())
    }

    fn seal_text(&self, text: &str, row: &[u8], chance: &Chance) -> Result<SealedKey, VaultError> {
        let version = self.versions.first().ok_or(VaultError::InvalidMaster)?;
        let nonce = chance.bytes::<NONCE>()?;
        let payload = Payload { msg: text.as_bytes(), aad: row };
        let sealed = version.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| VaultError::Broken)?;
        let blob = [&[LAYOUT], version.id.as_slice(), nonce.as_slice(), sealed.as_slice()].concat();
        Ok(SealedKey { blob, by: version.word.clone() })
    }

    fn open_text(&self, sealed: &SealedKey, row: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (layout, rest) = sealed.blob.split_first().ok_or(VaultError::Broken)?;
        let (id, rest) = rest.split_at_checked(VERSION).ok_or(VaultError::Broken)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE).ok_or(VaultError::Broken)?;
        if *layout != LAYOUT {
            return Err(VaultError::Broken);
        }
        let version = self.versions.iter().find(|version| version.id == id).ok_or(VaultError::WrongMaster)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Broken)?;
        let payload = Payload { msg: sealed, aad: row };
        version.cipher.decrypt(&Nonce::from(nonce), payload).map(Zeroizing::new).map_err(|_| VaultError::Broken)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

fn version(master: &Zeroizing<[u8; 32]>) -> Version {
    let data_key = derive(master, PURPOSE);
    let digest = Sha256::digest(data_key.as_slice());
    let mut id = [0; VERSION];
    id.copy_from_slice(&digest[..VERSION]);
    let word = data_encoding::HEXLOWER.encode(&id);
    Version { id, word, cipher: Aes256Gcm::new(&(*data_key).into()) }
}

fn derive(master: &Zeroizing<[u8; 32]>, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes are always a valid length to expand to.
    let _ = Hkdf::<Sha256>::new(None, master.as_slice()).expand(purpose, key.as_mut_slice());
    key
}

/// The additional data that ties a blob to its row. A store's code has two letters, so the two parts cannot run together.
fn row(id: &KeyId, store: StoreCode) -> Vec<u8> {
    format!("keys|{store}|{id}").into_bytes()
}

#[cfg(test)]
mod tests;
