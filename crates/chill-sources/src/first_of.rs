//! Several places that know titles, asked one after the other.

use std::sync::Arc;

use async_trait::async_trait;
use chill_core::{ContentId, SourceError, Title, Titles};

/// The first place that knows a title answers: imported data before a server.
pub struct FirstOf(pub Vec<Arc<dyn Titles>>);

impl std::fmt::Debug for FirstOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FirstOf({})", self.0.len())
    }
}

#[async_trait]
impl Titles for FirstOf {
    /// A place in trouble does not keep the next one from being asked; its error is told when no other knows.
    async fn title(&self, content: &ContentId) -> Result<Option<Title>, SourceError> {
        let mut trouble = None;
        for place in &self.0 {
            match place.title(content).await {
                Ok(Some(title)) => return Ok(Some(title)),
                Ok(None) => {}
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        trouble.map_or(Ok(None), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(Result<Option<&'static str>, &'static str>);

    #[async_trait]
    impl Titles for Place {
        async fn title(&self, _: &ContentId) -> Result<Option<Title>, SourceError> {
            let title =
                self.0.map_err(|origin| SourceError { origin: origin.to_owned(), message: "away".to_owned() })?;
            Ok(title.map(|name| Title::new(name, None)))
        }
    }

    #[tokio::test]
    async fn the_first_who_knows_answers() {
        for (places, expected) in [
            (vec![Ok(Some("A")), Ok(Some("B"))], Ok(Some("A"))),
            (vec![Ok(None), Ok(Some("B"))], Ok(Some("B"))),
            (vec![Err("one"), Ok(Some("B"))], Ok(Some("B"))),
            (vec![Err("one"), Ok(None), Err("two")], Err("one")),
            (vec![Ok(None)], Ok(None)),
            (vec![], Ok(None)),
        ] {
            let all = FirstOf(places.into_iter().map(|told| Arc::new(Place(told)) as Arc<dyn Titles>).collect());
            let told = all.title(&"tt1".parse().unwrap()).await;
            let told = told.map(|title| title.map(|title| title.name)).map_err(|error| error.origin);
            assert_eq!(told, expected.map(|name| name.map(str::to_owned)).map_err(str::to_owned));
        }
    }
}
