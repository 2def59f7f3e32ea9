//! Getting a torrent ready at a store and finding the file in it, with the first right that works.

use std::sync::Arc;
use std::time::Duration;

use chill_core::store::{AddMode, Item, ItemStatus, StoreFile};
use chill_core::usage::Outcome;
use chill_core::{Action, KnownFile, PlaybackId, Secret, Store, StoreCode, StoreError, Title};

use super::choose_file::{Wish, choose};
use super::route::Click;
use crate::access::{Grant, Ways};
use crate::edge::Edge;
use crate::lease::Purpose;
use crate::playbacks::Seat;
use crate::refusal::{Code, Refusal};
use crate::usage::Deed;

/// Rights tried for one playback.
const MOST_TRIES: usize = 8;
/// A torrent the store is known to have may need a moment after it was added.
const MOMENT: Duration = Duration::from_secs(1);
const MOMENTS: usize = 2;

/// A file ready to be linked.
pub(crate) struct Taken {
    pub(crate) seat: Seat,
    pub(crate) file_name: String,
    /// The store had it when it was asked.
    pub(crate) cached: bool,
}

/// What for a right is asked.
pub(crate) fn purpose(click: &Click) -> Purpose {
    Purpose { action: Action::STREAM_REQUEST, hash: Some(click.hash) }
}

/// Gets the clicked file ready. Two calls to the store when it has the torrent, none when the account had it lately; another
/// right is only tried where it can help. `stream`: the playback it is for; `patient`: it may wait for room.
pub(crate) async fn take(
    edge: &Edge,
    ways: &mut Ways,
    click: &Click,
    stream: PlaybackId,
    patient: bool,
) -> Result<Taken, Refusal> {
    let Some(store) = edge.stores.get(&ways.store()) else {
        let why = format!("this server has no client for {}", ways.store().name());
        return Err(Refusal::new(Code::ServiceUnknown, why));
    };
    let mut full = None;
    for _ in 0..MOST_TRIES {
        let grant = match ways.next(edge, purpose(click)).await {
            Ok(grant) => match edge.playbacks.has_room(&grant, stream).await {
                Ok(()) => grant,
                Err(lack) => {
                    ways.full(&grant, lack);
                    full.get_or_insert(grant);
                    continue;
                }
            },
            // Nothing else is left: the first one may get room while a player closes its stream.
            Err(refusal) => {
                let first = full.take().filter(|_| patient && refusal.code == Code::StreamLimit);
                let Some(grant) = first else { return Err(refusal) };
                let will_enter = grant.is_proxied(edge.config.delivery);
                if !edge.playbacks.waits_for_room(&grant, stream, will_enter).await {
                    return Err(refusal);
                }
                ways.has_room_again(&grant);
                grant
            }
        };
        match take_with(edge, store, grant.clone(), click).await {
            Ok(Ok(taken)) => return Ok(taken),
            Ok(Err(refusal)) => return Err(refusal),
            Err(error) => ways.failed(edge, &grant, purpose(click), &error).await?,
        }
    }
    Err(ways.refusal())
}

/// One try with one right. An error of the store may be cured by another right; a refusal may not.
pub(crate) async fn take_with(
    edge: &Edge,
    store: &Arc<dyn Store>,
    grant: Grant,
    click: &Click,
) -> Result<Result<Taken, Refusal>, StoreError> {
    let Ready { item, cached } = match edge.items.get(store.code(), grant.key(), &click.hash) {
        Some(item) => Ready { item, cached: true },
        None => match added(edge, store, &grant, click).await? {
            Ok(ready) => ready,
            Err(refusal) => return Ok(Err(refusal)),
        },
    };
    let title = edge.catalogue.title(&click.content).await;
    Ok(pick(&item, click, title.as_ref()).map(|(file, file_name)| {
        let seat = Seat { store: store.code(), grant, item: file.0, file: file.1 };
        Taken { seat, file_name, cached }
    }))
}

/// A torrent whose files can be linked.
struct Ready {
    item: Arc<Item>,
    /// The store had it when it was asked.
    cached: bool,
}

