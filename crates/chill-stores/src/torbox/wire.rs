//! TorBox's answers as they stand on the wire, read leniently: ids may be quoted, most fields may be missing or null.

use std::collections::HashMap;
use std::fmt;

use chill_core::store::{CachedTorrent, Item, ItemId, ItemStatus, StoreFile};
use chill_core::{InfoHash, Millis};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::client::rfc3339;

/// `data` of `user/me`.
#[derive(Debug, Deserialize)]
pub(super) struct User {
    #[serde(default, deserialize_with = "number")]
    pub(super) plan: Option<u64>,
    #[serde(default, deserialize_with = "date")]
    pub(super) premium_expires_at: Option<Millis>,
    #[serde(default, deserialize_with = "date")]
    pub(super) cooldown_until: Option<Millis>,
    #[serde(default, deserialize_with = "number")]
    pub(super) additional_concurrent_slots: Option<u64>,
}

/// `data` of `torrents/checkcached`: an array, or a map from hash to item.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Cached {
    List(Vec<CachedItem>),
    Map(HashMap<String, CachedItem>),
}

#[derive(Debug, Deserialize)]
pub(super) struct CachedItem {
    hash: Option<String>,
    files: Option<Vec<File>>,
}

impl Cached {
    pub(super) fn into_torrents(self) -> Vec<CachedTorrent> {
        let named: Vec<(Option<String>, CachedItem)> = match self {
            Self::List(items) => items.into_iter().map(|item| (None, item)).collect(),
            Self::Map(items) => items.into_iter().map(|(hash, item)| (Some(hash), item)).collect(),
        };
        let torrent = |(name, item): (Option<String>, CachedItem)| {
            let hash = item.hash.or(name)?.parse().ok()?;
            let files = files(item.files.as_deref().unwrap_or_default());
            // Positions here need not be the ids of the item later on.
            Some(CachedTorrent { hash, files: files.into_iter().map(|file| StoreFile { id: None, ..file }).collect() })
        };
        named.into_iter().filter_map(torrent).collect()
    }
}

/// `data` of a create.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Created {
    #[serde(default, deserialize_with = "number")]
    pub(super) torrent_id: Option<u64>,
    #[serde(default, deserialize_with = "number")]
    pub(super) queued_id: Option<u64>,
}

/// One item of `torrents/mylist`.
#[derive(Debug, Deserialize)]
pub(super) struct Torrent {
    #[serde(default, deserialize_with = "number")]
    pub(super) id: Option<u64>,
    hash: Option<String>,
    name: Option<String>,
    download_state: Option<String>,
    download_finished: Option<bool>,
    download_present: Option<bool>,
    files: Option<Vec<File>>,
    alternative_hashes: Option<Vec<String>>,
}

impl Torrent {
    pub(super) fn is(&self, hash: &InfoHash) -> bool {
        let others = self.alternative_hashes.iter().flatten();
        self.hash.iter().chain(others).any(|text| text.parse().is_ok_and(|known: InfoHash| known == *hash))
    }

    pub(super) fn hash(&self) -> Option<InfoHash> {
        self.hash.as_deref()?.parse().ok()
    }

    pub(super) fn into_item(self, hash: InfoHash) -> Item {
        let (finished, present) = (self.download_finished == Some(true), self.download_present == Some(true));
        Item {
            id: self.id.map(|id| ItemId(id.to_string())),
            hash,
            name: self.name.unwrap_or_default(),
            status: status(finished, present, self.download_state.as_deref().unwrap_or_default()),
            files: files(self.files.as_deref().unwrap_or_default()),
        }
    }
}

/// One item of `queued/getqueued`.
#[derive(Debug, Deserialize)]
pub(super) struct Queued {
    pub(super) hash: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default, deserialize_with = "number")]
    id: Option<u64>,
    name: Option<String>,
    #[serde(default, deserialize_with = "number")]
    size: Option<u64>,
    zipped: Option<bool>,
    infected: Option<bool>,
}

/// The two flags decide; the words, which the vendor's documents warn about, only where neither is set.
fn status(finished: bool, present: bool, state: &str) -> ItemStatus {
    if finished {
        return if present { ItemStatus::Downloaded } else { ItemStatus::Uploading };
    }
    let state = state.to_ascii_lowercase();
    let word = state.split(" (").next().unwrap_or_default().trim();
    match word {
        "queued" | "queueddl" | "queuedup" | "metadl" | "checkingresumedata" | "checkingdl" | "checking"
        | "allocating" => ItemStatus::Queued,
        "downloading" | "forceddl" | "stalled" | "stalleddl" | "paused" | "pauseddl" | "uploading" | "stalledup"
        | "forcedup" | "pausedup" | "completed" | "cached" => ItemStatus::Downloading,
        "moving" | "processing" | "verifying" | "direct unpack" | "unpack" | "waiting" | "decrypting" => {
            ItemStatus::Processing
        }
        "error" | "missingfiles" | "missing" | "failed" | "expired" => ItemStatus::Failed,
        _ if word.starts_with("repair") || word.starts_with("extract") => ItemStatus::Processing,
        _ => ItemStatus::Unknown,
    }
}

