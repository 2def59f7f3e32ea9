//! get-key and log-usage as an edge sees them, through the router.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use chill_core::control::Recorded;
use chill_core::pool::Terms;
use chill_core::rate::{Limit, Limits};
use chill_core::{
    Chance, Clock, ControlError, ControlPlane, Epoch, Feed, Lease, LeaseRequest, Outcome, Secret, UsageEvent,
};
use chill_db::LocalRates;
use chill_db::trial::{self, Trial};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{InternalKeys, InvalidInternalKey, internal_api};
use crate::tests::{NOW, World, world};

const KEY: &str = "0123456789abcdef0123456789abcdef";
const NEXT_KEY: &str = "fedcba9876543210fedcba9876543210";

fn keys(text: &str) -> InternalKeys {
    InternalKeys::parse(&Secret::new(text)).unwrap()
}

fn api(control: Arc<dyn ControlPlane>) -> Router {
    internal_api(control, keys(&format!("{KEY},{NEXT_KEY}")), Clock::fixed(NOW), Chance::System)
}

/// Status, `Retry-After` and body of a call with this bearer key.
async fn call(api: &Router, route: &str, bearer: Option<&str>, body: impl Into<Body>) -> (u16, Option<String>, Value) {
    let mut request = Request::post(format!("/api/v1/internal/pool/{route}"));
    if let Some(bearer) = bearer {
        request = request.header("authorization", bearer);
    }
    let response = api.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, wait, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn post(api: &Router, route: &str, body: &Value) -> (u16, Value) {
    let (status, _, answer) = call(api, route, Some(&format!("Bearer {KEY}")), body.to_string()).await;
    (status, answer)
}

/// A control plane that remembers what reached it and answers as told.
struct Scripted {
    answer: ControlError,
    asked: Mutex<Vec<LeaseRequest>>,
    recorded: Mutex<Vec<UsageEvent>>,
}

fn scripted(answer: ControlError) -> Arc<Scripted> {
    Arc::new(Scripted { answer, asked: Mutex::default(), recorded: Mutex::default() })
}

#[async_trait]
impl ControlPlane for Scripted {
    async fn lease(&self, ask: &LeaseRequest) -> Result<Lease, ControlError> {
        self.asked.lock().unwrap().push(ask.clone());
        Err(self.answer.clone())
    }

    async fn record(&self, events: &[UsageEvent]) -> Result<Recorded, ControlError> {
        self.recorded.lock().unwrap().extend_from_slice(events);
        Ok(Recorded { accepted: events.len(), duplicates: 0 })
    }

    fn watch(&self, _: Option<Epoch>) -> Feed {
        Box::pin(futures_util::stream::pending())
    }
}

fn away() -> ControlError {
    ControlError::unavailable("the database is on holiday")
}

fn on(trial: &Trial) -> (World, Router) {
    let world = world(trial);
    let api = api(Arc::new(world.control.clone()));
    (world, api)
}

#[tokio::test]
async fn a_plain_client_gets_its_key_and_its_refusal() {
    trial::both(async |trial| {
        let (world, api) = on(trial);
        let anna = world.user("Anna").await;
        let key = world.key("one", Terms::Household, None).await;
        let ask = |device: &str| json!({"userId": anna.link, "deviceId": device, "action": "init"});
        let (status, answer) = post(&api, "get-key", &ask("tv")).await;
        assert_eq!(status, 200);
        let expected = json!({
            "allowed": true, "poolKey": "secret-of-one", "poolKeyId": key.id, "deviceCount": 1, "service": "tb",
            "ttl": 300, "epoch": 0, "grace": 60,
        });
        assert_eq!(answer, expected);
        post(&api, "get-key", &ask("phone")).await;
        post(&api, "get-key", &ask("tablet")).await;
        let (status, answer) = post(&api, "get-key", &ask("laptop")).await;
        assert_eq!(status, 200);
        let expected = json!({
            "allowed": false, "message": "Maximum 3 devices allowed per user", "code": "device_limit", "deviceCount": 3,
        });
        assert_eq!(answer, expected);
        let mut other = ask("tv");
        other["exclude"] = json!([key.id]);
        assert_eq!(post(&api, "get-key", &other).await.1["code"], "no_key");
        other["service"] = json!("zz");
        assert_eq!(post(&api, "get-key", &other).await.1["code"], "service_unknown");
    })
    .await;
}

#[tokio::test]
async fn usage_is_logged_alone_and_in_batches_once() {
    trial::both(async |trial| {
        let (world, api) = on(trial);
        let anna = world.user("Anna").await;
        let key = world.key("one", Terms::Household, None).await;
        let plain = json!({"userId": anna.link, "poolKeyId": key.id, "action": "stream-request", "cached": true});
        let (status, answer) = post(&api, "log-usage", &plain).await;
        assert_eq!((status, answer), (200, json!({"success": true, "accepted": 1, "duplicates": 0})));
        let full = json!({
            "userId": anna.link, "poolKeyId": key.id, "action": "stream-served", "bytes": 12_345,
            "hash": "0F1E2D3C4B5A69788796A5B4C3D2E1F001234567", "deviceId": "tv", "outcome": "ok", "at": NOW - 1_000,
            "eventId": "0198c7d2-0000-7000-8000-000000000001", "something": {"of": "tomorrow"},
        });
        let batch = json!([full, plain, full]);
        let (_, answer) = post(&api, "log-usage", &batch).await;
        assert_eq!(answer, json!({"success": true, "accepted": 2, "duplicates": 1}));
        let (_, answer) = post(&api, "log-usage", &full).await;
        assert_eq!(answer, json!({"success": true, "accepted": 0, "duplicates": 1}));
        let rows = world.control.usage(crate::UsageBy::User, crate::UsageWindow::default()).await.unwrap();
        assert_eq!((rows[0].streams, rows[0].cached, rows[0].bytes), (2, 2, 12_345));
    })
    .await;
}

#[tokio::test]
async fn nobody_without_a_key_is_listened_to() {
    let control = scripted(away());
    let open = api(control.clone());
    let closed = internal_api(control.clone(), InternalKeys::default(), Clock::fixed(NOW), Chance::System);
    let good = format!("Bearer {KEY}");
    for route in ["get-key", "log-usage"] {
        for wrong in [None, Some("Bearer"), Some("Bearer "), Some(KEY), Some("Basic 0123456789abcdef0123456789abcdef")]
        {
            assert_eq!(call(&open, route, wrong, "{}").await.0, 403, "{route} {wrong:?}");
        }
        let near = format!("Bearer {}e", &KEY[..31]);
        assert_eq!(call(&open, route, Some(&near), "{}").await.0, 403);
        assert_eq!(call(&closed, route, Some(&good), "{}").await.0, 403, "no key configured: closed");
        assert_eq!(call(&open, route, Some(&format!("bearer  {NEXT_KEY}")), "{}").await.0, 400, "both keys work");
    }
    assert!(control.asked.lock().unwrap().is_empty() && control.recorded.lock().unwrap().is_empty());
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let api = api(scripted(away()));
    let link = "0198c7d2-0000-4000-8000-000000000000";
    let cases = [
        ("get-key", json!({}), "userId"),
        ("get-key", json!({"userId": "not a uuid", "deviceId": "tv", "action": "init"}), "userId"),
        ("get-key", json!({"userId": 7, "deviceId": "tv", "action": "init"}), "userId"),
        ("get-key", json!({"userId": link, "action": "init"}), "deviceId"),
        ("get-key", json!({"userId": link, "deviceId": "x".repeat(129), "action": "init"}), "deviceId"),
        ("get-key", json!({"userId": link, "deviceId": "tv", "action": "x".repeat(51)}), "action"),
        ("get-key", json!({"userId": link, "deviceId": "tv", "action": "init", "hash": "zz"}), "hash"),
        ("get-key", json!({"userId": link, "deviceId": "tv", "action": "init", "service": []}), "service"),
        ("get-key", json!({"userId": link, "deviceId": "tv", "action": "init", "exclude": "k"}), "exclude"),
        ("get-key", json!({"userId": link, "deviceId": "tv", "action": "init", "exclude": vec!["k"; 17]}), "exclude"),
        ("get-key", json!([]), "body"),
        ("log-usage", json!({"userId": link, "poolKeyId": "k"}), "action"),
        ("log-usage", json!([{"userId": link, "poolKeyId": "k", "action": "a"}, {}]), "[1].userId"),
        ("log-usage", json!([[]]), "[0]"),
        ("log-usage", json!({"userId": link, "poolKeyId": "k", "action": "a", "bytes": -1}), "bytes"),
        ("log-usage", json!({"userId": link, "poolKeyId": "k", "action": "a", "cached": "yes"}), "cached"),
        ("log-usage", json!({"userId": link, "poolKeyId": "k", "action": "a", "eventId": "x"}), "eventId"),
        ("log-usage", json!("text"), "body"),
        ("log-usage", json!(vec![json!({}); 1_001]), "body"),
    ];
    for (route, body, field) in cases {
        let (status, answer) = post(&api, route, &body).await;
        assert_eq!((status, &answer["error"]["field"]), (400, &json!(field)), "{body}");
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(field));
    }
    for body in ["", "{", "\u{0}", "nul"] {
        assert_eq!(call(&api, "get-key", Some(&format!("Bearer {KEY}")), body).await.0, 400, "{body:?}");
    }
}

