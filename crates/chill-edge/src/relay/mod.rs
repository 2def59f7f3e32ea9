//! The relay: carries a film's bytes from a store's CDN to a player.
//!
//! For: answering `GET` and `HEAD` with what the origin holds (RFC 9110 ranges and conditions), going on where an origin
//! broke off, and stopping at once when the playback is cut. A response is exactly as long as its head says, or its
//! connection breaks; it is never silently short and never made of two different files.
//!
//! Refuses: to know users, keys, leases or stores (an [`Origin`] names the link and a fresh one), to buffer more than a
//! read or two per stream, to pass a viewer's cookies, authorisation or address to the origin, and to pass anything of
//! the origin's head to the viewer but what a player needs. What is no film is carried only where its origin says so
//! ([`Carries`]), and then so that it cannot act as a page of ours.
//!
//! Start reading at [`Relay::respond`]; `body` is the byte path between `line` (to the origin) and `outlet` (to the player),
//! `bypass` the way of bytes that need not be read, `resume` the way back after a break, and [`ConnectionCut`] says what a
//! listener must do so that a cut also reaches a player that does not read.

mod answer;
mod ask;
mod body;
mod bypass;
mod config;
mod connection;
mod destinations;
mod fingerprint;
mod forward;
#[doc(hidden)]
pub mod fuzz;
mod guard;
mod head;
mod line;
mod media_type;
mod meter;
mod open;
mod origin;
mod outlet;
mod patience;
mod receive_buffer;
mod resume;
mod sockets;
mod unsent;
mod upstream;
mod validator;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

pub use config::RelayConfig;
pub use connection::{ConnectionCut, VIEWER_BUFFER, Wire};
pub use destinations::{AllowList, Destinations, InvalidDestination};
pub use meter::{Meter, OpenRequest};
pub use origin::{Carries, DESTINATION_REFUSED, Film, Link, Origin, OriginError, OriginErrorKind};

use ask::Ask;
use upstream::Upstream;

/// The relay of one process: one pool of connections to the origins. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Relay {
    upstream: Arc<Upstream>,
}

impl Relay {
    /// A relay with its own connection pool.
    #[must_use]
    pub fn new(config: RelayConfig) -> Self {
        Self { upstream: Arc::new(Upstream::new(config)) }
    }

    /// Answers a player's `GET` or `HEAD` with the film's bytes: 200, 206, 304, 412 or 416, as the origin has it; 405 for
    /// any other method. The response must reach [`ConnectionCut::follow`] with its extensions.
    ///
    /// # Errors
    /// [`OriginError`] when no byte can be had: the origin's own words, or that the link, asked for afresh once, does not
    /// work, or that the playback was cut meanwhile. Nothing was sent yet, so the caller may show a clip instead.
    pub async fn respond(&self, method: &Method, headers: &HeaderMap, film: Film) -> Result<Response, OriginError> {
        if method != Method::GET && method != Method::HEAD {
            return Ok(not_allowed());
        }
        let open = film.meter.open_request();
        let ask = Ask::read(method, headers).carrying(film.origin.carries());
        if ask.unmet {
            return Ok(empty(StatusCode::PRECONDITION_FAILED));
        }
        // hyper keeps the room of its service's future for as long as the film runs; this is most of it.
        let opening = Box::pin(open::open(&self.upstream, &ask, &film));
        let opened = tokio::select! {
            biased;
            () = film.cut.cancelled() => return Err(OriginError::cut()),
            opened = opening => opened.map_err(|error| OriginError { retry_after: ask.later(), ..error })?,
        };
        Ok(head::response(&self.upstream, &ask, opened, film, open))
    }
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

fn not_allowed() -> Response {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
