//! `GET` and `HEAD /v0/proxy/{token}`: carries what a link leads to.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};
use tokio_util::sync::CancellationToken;

use super::Proxy;
use super::envelope::{Failure, Frame};
use super::target::Target;
use super::throttle;
use super::token::Unopened;
use crate::cors;
use crate::held::held;
use crate::playbacks::requests;
use crate::refusal::{Code, Refusal};
use crate::relay::{Carries, DESTINATION_REFUSED, Film, Link, Meter, Origin, OriginError, OriginErrorKind};
use crate::viewer::Viewer;

/// Named in answers instead of the path, which holds the token.
const PATH: &str = "/v0/proxy/{token}";
/// Of a player's headers, those that a link's server gets. Some give a film to the player alone that asked for its link.
const ABOUT_PLAYER: [HeaderName; 3] = [header::USER_AGENT, header::ACCEPT, header::ACCEPT_LANGUAGE];
/// Longest value of them, in bytes.
const LONGEST_ABOUT_PLAYER: usize = 1_024;

/// The token, and a file name where there is one.
type Segments = Result<Path<Vec<(String, String)>>, PathRejection>;

pub(super) async fn answer(State(proxy): State<Arc<Proxy>>, segments: Segments, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let frame = Frame::of(&parts, PATH, &proxy.chance);
    frame.finish(match parts.method {
        Method::OPTIONS => Ok(cors::preflight()),
        Method::GET | Method::HEAD => access(&proxy, segments, &parts).await,
        _ => Err(Failure::method_not_allowed()),
    })
}

async fn access(proxy: &Proxy, segments: Segments, parts: &Parts) -> Result<Response, Failure> {
    let Path(segments) = segments.map_err(|_| Failure::bad_request("invalid token"))?;
    let mut segments = segments.into_iter().map(|(_, segment)| segment);
    let (token, name) = (segments.next().unwrap_or_default(), segments.next());
    let digest = throttle::digest(&token);
    let opened = throttle::open(proxy, &token, digest, parts).await?;
    if !opened.target.is_http() {
        return Err(Failure::bad_request("invalid url"));
    }
    let file_name = name.or_else(|| opened.target.file_name()).unwrap_or_default();
    let origin = Arc::new(Linked { player: about_player(&parts.headers), target: opened.target });
    if parts.method == Method::HEAD {
        let meter = Arc::new(Meter::new(proxy.clock.clone()));
        let film = Film { origin, meter, cut: CancellationToken::new(), file_name };
        return relayed(proxy, parts, film).await;
    }
    let name = (digest, Viewer::of(&proxy.reached, parts).address);
    let Ok(viewing) = proxy.viewings.enter(opened.user, name).await else {
        return Ok(over_limit(proxy, opened.user, parts));
    };
    let too_many = || Failure::too_many(requests::WAIT);
    let place = match &viewing.requests {
        Some(requests) => Some(requests.enter().await.ok_or_else(too_many)?),
        None => None,
    };
    let (meter, cut) = (viewing.meter.clone(), viewing.cut.clone());
    let response = relayed(proxy, parts, Film { origin, meter, cut, file_name }).await?;
    Ok(held(response, (place, viewing)))
}

async fn relayed(proxy: &Proxy, parts: &Parts, film: Film) -> Result<Response, Failure> {
    proxy.relay.respond(&parts.method, &parts.headers, film).await.map_err(|error| failed(&error))
}

/// What the server of a link may want to know of the player.
fn about_player(headers: &HeaderMap) -> HeaderMap {
    let told = ABOUT_PLAYER.into_iter().filter_map(|name| Some((headers.get(&name)?.clone(), name)));
    told.filter(|(value, _)| value.len() <= LONGEST_ABOUT_PLAYER).map(|(value, name)| (name, value)).collect()
}

fn over_limit(proxy: &Proxy, user: &str, parts: &Parts) -> Response {
    let why = format!("the proxy user {user:?} has all the films he may have, and none of them ends");
    Refusal::new(Code::StreamLimit, why).playback(&proxy.base(parts), &proxy.chance)
}

fn failed(error: &OriginError) -> Failure {
    tracing::info!(%error, "a proxy link could not be carried");
    match (error.kind, error.status) {
        (OriginErrorKind::Refused { code: DESTINATION_REFUSED }, _) => Failure::forbidden_destination(),
        (_, Some(status)) => Failure::upstream(status, error.retry_after.clone()),
        (_, None) => Failure::bad_gateway(),
    }
}

impl From<Unopened> for Failure {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Malformed => Self::bad_request("invalid token"),
            Unopened::Unauthorized => Self::unauthorized(),
        }
    }
}

/// What a link leads to; there is no fresher one.
struct Linked {
    target: Target,
    player: HeaderMap,
}

#[async_trait]
impl Origin for Linked {
    async fn link(&self, _fresh: bool) -> Result<Link, OriginError> {
        Ok(Link::lasting(self.target.url.clone()))
    }

    fn request_headers(&self) -> HeaderMap {
        // Those of the link come last, in place of the player's.
        let mut headers = self.player.clone();
        headers.extend(self.target.headers.clone());
        headers
    }

    fn carries(&self) -> Carries {
        Carries::AnyFile
    }

    fn renews(&self) -> bool {
        false
    }
}
