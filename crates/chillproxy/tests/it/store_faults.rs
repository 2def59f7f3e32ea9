//! Bad days of the store: another key where that helps, a clear clip where it does not, and no key lost for good.

use chill_sim::{Fault, Plan, RateLimitShape};
use hyper::Method;

use crate::app::{App, KEY, KEY_TWO, Viewer};
use crate::database::TestDatabase;
use crate::streams::{FILM, Stream, sha256};

/// Two keys; the viewer's first lease goes to one of them.
async fn two_keys() -> (App, Viewer, Stream) {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    app.world.torbox().add_account(KEY_TWO, Plan::Pro, 0);
    let stream = app.smallest(&viewer, FILM).await;
    app.add_key("second", KEY_TWO);
    (app, viewer, stream)
}

fn state(app: &App, name: &str) -> String {
    let keys = app.cli(&["key", "list", "--json"], "");
    let key = keys.as_array().unwrap().iter().find(|key| key["name"] == name).unwrap().clone();
    key["state"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_replaced_by_another_one() {
    let (app, _, stream) = two_keys().await;
    assert!(app.world.torbox().rotate_key(KEY, "5ca1ab1e-0000-4000-8000-000000000bad"));
    let played = app.web.get(&stream.url).await;
    assert_eq!((played.status.as_u16(), sha256(&played.body)), (200, app.original(&stream)));
    app.until("the provider's rotation is recognised", async || state(&app, "main") == "rotated_by_provider").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_another_key_heals_are_healed() {
    let faults = [
        Fault::Code { status: 403, code: "BAD_TOKEN".into() },
        Fault::Code { status: 403, code: "PLAN_RESTRICTED_FEATURE".into() },
        Fault::Code { status: 400, code: "ACTIVE_LIMIT".into() },
        Fault::RateLimited { shape: RateLimitShape::Detail, retry_after: None },
        Fault::RateLimited { shape: RateLimitShape::Error, retry_after: Some(30) },
        Fault::RateLimited { shape: RateLimitShape::Envelope, retry_after: Some(30) },
    ];
    for fault in faults {
        let (app, _, stream) = two_keys().await;
        let rule = chill_sim::FaultRule::new("createtorrent", fault.clone()).for_key(KEY);
        app.world.torbox().add_fault(rule);
        let head = app.web.send(Method::HEAD, &stream.url, &[]).await;
        assert_eq!(head.status, 200, "{fault:?}: {}", head.header("x-chillproxy-refusal"));
        assert!(app.world.torbox().calls().iter().any(|call| call.key() == Some(KEY_TWO)), "{fault:?}");
        assert!(
            !["disabled", "rejected"].contains(&state(&app, "main").as_str()),
            "{fault:?} took the key away for good"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_that_no_key_heals_end_in_a_clip() {
    let faults = [
        (Fault::ServerError, "store_unavailable"),
        (Fault::HtmlBadGateway, "store_unavailable"),
        (Fault::EmptyBadGateway, "store_unavailable"),
        (Fault::HtmlPage, "store_unavailable"),
        (Fault::TruncatedJson, "store_unavailable"),
        (Fault::Reset, "store_unavailable"),
        (
            Fault::Answer {
                status: 451,
                content_type: "application/json".into(),
                body: r#"{"success":false,"error":null,"detail":"infringing","data":null}"#.into(),
            },
            "unavailable_for_legal_reasons",
        ),
        (Fault::RateLimited { shape: RateLimitShape::Detail, retry_after: None }, "keys_exhausted"),
        (Fault::Code { status: 400, code: "MONTHLY_LIMIT".into() }, "keys_exhausted"),
    ];
    for (fault, code) in faults {
        let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
        let stream = app.smallest(&viewer, FILM).await;
        for end in ["createtorrent", "mylist", "requestdl"] {
            app.world.torbox().add_fault(chill_sim::FaultRule::new(end, fault.clone()));
        }
        app.world.torbox().forget_calls();
        let answer = app.web.get(&stream.url).await;
        let refusal = answer.header("x-chillproxy-refusal");
        assert_eq!(answer.status, 302, "{fault:?}");
        let good = refusal == code || (code == "keys_exhausted" && ["rate_limited", "store_limit"].contains(&refusal));
        assert!(good, "{fault:?}: {refusal}");
        assert!(app.world.torbox().calls_to("createtorrent") <= 2, "{fault:?}: creates are not retried blindly");
        app.world.torbox().clear_faults();
        assert!(!["disabled", "rejected"].contains(&state(&app, "main").as_str()), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_its_cache_check_still_gives_a_list() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    app.world.torbox().add_fault(chill_sim::FaultRule::new("checkcached", Fault::ServerError));
    let answer = app.web.get(&viewer.streams("movie", FILM)).await;
    assert_eq!(answer.status, 200);
    let list = answer.json()["streams"].as_array().unwrap().clone();
    assert!(!list.is_empty(), "the viewer is told something");
}
