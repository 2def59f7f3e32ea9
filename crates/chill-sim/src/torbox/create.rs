//! `POST /torrents/createtorrent` and `/asynccreatetorrent`, with every result the vendor is known to give.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::account::{Account, Queued};
use super::asked::{Answer, Asked, account_of, failure, invalid, refusal, seconds_until, success};
use super::behaviour::{Behaviour, Duplicate, RateReset, WhenFull};
use super::catalogue::magnet_hash;
use super::form::Form;
use super::item::Item;
use super::rate::Window;
use super::{Plan, Provider, Torbox, Torrent, TorrentState};
use crate::clock::rfc3339;
use crate::front::{Refused, rate_limited};

/// Downloads a month and the pause between two on the free plan.
const FREE_DOWNLOADS: u32 = 10;
const FREE_PAUSE_MS: i64 = 86_400_000;

/// What a create asks for, once its form made sense.
struct Wish {
    hash: String,
    magnet: String,
    name: String,
    seed: u8,
    as_queued: bool,
    only_if_cached: bool,
}

pub(super) async fn create(State(torbox): State<Torbox>, asked: Asked) -> Answer {
    asked.on_account(&torbox, |provider, key, now| {
        let wish = wish(&asked)?;
        carried_out(provider, key, now, wish)
    })
}

fn bad_request(error: &Value, detail: &str) -> Refused {
    failure(StatusCode::BAD_REQUEST, error, detail)
}

fn wish(asked: &Asked) -> Result<Wish, Refused> {
    let both_or_neither = || bad_request(&json!(true), "You must provide either a magnet or a file.");
    let form = Form::read(asked).ok_or_else(both_or_neither)?;
    let (magnet, file) = (form.text("magnet"), form.bytes("file").is_some_and(|file| !file.is_empty()));
    let (hash, magnet) = match (magnet, file) {
        (Some(magnet), false) => {
            let hash = magnet_hash(&magnet);
            (hash.ok_or_else(|| bad_request(&json!("INVALID_HASH"), "The magnet has no valid hash."))?, magnet)
        }
        (None, true) => {
            let hash = form.torrent_file_hash();
            let hash = hash.ok_or_else(|| bad_request(&json!("BOZO_TORRENT"), "The file is not a torrent."))?;
            let magnet = format!("magnet:?xt=urn:btih:{hash}");
            (hash, magnet)
        }
        (Some(_), true) | (None, false) => return Err(both_or_neither()),
    };
    let flag = |name: &str| match form.text(name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid("body", name, "value could not be parsed to a boolean", "type_error.bool")),
    };
    flag("allow_zip")?;
    let seed = match form.text("seed").as_deref() {
        None | Some("1") => 1,
        Some("2") => 2,
        Some("3") => 3,
        Some(_) => return Err(bad_request(&json!("INVALID_OPTION"), "Seed is 1, 2 or 3.")),
    };
    let shown = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        (name == "dn").then(|| value.into_owned())
    };
    let display = url::form_urlencoded::parse(magnet.trim_start_matches("magnet:?").as_bytes()).find_map(shown);
    let name = form.text("name").or(display).unwrap_or_else(|| hash.clone());
    let (as_queued, only_if_cached) = (flag("as_queued")?, flag("add_only_if_cached")?);
    Ok(Wish { hash, magnet, name, seed, as_queued, only_if_cached })
}

fn carried_out(provider: &mut Provider, key: &str, now: i64, wish: Wish) -> Answer {
    let behaviour = provider.behaviour.clone();
    let torrent = super::find(&provider.catalogue, &wish.hash, &wish.name);
    let id = provider.next_id();
    let account = account_of(provider, key)?;
    if torrent.state == TorrentState::Infringing {
        let status = StatusCode::from_u16(behaviour.infringing_status);
        let detail = "This torrent is infringing and cannot be added.";
        return Err(failure(status.unwrap_or(StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS), &Value::Null, detail));
    }
    if let Some(answer) = duplicate(account, &wish, behaviour.duplicate) {
        return answer;
    }
    if torrent.state == TorrentState::Oversize || torrent.size() > account.plan.max_item_bytes() {
        return Err(bad_request(&json!("DOWNLOAD_TOO_LARGE"), "The download is larger than your plan allows."));
    }
    if torrent.state == TorrentState::Cached && !(wish.as_queued && account.plan != Plan::Free) {
        return add_cached(account, &behaviour, torrent, wish, id, now);
    }
    if wish.only_if_cached && torrent.state != TorrentState::Cached {
        return Err(bad_request(&Value::Null, "The torrent is not cached and was not added."));
    }
    let answer = add_uncached(account, &behaviour, torrent, wish, id, now);
    let answer = answer.unwrap_or_else(IntoResponse::into_response);
    Ok(with_rate_headers(answer, &account.hour, &behaviour, now))
}

