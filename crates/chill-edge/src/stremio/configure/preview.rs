//! A list of made-up streams, made by the code that makes real ones.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chill_core::store::StoreFile;
use chill_core::{ContentId, Found, InfoHash};
use chill_release::parse;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::stremio::cached::Known;
use crate::stremio::catalogue::Candidate;
use crate::stremio::choices::Chosen;
use crate::stremio::shelf::{Asked, Reach, Shelf, Stock};

/// Name, GiB, seeders, whether the store has it.
const SAMPLES: [(&str, u64, u32, bool); 9] = [
    ("Quiet.Hills.1968.2160p.UHD.BluRay.REMUX.DV.HDR.TrueHD.Atmos.7.1.HEVC-FERN", 58, 41, false),
    ("Quiet.Hills.1968.2160p.WEB-DL.HDR10.DDP5.1.H.265-MOSS", 17, 120, true),
    ("Quiet.Hills.1968.1080p.BluRay.DTS.x264-HEATH", 12, 64, true),
    ("Quiet.Hills.1968.GERMAN.DL.1080p.WEB-DL.DD5.1.H264-TANNE", 6, 18, true),
    ("Quiet.Hills.1968.1080p.WEBRip.AAC2.0.x264-REED", 3, 230, true),
    ("Quiet.Hills.1968.FRENCH.720p.BluRay.x264-SAULE", 4, 7, false),
    ("Quiet.Hills.1968.720p.WEB-DL.x264-REED", 2, 55, true),
    ("Quiet.Hills.1968.480p.DVDRip.XviD-OLD", 1, 3, true),
    ("Quiet.Hills.1968.CAM.x264-SHAKY", 1, 900, true),
];

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let candidate = |(number, (name, size, seeders, _)): (u8, &(&str, u64, u32, bool))| {
        let found = Found {
            hash: InfoHash::from_bytes([number; 20]),
            name: (*name).to_owned(),
            size: Some(size << 30),
            seeders: Some(*seeders),
            source: "an indexer".to_owned(),
            private: false,
            exact: true,
        };
        Arc::new(Candidate { release: parse(name), found, files: Vec::new() })
    };
    Shelf::new((0..).zip(&SAMPLES).map(candidate).collect())
});

/// What a viewer would see.
#[derive(Debug, Serialize)]
pub(super) struct Preview {
    pub(super) streams: Vec<Shown>,
    /// How many are not shown.
    pub(super) hidden: usize,
}

/// One stream.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) name: String,
    pub(super) description: String,
}

/// The sample list at a store, with the viewer's choices.
pub(super) fn list(reach: Reach, chosen: Option<Arc<Chosen>>) -> Preview {
    let content = ContentId::Movie { imdb: "tt0000001".to_owned() };
    let shelf: &Shelf = &SHELF;
    let known = shelf.hashes.iter().map(|hash| Some(Arc::new(known(hash)))).collect();
    let stock = Stock { reach, known, failed: false };
    let layout = shelf.arrange(&Asked { content: &content, title: None, limit: SAMPLES.len(), chosen }, &[stock]);
    let body: Value = serde_json::from_slice(&layout.body("")).unwrap_or_default();
    let text = |stream: &Value, key: &str| stream.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown = |stream: &Value| Shown { name: text(stream, "name"), description: text(stream, "description") };
    let streams: Vec<Shown> = body.get("streams").and_then(Value::as_array).into_iter().flatten().map(shown).collect();
    Preview { hidden: SAMPLES.len().saturating_sub(streams.len()), streams }
}

fn known(hash: &InfoHash) -> Known {
    let sample = (0..).zip(&SAMPLES).find(|(number, _)| InfoHash::from_bytes([*number; 20]) == *hash);
    let cached = sample.is_some_and(|(_, (.., cached))| *cached);
    let file = |(_, (name, size, ..)): (u8, &(&str, u64, u32, bool))| StoreFile {
        id: None,
        path: format!("/{name}/{name}.mkv"),
        size: Some(size << 30),
    };
    let files = sample.filter(|_| cached).map(file).into_iter().collect();
    Known { cached, files, until: Instant::now() + Duration::from_secs(60) }
}
