//! A torrent in an account, and how far it has come at a given time.

use serde_json::{Value, json};

use super::account::Plan;
use super::catalogue::{Torrent, TorrentState};
use crate::clock::rfc3339;

/// Time until the metadata is known.
const METADATA_MS: i64 = 2_000;
/// Time between the last byte and the files being on the storage (the vendor needs 2–5 s).
const MOVING_MS: i64 = 3_000;
/// What qBittorrent, and so TorBox, gives as time left when it knows none.
const UNKNOWN_ETA: u64 = 8_640_000;

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) id: u64,
    pub(crate) torrent: Torrent,
    pub(crate) magnet: String,
    /// 1 auto, 2 always, 3 never.
    pub(crate) seed: u8,
    pub(crate) created_at: i64,
    pub(crate) from_cache: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Metadata,
    Downloading { done: u64, bytes_per_s: u64 },
    Stalled,
    Moving,
    Present,
}

impl Item {
    pub(crate) fn phase(&self, now: i64) -> Phase {
        let age = (now - self.created_at).max(0);
        let bytes_per_s = match self.torrent.state {
            _ if self.from_cache => return Phase::Present,
            TorrentState::Dead | TorrentState::Infringing | TorrentState::Oversize => {
                return if age < METADATA_MS { Phase::Metadata } else { Phase::Stalled };
            }
            TorrentState::Downloadable { bytes_per_s } => bytes_per_s.max(1),
            // Cached since it was added: finishes at once.
            TorrentState::Cached => u64::MAX,
        };
        if age < METADATA_MS {
            return Phase::Metadata;
        }
        let elapsed = u64::try_from(age - METADATA_MS).unwrap_or(0);
        let done = bytes_per_s.saturating_mul(elapsed) / 1000;
        if elapsed == 0 || done < self.torrent.size() {
            return Phase::Downloading { done: done.min(self.torrent.size()), bytes_per_s };
        }
        if now < self.present_at() { Phase::Moving } else { Phase::Present }
    }

    /// When the files are on the storage; far away for what never arrives.
    fn present_at(&self) -> i64 {
        match self.torrent.state {
            _ if self.from_cache => self.created_at,
            TorrentState::Downloadable { bytes_per_s } => {
                let ms = self.torrent.size().saturating_mul(1000).div_ceil(bytes_per_s.max(1));
                self.created_at + METADATA_MS + i64::try_from(ms).unwrap_or(i64::MAX / 4) + MOVING_MS
            }
            TorrentState::Cached => self.created_at + METADATA_MS + MOVING_MS,
            TorrentState::Dead | TorrentState::Infringing | TorrentState::Oversize => i64::MAX / 2,
        }
    }

    /// Downloads hold a slot until they are present, and longer while they seed.
    pub(crate) fn holds_slot(&self, now: i64, plan: Plan) -> bool {
        let seeding = self.seed != 3 && now < self.present_at().saturating_add(plan.seeding_ms());
        !self.from_cache && (self.phase(now) != Phase::Present || seeding)
    }

    /// The item as `mylist` shows it.
    pub(crate) fn shown(&self, now: i64, auth_id: &str, plan: Plan, null_fields: bool) -> Value {
        let phase = self.phase(now);
        let size = self.torrent.size();
        let known = phase != Phase::Metadata && phase != Phase::Stalled;
        let (state, done, speed) = match phase {
            Phase::Metadata => ("metaDL", 0, 0),
            Phase::Downloading { done, bytes_per_s } => ("downloading", done, bytes_per_s.min(1 << 40)),
            Phase::Stalled => ("stalled (no seeds)", 0, 0),
            Phase::Moving => ("uploading", size, 0),
            Phase::Present if self.from_cache => ("cached", size, 0),
            Phase::Present if self.holds_slot(now, plan) => ("uploading", size, 0),
            Phase::Present => ("completed", size, 0),
        };
        let finished = matches!(phase, Phase::Moving | Phase::Present);
        #[expect(clippy::cast_precision_loss, reason = "the vendor's progress is a float as well")]
        let progress = if finished { 1.0 } else { done as f64 / size.max(1) as f64 };
        let eta = if speed > 0 { (size - done).div_ceil(speed) } else { UNKNOWN_ETA };
        let no_files = if null_fields { Value::Null } else { json!([]) };
        let files: Value = if known { self.files(null_fields) } else { no_files };
        json!({
            "id": self.id, "auth_id": auth_id, "server": 4, "hash": self.torrent.hash, "name": self.torrent.name,
            "magnet": self.magnet, "size": if known { size } else { 0 }, "active": self.holds_slot(now, plan),
            "created_at": rfc3339(self.created_at), "updated_at": rfc3339(now.max(self.created_at)),
            "cached": self.from_cache, "cached_at": self.from_cache.then(|| rfc3339(self.created_at - 86_400_000)),
            "download_state": state, "progress": progress, "download_finished": finished,
            "download_present": phase == Phase::Present, "seeds": if speed > 0 { 12 } else { 0 },
            "peers": if speed > 0 { 3 } else { 0 }, "ratio": 0, "availability": i32::from(known),
            "download_speed": speed, "upload_speed": 0, "eta": if finished { 0 } else { eta },
            "total_downloaded": done, "total_uploaded": 0,
            "expires_at": rfc3339(self.created_at + 30 * 86_400_000), "torrent_file": false, "allow_zipped": false,
            "seed_torrent": self.seed != 3, "long_term_seeding": false, "private": false, "download_path": self.torrent.hash,
            "tracker": null, "tracker_message": null, "owner": auth_id, "inactive_check": 0, "alternative_hashes": [],
            "tags": [], "airlocked": false, "files": files,
        })
    }

    fn files(&self, null_fields: bool) -> Value {
        let torrent = &self.torrent;
        let shown = torrent.files.iter().enumerate().map(|(id, file)| {
            let name = torrent.full_path(id);
            let short_name = name.rsplit('/').next().unwrap_or(&name).to_owned();
            let digest = format!("{:016x}", torrent.seed(id));
            json!({
                "id": id, "name": name, "short_name": short_name, "size": file.size,
                "mimetype": mimetype(&short_name), "md5": (!null_fields).then(|| format!("{digest}{digest}")),
                "hash": torrent.hash, "s3_path": format!("{}/{name}", torrent.hash),
                "absolute_path": format!("/storage/{}/{name}", torrent.hash), "opensubtitles_hash": digest,
                "zipped": false, "infected": false,
            })
        });
        shown.collect()
    }
}

/// The content type of a file by the end of its name.
pub(crate) fn mimetype(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "mkv" => "video/x-matroska",
        "mp4" | "m4v" => "video/mp4",
        "avi" => "video/x-msvideo",
        "webm" => "video/webm",
        "srt" => "application/x-subrip",
        "nfo" | "txt" => "text/plain",
        "jpg" => "image/jpeg",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}
