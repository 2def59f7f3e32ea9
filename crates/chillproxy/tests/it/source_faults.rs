//! Bad days of the indexer and of Cinemeta: bounded, skipped, and never an error for the viewer.

use chill_sim::Fault;

use crate::app::{App, Viewer};
use crate::database::TestDatabase;
use crate::streams::FILM;

async fn list_with(fault: Fault) -> (App, Viewer, usize) {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    for function in ["movie", "search"] {
        app.world.torznab().add_fault(chill_sim::FaultRule::new(function, fault.clone()));
    }
    let answer = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!(answer.status, 200, "{fault:?}");
    let count = answer.json()["streams"].as_array().unwrap().len();
    (app, viewer, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indexer_in_trouble_gives_an_answer_all_the_same() {
    let faults = [
        Fault::Garbage,
        Fault::HtmlPage,
        Fault::HtmlBadGateway,
        Fault::Reset,
        Fault::HugeBody { bytes: 50_000_000 },
        Fault::ErrorDocument { code: 100, description: "Incorrect user credentials".into() },
    ];
    for fault in faults {
        let (app, viewer, _) = list_with(fault.clone()).await;
        app.world.torznab().clear_faults();
        app.until("the list is there once the indexer is well", async || !app.streams(&viewer, FILM).await.is_empty())
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_items_are_bounded() {
    let (_, _, count) = list_with(Fault::ManyItems { count: 10_000 }).await;
    assert!(count <= 500, "{count} streams");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_cinemeta_an_indexer_that_knows_ids_is_enough() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    app.world.cinemeta().add_fault(chill_sim::FaultRule::new("", Fault::ServerError));
    assert!(!app.streams(&viewer, FILM).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn known_torrents_are_listed_when_the_indexer_is_away() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let before = app.streams(&viewer, FILM).await.len();
    app.world.torznab().add_fault(chill_sim::FaultRule::new("", Fault::Reset));
    let after = app.streams(&viewer, FILM).await.len();
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_how_long_each_source_took_and_how_it_ended() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    assert!(!app.streams(&viewer, FILM).await.is_empty());
    app.world.torznab().add_fault(chill_sim::FaultRule::new("", Fault::Reset));
    app.streams(&viewer, "tt0017136").await;
    let metrics = app.web.get(&format!("{}/metrics", app.metrics)).await.text();
    let counted = |outcome: &str| {
        let told = |line: &&str| line.starts_with("chillproxy_source_seconds_count{") && line.contains(outcome);
        metrics.lines().find(told).unwrap_or_else(|| panic!("{outcome}: {metrics}")).to_owned()
    };
    assert!(counted(r#"outcome="found""#).ends_with(" 1"));
    assert!(counted(r#"outcome="failed""#).ends_with(" 1"));
}
