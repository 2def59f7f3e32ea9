//! Control planes of other makes, and bad days between an edge and its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use chill_core::control::{Act, Recorded, Subject};
use chill_core::pool::Terms;
use chill_core::{
    Chance, Clock, ControlError, ControlPlane, DenialCode, EventId, Outcome, Secret, StoreCode, UsageEvent,
};
use chill_db::trial;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Deadlines, ExtraRoots, InvalidRemote, RemoteConfig, RemoteControl};
use crate::tests::suite::{KEY, next, remote, remote_with, serve, serve_router};
use crate::tests::{NOW, actor, ask, denied, world};

const LINK: &str = "0198c7d2-0000-4000-8000-000000000000";
const GET_KEY: &str = "/api/v1/internal/pool/get-key";
const LOG_USAGE: &str = "/api/v1/internal/pool/log-usage";

fn quick() -> Deadlines {
    Deadlines { call: Duration::from_millis(900), ping: Duration::from_millis(50), silence: Duration::from_millis(300) }
}

fn always(status: StatusCode, body: Value) -> Router {
    let answer = move || async move { (status, axum::Json(body)) };
    Router::new().route(GET_KEY, post(answer.clone())).route(LOG_USAGE, post(answer))
}

async fn said(router: Router, store: StoreCode) -> Result<chill_core::Lease, ControlError> {
    let (address, server) = serve_router(router).await;
    let asked = chill_core::LeaseRequest { store, ..ask(LINK.parse().unwrap(), "tv") };
    let answer = remote_with(&[&address], quick()).lease(&asked).await;
    server.abort();
    answer
}

fn unavailable<T: std::fmt::Debug>(answer: Result<T, ControlError>) -> String {
    match answer {
        Err(ControlError::Unavailable { why: said, .. }) => said,
        other => panic!("expected it to be away, got {other:?}"),
    }
}

fn event(n: u64) -> UsageEvent {
    UsageEvent {
        id: EventId::new(NOW, &Chance::seeded(n)).unwrap(),
        link: LINK.parse().unwrap(),
        key: "7".parse().unwrap(),
        device: None,
        action: chill_core::Action::known(chill_core::Action::STREAM_SERVED),
        hash: None,
        cached: Some(true),
        bytes: n,
        outcome: Outcome::Ok,
        at: NOW,
    }
}

#[tokio::test]
async fn founding_fields_are_enough() {
    let founding = json!({"allowed": true, "poolKey": "pk-secret", "poolKeyId": 7, "deviceCount": 2});
    let lease = said(always(StatusCode::CREATED, founding.clone()), StoreCode::TorBox).await.unwrap();
    assert_eq!((lease.key.expose(), lease.key_id.as_str(), lease.device_count), ("pk-secret", "7", 2));
    assert_eq!((lease.ttl, lease.grace, lease.epoch), (Duration::from_secs(5), Duration::from_secs(60), 0));
    let elsewhere = said(always(StatusCode::OK, founding), StoreCode::RealDebrid).await;
    assert_eq!(denied(elsewhere), DenialCode::ServiceUnknown, "its keys are TorBox's");
    let refused = json!({"allowed": false, "message": "Device limit\n reached", "deviceCount": 3});
    for status in [StatusCode::OK, StatusCode::FORBIDDEN] {
        let Err(ControlError::Denied(denial)) = said(always(status, refused.clone()), StoreCode::TorBox).await else {
            panic!("refused")
        };
        assert_eq!((denial.code, denial.device_count), (DenialCode::DeviceLimit, Some(3)));
        assert_eq!(denial.message, "Device limit reached");
    }
    let silent = said(always(StatusCode::OK, json!({"allowed": false})), StoreCode::TorBox).await;
    assert_eq!(denied(silent), DenialCode::UserInactive);
    let busy = json!({"allowed": false, "code": "keys_exhausted", "message": "", "retryAfter": 45});
    let busy = said(always(StatusCode::OK, busy), StoreCode::TorBox).await;
    assert!(matches!(busy, Err(ControlError::Exhausted { retry_after }) if retry_after.as_secs() == 45), "{busy:?}");
}