#[tokio::test]
async fn bodies_have_their_bounds() {
    let api = api(scripted(away()));
    let bearer = format!("Bearer {KEY}");
    let padded = |size: usize| format!("{{\"x\":\"{}\"}}", "y".repeat(size));
    assert_eq!(call(&api, "get-key", Some(&bearer), padded(64 * 1_024)).await.0, 413);
    assert_eq!(call(&api, "get-key", Some(&bearer), padded(60 * 1_024)).await.0, 400);
    assert_eq!(call(&api, "log-usage", Some(&bearer), padded(64 * 1_024)).await.0, 400);
    assert_eq!(call(&api, "log-usage", Some(&bearer), padded(2_000_000)).await.0, 413);
    let nested = "[".repeat(60_000);
    assert_eq!(call(&api, "get-key", Some(&bearer), nested).await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_cut_off() {
    let api = api(scripted(away()));
    let endless = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    assert_eq!(call(&api, "get-key", Some(&format!("Bearer {KEY}")), endless).await.0, 408);
}

#[tokio::test]
async fn trouble_says_when_to_come_back() {
    let ask = json!({"userId": "0198c7d2-0000-4000-8000-000000000000", "deviceId": "tv", "action": "init"}).to_string();
    let bearer = format!("Bearer {KEY}");
    let (status, wait, answer) = call(&api(scripted(away())), "get-key", Some(&bearer), ask.clone()).await;
    assert_eq!((status, wait.as_deref()), (503, Some("2")));
    assert!(!answer.to_string().contains("holiday"), "the log's words stay in the log");
    let exhausted = scripted(ControlError::Exhausted { retry_after: Duration::from_secs(45) });
    let (status, _, answer) = call(&api(exhausted), "get-key", Some(&bearer), ask.clone()).await;
    assert_eq!((status, &answer["code"], &answer["retryAfter"]), (200, &json!("keys_exhausted"), &json!(45)));
    let rates = Arc::new(LocalRates::new(Limits { edge: Limit::of(1), ..Limits::default() }));
    let limited = internal_api(scripted(away()), keys(KEY).counted_by(rates), Clock::fixed(NOW), Chance::System);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(call(&limited, "get-key", Some(&bearer), ask.clone()).await);
    }
    assert_eq!((statuses[0].0, statuses[1].0, statuses[2].0), (503, 503, 429));
    assert_eq!(statuses[2].1.as_deref(), Some("1"));
}

#[tokio::test]
async fn edges_with_one_key_are_counted_apart_but_not_without_bound() {
    let rates = Arc::new(LocalRates::new(Limits { edge: Limit::of(1), ..Limits::default() }));
    let api = internal_api(scripted(away()), keys(KEY).counted_by(rates), Clock::fixed(NOW), Chance::System);
    let let_in = async |edge: Option<String>| {
        let ask = json!({"userId": "0198c7d2-0000-4000-8000-000000000000", "deviceId": "tv", "action": "init"});
        let mut request =
            Request::post("/api/v1/internal/pool/get-key").header("authorization", format!("Bearer {KEY}"));
        if let Some(edge) = edge {
            request = request.header("x-chillproxy-edge", edge);
        }
        let answer = api.clone().oneshot(request.body(Body::from(ask.to_string())).unwrap()).await.unwrap();
        answer.status() != StatusCode::TOO_MANY_REQUESTS
    };
    let mut own = [0, 0, 0];
    for _ in 0..5 {
        for (n, edge) in [None, Some("edge one"), Some("edge two")].into_iter().enumerate() {
            own[n] += usize::from(let_in(edge.map(str::to_owned)).await);
        }
    }
    assert_eq!(own, [2, 2, 2], "a burst of two for each");
    let mut more = 0;
    for n in 0..1_000 {
        more += usize::from(let_in(Some(format!("name {n}"))).await);
    }
    let most = 2 * usize::from(chill_core::rate::Bucket::EDGES);
    assert!((most - 8..=most).contains(&more), "{more} of 1,000 names");
}

#[tokio::test]
async fn what_an_edge_says_arrives_as_it_said_it() {
    let control = scripted(away());
    let api = api(control.clone());
    let link = "0198c7d2-0000-4000-8000-000000000000";
    let ask = json!({
        "userId": link, "deviceId": "tv", "action": "add-torrent", "service": "rd", "exclude": ["a", "b"],
        "hash": "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567", "deviceLabel": "L".repeat(99), "more": 1,
    });
    post(&api, "get-key", &ask).await;
    let asked = control.asked.lock().unwrap().remove(0);
    assert_eq!((asked.store.as_str(), asked.action.as_str(), asked.exclude.len()), ("rd", "add-torrent", 2));
    assert_eq!((asked.device_label.unwrap().len(), asked.hash.is_some()), (40, true));
    let usage = json!({"userId": link, "poolKeyId": "pk", "action": "x", "outcome": "surprise", "at": null});
    post(&api, "log-usage", &usage).await;
    let recorded = control.recorded.lock().unwrap().remove(0);
    assert_eq!((recorded.outcome, recorded.at, recorded.cached), (Outcome::Failed, NOW, None));
}

#[test]
fn short_keys_are_refused() {
    assert_eq!(InternalKeys::parse(&Secret::new("short")).unwrap_err(), InvalidInternalKey);
    assert_eq!(InternalKeys::parse(&Secret::new(format!("{KEY},short"))).unwrap_err(), InvalidInternalKey);
    assert_eq!(format!("{:?}", keys(KEY)), "InternalKeys(1)");
    assert_eq!(StatusCode::FORBIDDEN.as_u16(), 403);
}
