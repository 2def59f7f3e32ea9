//! How many requests of one playback run at once. A player needs two or three; what opens them without end holds
//! connections to the store's CDN, and must not.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one playback that may run.
pub(crate) const MOST: usize = 16;
/// How long one more waits for another one to end.
pub(crate) const WAIT: Duration = super::PATIENCE;

/// The places for one playback's requests.
#[derive(Clone, Debug)]
pub(crate) struct Requests(Arc<Semaphore>);

/// The place of a request that runs.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit);

impl Requests {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }

    /// A place for one more request, now or as soon as another one ends; none when none does for a while.
    pub(crate) async fn enter(&self) -> Option<Place> {
        let permit = tokio::time::timeout(WAIT, self.0.clone().acquire_owned()).await;
        permit.ok()?.ok().map(Place)
    }
}

impl Place {
    /// Keeps the place until the response's body is sent, or its connection gone.
    pub(crate) fn kept_by(self, response: Response) -> Response {
        response.map(|body| Body::new(Held { body, _place: self.0 }))
    }
}

struct Held {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
