//! The keys of this server's links.

use std::fmt;

use chill_core::Secret;
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::proxy::{InvalidProxyConfig, SHORTEST_SECRET};

/// Keys derived from one secret (HKDF with SHA-256, RFC 5869), each for its purpose.
#[derive(Clone)]
pub(crate) struct Keys {
    id: String,
    sign: [u8; 32],
    seal: [u8; 32],
}

impl Keys {
    pub(super) fn derive(secret: &Secret) -> Result<Self, InvalidProxyConfig> {
        if secret.expose().len() < SHORTEST_SECRET {
            return Err(InvalidProxyConfig::ShortSecret);
        }
        let source = Hkdf::<Sha256>::new(Some(b"chillproxy proxy links"), secret.expose().as_bytes());
        let derived = |purpose: &str| {
            let mut key = [0; 32];
            // HKDF fails only beyond 255 blocks; this is one.
            let _ = source.expand(purpose.as_bytes(), &mut key);
            key
        };
        Ok(Self { id: HEXLOWER.encode(&derived("id")[..8]), sign: derived("sign"), seal: derived("seal") })
    }

    /// Tells these keys from those of another secret; public.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn sign(&self) -> &[u8] {
        &self.sign
    }

    pub(super) fn seal(&self) -> &[u8; 32] {
        &self.seal
    }
}

/// The keys of all secrets in use: the first one's make tokens, and each opens those it made.
#[derive(Clone, Debug)]
pub(crate) struct KeyRing {
    first: Keys,
    former: Vec<Keys>,
}

impl KeyRing {
    pub(crate) fn derive(secret: &Secret, former: &[Secret]) -> Result<Self, InvalidProxyConfig> {
        let former = former.iter().map(Keys::derive).collect::<Result<_, _>>()?;
        Ok(Self { first: Keys::derive(secret)?, former })
    }

    /// The keys that make tokens.
    pub(crate) fn first(&self) -> &Keys {
        &self.first
    }

    /// The keys that a token names.
    pub(super) fn named(&self, id: &str) -> Option<&Keys> {
        std::iter::once(&self.first).chain(&self.former).find(|keys| keys.id == id)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.sign);
        zeroize::Zeroize::zeroize(&mut self.seal);
    }
}
