//! The known torrents as an indexer, read by this project's own Torznab client.

use std::time::Duration;

use chill_core::{Secret, Source, Wanted};
use chill_sources::{Http, TorznabConfig, TorznabSource};

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::{EPISODE, FILM};

on_both_engines!(what_searches_found_is_an_indexer_of_its_own);

async fn search(app: &App, content: &str, apikey: &str) -> Result<Vec<chill_core::Found>, chill_core::SourceError> {
    let url = format!("{}/v0/torznab", app.base).parse().unwrap();
    let config = TorznabConfig { name: "ours".to_owned(), url, apikey: Secret::new(apikey) };
    let content = content.parse().unwrap();
    let wanted = Wanted { content, title: None, budget: Duration::from_secs(10) };
    TorznabSource::new(config, Http::new("it/1.0")).search(&wanted).await
}

async fn what_searches_found_is_an_indexer_of_its_own(database: TestDatabase) {
    let app = App::with(database, &[("STREMTHRU_AUTH", "alice:s3cret")]).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    assert!(search(&app, FILM, "alice:s3cret").await.unwrap().is_empty(), "nothing is known yet");
    let empty = app.web.get(&format!("{}/v0/torznab/api?t=search&apikey=alice:s3cret", app.base)).await.text();
    assert!(empty.contains("total=\"0\"/></channel>"), "{empty}");
    let local = app.web.get(&format!("{}/v0/torznab/api?t=search", app.base)).await.text();
    assert_eq!(local, empty, "a program on this machine needs no key");
    let listed = app.streams(&viewer, FILM).await.len();
    app.streams(&viewer, EPISODE).await;
    app.until("the films are an indexer's", async || search(&app, FILM, "alice:s3cret").await.unwrap().len() >= listed)
        .await;
    app.until("the episodes too", async || !search(&app, EPISODE, "YWxpY2U6czNjcmV0").await.unwrap().is_empty()).await;
    let words = format!("{}/v0/torznab/api?t=search&q=Night+of+the+Living+Dead+1968&apikey=alice:s3cret", app.base);
    assert!(app.web.get(&words).await.text().matches("<item>").count() >= listed);
    let error = search(&app, FILM, "alice:wrong").await.unwrap_err();
    assert!(error.message.contains("Incorrect user credentials"), "{error}");
    assert!(!app.log_text().contains("s3cret"), "no key in the log");
}
