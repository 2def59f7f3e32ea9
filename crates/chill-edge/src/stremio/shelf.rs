//! A stream list, rendered once for all viewers: each stream is a piece of JSON that only lacks the viewer's link.

use std::cmp::Reverse;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chill_core::{ContentId, InfoHash, StoreCode, Title};
use chill_release::{is_sample_or_extra, is_video};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::time::Instant;

use super::cached::Known;
use super::catalogue::Candidate;
use super::choose_file::{Wish, choose};
use super::describe::{Pick, binge_group, description, facts, name};

/// What may stand in a path segment as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Combinations of stores whose lists are kept for one film.
const MOST_LAYOUTS: usize = 16;

/// The candidates of one film or episode in order of liking, and the lists made of them.
pub(crate) struct Shelf {
    pub(crate) candidates: Vec<Arc<Candidate>>,
    pub(crate) hashes: Vec<InfoHash>,
    layouts: Mutex<Vec<(Vec<StoreCode>, Arc<Layout>)>>,
}

/// A rendered list: what follows the viewer's link in each stream, in order.
#[derive(Debug)]
pub(crate) struct Layout {
    pieces: Vec<Bytes>,
    until: Instant,
}

/// What is known of all candidates at one store.
pub(crate) struct Stock {
    pub(crate) store: StoreCode,
    /// In the order of the candidates.
    pub(crate) known: Vec<Option<Arc<Known>>>,
    /// The store could not be asked, so what it lacks is not known.
    pub(crate) failed: bool,
}

impl Shelf {
    pub(crate) fn new(mut candidates: Vec<Arc<Candidate>>) -> Self {
        candidates.sort_by_cached_key(|candidate| {
            let release = &candidate.release;
            let resolution = release.resolution.map_or(0, chill_release::Resolution::rank);
            let quality = release.quality.map_or(0, chill_release::Quality::rank);
            let size = candidate.found.size.unwrap_or(0);
            (Reverse((resolution, quality, size, candidate.found.seeders)), candidate.found.hash)
        });
        let hashes = candidates.iter().map(|candidate| candidate.found.hash).collect();
        Self { candidates, hashes, layouts: Mutex::default() }
    }

    /// The list for these stores, when one is kept and still true.
    pub(crate) fn layout(&self, stores: &[StoreCode]) -> Option<Arc<Layout>> {
        let layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = layouts.iter().find(|(of, _)| of == stores).map(|(_, layout)| layout.clone());
        kept.filter(|layout| layout.until > Instant::now())
    }

    /// Renders the list for these stores: what plays at once first. It is kept when nothing is unknown.
    pub(crate) fn arrange(
        &self,
        content: &ContentId,
        title: Option<&Title>,
        stocks: &[Stock],
        limit: usize,
    ) -> Arc<Layout> {
        let (mut ready, mut waiting) = (Vec::new(), Vec::new());
        for (index, candidate) in self.candidates.iter().enumerate() {
            let place = Place { content, title, candidate, index };
            match place.ready(stocks) {
                Some(Ok(piece)) if ready.len() < limit => ready.push(piece),
                Some(_) => {}
                None if waiting.len() < limit => waiting.extend(place.waiting(stocks)),
                None => {}
            }
        }
        ready.extend(waiting);
        ready.truncate(limit);
        let known = stocks.iter().flat_map(|stock| &stock.known);
        let until = known.flatten().map(|known| known.until).min();
        let until = until.unwrap_or_else(|| Instant::now() + std::time::Duration::from_secs(60));
        let layout = Arc::new(Layout { pieces: ready, until });
        if !stocks.iter().any(|stock| stock.failed) {
            self.keep(stocks.iter().map(|stock| stock.store).collect(), layout.clone());
        }
        layout
    }

    fn keep(&self, stores: Vec<StoreCode>, layout: Arc<Layout>) {
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        layouts.retain(|(of, _)| *of != stores);
        if layouts.len() >= MOST_LAYOUTS {
            layouts.remove(0);
        }
        layouts.push((stores, layout));
    }
}

/// One candidate in the making of a list.
struct Place<'a> {
    content: &'a ContentId,
    title: Option<&'a Title>,
    candidate: &'a Candidate,
    index: usize,
}