#[tokio::test]
async fn nonsense_is_an_outage_and_quotes_nothing() {
    let nonsense = [
        (StatusCode::OK, json!("secret-canary")),
        (StatusCode::OK, json!({"allowed": true})),
        (StatusCode::OK, json!({"allowed": true, "poolKey": "", "poolKeyId": "x"})),
        (StatusCode::OK, json!({"allowed": true, "poolKey": "secret-canary"})),
        (
            StatusCode::OK,
            json!({"allowed": true, "poolKey": "secret-canary", "poolKeyId": "x", "pad": "x".repeat(70_000)}),
        ),
        (StatusCode::BAD_REQUEST, json!({"error": "secret-canary"})),
        (StatusCode::NOT_FOUND, json!({})),
        (StatusCode::FOUND, json!({})),
        (StatusCode::INTERNAL_SERVER_ERROR, json!({})),
    ];
    for (status, body) in nonsense {
        let said = unavailable(said(always(status, body), StoreCode::TorBox).await);
        assert!(!said.is_empty() && !said.contains("canary"), "{said}");
    }
}

#[tokio::test]
async fn a_refused_key_is_called_by_the_name_of_its_setting() {
    let said = unavailable(said(always(StatusCode::FORBIDDEN, json!({})), StoreCode::TorBox).await);
    assert!(said.contains("CHILLSTREAMS_API_KEY") && !said.contains(KEY), "{said}");
}

#[tokio::test]
async fn a_control_plane_without_a_socket_ends_the_feed() {
    for router in [
        always(StatusCode::OK, json!({})),
        Router::new().route("/api/v1/internal/pool/events", get(|| async { "hello" })),
        Router::new().route("/api/v1/internal/pool/events", get(|| async { StatusCode::UPGRADE_REQUIRED })),
    ] {
        let (address, server) = serve_router(router).await;
        let mut feed = remote(&[&address]).watch(None);
        let ended = feed.next().await.unwrap();
        assert!(unavailable(ended).contains("no events socket"));
        assert!(feed.next().await.is_none());
        server.abort();
    }
}

#[tokio::test]
async fn a_list_that_is_not_understood_goes_one_by_one_and_none_twice() {
    let (seen, fail) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(3)));
    let (log, left) = (Arc::clone(&seen), Arc::clone(&fail));
    let take = move |axum::Json(body): axum::Json<Value>| async move {
        if body.is_array() || body["bytes"] == 4 {
            return StatusCode::BAD_REQUEST.into_response();
        }
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        log.lock().unwrap().push(body["bytes"].as_u64().unwrap());
        axum::Json(json!({"success": true})).into_response()
    };
    let (address, server) = serve_router(Router::new().route(LOG_USAGE, post(take))).await;
    let control = remote(&[&address]);
    let events: Vec<_> = (1..=5).map(event).collect();
    unavailable(control.record(&events).await);
    assert_eq!(*seen.lock().unwrap(), [1, 2]);
    assert_eq!(control.record(&events).await.unwrap(), Recorded { accepted: 4, duplicates: 0 });
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3, 5], "the fourth is never taken, and holds up nobody");
    server.abort();
}

#[tokio::test]
async fn the_next_node_is_asked_when_one_is_away_and_stays_the_first() {
    trial::both(async |trial| {
        let world = world(trial);
        let anna = world.user("Anna").await;
        world.key("one", Terms::Household, None).await;
        let (good, server) = serve(Arc::new(world.control.clone())).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let ill = Router::new().fallback(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            ([("retry-after", "30")], StatusCode::SERVICE_UNAVAILABLE)
        });
        let (ill, other) = serve_router(ill).await;
        let (closed, _held) = closed_port();
        let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = format!("http://{}", hole.local_addr().unwrap());
        let control = remote_with(&[&closed, &ill, &silent, &good], quick());
        for _ in 0..3 {
            control.lease(&ask(anna.link, "tv")).await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1, "the one that worked is asked first");
        control.reach(Duration::from_secs(1)).await.unwrap();
        let mut feed = control.watch(None);
        next(&mut feed).await;
        world.control.users().suspend(&actor(), "Anna").await.unwrap();
        assert_eq!(next(&mut feed).await.subject, Subject::Link(anna.link));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let away = remote_with(&[&closed, &ill], quick()).lease(&ask(anna.link, "tv")).await;
        let Err(ControlError::Unavailable { why, retry_after }) = away else { panic!("{away:?}") };
        assert!(why.contains("could not connect") && why.contains("try again in 30 s"), "{why}");
        assert_eq!(retry_after, Some(Duration::from_secs(30)));
        server.abort();
        other.abort();
    })
    .await;
}

#[tokio::test]
async fn usage_that_a_node_has_no_time_for_is_to_come_back_when_it_said() {
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let busy = Router::new().fallback(move || async move { ([("retry-after", "30")], status) });
        let (address, server) = serve_router(busy).await;
        let said = remote_with(&[&address], quick()).record(&[event(1)]).await;
        let Err(ControlError::Unavailable { retry_after, .. }) = said else { panic!("{said:?}") };
        assert_eq!(retry_after, Some(Duration::from_secs(30)), "{status}");
        server.abort();
    }
}

