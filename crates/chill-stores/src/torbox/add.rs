//! Adding a torrent: every way TorBox tells that it has it, will have it, or will not.

use std::time::Duration;

use chill_core::store::{AddMode, Item, ItemId, ItemStatus};
use chill_core::{InfoHash, Secret, StoreError, StoreErrorKind};
use http::StatusCode;

use super::TorBox;
use super::api::{Failure, PAGE};
use crate::client::KeyDigest;

/// Pages of the account's list that are searched for a torrent; newest items stand first.
const PAGES: usize = 10;

/// What a create came to.
enum Made {
    /// It has this id.
    Item(u64),
    /// It waits for a free slot and has no id yet.
    Queued,
    /// TorBox did not say: it may be there, and if it is not, this is why.
    LookItUp(Failure),
}

/// Where a torrent is looked for first; the other place comes second.
#[derive(Clone, Copy)]
enum First {
    /// Most are there.
    Items,
    /// It was seen waiting. This order cannot miss it when it moves from the queue to the items meanwhile.
    Queue,
}

impl TorBox {
    pub(super) async fn add_now(&self, key: &Secret, hash: &InfoHash, mode: AddMode) -> Result<Item, StoreError> {
        let of = (KeyDigest::of(key), *hash);
        // Asking again for what waits in the queue must not spend another create.
        if self.waiting.contains_key(&of) {
            if let Some(item) = self.find(key, hash, First::Queue).await? {
                return Ok(self.remember_waiting(of, item).await);
            }
            self.waiting.invalidate(&of).await;
        }
        // With the hourly budget used up, what TorBox has is still added: that costs nothing of it.
        let closed = match mode {
            AddMode::Download => self.api.client.limits().take_create(&of.0).err(),
            AddMode::CachedOnly => None,
        };
        let sent = if closed.is_some() { AddMode::CachedOnly } else { mode };
        let made = self.create(key, hash, sent).await.map_err(|error| match (error.kind, closed) {
            (StoreErrorKind::NotCached, Some(wait)) => creates_are_closed(wait),
            _ => error,
        })?;
        let item = match made {
            Made::Item(id) => self.just_added(key, hash, id).await?,
            Made::Queued => queued(hash, String::new()),
            Made::LookItUp(failure) => self.find(key, hash, First::Items).await.ok().flatten().ok_or(failure.error)?,
        };
        Ok(self.remember_waiting(of, item).await)
    }

    async fn create(&self, key: &Secret, hash: &InfoHash, mode: AddMode) -> Result<Made, StoreError> {
        match self.api.create(key, hash, mode).await {
            Ok(created) => Ok(match (created.torrent_id, created.queued_id) {
                (Some(id), _) => Made::Item(id),
                (None, Some(_)) => Made::Queued,
                (None, None) => {
                    let text = "createtorrent named no item, and the account's list does not have it";
                    Made::LookItUp(Failure::sure(StoreErrorKind::Unavailable, text))
                }
            }),
            Err(failure) if was_queued(&failure) => Ok(Made::Queued),
            Err(mut failure) if failure.maybe_done => {
                if failure.code.as_deref() == Some("DIFF_ISSUE") {
                    failure.error.kind = StoreErrorKind::BadRequest;
                }
                Ok(Made::LookItUp(failure))
            }
            Err(mut failure) => {
                if mode == AddMode::CachedOnly && is_not_cached(&failure) {
                    failure.error.kind = StoreErrorKind::NotCached;
                }
                if let StoreErrorKind::TooManyRequests { retry_after } = failure.error.kind
                    && failure.is_of_creates()
                {
                    failure.error.kind = StoreErrorKind::DownloadsClosed { retry_after };
                }
                Err(failure.error)
            }
        }
    }

    /// The item behind a fresh id. TorBox's list may lag behind its creates: then only the id is known.
    async fn just_added(&self, key: &Secret, hash: &InfoHash, id: u64) -> Result<Item, StoreError> {
        let known = self.api.item(key, id).await?;
        let unlisted = || Item { id: Some(ItemId(id.to_string())), ..queued(hash, String::new()) };
        Ok(known.map_or_else(unlisted, |torrent| {
            let item = torrent.into_item(*hash);
            Item { id: Some(ItemId(id.to_string())), ..item }
        }))
    }

    async fn find(&self, key: &Secret, hash: &InfoHash, first: First) -> Result<Option<Item>, StoreError> {
        let patience = self.api.client.deadline() / 2;
        let items = self.in_items(key, hash, patience);
        let queue = self.in_queue(key, hash, patience);
        match first {
            First::Items => match items.await? {
                Some(item) => Ok(Some(item)),
                None => queue.await,
            },
            First::Queue => match queue.await? {
                Some(item) => Ok(Some(item)),
                None => items.await,
            },
        }
    }

    async fn in_items(&self, key: &Secret, hash: &InfoHash, patience: Duration) -> Result<Option<Item>, StoreError> {
        for page in 0..PAGES {
            let items = self.api.items(key, page * PAGE, patience).await?;
            let is_last = items.len() < PAGE;
            if let Some(found) = items.into_iter().find(|torrent| torrent.id.is_some() && torrent.is(hash)) {
                return Ok(Some(found.into_item(*hash)));
            }
            if is_last {
                break;
            }
        }
        Ok(None)
    }

    async fn in_queue(&self, key: &Secret, hash: &InfoHash, patience: Duration) -> Result<Option<Item>, StoreError> {
        let waiting = self.api.queue(key, patience).await?;
        let is_it = |text: &str| text.parse().is_ok_and(|known: InfoHash| known == *hash);
        let found = waiting.into_iter().find(|item| item.hash.as_deref().is_some_and(is_it));
        Ok(found.map(|item| queued(hash, item.name.unwrap_or_default())))
    }

    async fn remember_waiting(&self, of: (KeyDigest, InfoHash), item: Item) -> Item {
        if item.id.is_none() {
            self.waiting.insert(of, ()).await;
        } else {
            self.waiting.invalidate(&of).await;
        }
        item
    }
}

fn queued(hash: &InfoHash, name: String) -> Item {
    Item { id: None, hash: *hash, name, status: ItemStatus::Queued, files: Vec::new() }
}

/// A queued create is sometimes told as a failure, known by its words alone.
fn was_queued(failure: &Failure) -> bool {
    let says_so = failure.error.message.to_ascii_lowercase().contains("queued");
    failure.code.is_none() && failure.status == Some(StatusCode::OK) && says_so
}

/// "Only if cached" is refused without a code of its own. What is no other known refusal, is this one.
fn is_not_cached(failure: &Failure) -> bool {
    let plain = matches!(failure.error.kind, StoreErrorKind::BadRequest | StoreErrorKind::NotFound);
    let says_so = failure.error.message.to_ascii_lowercase().contains("cache");
    let no_code = matches!(failure.code.as_deref(), None | Some("ITEM_NOT_FOUND" | "NOT_FOUND"));
    let answered = failure.status.is_some_and(|status| status != StatusCode::UNPROCESSABLE_ENTITY);
    plain && answered && (says_so || no_code)
}

fn creates_are_closed(wait: Duration) -> StoreError {
    let kind = StoreErrorKind::DownloadsClosed { retry_after: Some(wait) };
    Failure::sure(kind, "this hour's new downloads with this key are used up").error
}
