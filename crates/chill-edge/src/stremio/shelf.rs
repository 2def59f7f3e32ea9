//! A stream list, rendered once for all viewers: each stream is a piece of JSON that only lacks the viewer's link.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use chill_core::{ContentId, InfoHash, Numbers, StoreCode, Title};
use chill_release::{Set, is_sample_or_extra, is_video};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tokio::time::Instant;

use super::cached::Known;
use super::catalogue::Candidate;
use super::choices::Chosen;
use super::choose_file::{Wish, choose};
use super::describe::{Pick, binge_group, facts};
use super::sheet::Sheet;
use crate::choose::{AtStore, Candidate as Stream, Category, ChosenFile, Kind, Presentation, Shown};

/// What may stand in a path segment as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Combinations of stores whose lists are kept for one film.
const MOST_LAYOUTS: usize = 16;

/// The words of a list whose viewer has none of his own.
static USUAL: LazyLock<Presentation> = LazyLock::new(Presentation::default);

/// The candidates of one film or episode in order of liking, and the lists made of them.
pub(crate) struct Shelf {
    pub(crate) candidates: Vec<Arc<Candidate>>,
    pub(crate) hashes: Vec<InfoHash>,
    layouts: Mutex<Vec<(Wanted, Arc<Layout>)>>,
}

/// What a kept list is of.
struct Wanted {
    stores: Vec<Reach>,
    chosen: Option<Arc<Chosen>>,
}

/// What a list is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) content: &'a ContentId,
    pub(crate) title: Option<&'a Title>,
    /// Most streams.
    pub(crate) limit: usize,
    /// The viewer's own choices, if he has any.
    pub(crate) chosen: Option<Arc<Chosen>>,
}

/// A rendered list: what follows the viewer's link in each stream, in order.
#[derive(Debug)]
pub(crate) struct Layout {
    pieces: Vec<Bytes>,
    until: Instant,
}

/// A store, as a viewer reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) store: StoreCode,
    /// The bytes come through this server.
    pub(crate) proxied: bool,
}

/// What is known of all candidates at one store.
pub(crate) struct Stock {
    pub(crate) reach: Reach,
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

    /// The list for these stores and choices, when one is kept and still true.
    pub(crate) fn layout(&self, stores: &[Reach], chosen: Option<&Arc<Chosen>>) -> Option<Arc<Layout>> {
        let layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = layouts.iter().find(|(of, _)| of.is(stores, chosen)).map(|(_, layout)| layout.clone());
        kept.filter(|layout| layout.until > Instant::now())
    }

    /// Renders the list for these stores: what plays at once first. It is kept when nothing is unknown.
    pub(crate) fn arrange(&self, asked: &Asked<'_>, stocks: &[Stock]) -> Arc<Layout> {
        let pieces = match &asked.chosen {
            Some(chosen) => self.choose(asked, stocks, chosen),
            None => self.usual(asked, stocks),
        };
        let known = stocks.iter().flat_map(|stock| &stock.known);
        let until = known.flatten().map(|known| known.until).min();
        let until = until.unwrap_or_else(|| Instant::now() + std::time::Duration::from_secs(60));
        let layout = Arc::new(Layout { pieces, until });
        if !stocks.iter().any(|stock| stock.failed) {
            let stores = stocks.iter().map(|stock| stock.reach).collect();
            self.keep(Wanted { stores, chosen: asked.chosen.clone() }, layout.clone());
        }
        layout
    }

    /// The list of a viewer who leaves everything to the server.
    fn usual(&self, asked: &Asked<'_>, stocks: &[Stock]) -> Vec<Bytes> {
        let limit = asked.limit;
        let (mut ready, mut waiting, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for place in self.places(asked) {
            let group = match place.has(stocks) {
                Some(_) => &mut ready,
                None => &mut waiting,
            };
            if group.len() < limit
                && let Some(offer) = place.offer(stocks)
                && place.is_new(&mut seen, offer.cached)
            {
                group.push(place.piece(&offer, None));
            }
        }
        ready.extend(waiting);
        ready.truncate(limit);
        ready
    }

    /// The list of a viewer with choices of his own.
    fn choose(&self, asked: &Asked<'_>, stocks: &[Stock], chosen: &Chosen) -> Vec<Bytes> {
        let offers = self.places(asked).filter_map(|place| Some((place.offer(stocks)?, place)));
        let offers: Vec<(Offer, Place<'_>)> = offers.collect();
        let streams: Vec<_> = offers.iter().map(|(offer, place)| place.stream(offer)).collect();
        let picked = chosen.pick(&streams, asked.limit).into_iter();
        let picked = picked.filter_map(|index| Some((offers.get(index)?, streams.get(index)?)));
        picked.map(|((offer, place), stream)| place.piece(offer, chosen.show(stream))).collect()
    }

    fn places<'a>(&'a self, asked: &'a Asked<'a>) -> impl Iterator<Item = Place<'a>> {
        let Asked { content, title, .. } = *asked;
        self.candidates.iter().enumerate().map(move |(index, candidate)| Place { content, title, candidate, index })
    }