#[tokio::test]
async fn an_edge_calls_itself_the_same_at_each_call_and_two_are_told_apart() {
    let names = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&names);
    let node = Router::new().fallback(move |headers: axum::http::HeaderMap| async move {
        seen.lock().unwrap().push(headers["x-chillproxy-edge"].to_str().unwrap().to_owned());
        StatusCode::SERVICE_UNAVAILABLE
    });
    let (address, server) = serve_router(node).await;
    for edge in [remote_with(&[&address], quick()), remote_with(&[&address], quick())] {
        for _ in 0..2 {
            edge.lease(&ask(LINK.parse().unwrap(), "tv")).await.unwrap_err();
        }
    }
    let names = names.lock().unwrap().clone();
    assert!(names[0] == names[1] && names[2] == names[3] && names[0] != names[2], "{names:?}");
    server.abort();
}

/// An address that nobody listens at, nor will, while the socket is kept.
fn closed_port() -> (String, tokio::net::TcpSocket) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (format!("http://{}", socket.local_addr().unwrap()), socket)
}

#[tokio::test]
async fn a_full_node_is_waited_for_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let full = move || async move {
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "").into_response(),
            _ => axum::Json(json!({"allowed": true, "poolKey": "k", "poolKeyId": "1"})).into_response(),
        }
    };
    let (address, server) = serve_router(Router::new().route(GET_KEY, post(full))).await;
    let asker = ask(LINK.parse().unwrap(), "tv");
    let hasty = unavailable(remote_with(&[&address], quick()).lease(&asker).await);
    assert!(hasty.contains("try again in 1 s"), "{hasty}");
    asked.store(0, Ordering::SeqCst);
    remote(&[&address]).lease(&asker).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    server.abort();
}

/// The other end holds the connection but says nothing more, as after a partition.
#[tokio::test]
async fn a_silent_socket_is_given_up() {
    let socket = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            for frame in [
                json!({"type": "weather"}),
                json!({"type": "hello", "epoch": 4}),
                json!({"type": "change", "epoch": 5, "subject": {"kind": "key", "poolKeyId": "7"}, "act": "revoke"}),
            ] {
                socket.send(Message::Text(frame.to_string().into())).await.unwrap();
            }
            std::future::pending::<()>().await;
        })
    };
    let (address, server) = serve_router(Router::new().route("/api/v1/internal/pool/events", get(socket))).await;
    let mut feed = remote_with(&[&address], quick()).watch(None);
    assert_eq!(next(&mut feed).await.epoch, 4);
    let change = next(&mut feed).await;
    assert_eq!((change.subject, change.act), (Subject::Key("7".parse().unwrap()), Act::Revoke));
    let heard = tokio::time::Instant::now();
    let end = tokio::time::timeout(Duration::from_secs(5), feed.next()).await.expect("it is noticed").unwrap();
    assert!(unavailable(end).contains("silent"));
    assert!(heard.elapsed() < quick().silence + quick().ping, "and not a ping later: {:?}", heard.elapsed());
    server.abort();
}

#[tokio::test]
async fn the_socket_is_closed_to_strangers_and_says_what_is_wrong() {
    trial::both(async |trial| {
        let (address, server) = serve(Arc::new(world(trial).control)).await;
        let stranger = RemoteConfig {
            urls: vec![address.parse().unwrap()],
            key: Secret::new("another-key-0123456789-0123456789-0123456789"),
            roots: ExtraRoots::default(),
            clock: Clock::fixed(NOW),
            chance: Chance::System,
            deadlines: quick(),
        };
        let stranger = RemoteControl::new(stranger).unwrap();
        let said = unavailable(stranger.watch(None).next().await.unwrap());
        assert!(said.contains("CHILLSTREAMS_API_KEY"), "{said}");
        assert!(unavailable(stranger.reach(Duration::from_secs(1)).await).contains("CHILLSTREAMS_API_KEY"));
        server.abort();
    })
    .await;
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let config = |urls: &[&str], key: &str| {
        let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
        let (clock, chance) = (Clock::fixed(NOW), Chance::System);
        let (key, roots) = (Secret::new(key), ExtraRoots::default());
        RemoteControl::new(RemoteConfig { urls, key, roots, clock, chance, deadlines: quick() }).map(|_| ())
    };
    assert_eq!(config(&[], KEY), Err(InvalidRemote::Address));
    assert_eq!(config(&["http://a"], ""), Err(InvalidRemote::Key));
    assert_eq!(config(&["http://a"], "a\nb"), Err(InvalidRemote::Key));
    assert_eq!(config(&["http://a", "https://b"], KEY), Ok(()));
}
