//! The control API: what the handles do, as JSON over HTTP for other processes. `GET /` gives the addresses.
//!
//! | call | body |
//! |---|---|
//! | `POST /accounts` | `{"key","plan":"pro","extra_slots":0}` |
//! | `POST /accounts/rotate` | `{"old","new"}` |
//! | `POST /accounts/cooldown` | `{"key","seconds"}` |
//! | `POST /catalogue` | one [`Torrent`] or an array; answers their hashes |
//! | `POST /catalogue/state` | `{"hash","state":{"kind":"dead"}}` |
//! | `POST /behaviour` | [`Behaviour`], absent fields by default |
//! | `POST /indexer` | [`Indexer`], absent fields by default |
//! | `POST /releases`, `POST /titles` | one [`Release`] or [`Title`], or an array |
//! | `POST /faults` | `{"server":"torbox"\|"torznab"\|"cinemeta", …`[`FaultRule`]`}` or `{"server":"cdn", …`[`CdnFaultRule`]`}` |
//! | `DELETE /faults`, `DELETE /calls` | all servers |
//! | `POST /clock/advance`, `/clock/set`, `/clock/freeze`, `/clock/resume` | `{"ms"}` for the first two; `GET /clock` answers it |
//! | `POST /links/expire`, `POST /links/window` | nothing; `{"seconds"}` |
//! | `GET /calls?server=…&endpoint=…` | array of calls |
//! | `GET /cdn` | `{"connections","open_streams","links_issued"}` |
//! | `POST /seed/demo` | `{"key"}` |

use std::time::Duration;

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::{Rooms, WorldUrls};
use crate::{Behaviour, Call, CdnFaultRule, FaultRule, Indexer, Plan, Release, Title, Torrent, TorrentState, demo};

/// One thing or many.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn all(self) -> Vec<T> {
        match self {
            Self::Many(all) => all,
            Self::One(one) => vec![one],
        }
    }
}

#[derive(Deserialize)]
struct NewAccount {
    key: String,
    #[serde(default)]
    plan: Plan,
    #[serde(default)]
    extra_slots: usize,
}

#[derive(Deserialize)]
struct Rotation {
    old: String,
    new: String,
}

#[derive(Deserialize)]
struct Cooldown {
    key: String,
    seconds: u64,
}

#[derive(Deserialize)]
struct NewState {
    hash: String,
    state: TorrentState,
}

#[derive(Deserialize)]
#[serde(tag = "server", rename_all = "snake_case")]
enum NewFault {
    Torbox(FaultRule),
    Torznab(FaultRule),
    Cinemeta(FaultRule),
    Cdn(CdnFaultRule),
}

#[derive(Deserialize)]
struct Millis {
    ms: i64,
}

