//! What a server of titles answered, kept for a while; asked for once however many want it.

use std::time::Duration;

use chill_core::{Clock, Millis, SourceError, clock};
use moka::future::Cache;

/// Answers kept.
const KEPT: u64 = 20_000;
pub(crate) const KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);
pub(crate) const UNKNOWN_FOR: Duration = Duration::from_secs(5 * 60);
/// So that a server in trouble is not asked by every request.
pub(crate) const FAILED_FOR: Duration = Duration::from_secs(15);

/// The answers of one server.
pub(crate) struct Keeper<T> {
    name: &'static str,
    clock: Clock,
    kept: Cache<String, Kept<T>>,
}

impl<T> std::fmt::Debug for Keeper<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keeper({})", self.name)
    }
}

#[derive(Clone, Debug)]
struct Kept<T> {
    answer: Result<Option<T>, String>,
    until: Millis,
}

impl<T: Clone + Send + Sync + 'static> Keeper<T> {
    pub(crate) fn new(name: &'static str, clock: Clock) -> Self {
        Self { name, clock, kept: Cache::builder().max_capacity(KEPT).time_to_live(KNOWN_FOR).build() }
    }

    /// The answer that is kept, else the one that `asking` gives.
    ///
    /// # Errors
    /// [`SourceError`] with the sentence that asking ended with.
    pub(crate) async fn get(
        &self,
        of: String,
        asking: impl Future<Output = Result<Option<T>, String>>,
    ) -> Result<Option<T>, SourceError> {
        let now = self.clock.now();
        let asked = async {
            let answer = asking.await;
            let lasts = match &answer {
                Ok(Some(_)) => KNOWN_FOR,
                Ok(None) => UNKNOWN_FOR,
                Err(_) => FAILED_FOR,
            };
            Kept { answer, until: self.clock.now().saturating_add(clock::millis(lasts)) }
        };
        let kept = self.kept.entry(of).or_insert_with_if(asked, |kept| kept.until <= now).await;
        kept.into_value().answer.map_err(|message| SourceError { origin: self.name.to_owned(), message })
    }
}
