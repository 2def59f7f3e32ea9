//! TorBox's endpoints, one function each: what is sent, and what comes back in our words.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use chill_core::store::{Account, AddMode, CachedTorrent};
use chill_core::{InfoHash, Secret, StoreCode, StoreError, StoreErrorKind};
use http::{Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::envelope::{Refusal, decode, when_again};
use super::wire;
use crate::client::{ANSWER_CAP, Answer, Call, Client, Fault, KeyDigest, LIST_CAP, NoAnswer, counted, printable};

/// Items per page of the list: so many fit into the body cap even when they are packs.
pub(super) const PAGE: usize = 250;
/// Creates that start a download, per hour.
pub(super) const CREATES_PER_HOUR: u32 = 60;
/// How long creates stay closed after a 429 of the hourly window that names no time.
const HOUR: Duration = Duration::from_secs(3600);
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A call that brought nothing usable, and whether TorBox may have done what it was asked.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: StoreError,
    /// The machine code, when there is one.
    pub(super) code: Option<String>,
    /// HTTP status, when there was an answer.
    pub(super) status: Option<StatusCode>,
    /// False when it certainly did nothing.
    pub(super) maybe_done: bool,
}

/// The API under one base URL. The key is an argument of every call.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) client: Client,
    /// With `/v1/api`, without a slash at the end.
    base: String,
    origin: Url,
}

impl Api {
    pub(super) fn new(client: Client, origin: Url) -> Self {
        let mut base = origin.clone();
        base.set_query(None);
        base.set_fragment(None);
        let base = format!("{}/v1/api", base.as_str().trim_end_matches('/'));
        Self { client, base, origin }
    }

    pub(super) async fn account(&self, key: &Secret) -> Result<Account, Failure> {
        let call = self.get("user/me", "user/me?settings=false", ANSWER_CAP);
        let user: wire::User = self.ask(key, call).await?.ok_or_else(|| nothing("user/me"))?;
        let now = self.client.clock().now();
        Ok(super::plan::account(&user, now))
    }

    pub(super) async fn cached(&self, key: &Secret, hashes: &[InfoHash]) -> Result<Vec<CachedTorrent>, Failure> {
        let mut call = self.get("checkcached", "torrents/checkcached?format=list&list_files=true", LIST_CAP);
        call.method = Method::POST;
        call.body = Some((JSON, Bytes::from(json!({ "hashes": hashes }).to_string())));
        let found: Option<wire::Cached> = self.ask(key, call).await?;
        Ok(found.map(wire::Cached::into_torrents).unwrap_or_default())
    }

    /// Not repeated by itself: after an unknown outcome the caller looks whether it happened.
    pub(super) async fn create(&self, key: &Secret, hash: &InfoHash, mode: AddMode) -> Result<wire::Created, Failure> {
        // seed=3: seeding would hold a slot. allow_zip=false: a zipped pack cannot be played.
        let magnet = utf8_percent_encode(&hash.magnet(), NON_ALPHANUMERIC).to_string();
        let cached_only = mode == AddMode::CachedOnly;
        let form = format!("magnet={magnet}&seed=3&allow_zip=false&add_only_if_cached={cached_only}");
        let mut call = self.get("createtorrent", "torrents/createtorrent", ANSWER_CAP);
        (call.method, call.repeatable) = (Method::POST, false);
        call.body = Some((FORM, Bytes::from(form)));
        Ok(self.ask(key, call).await?.unwrap_or_default())
    }

    /// One item of the account as it is now; none when the account does not have it.
    pub(super) async fn item(&self, key: &Secret, id: u64) -> Result<Option<wire::Torrent>, Failure> {
        let path = format!("torrents/mylist?id={id}&bypass_cache=true");
        or_none(self.ask(key, self.get("mylist", &path, LIST_CAP)).await)
    }

    /// One page of the account's items as they are now, newest first.
    pub(super) async fn items(
        &self,
        key: &Secret,
        offset: usize,
        patience: Duration,
    ) -> Result<Vec<wire::Torrent>, Failure> {
        let path = format!("torrents/mylist?bypass_cache=true&offset={offset}&limit={PAGE}");
        let call = Call { deadline: Some(patience), ..self.get("mylist", &path, LIST_CAP) };
        Ok(or_none(self.ask(key, call).await)?.unwrap_or_default())
    }

    /// Torrents that wait for a free slot.
    pub(super) async fn queue(&self, key: &Secret, patience: Duration) -> Result<Vec<wire::Queued>, Failure> {
        let call = self.get("getqueued", "queued/getqueued?type=torrent&bypass_cache=true", LIST_CAP);
        let call = Call { deadline: Some(patience), ..call };
        Ok(or_none(self.ask(key, call).await)?.unwrap_or_default())
    }

