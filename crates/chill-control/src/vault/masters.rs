//! Master keys: from a text, or from a file that is made on first start.

use std::fmt;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use chill_core::{Chance, Secret};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};
use zeroize::Zeroizing;

use super::{Vault, VaultError};

/// One or more master keys; the first one seals, all open.
pub struct MasterKeys(Vec<Zeroizing<[u8; 32]>>);

impl MasterKeys {
    /// How many masters may be in use at once.
    const MOST: usize = 8;

    /// Reads 32 bytes in base64, standard or URL-safe, padded or not; several separated by commas.
    ///
    /// # Errors
    /// [`VaultError::InvalidMaster`].
    pub fn parse(text: &Secret) -> Result<Self, VaultError> {
        let parts = text.expose().split(',').map(str::trim).filter(|part| !part.is_empty());
        let keys = parts.map(key).collect::<Option<Vec<_>>>().ok_or(VaultError::InvalidMaster)?;
        if keys.is_empty() || keys.len() > Self::MOST { Err(VaultError::InvalidMaster) } else { Ok(Self(keys)) }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Zeroizing<[u8; 32]>> {
        self.0.iter()
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(…)")
    }
}

fn key(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim_end_matches('=').as_bytes();
    let bytes = BASE64_NOPAD.decode(text).or_else(|_| BASE64URL_NOPAD.decode(text)).map(Zeroizing::new).ok()?;
    <[u8; 32]>::try_from(bytes.as_slice()).map(Zeroizing::new).ok()
}

impl Vault {
    /// Reads the master keys of a file, or makes one with mode 0600 and a fresh master. The second value is true when it
    /// was made: then the operator must be told to keep a copy of it, for without it the pool's keys are lost.
    ///
    /// # Errors
    /// [`VaultError::File`], [`VaultError::InvalidMaster`].
    pub fn load_or_create(path: &Path, chance: &Chance) -> Result<(Self, bool), VaultError> {
        let failed = |e: std::io::Error| VaultError::File { path: path.display().to_string(), why: e.to_string() };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok((Self::new(&MasterKeys::parse(&Secret::new(text))?), false)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let master = Zeroizing::new(data_encoding::BASE64.encode(&*Zeroizing::new(chance.bytes::<32>()?)));
                match make(path, &master) {
                    // Another process was faster: its key counts.
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                        let text = std::fs::read_to_string(path).map_err(failed)?;
                        Ok((Self::new(&MasterKeys::parse(&Secret::new(text))?), false))
                    }
                    Err(error) => Err(failed(error)),
                    Ok(()) => Ok((Self::new(&MasterKeys::parse(&Secret::new(master.as_str()))?), true)),
                }
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// Writes a whole file beside the path and links it there, so that nobody ever reads half a key.
fn make(path: &Path, master: &str) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let made = file
        .write_all(master.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    made
}
