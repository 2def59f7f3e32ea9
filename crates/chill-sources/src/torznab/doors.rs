//! The way into what reads an indexer's answers, for fuzzing.

use chill_core::{Found, Secret};
use http::StatusCode;

use super::caps::Caps;
use super::feed::Feed;
use super::xml;
use crate::http_client::Page;

/// The key that no error may repeat.
pub const APIKEY: &str = "a-key-of-ours";

/// Reads an answer as a list of torrents, and as capabilities; gives the torrents whose hashes it tells.
///
/// # Errors
/// What is told about an answer that is no list.
pub fn feed(answer: &[u8]) -> Result<Vec<Found>, String> {
    let page = Page { status: StatusCode::OK, body: answer.to_vec(), whole: true };
    let said = |message: String| xml::printable(&message, &Secret::new(APIKEY));
    let caps = Caps::read(&page).map_err(said);
    let feed = match Feed::read(&page) {
        Ok(feed) => feed,
        // Both sentences go to people; one is enough to look at.
        Err(message) => return Err(caps.err().unwrap_or_else(|| said(message))),
    };
    Ok(feed.items.into_iter().filter_map(|item| item.into_found("indexer", true)).collect())
}