/// Paths without the root folder, and without what cannot be played: what the vendor zipped or found infected.
fn files(files: &[File]) -> Vec<StoreFile> {
    let root = shared_root(files);
    let playable = |file: &File| file.zipped != Some(true) && file.infected != Some(true);
    let path = |file: &File| {
        let name = file.name.as_deref()?.trim_start_matches('/');
        let inside = root.and_then(|root| name.strip_prefix(root)).unwrap_or(name);
        Some(format!("/{}", inside.trim_start_matches('/')))
    };
    let file = |file: &File| Some(StoreFile { id: file.id, path: path(file)?, size: file.size });
    files.iter().filter(|file| playable(file)).filter_map(file).collect()
}

/// The first folder of all paths, when all share it.
fn shared_root(files: &[File]) -> Option<&str> {
    let mut roots = files.iter().map(|file| {
        let name = file.name.as_deref()?.trim_start_matches('/');
        name.split_once('/').map(|(root, _)| root)
    });
    let first = roots.next()??;
    roots.all(|root| root == Some(first)).then_some(first)
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Millis>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(rfc3339))
}

/// A number, also quoted; anything else is none, because one odd field must not hide the rest of an answer.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Number)
}

struct Number;

impl<'de> Visitor<'de> for Number {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(number).ok())
    }
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(format!("{number:.0}").parse().ok())
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.trim().parse().ok())
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<String> {
        let listed: Vec<_> = names.iter().map(|name| serde_json::json!({"id": 0, "name": name, "size": 1})).collect();
        let listed: Vec<File> = serde_json::from_value(listed.into()).unwrap();
        files(&listed).into_iter().map(|file| file.path).collect()
    }

    #[test]
    fn the_root_folder_goes_only_when_all_files_share_it() {
        assert_eq!(paths(&["Pack/a.mkv", "Pack/sub/b.srt"]), ["/a.mkv", "/sub/b.srt"]);
        assert_eq!(paths(&["Pack/a.mkv", "Packs/b.mkv"]), ["/Pack/a.mkv", "/Packs/b.mkv"]);
        assert_eq!(paths(&["a.mkv", "Pack/b.mkv"]), ["/a.mkv", "/Pack/b.mkv"]);
        assert_eq!(paths(&["a.mkv"]), ["/a.mkv"]);
        assert_eq!(paths(&["/Film/Film.mkv"]), ["/Film.mkv"]);
        assert_eq!(paths(&[]), [""; 0]);
    }

    #[test]
    fn states_are_read_as_words_only_when_the_flags_say_nothing() {
        assert_eq!(status(true, true, "error"), ItemStatus::Downloaded);
        assert_eq!(status(true, false, "cached"), ItemStatus::Uploading);
        for (state, expected) in [
            ("metaDL", ItemStatus::Queued),
            ("queuedUP", ItemStatus::Queued),
            ("stalled (no seeds)", ItemStatus::Downloading),
            ("uploading (no peers)", ItemStatus::Downloading),
            ("completed", ItemStatus::Downloading),
            ("Repairing (3 of 4)", ItemStatus::Processing),
            ("extracting", ItemStatus::Processing),
            ("failed (aborted)", ItemStatus::Failed),
            ("missingFiles", ItemStatus::Failed),
            ("dreaming", ItemStatus::Unknown),
            ("", ItemStatus::Unknown),
        ] {
            assert_eq!(status(false, false, state), expected, "{state}");
        }
    }

    #[test]
    fn an_odd_field_hides_nothing_else() {
        let odd = r#"{"id":"7","hash":"0F1E2D3C4B5A69788796A5B4C3D2E1F001234567","name":null,"download_finished":true,
            "download_present":true,"files":[{"id":"0","name":"P/a.mkv","size":12.0},{"id":[1],"name":"P/b.mkv",
            "size":-1},{"id":2,"name":null},{"id":3,"name":"P/c.mkv","zipped":true},{"id":4,"name":"P/d.mkv",
            "infected":true},{"id":{"a":1},"name":"P/e.mkv","size":true}],"surprise":{"a":[1]}}"#;
        let torrent: Torrent = serde_json::from_str(odd).unwrap();
        let hash = torrent.hash().unwrap();
        assert!(torrent.is(&hash));
        let item = torrent.into_item(hash);
        assert_eq!((item.id, item.status), (Some(ItemId("7".to_owned())), ItemStatus::Downloaded));
        let files: Vec<_> = item.files.iter().map(|file| (file.id, file.path.as_str(), file.size)).collect();
        // A nameless file shares no folder, so the root stays.
        let expected = [(Some(0), "/P/a.mkv", Some(12)), (None, "/P/b.mkv", None), (None, "/P/e.mkv", None)];
        assert_eq!(files, expected);
    }
}