#[derive(Deserialize)]
struct Seconds {
    seconds: u64,
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

#[derive(Deserialize)]
struct Which {
    server: String,
    #[serde(default)]
    endpoint: String,
}

pub(crate) fn router(rooms: Rooms, urls: WorldUrls) -> Router {
    Router::new()
        .route("/", get(move || async move { Json(urls) }))
        .merge(state_routes())
        .merge(time_routes())
        .route("/faults", post(add_fault).delete(clear_faults))
        .route("/calls", get(calls).delete(forget_calls))
        .with_state(rooms)
}

fn state_routes() -> Router<Rooms> {
    Router::new()
        .route(
            "/accounts",
            post(|State(rooms): State<Rooms>, Json(new): Json<NewAccount>| async move {
                rooms.torbox.add_account(&new.key, new.plan, new.extra_slots);
            }),
        )
        .route(
            "/accounts/rotate",
            post(|State(rooms): State<Rooms>, Json(keys): Json<Rotation>| async move {
                if rooms.torbox.rotate_key(&keys.old, &keys.new) { StatusCode::OK } else { StatusCode::NOT_FOUND }
            }),
        )
        .route(
            "/accounts/cooldown",
            post(|State(rooms): State<Rooms>, Json(new): Json<Cooldown>| async move {
                rooms.torbox.set_cooldown(&new.key, Duration::from_secs(new.seconds));
            }),
        )
        .route(
            "/catalogue",
            post(|State(rooms): State<Rooms>, Json(new): Json<OneOrMany<Torrent>>| async move {
                let hashes = new.all().into_iter().map(|torrent| rooms.torbox.add_torrent(torrent));
                Json(hashes.collect::<Vec<_>>())
            }),
        )
        .route(
            "/catalogue/state",
            post(|State(rooms): State<Rooms>, Json(new): Json<NewState>| async move {
                rooms.torbox.set_torrent_state(&new.hash, new.state);
            }),
        )
        .route(
            "/behaviour",
            post(|State(rooms): State<Rooms>, Json(new): Json<Behaviour>| async move {
                rooms.torbox.set_behaviour(new);
            }),
        )
        .route(
            "/indexer",
            post(|State(rooms): State<Rooms>, Json(new): Json<Indexer>| async move { rooms.torznab.set_indexer(new) }),
        )
        .route(
            "/releases",
            post(|State(rooms): State<Rooms>, Json(new): Json<OneOrMany<Release>>| async move {
                new.all().into_iter().for_each(|release| rooms.torznab.add_release(release));
            }),
        )
        .route(
            "/titles",
            post(|State(rooms): State<Rooms>, Json(new): Json<OneOrMany<Title>>| async move {
                new.all().into_iter().for_each(|title| rooms.cinemeta.add_title(title));
            }),
        )
        .route(
            "/seed/demo",
            post(|State(rooms): State<Rooms>, Json(new): Json<Key>| async move { demo::seed(&rooms, &new.key) }),
        )
}

fn time_routes() -> Router<Rooms> {
    Router::new()
        .route("/clock", get(|State(rooms): State<Rooms>| async move { Json(json!({"ms": rooms.clock.now_ms()})) }))
        .route(
            "/clock/advance",
            post(|State(rooms): State<Rooms>, Json(by): Json<Millis>| async move {
                rooms.clock.advance(Duration::from_millis(u64::try_from(by.ms).unwrap_or(0)));
            }),
        )
        .route(
            "/clock/set",
            post(|State(rooms): State<Rooms>, Json(to): Json<Millis>| async move { rooms.clock.set_ms(to.ms) }),
        )
        .route("/clock/freeze", post(|State(rooms): State<Rooms>| async move { rooms.clock.freeze() }))
        .route("/clock/resume", post(|State(rooms): State<Rooms>| async move { rooms.clock.resume() }))
        .route("/links/expire", post(|State(rooms): State<Rooms>| async move { rooms.cdn.expire_links() }))
        .route(
            "/links/window",
            post(|State(rooms): State<Rooms>, Json(new): Json<Seconds>| async move {
                rooms.cdn.set_link_window(Duration::from_secs(new.seconds));
            }),
        )
        .route(
            "/cdn",
            get(|State(rooms): State<Rooms>| async move {
                let cdn = &rooms.cdn;
                Json(json!({"connections": cdn.connections(), "open_streams": cdn.open_streams(),
                    "links_issued": cdn.links_issued()}))
            }),
        )
}

async fn add_fault(State(rooms): State<Rooms>, Json(new): Json<NewFault>) {
    match new {
        NewFault::Torbox(rule) => rooms.torbox.add_fault(rule),
        NewFault::Torznab(rule) => rooms.torznab.add_fault(rule),
        NewFault::Cinemeta(rule) => rooms.cinemeta.add_fault(rule),
        NewFault::Cdn(rule) => rooms.cdn.add_fault(rule),
    }
}

async fn clear_faults(State(rooms): State<Rooms>) {
    rooms.torbox.clear_faults();
    rooms.torznab.clear_faults();
    rooms.cinemeta.clear_faults();
    rooms.cdn.clear_faults();
}

async fn calls(
    State(rooms): State<Rooms>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Call>>, (StatusCode, Json<Value>)> {
    let mut calls = match which.server.as_str() {
        "torbox" => rooms.torbox.calls(),
        "torznab" => rooms.torznab.calls(),
        "cinemeta" => rooms.cinemeta.calls(),
        "kitsu" => rooms.kitsu.calls(),
        "cdn" => rooms.cdn.calls(),
        _ => {
            return Err((
                StatusCode::BAD_REQUEST,
                Json(json!({"error": "server: torbox, torznab, cinemeta, kitsu or cdn"})),
            ));
        }
    };
    calls.retain(|call| call.is_to(&which.endpoint));
    Ok(Json(calls))
}

async fn forget_calls(State(rooms): State<Rooms>) {
    rooms.torbox.forget_calls();
    rooms.torznab.forget_calls();
    rooms.cinemeta.forget_calls();
    rooms.cdn.forget_calls();
}
