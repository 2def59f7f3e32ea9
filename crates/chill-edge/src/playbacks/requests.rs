//! How many requests of one playback run at once. A player needs two or three; what opens them without end holds
//! connections to the store's CDN, and must not.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::held::held;

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
    pub(crate) fn new() -> Self {
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
        held(response, self.0)
    }
}