/// Puts the torrent into the account.
async fn added(
    edge: &Edge,
    store: &Arc<dyn Store>,
    grant: &Grant,
    click: &Click,
) -> Result<Result<Ready, Refusal>, StoreError> {
    let known = edge.caches.has(store.code(), &click.hash).await;
    let mut item = store.add(grant.key(), &click.hash, AddMode::Download).await?;
    let cached = item.status == ItemStatus::Downloaded;
    if !cached && !known {
        tell_download(edge, grant, click).await;
    }
    if known || (cached && item.files.is_empty()) {
        settle(store, grant.key(), &mut item).await?;
    }
    if item.status != ItemStatus::Downloaded {
        return Ok(Err(not_ready(&item)));
    }
    remember(edge, store.code(), click, &item).await;
    let item = Arc::new(item);
    edge.items.keep(store.code(), grant.key(), click.hash, &item);
    Ok(Ok(Ready { item, cached: cached || known }))
}

/// Waits a moment, and another, for a torrent that ought to be ready.
async fn settle(store: &Arc<dyn Store>, key: &Secret, item: &mut Item) -> Result<(), StoreError> {
    for moment in 0..MOMENTS {
        let ready = item.status == ItemStatus::Downloaded && !item.files.is_empty();
        let over = matches!(item.status, ItemStatus::Failed | ItemStatus::Invalid);
        let Some(id) = item.id.clone().filter(|_| !ready && !over) else { return Ok(()) };
        if moment > 0 || item.status != ItemStatus::Downloaded {
            tokio::time::sleep(MOMENT).await;
        }
        *item = store.item(key, &id).await?;
    }
    Ok(())
}

fn not_ready(item: &Item) -> Refusal {
    match item.status {
        ItemStatus::Failed | ItemStatus::Invalid => Refusal::new(Code::LinkBroken, "the store gave this torrent up"),
        status => Refusal::new(Code::Downloading, format!("the store is fetching it ({status:?})")),
    }
}

fn pick(
    item: &Item,
    click: &Click,
    title: Option<&Title>,
) -> Result<((chill_core::store::ItemId, u64), String), Refusal> {
    let wish =
        Wish { content: &click.content, title, torrent: &item.name, name: click.name.as_deref(), index: click.index };
    let files = item.files.iter().map(|file: &StoreFile| (file.path.as_str(), file.size));
    let chosen = choose(files, &wish).and_then(|index| item.files.get(index));
    let chosen = chosen.ok_or_else(|| {
        let why = format!("none of the torrent's {} files is the one that was clicked", item.files.len());
        Refusal::new(Code::NoMatchingFile, why)
    })?;
    match (&item.id, chosen.id) {
        (Some(item), Some(file)) => Ok(((item.clone(), file), chosen.name().to_owned())),
        _ => Err(Refusal::new(Code::StoreUnavailable, "the store named no number for the item or the file")),
    }
}

/// What is inside a torrent helps the next list.
async fn remember(edge: &Edge, store: StoreCode, click: &Click, item: &Item) {
    edge.caches.learn(store, click.hash, &item.files).await;
    let files =
        item.files.iter().map(|file| KnownFile { path: file.path.clone(), size: file.size }).collect::<Vec<_>>();
    let (library, hash) = (edge.library.clone(), click.hash);
    tokio::spawn(async move {
        if let Err(error) = library.remember_files(&hash, &files).await {
            tracing::debug!(%error, "a torrent's files were not remembered");
        }
    });
}

/// A download that was started on a leased key is usage of it.
async fn tell_download(edge: &Edge, grant: &Grant, click: &Click) {
    let Grant::Pool { asker, held } = grant else { return };
    let deed = Deed {
        asker,
        held,
        action: Action::ADD_TORRENT,
        hash: Some(click.hash),
        cached: Some(false),
        bytes: 0,
        outcome: Outcome::Ok,
    };
    if let Err(error) = edge.usage.keep(&deed).await {
        tracing::warn!(%error, "a started download could not be written down");
    }
}