    fn keep(&self, wanted: Wanted, layout: Arc<Layout>) {
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        layouts.retain(|(of, _)| !of.is(&wanted.stores, wanted.chosen.as_ref()));
        if layouts.len() >= MOST_LAYOUTS {
            layouts.remove(0);
        }
        layouts.push((wanted, layout));
    }
}

impl Wanted {
    /// Equal texts of viewers are the same compiled choices, so it is enough to compare addresses.
    fn is(&self, stores: &[Reach], chosen: Option<&Arc<Chosen>>) -> bool {
        let same = match (&self.chosen, chosen) {
            (None, None) => true,
            (Some(kept), Some(chosen)) => Arc::ptr_eq(kept, chosen),
            _ => false,
        };
        same && self.stores == stores
    }
}

/// One candidate in the making of a list.
struct Place<'a> {
    content: &'a ContentId,
    title: Option<&'a Title>,
    candidate: &'a Arc<Candidate>,
    index: usize,
}

/// A stream that a store could play.
struct Offer {
    reach: Reach,
    /// At once.
    cached: bool,
    pick: Option<Pick>,
}

/// A torrent that does not hold what was asked for.
struct Lacks;

impl<'a> Place<'a> {
    /// The first store that has the torrent, and what it has.
    fn has<'s>(&self, stocks: &'s [Stock]) -> Option<(Reach, &'s Known)> {
        stocks.iter().find_map(|stock| {
            let known = stock.known.get(self.index)?.as_ref()?;
            known.cached.then_some((stock.reach, &**known))
        })
    }

    /// The stream from the first store that has the torrent, else from the first that could fetch it; none when neither
    /// would do, or the torrent lacks what was asked for.
    fn offer(&self, stocks: &[Stock]) -> Option<Offer> {
        if let Some((reach, known)) = self.has(stocks) {
            let files = facts(&self.candidate.files, &known.files);
            return Some(Offer { reach, cached: true, pick: self.pick(&files).ok()? });
        }
        let fetches = |stock: &&Stock| !stock.failed && stock.reach.store != StoreCode::EasyDebrid;
        let stock = stocks.iter().find(fetches)?;
        if self.candidate.found.private {
            return None;
        }
        let files = facts(&self.candidate.files, &[]);
        Some(Offer { reach: stock.reach, cached: false, pick: self.pick(&files).ok()? })
    }

    /// Whether no stream of the same name and size, which plays as soon, stands in the list.
    fn is_new(&self, seen: &mut HashSet<(&'a str, u64, bool)>, cached: bool) -> bool {
        let found = &self.candidate.found;
        found.size.is_none_or(|size| seen.insert((&found.name, size, cached)))
    }

    /// The stream as filters, orders and templates see it.
    fn stream<'s>(&'s self, offer: &'s Offer) -> Stream<'s> {
        let found = &self.candidate.found;
        let pick = offer.pick.as_ref();
        Stream {
            addon: "Torz",
            category: if self.content.is_film() { Category::Movie } else { Category::Series },
            kind: Kind::Torz,
            wanted: Numbers::of(self.content, self.title).map(|n| (n.season.unwrap_or(1), n.episode)),
            release: &self.candidate.release,
            hash: found.hash,
            title: &found.name,
            size: found.size,
            seeders: found.seeders,
            indexer: &found.source,
            private: found.private,
            file: ChosenFile { index: None, name: pick.map(|pick| &*pick.name), size: pick.and_then(|pick| pick.size) },
            store: Some(AtStore { code: offer.reach.store, cached: offer.cached, proxied: offer.reach.proxied }),
            bit_rate: None,
            subtitles: Set::EMPTY,
        }
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

    /// The stream's JSON behind the viewer's link, with the viewer's own words if he has any.
    fn piece(&self, offer: &Offer, shown: Option<Shown>) -> Bytes {
        let store = offer.reach.store;
        let pick = offer.pick.as_ref();
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
        let shown = shown.unwrap_or_else(|| USUAL.show(&self.stream(offer)));
        let (name, description) = (json!(shown.name), json!(shown.description));
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
    pub(crate) fn body(&self, link: &str) -> Bytes {
        const HEAD: &[u8] = b"{\"streams\":[";
        let quoted = json!(link).to_string();
        let opening = format!("{{\"url\":{}", quoted.strip_suffix('"').unwrap_or(&quoted));
        let length: usize = self.pieces.iter().map(|piece| piece.len() + opening.len() + 1).sum();
        let mut body = Sheet::with_room(HEAD.len() + length + 2);
        body.write(HEAD);
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                body.write(b",");
            }
            body.write(opening.as_bytes());
            body.write(piece);
        }
        body.write(b"]}");
        body.into_bytes()
    }
}
