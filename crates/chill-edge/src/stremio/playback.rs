//! Playing: a click becomes bytes, a redirect to the store, or a clip that says why not.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use chill_core::usage::Outcome;
use chill_core::{Action, Secret};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};

use super::origin::StoreOrigin;
use super::route::Click;
use super::user_data::UserData;
use crate::access::Grant;
use crate::edge::Edge;
use crate::error::ApiError;
use crate::playbacks::{Playback, requests};
use crate::refusal::{Code, Refusal};
use crate::relay::{Film, OriginError, OriginErrorKind};
use crate::usage::Deed;
use crate::viewer::Viewer;

/// A playback that is cut while it starts is started anew, so that the viewer hears the reason; not more often.
const MOST_STARTS: usize = 2;
/// When to come back after the spool was full or locked.
const SPOOL_PAUSE: Duration = Duration::from_secs(5);

/// Answers a click.
pub(crate) async fn answer(
    edge: &Arc<Edge>,
    viewer: &Viewer,
    data: &UserData,
    click: Click,
    parts: &Parts,
) -> Result<Response, ApiError> {
    let refuse = |refusal: &Refusal| Ok(viewer.span().in_scope(|| refusal.playback(&viewer.base, &edge.chance)));
    if !data.stores.iter().any(|entry| entry.store == click.store) {
        return refuse(&Refusal::new(Code::LinkBroken, "the link names a store that its settings do not"));
    }
    let mut last = Refusal::new(Code::ControlUnavailable, "the playback was cut while it started");
    for _ in 0..MOST_STARTS {
        let playback = match edge.starts.get(edge, viewer, data, click.clone()).await {
            Ok(playback) if playback.cut.is_cancelled() => continue,
            Ok(playback) => playback,
            Err(refusal) => return refuse(&refusal),
        };
        match deliver(edge, viewer, &playback, parts).await {
            Ok(response) => {
                // Whoever has the store's link needs nothing else of us, even if he only asked for a head.
                let is_sent_there = response.status() == StatusCode::FOUND;
                if is_sent_there || (parts.method == Method::GET && plays(&response)) {
                    announce(edge, &playback).await?;
                }
                return Ok(response);
            }
            Err(Undelivered::Refused(refusal)) => return refuse(&refusal),
            Err(Undelivered::TooMany) => return Err(too_many()),
            Err(Undelivered::Failed(error)) => {
                // Nothing runs on it, so the next click begins from the start.
                if playback.meter.open() == 0 {
                    edge.playbacks.end(&playback);
                    let seat = playback.seat();
                    edge.items.forget(seat.store, seat.grant.key(), &playback.key.click.hash);
                }
                last = Refusal::from(&error);
                if error.kind != OriginErrorKind::Cut {
                    break;
                }
            }
        }
    }
    refuse(&last)
}

fn plays(response: &Response) -> bool {
    response.status().is_success() || response.status().is_redirection()
}

/// Why a playback that runs brings nothing.
enum Undelivered {
    /// It may run on, but not this request.
    Refused(Refusal),
    /// As many of its requests as may run do.
    TooMany,
    /// No byte could be had.
    Failed(OriginError),
}

impl From<OriginError> for Undelivered {
    fn from(error: OriginError) -> Self {
        Self::Failed(error)
    }
}

/// Sends the player to the store, or serves it: as the right in use at this moment wants it, for a playback may have begun
/// with another one.
async fn deliver(
    edge: &Arc<Edge>,
    viewer: &Viewer,
    playback: &Arc<Playback>,
    parts: &Parts,
) -> Result<Response, Undelivered> {
    let origin = StoreOrigin::new(edge, playback);
    if let Some(link) = origin.link_to_hand_out(viewer.address).await? {
        return Ok(redirect(&link)?);
    }
    let place = playback.requests.enter().await.ok_or(Undelivered::TooMany)?;
    if parts.method == Method::GET && !edge.playbacks.admit_now(playback).await {
        // Another key first: somebody may have taken the place that this film had before a pause.
        if origin.find_room().await
            && let Some(link) = origin.link_to_hand_out(viewer.address).await?
        {
            return Ok(redirect(&link)?);
        }
        if !edge.playbacks.admit(playback).await {
            let full = "as many films as allowed play already, and none of them ends";
            return Err(Undelivered::Refused(Refusal::new(Code::StreamLimit, full)));
        }
    }
    let film = Film {
        origin: Arc::new(origin),
        meter: playback.meter.clone(),
        cut: playback.cut.clone(),
        file_name: playback.file_name.clone(),
    };
    let response = edge.relay.respond(&parts.method, &parts.headers, film).await?;
    Ok(place.kept_by(response))
}

fn too_many() -> ApiError {
    metrics::counter!("chillproxy_rate_limited_total", "scope" => "playback").increment(1);
    let why = format!("{} requests for this film are open already; close one and try again", requests::MOST);
    ApiError::too_many(why, requests::WAIT)
}

fn redirect(link: &Secret) -> Result<Response, OriginError> {
    let mut location = HeaderValue::try_from(link.expose())
        .map_err(|_| OriginError::new(OriginErrorKind::LinkBroken, "the store's link is not a URL"))?;
    location.set_sensitive(true);
    let mut response = Response::default();
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

/// Writes the start down, once per playback that uses the pool, and before its first byte leaves.
async fn announce(edge: &Edge, playback: &Playback) -> Result<(), ApiError> {
    let seat = playback.seat();
    // His own token is his own business, until a key of the pool takes over.
    let Grant::Pool { asker, held } = &seat.grant else { return Ok(()) };
    let write = || async {
        let deed = Deed {
            asker,
            held,
            action: Action::STREAM_REQUEST,
            hash: Some(playback.key.click.hash),
            cached: Some(playback.cached),
            bytes: 0,
            outcome: Outcome::Ok,
        };
        edge.usage.keep(&deed).await
    };
    let Err(error) = playback.announced.get_or_try_init(write).await else { return Ok(()) };
    tracing::error!(%error, "a playback was refused because its usage cannot be written down");
    Err(ApiError::unavailable("the server cannot keep its books right now; try again in a few seconds", SPOOL_PAUSE))
}
