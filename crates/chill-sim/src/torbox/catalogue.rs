//! What exists in the swarm and in TorBox's cache: torrents with their files and their fate.

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::content::content_seed;
use crate::metainfo;

/// What happens to a torrent when somebody adds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TorrentState {
    /// In the provider's cache: present at once.
    #[default]
    Cached,
    /// Has to be fetched first, at this speed on the simulated clock.
    Downloadable {
        /// Bytes per second of simulated time.
        bytes_per_s: u64,
    },
    /// Nobody seeds it: never gets anywhere.
    Dead,
    /// Refused with 451 (or 503) for legal reasons.
    Infringing,
    /// Refused as larger than the plan allows, whatever its files say.
    Oversize,
}

/// One file in a torrent; its position in [`Torrent::files`] is its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TorrentFile {
    /// Path inside the torrent's root folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
}

/// A torrent the outside world knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torrent {
    /// Root name: the folder, or the file itself when its only file has the same name.
    pub name: String,
    /// Its files; file ids are positions.
    pub files: Vec<TorrentFile>,
    /// Infohash, 40 lower-case hex digits; derived from name and files when empty.
    #[serde(default)]
    pub hash: String,
    /// Cached or not.
    #[serde(default)]
    pub state: TorrentState,
    /// The CDN sends its files no faster than this (bytes per second of real time).
    #[serde(default)]
    pub cdn_bytes_per_s: Option<u64>,
    /// From a private tracker: its `.torrent` file says so.
    #[serde(default)]
    pub private: bool,
}

impl Torrent {
    /// A cached torrent with a hash derived from its name and files.
    pub fn new<P: Into<String>>(name: impl Into<String>, files: impl IntoIterator<Item = (P, u64)>) -> Self {
        let files = files.into_iter().map(|(path, size)| TorrentFile { path: path.into(), size }).collect();
        let (name, hash, state) = (name.into(), String::new(), TorrentState::Cached);
        Self { name, files, hash, state, cdn_bytes_per_s: None, private: false }.normalised()
    }

    /// A cached torrent of one file without a folder.
    pub fn single(name: &str, size: u64) -> Self {
        Self::new(name, [(name, size)])
    }

    /// With another state.
    #[must_use]
    pub fn state(mut self, state: TorrentState) -> Self {
        self.state = state;
        self
    }

    /// With a given infohash.
    #[must_use]
    pub fn with_hash(mut self, hash: &str) -> Self {
        self.hash = hash.to_ascii_lowercase();
        self
    }

    /// From a private tracker. Its hash changes with that: call it before [`Torrent::with_own_hash`].
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// With the infohash that its `.torrent` file has.
    #[must_use]
    pub fn with_own_hash(mut self) -> Self {
        self.hash = metainfo::hash(&self);
        self
    }

    /// Its `.torrent` file. Only of a torrent made [`with_own_hash`](Torrent::with_own_hash) does it have the same hash.
    pub fn metainfo(&self) -> Vec<u8> {
        metainfo::file(self)
    }

    /// Sent by the CDN no faster than this.
    #[must_use]
    pub fn throttled(mut self, bytes_per_s: u64) -> Self {
        self.cdn_bytes_per_s = Some(bytes_per_s);
        self
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// A magnet link to it.
    pub fn magnet(&self) -> String {
        let name = percent_encoding::utf8_percent_encode(&self.name, percent_encoding::NON_ALPHANUMERIC);
        format!("magnet:?xt=urn:btih:{}&dn={name}", self.hash)
    }

    /// The seed for [`content_bytes`](crate::content_bytes) of one of its files.
    pub fn seed(&self, file_id: usize) -> u64 {
        content_seed(&self.hash, file_id)
    }

    /// The file's name as TorBox gives it: full path including the root folder.
    pub fn full_path(&self, file_id: usize) -> String {
        match self.files.get(file_id) {
            Some(only) if self.files.len() == 1 && only.path == self.name => self.name.clone(),
            Some(file) => format!("{}/{}", self.name, file.path),
            None => self.name.clone(),
        }
    }

    pub(crate) fn normalised(mut self) -> Self {
        if self.hash.is_empty() {
            let mut hasher = Sha1::new();
            hasher.update(&self.name);
            for file in &self.files {
                hasher.update(format!("\n{}\n{}", file.path, file.size));
            }
            self.hash = data_encoding::HEXLOWER.encode(&hasher.finalize());
        }
        self.hash.make_ascii_lowercase();
        self
    }
}

pub(crate) fn is_infohash(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The infohash in a magnet link: 40 hex digits or 32 base32 characters (BEP 9).
pub(crate) fn magnet_hash(magnet: &str) -> Option<String> {
    let query = magnet.strip_prefix("magnet:?")?;
    let mut topics = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "xt");
    topics.find_map(|(_, topic)| {
        let hash = topic.strip_prefix("urn:btih:")?;
        if is_infohash(hash) {
            return Some(hash.to_ascii_lowercase());
        }
        let bytes = data_encoding::BASE32.decode(hash.to_ascii_uppercase().as_bytes()).ok()?;
        (bytes.len() == 20).then(|| data_encoding::HEXLOWER.encode(&bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnets_carry_hex_or_base32_hashes() {
        let torrent = Torrent::single("A Film.mkv", 5);
        assert_eq!(magnet_hash(&torrent.magnet()).as_deref(), Some(torrent.hash.as_str()));
        let raw = data_encoding::HEXLOWER.decode(torrent.hash.as_bytes()).unwrap();
        let magnet = format!("magnet:?xt=urn:btih:{}", data_encoding::BASE32.encode(&raw));
        assert_eq!(magnet_hash(&magnet), Some(torrent.hash));
        assert_eq!(magnet_hash("magnet:?xt=urn:btih:zz"), None);
        assert_eq!(magnet_hash("https://example.net"), None);
    }

    #[test]
    fn names_include_the_root_folder_only_where_there_is_one() {
        assert_eq!(Torrent::single("a.mkv", 1).full_path(0), "a.mkv");
        assert_eq!(Torrent::new("Pack", [("a.mkv", 1), ("x/b.mkv", 2)]).full_path(1), "Pack/x/b.mkv");
    }
}