/// A torrent that is there but does not hold what was asked for.
struct Lacks;

impl Place<'_> {
    /// The stream from the first store that has the torrent; none when no store has it.
    fn ready(&self, stocks: &[Stock]) -> Option<Result<Bytes, Lacks>> {
        let mut stores = stocks.iter().filter_map(|stock| {
            let known = stock.known.get(self.index)?.as_ref()?;
            known.cached.then_some((stock.store, known))
        });
        let (store, known) = stores.next()?;
        let files = facts(&self.candidate.files, &known.files);
        Some(self.pick(&files).map(|pick| self.piece(store, true, pick.as_ref())))
    }

    /// The stream from the first store that could fetch the torrent.
    fn waiting(&self, stocks: &[Stock]) -> Option<Bytes> {
        let fetches = |stock: &&Stock| !stock.failed && stock.store != StoreCode::EasyDebrid;
        let stock = stocks.iter().find(fetches)?;
        if self.candidate.found.private {
            return None;
        }
        let files = facts(&self.candidate.files, &[]);
        let pick = self.pick(&files).ok()?;
        Some(self.piece(stock.store, false, pick.as_ref()))
    }

    fn pick(&self, files: &[(&str, Option<u64>)]) -> Result<Option<Pick>, Lacks> {
        if files.is_empty() {
            return Ok(self.pick_by_name());
        }
        let wish = Wish {
            content: self.content,
            title: self.title,
            torrent: &self.candidate.found.name,
            name: None,
            index: None,
        };
        let chosen = choose(files.iter().copied(), &wish).and_then(|index| files.get(index)).ok_or(Lacks)?;
        let is_film = |path: &str| is_video(path) && !is_sample_or_extra(path);
        let videos = files.iter().filter(|(path, _)| is_film(path)).count();
        Ok(Some(Pick::of(chosen.0, chosen.1, videos > 1)))
    }

    /// A torrent named like a video file is that file.
    fn pick_by_name(&self) -> Option<Pick> {
        let found = &self.candidate.found;
        is_video(&found.name).then(|| Pick::of(&found.name, found.size, false))
    }

    fn piece(&self, store: StoreCode, cached: bool, pick: Option<&Pick>) -> Bytes {
        let found = &self.candidate.found;
        let file = pick.map(|pick| utf8_percent_encode(&pick.name, SEGMENT).to_string()).unwrap_or_default();
        let mut hints = json!({
            "bingeGroup": binge_group(self.candidate, pick),
            "filename": pick.map_or(found.name.as_str(), |pick| pick.name.as_str()),
        });
        let release = &self.candidate.release;
        let whole_season = !release.seasons.is_empty() && release.episodes.is_empty();
        let size = match pick {
            Some(pick) => pick.size,
            None => found.size.filter(|_| !whole_season),
        };
        if let (Some(size), Some(hints)) = (size.filter(|size| *size > 0), hints.as_object_mut()) {
            hints.insert("videoSize".to_owned(), size.into());
        }
        let name = json!(name(self.candidate, store, cached));
        let description = json!(description(self.candidate, pick));
        Bytes::from(format!(
            "/_/strem/{content}/{store}/{hash}/-1/{file}\",\"name\":{name},\"description\":{description},\"behaviorHints\":{hints}}}",
            content = self.content,
            hash = found.hash,
        ))
    }
}

impl Layout {
    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The list for one viewer, whose links begin with `link`.
    pub(crate) fn body(&self, link: &str) -> Vec<u8> {
        const HEAD: &[u8] = b"{\"streams\":[";
        let quoted = json!(link).to_string();
        let opening = format!("{{\"url\":{}", quoted.strip_suffix('"').unwrap_or(&quoted));
        let length: usize = self.pieces.iter().map(|piece| piece.len() + opening.len() + 1).sum();
        let mut body = Vec::with_capacity(HEAD.len() + length + 2);
        body.extend_from_slice(HEAD);
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(opening.as_bytes());
            body.extend_from_slice(piece);
        }
        body.extend_from_slice(b"]}");
        body
    }
}
