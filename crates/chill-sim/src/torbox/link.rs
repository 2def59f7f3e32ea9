//! `GET /torrents/requestdl`: the key travels in the query, the answer is a CDN link without it.

use axum::extract::State;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::asked::{Answer, Asked, account_of, failure, missing, success};
use super::item::{Item, Phase};
use super::{Torbox, content_seed};
use crate::cdn::Served;
use crate::front::{Refused, answer};

pub(super) async fn requestdl(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    linked(&torbox, &asked, &wanted(&asked)?)
}

struct Wanted {
    torrent_id: u64,
    file_id: usize,
    zip: bool,
    redirect: bool,
}

fn wanted(asked: &Asked) -> Result<Wanted, Refused> {
    if asked.param("token").is_none() {
        return Err(missing("query", "token"));
    }
    Ok(Wanted {
        torrent_id: asked.number("torrent_id")?.ok_or_else(|| missing("query", "torrent_id"))?,
        file_id: usize::try_from(asked.number("file_id")?.unwrap_or(0)).unwrap_or(usize::MAX),
        zip: asked.flag("zip_link")?,
        redirect: asked.flag("redirect")?,
    })
}

fn linked(torbox: &Torbox, asked: &Asked, wanted: &Wanted) -> Answer {
    let cdn = torbox.cdn.clone();
    torbox.authorised(asked.param("token"), |provider, key, now| {
        let account = account_of(provider, key)?;
        let Some(item) = account.items.iter().find(|item| item.id == wanted.torrent_id) else {
            return Err(not_found("The torrent does not exist."));
        };
        if item.phase(now) != Phase::Present {
            let detail = "The files are not on the storage yet.";
            return Err(failure(StatusCode::INTERNAL_SERVER_ERROR, &json!("DOWNLOAD_SERVER_ERROR"), detail));
        }
        let Some(served) = served(item, wanted) else { return Err(not_found("The file does not exist.")) };
        let url = cdn.link(served);
        if !wanted.redirect {
            return success("Link created.", &Value::String(url));
        }
        let mut redirect = answer(StatusCode::TEMPORARY_REDIRECT, "", "");
        if let Ok(location) = HeaderValue::from_str(&url) {
            redirect.headers_mut().insert(header::LOCATION, location);
        }
        Ok(redirect)
    })
}

fn not_found(detail: &str) -> Refused {
    failure(StatusCode::NOT_FOUND, &json!("ITEM_NOT_FOUND"), detail)
}

fn served(item: &Item, wanted: &Wanted) -> Option<Served> {
    let torrent = &item.torrent;
    let (seed, size, name) = if wanted.zip {
        (content_seed(&torrent.hash, usize::MAX), torrent.size(), format!("{}.zip", torrent.name))
    } else {
        let path = torrent.full_path(wanted.file_id);
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        (torrent.seed(wanted.file_id), torrent.files.get(wanted.file_id)?.size, name)
    };
    Some(Served {
        seed,
        size,
        name,
        hash: torrent.hash.clone(),
        item: item.id,
        bytes_per_s: torrent.cdn_bytes_per_s,
        modified_at: item.created_at,
    })
}
