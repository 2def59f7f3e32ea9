//! An edge of ours at somebody else's control plane, which knows the founding fields and nothing more: no lists of usage,
//! no codes, no epochs, no events socket.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::app::{INDEXER_KEY, KEY};
use crate::planes::EdgeNode;
use crate::streams::{FILM, Stream, original, read, sha256};
use crate::web::Web;

const USER: &str = "0b5e9f6e-1f2d-4c3b-9a87-665544332211";

/// Two devices, one user, one key.
#[derive(Default)]
struct Foreign {
    devices: Vec<String>,
    suspended: bool,
    usage: Vec<Value>,
    unknown_caller: bool,
}

type Shared = Arc<Mutex<Foreign>>;

fn field(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

async fn get_key(State(foreign): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let mut foreign = foreign.lock().unwrap();
    foreign.unknown_caller |= !headers["authorization"].to_str().unwrap().starts_with("Bearer an-internal-key");
    let refused = |message: &str, count: usize| {
        Json(json!({"allowed": false, "message": message, "deviceCount": count})).into_response()
    };
    if field(&body, "userId") != USER {
        return refused("User not found", 0);
    }
    if foreign.suspended {
        return refused("User is not active", foreign.devices.len());
    }
    let device = field(&body, "deviceId");
    if !foreign.devices.contains(&device) {
        if foreign.devices.len() >= 2 {
            return refused("Maximum 2 devices allowed per user", 2);
        }
        foreign.devices.push(device);
    }
    let count = foreign.devices.len();
    Json(json!({"allowed": true, "poolKey": KEY, "poolKeyId": "pool-1", "deviceCount": count})).into_response()
}

async fn log_usage(State(foreign): State<Shared>, Json(body): Json<Value>) -> Response {
    if !body.is_object() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    foreign.lock().unwrap().usage.push(body);
    Json(json!({"success": true})).into_response()
}

async fn serve(foreign: Shared) -> String {
    let router = axum::Router::new()
        .route("/api/v1/internal/pool/get-key", post(get_key))
        .route("/api/v1/internal/pool/log-usage", post(log_usage))
        .with_state(foreign);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Waits until something is so, asking often.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = std::time::Instant::now();
    while !condition().await {
        assert!(start.elapsed().as_secs() < 20, "{what}: not in time");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_founding_fields_are_enough() {
    let world = chill_sim::demo_world(KEY).await.unwrap();
    world.torznab().set_indexer(chill_sim::Indexer { api_key: INDEXER_KEY.to_owned(), ..world.torznab().indexer() });
    let foreign = Shared::default();
    let edge = EdgeNode::start(&world, &serve(Arc::clone(&foreign)).await);
    let web = Web::new("TestPlayer/1.0");
    until("the edge is ready", async || edge.node.readiness(&web).await == Some(200)).await;
    let data =
        |user: &str| BASE64URL_NOPAD.encode(json!({"stores": [{"c": "tb", "auth": user}]}).to_string().as_bytes());
    let list = |user: &str| format!("{}/stremio/torz/{}/stream/movie/{FILM}.json", edge.node.base, data(user));

    let streams = read(&web.get(&list(USER)).await);
    let stream = streams.iter().filter(|s| Stream::cached(s)).min_by_key(|s| s.size).expect("a cached stream");
    let played = web.get(&stream.url).await;
    assert_eq!(sha256(&played.body), original(&world, stream));
    let served = |foreign: &Shared| {
        let usage = foreign.lock().unwrap().usage.clone();
        usage.iter().filter_map(|event| event["bytes"].as_u64()).sum::<u64>()
    };
    until("the bytes are told", async || served(&foreign) == stream.size).await;
    let starts = foreign.lock().unwrap().usage.iter().filter(|event| event["action"] == "stream-request").count();
    assert_eq!(starts, 1);

    let refusal = async |web: &Web, user: &str| web.get(&list(user)).await.header("x-chillproxy-refusal").to_owned();
    assert_eq!(refusal(&Web::new("Second/1.0"), USER).await, "");
    assert_eq!(refusal(&Web::new("Third/1.0"), USER).await, "device_limit");
    assert_eq!(refusal(&web, "99999999-9999-4999-8999-999999999999").await, "user_unknown");
    foreign.lock().unwrap().suspended = true;
    let suspended = std::time::Instant::now();
    until("a suspension is heard without a socket", async || refusal(&web, USER).await == "user_inactive").await;
    assert!(suspended.elapsed().as_secs() <= 6, "{:?}", suspended.elapsed());
    assert!(!foreign.lock().unwrap().unknown_caller);
}
