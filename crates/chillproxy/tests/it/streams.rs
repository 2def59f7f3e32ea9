//! Reading a stream list as a viewer's app does.

use serde_json::Value;

use crate::app::{App, Viewer};
use crate::web::Answer;

pub(crate) const FILM: &str = "tt0063350";
pub(crate) const EPISODE: &str = "tt0047706:1:2";

/// One entry of a stream list.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub name: String,
    pub description: String,
    pub url: String,
    pub file_name: String,
    pub size: u64,
    pub binge_group: String,
}

impl Stream {
    pub(crate) fn cached(&self) -> bool {
        self.name.contains('⚡')
    }

    /// The torrent's hash, from the playback address `…/_/strem/{sid}/{store}/{hash}/{idx}/{name}`.
    pub(crate) fn hash(&self) -> &str {
        let tail = self.url.split("/_/strem/").nth(1).unwrap();
        tail.split('/').nth(2).unwrap()
    }
}

/// The streams of an answer; a refusal's entry has no size and is left out.
pub(crate) fn read(answer: &Answer) -> Vec<Stream> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let one = |stream: &Value| {
        Some(Stream {
            name: text(&stream["name"]),
            description: text(&stream["description"]),
            url: text(&stream["url"]),
            file_name: text(&stream["behaviorHints"]["filename"]),
            size: stream["behaviorHints"]["videoSize"].as_u64()?,
            binge_group: text(&stream["behaviorHints"]["bingeGroup"]),
        })
    };
    answer.json()["streams"].as_array().unwrap().iter().filter_map(one).collect()
}

impl App {
    /// The streams of a film or an episode.
    pub(crate) async fn streams(&self, viewer: &Viewer, id: &str) -> Vec<Stream> {
        let kind = if id.contains(':') { "series" } else { "movie" };
        read(&self.web.get(&viewer.streams(kind, id)).await)
    }

    /// The smallest stream that starts at once.
    pub(crate) async fn smallest(&self, viewer: &Viewer, id: &str) -> Stream {
        let streams = self.streams(viewer, id).await;
        streams.into_iter().filter(Stream::cached).min_by_key(|stream| stream.size).expect("a cached stream")
    }

    /// The stream whose CDN is slow: it can be stopped while it runs.
    pub(crate) async fn endless(&self, viewer: &Viewer) -> Stream {
        let streams = self.streams(viewer, FILM).await;
        streams.into_iter().filter(Stream::cached).max_by_key(|stream| stream.size).expect("a cached stream")
    }

    /// SHA-256 of a file as the simulated CDN has it.
    pub(crate) fn original(&self, stream: &Stream) -> String {
        original(&self.world, stream)
    }

    /// The only row of `usage --by user`.
    pub(crate) fn usage(&self) -> Value {
        let rows = self.cli(&["usage", "--by", "user", "--json"], "");
        rows.as_array()
            .unwrap()
            .first()
            .cloned()
            .unwrap_or_else(|| serde_json::json!({"streams": 0, "cached": 0, "bytes": 0}))
    }

    /// Waits until the counted usage satisfies a condition.
    pub(crate) async fn usage_until(&self, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
        self.until(what, async || condition(&self.usage())).await;
        self.usage()
    }
}

/// SHA-256 of a file as the simulated CDN of a world has it.
pub(crate) fn original(world: &chill_sim::World, stream: &Stream) -> String {
    let torrent = world.torbox().torrent(stream.hash()).expect("the torrent is known");
    let path_ends = |path: &str| path.rsplit('/').next() == Some(stream.file_name.as_str());
    let file = torrent.files.iter().position(|file| path_ends(&file.path)).expect("the file is in the torrent");
    chill_sim::content_sha256(torrent.seed(file), torrent.files[file].size)
}

/// SHA-256 of bytes, hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