    /// Takes an item out. True when it was there.
    pub(super) async fn delete(&self, key: &Secret, id: u64) -> Result<bool, Failure> {
        let body = json!({"torrent_id": id, "operation": "delete", "all": false}).to_string();
        let mut call = self.get("controltorrent", "torrents/controltorrent", ANSWER_CAP);
        call.method = Method::POST;
        call.body = Some((JSON, Bytes::from(body)));
        match self.ask::<serde::de::IgnoredAny>(key, call).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.error.kind == StoreErrorKind::NotFound => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The CDN URL of a file: the one call whose URL carries the key. It is asked for as JSON, so that the URL with the
    /// key is seen by this client and TorBox alone.
    pub(super) async fn link(
        &self,
        key: &Secret,
        torrent: u64,
        file: u64,
        viewer: Option<IpAddr>,
    ) -> Result<Secret, Failure> {
        let token = utf8_percent_encode(key.expose(), NON_ALPHANUMERIC);
        let mut path = format!("torrents/requestdl?token={token}&torrent_id={torrent}&file_id={file}");
        if let Some(viewer) = viewer {
            path.push_str(&format!("&user_ip={}", utf8_percent_encode(&viewer.to_string(), NON_ALPHANUMERIC)));
        }
        let link: String =
            self.ask(key, self.get("requestdl", &path, ANSWER_CAP)).await?.ok_or_else(|| nothing("requestdl"))?;
        let link = Secret::new(link);
        if super::link::may_leave(&link, key, &self.origin) {
            Ok(link)
        } else {
            let text = "the link it gave leads back to the API or shows the key, so it is not used";
            Err(Failure::sure(StoreErrorKind::Unavailable, text))
        }
    }

    fn get(&self, endpoint: &'static str, path: &str, cap: usize) -> Call<'static> {
        Call {
            endpoint,
            method: Method::GET,
            url: Secret::new(format!("{}/{path}", self.base)),
            bearer: None,
            body: None,
            cap,
            repeatable: true,
            deadline: None,
        }
    }

    async fn ask<T: DeserializeOwned>(&self, key: &Secret, call: Call<'_>) -> Result<Option<T>, Failure> {
        if key.is_empty() {
            return Err(Failure::sure(StoreErrorKind::Unauthorized, "the key is empty"));
        }
        let answer = self.client.call(key, &Call { bearer: Some(key), ..call }).await.map_err(Failure::from)?;
        let decoded = decode(&answer, self.client.clock());
        self.mind_limits(key, &answer, decoded.as_ref().err());
        decoded.map_err(|refusal| Failure::of(refusal, key))
    }

    /// Remembers what the answer says about the key's budgets.
    fn mind_limits(&self, key: &Secret, answer: &Answer, refusal: Option<&Refusal>) {
        let (limits, digest, clock) = (self.client.limits(), KeyDigest::of(key), self.client.clock());
        let again = when_again(answer, clock);
        match refusal.map(|refusal| (refusal, refusal.kind)) {
            Some((refusal, StoreErrorKind::DownloadsClosed { retry_after })) => {
                let cooldown = refusal.code.as_deref() == Some("COOLDOWN_LIMIT");
                if let Some(pause) = retry_after.or(cooldown.then_some(HOUR)) {
                    limits.pause_creates(&digest, pause);
                }
                return;
            }
            Some((refusal, StoreErrorKind::TooManyRequests { retry_after })) => {
                if speaks_of_creates(&refusal.text) {
                    limits.pause_creates(&digest, retry_after.unwrap_or(HOUR));
                } else {
                    limits.pause_all(&digest, retry_after.unwrap_or(chill_core::store::DEFAULT_PAUSE));
                }
                return;
            }
            _ => {}
        }
        let header = |name| answer.headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        if let (Some(limit), Some(0), Some(again)) =
            (header("x-ratelimit-limit"), header("x-ratelimit-remaining"), again)
        {
            if limit <= CREATES_PER_HOUR {
                limits.pause_creates(&digest, again);
            } else {
                limits.pause_all(&digest, again);
            }
        }
    }
}

/// Only creates are counted by the hour.
fn speaks_of_creates(text: &str) -> bool {
    text.contains("hour")
}

/// Lists that are empty, and items that are not there, answer 404.
fn or_none<T>(answer: Result<Option<T>, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Err(failure) if failure.error.kind == StoreErrorKind::NotFound => Ok(None),
        other => other,
    }
}

fn nothing(endpoint: &str) -> Failure {
    Failure::sure(StoreErrorKind::Unavailable, &format!("{endpoint} answered without data"))
}

impl Failure {
    pub(super) fn sure(kind: StoreErrorKind, message: &str) -> Self {
        let error = StoreError { store: StoreCode::TorBox, kind, message: message.to_owned() };
        Self { error, code: None, status: None, maybe_done: false }
    }

    fn of(refusal: Refusal, key: &Secret) -> Self {
        let words = [refusal.code.as_deref().unwrap_or_default(), &refusal.text].join(" ");
        let message = format!("HTTP {}: {}", refusal.status.as_u16(), printable(&words, &[key]));
        let maybe_done =
            matches!(refusal.kind, StoreErrorKind::Unavailable | StoreErrorKind::Timeout | StoreErrorKind::Conflict);
        let (code, status) = (refusal.code, Some(refusal.status));
        Self { code, status, maybe_done, ..Self::sure(refusal.kind, message.trim_end()) }
    }

    /// Whether a refusal for too many calls only concerns new downloads.
    pub(super) fn is_of_creates(&self) -> bool {
        speaks_of_creates(&self.error.message)
    }
}

impl From<NoAnswer> for Failure {
    fn from(reason: NoAnswer) -> Self {
        let kind = match reason {
            NoAnswer::OverBudget(wait) => StoreErrorKind::TooManyRequests { retry_after: Some(wait) },
            NoAnswer::Fault(Fault::Timeout) => StoreErrorKind::Timeout,
            NoAnswer::Fault(Fault::Connect | Fault::Broken | Fault::TooLong(_)) => StoreErrorKind::Unavailable,
            // The address is a valid URL, so it is the key that cannot stand in a header.
            NoAnswer::Fault(Fault::Malformed) => StoreErrorKind::Unauthorized,
        };
        let maybe_done = matches!(reason, NoAnswer::Fault(Fault::Timeout | Fault::Broken | Fault::TooLong(_)));
        Self { maybe_done, ..Self::sure(kind, &reason.to_string()) }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        counted(failure.error)
    }
}
