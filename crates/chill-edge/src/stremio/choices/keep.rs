//! Compiled choices, kept by their texts: many viewers share few of them, and one viewer asks often.

use std::sync::Arc;
use std::time::Duration;

use super::{Choices, Chosen, Field, Mistake};

/// Bytes of all kept texts.
const CAPACITY: u64 = 4 << 20;
/// What compiled choices take beside their texts.
const BASE_WEIGHT: u32 = 256;
/// Texts compiled at the same time.
const AT_ONCE: usize = 2;
const IDLE: Duration = Duration::from_secs(3_600);

type Outcome = Result<Arc<Chosen>, Arc<[Mistake]>>;

/// The kept ones. Equal texts give the same [`Arc`] while they are kept.
pub(crate) struct ChosenCache {
    kept: moka::future::Cache<Choices, Outcome>,
    /// Anybody may send texts, so few are compiled at the same time.
    room: tokio::sync::Semaphore,
}

impl ChosenCache {
    pub(crate) fn new() -> Self {
        let weigh = |choices: &Choices, _: &Outcome| {
            let texts = [&choices.sort, &choices.filter, &choices.hide, &choices.name, &choices.description];
            let bytes: usize = texts.iter().map(|text| text.len()).sum();
            // A compiled text is several times its source.
            u32::try_from(bytes * 8).unwrap_or(u32::MAX).saturating_add(BASE_WEIGHT)
        };
        let kept = moka::future::Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_idle(IDLE).build();
        Self { kept, room: tokio::sync::Semaphore::new(AT_ONCE) }
    }

    /// The compiled form. Wrong texts are kept too, so that they cost once.
    pub(crate) async fn get(&self, choices: &Choices) -> Outcome {
        let compile = async {
            let _place = self.room.acquire().await;
            let choices = choices.clone();
            let compiled = tokio::task::spawn_blocking(move || Chosen::compile(&choices)).await;
            compiled.unwrap_or_else(|_| Err(vec![unreadable()])).map(Arc::new).map_err(Into::into)
        };
        let entry = self.kept.entry_by_ref(choices).or_insert_with(Box::pin(compile)).await;
        entry.into_value()
    }
}

/// Only while the server stops.
fn unreadable() -> Mistake {
    Mistake { field: Field::Filter, offset: None, message: "it could not be read; try again".to_owned() }
}