fn duplicate(account: &Account, wish: &Wish, kind: Duplicate) -> Option<Answer> {
    let queued = account.queue.iter().find(|queued| queued.hash == wish.hash).map(|queued| ("queued_id", queued.id));
    let (name, id) = account.item_of(&wish.hash).map(|item| ("torrent_id", item.id)).or(queued)?;
    Some(match kind {
        Duplicate::Existing => {
            let data = json!({name: id, "hash": wish.hash, "auth_id": account.auth_id});
            success("Torrent already exists or is queued.", &data)
        }
        Duplicate::Refused => Err(bad_request(&json!("DUPLICATE_ITEM"), "The torrent already exists or is queued.")),
        Duplicate::DiffIssue => {
            Err(bad_request(&json!("DIFF_ISSUE"), "The request could not be completed with these parameters."))
        }
    })
}

fn add_cached(account: &mut Account, behaviour: &Behaviour, torrent: Torrent, wish: Wish, id: u64, now: i64) -> Answer {
    let data = json!({"torrent_id": id, "hash": wish.hash, "auth_id": account.auth_id});
    let Wish { magnet, seed, .. } = wish;
    account.items.push(Item { id, torrent, magnet, seed, created_at: now, from_cache: true });
    account.added_in_total += 1;
    let answer = success("Found Cached Torrent. Using Cached Torrent.", &data)?;
    Ok(with_rate_headers(answer, &account.minute, behaviour, now))
}

fn add_uncached(
    account: &mut Account,
    behaviour: &Behaviour,
    torrent: Torrent,
    wish: Wish,
    id: u64,
    now: i64,
) -> Answer {
    if !account.hour.spend(now) {
        let retry_after = behaviour.retry_after.then(|| seconds_until(account.hour.ends_at(), now));
        let limit = format!("{} per 1 hour", account.hour.limit);
        return Err(rate_limited(behaviour.rate_body, &limit, retry_after).into());
    }
    within_plan(account, behaviour, now)?;
    let full = account.active(now) >= account.slots();
    let asked_to_queue = wish.as_queued && account.plan != Plan::Free;
    let Wish { hash, magnet, name, seed, .. } = wish;
    if full && (account.plan == Plan::Free || behaviour.when_full == WhenFull::ActiveLimit) {
        let data = json!({"active_limit": account.slots(), "current_active_downloads": account.active(now)});
        let error = code(behaviour, "ACTIVE_LIMIT");
        return Err(refusal(StatusCode::OK, &error, "Your active download slots are in use.", &data));
    }
    if full || asked_to_queue {
        let data = json!({"queued_id": id, "hash": hash, "auth_id": account.auth_id});
        account.queue.push(Queued { id, hash, magnet, name, seed, created_at: now });
        if full && behaviour.when_full == WhenFull::QueueAsFailure {
            return Err(refusal(StatusCode::OK, &Value::Null, "Torrent has been queued.", &Value::Null));
        }
        return success("Torrent queued.", &data);
    }
    let data = json!({"torrent_id": id, "hash": hash, "auth_id": account.auth_id});
    account.items.push(Item { id, torrent, magnet, seed, created_at: now, from_cache: false });
    account.added_in_total += 1;
    account.downloads_this_month += 1;
    if account.plan == Plan::Free {
        account.cooldown_until = Some(now + FREE_PAUSE_MS);
    }
    success("Torrent created.", &data)
}

fn within_plan(account: &Account, behaviour: &Behaviour, now: i64) -> Result<(), Refused> {
    if let Some(until) = account.in_cooldown(now) {
        let data = json!({"cooldown_until": rfc3339(until), "current_time": rfc3339(now)});
        let error = code(behaviour, "COOLDOWN_LIMIT");
        return Err(refusal(StatusCode::BAD_REQUEST, &error, "You are on cooldown.", &data));
    }
    if account.plan == Plan::Free && account.downloads_this_month >= FREE_DOWNLOADS {
        let data = json!({"monthly_limit": FREE_DOWNLOADS, "current_downloads": account.downloads_this_month});
        let error = code(behaviour, "MONTHLY_LIMIT");
        return Err(refusal(StatusCode::BAD_REQUEST, &error, "Your monthly limit is reached.", &data));
    }
    Ok(())
}

fn code(behaviour: &Behaviour, code: &str) -> Value {
    if behaviour.limit_codes { json!(code) } else { Value::Null }
}

/// Creates tell which of the two budgets they were charged to; the hourly 429 itself tells nothing.
fn with_rate_headers(mut answer: Response, window: &Window, behaviour: &Behaviour, now: i64) -> Response {
    if !behaviour.rate_headers || answer.status() == StatusCode::TOO_MANY_REQUESTS {
        return answer;
    }
    let reset = match behaviour.rate_reset {
        RateReset::Seconds => seconds_until(window.ends_at(), now).to_string(),
        RateReset::UnixTime => format!("{}.{:02}", window.ends_at() / 1000, window.ends_at() % 1000 / 10),
    };
    let headers = answer.headers_mut();
    headers.insert("x-ratelimit-limit", window.limit.into());
    headers.insert("x-ratelimit-remaining", window.remaining().into());
    if let Ok(reset) = HeaderValue::from_str(&reset) {
        headers.insert("x-ratelimit-reset", reset);
    }
    answer
}
