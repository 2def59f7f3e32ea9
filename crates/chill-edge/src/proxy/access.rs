//! `GET` and `HEAD /v0/proxy/{token}`: carries what a link leads to.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method};
use tokio_util::sync::CancellationToken;

use super::Proxy;
use super::envelope::{Failure, Frame};
use super::limits::Full;
use super::target::Target;
use super::throttle;
use super::token::Unopened;
use crate::cors;
use crate::held::held;
use crate::refusal::{Code, Refusal};
use crate::relay::{Carries, DESTINATION_REFUSED, Film, Link, Meter, Origin, OriginError, OriginErrorKind};

/// Named in answers instead of the path, which holds the token.
const PATH: &str = "/v0/proxy/{token}";

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
    let opened = throttle::open(proxy, &token, parts).await?;
    if !opened.target.is_http() {
        return Err(Failure::bad_request("invalid url"));
    }
    let slot = match parts.method {
        Method::GET => match proxy.slots.take(opened.user).await {
            Ok(slot) => slot,
            Err(Full) => return Ok(over_limit(proxy, opened.user, parts)),
        },
        _ => None,
    };
    let film = film(proxy, opened.target, name);
    let response = proxy.relay.respond(&parts.method, &parts.headers, film).await.map_err(|error| failed(&error))?;
    Ok(match slot {
        Some(slot) => held(response, slot),
        None => response,
    })
}

fn over_limit(proxy: &Proxy, user: &str, parts: &Parts) -> Response {
    let why = format!("the proxy user {user:?} has all the connections he may have");
    Refusal::new(Code::StreamLimit, why).playback(&proxy.base(parts), &proxy.chance)
}

fn film(proxy: &Proxy, target: Target, name: Option<String>) -> Film {
    let file_name = name.or_else(|| target.file_name()).unwrap_or_default();
    let meter = Arc::new(Meter::new(proxy.clock.clone()));
    Film { origin: Arc::new(Linked(target)), meter, cut: CancellationToken::new(), file_name }
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
struct Linked(Target);

#[async_trait]
impl Origin for Linked {
    async fn link(&self, _fresh: bool) -> Result<Link, OriginError> {
        Ok(Link::lasting(self.0.url.clone()))
    }

    fn request_headers(&self) -> HeaderMap {
        self.0.headers.clone()
    }

    fn carries(&self) -> Carries {
        Carries::AnyFile
    }

    fn renews(&self) -> bool {
        false
    }
}
