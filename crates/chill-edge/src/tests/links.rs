//! Install links, manifests and addresses that mean nothing.

use data_encoding::{BASE64, BASE64_NOPAD};
use http::{Method, StatusCode};

use super::stage::{LINK, Reply, Stage, click, own, pool, segment};
use crate::EdgeConfig;

#[tokio::test]
async fn the_manifest_without_a_link_asks_for_one() {
    let stage = Stage::new();
    let reply = stage.get("/stremio/torz/manifest.json").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert!(reply.header("content-type").starts_with("application/json"));
    let manifest = reply.json();
    assert_eq!(manifest["behaviorHints"]["configurationRequired"], true);
    assert_eq!(manifest["resources"][0]["name"], "stream");
    assert_eq!(manifest["resources"][0]["idPrefixes"][0], "tt");
    assert_eq!(manifest["catalogs"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_link_in_any_base64_is_a_manifest_that_asks_nobody() {
    let stage = Stage::new();
    let json = format!(r#"{{"stores":[{{"c":"tb","auth":"{LINK}"}},{{"c":"rd","t":"t?>?>?>"}}]}}"#);
    let encoded = BASE64.encode(json.as_bytes());
    let forms = [
        encoded.clone(),
        BASE64_NOPAD.encode(json.as_bytes()),
        segment(&json),
        encoded.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"),
    ];
    for form in forms {
        let reply = stage.get(&format!("/stremio/torz/{form}/manifest.json")).await;
        assert_eq!(reply.status, StatusCode::OK, "{form}");
        let manifest = reply.json();
        assert!(manifest["behaviorHints"].get("configurationRequired").is_none());
        assert!(manifest["description"].as_str().unwrap().ends_with("TorBox, Real-Debrid"));
        assert!(!manifest.to_string().contains(LINK) && !manifest.to_string().contains("t?>"));
        assert_eq!(reply.header("cache-control"), "private, no-store");
    }
    assert_eq!(stage.control.asked(), 0);
}

#[tokio::test]
async fn a_link_that_says_nothing_is_a_400_with_a_sentence() {
    let stage = Stage::new();
    let bad = [
        ("!!!!".to_owned(), "not base64"),
        ("AAAA".to_owned(), "not JSON"),
        (segment("{}"), "`stores` is missing"),
        (segment(r#"{"stores":[{"c":"tb","auth":"not-a-uuid"}]}"#), "not a UUID"),
        (segment(r#"{"stores":"tb"}"#), "not a list"),
        ("A".repeat(9_000), "longer than 8192"),
        ("%20".to_owned(), "no settings"),
        ("%FF%FE".to_owned(), "not base64"),
    ];
    for (bad, said) in bad {
        for rest in ["manifest.json", "stream/movie/tt0063350.json", "configure"] {
            let reply = stage.get(&format!("/stremio/torz/{bad}/{rest}")).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{rest}: {said}");
            let error = &reply.json()["error"];
            assert_eq!(error["code"], "BAD_REQUEST");
            assert!(error["message"].as_str().unwrap().contains(said), "{error}");
            assert_eq!(reply.header("access-control-allow-origin"), "*");
        }
    }
}

#[tokio::test]
async fn methods_are_as_browsers_and_players_use_them() {
    let stage = Stage::new().with_film();
    let list = format!("/stremio/torz/{}/stream/movie/tt0063350.json", pool());
    for path in ["/stremio/torz/manifest.json", &list, &click(&pool())] {
        let preflight =
            Reply::read(stage.send(Method::OPTIONS, path, &[("origin", "https://app.strem.io")]).await).await;
        assert_eq!(preflight.status, StatusCode::OK);
        assert_eq!(preflight.header("access-control-allow-origin"), "*");
        assert!(preflight.body.is_empty());
        let posted = Reply::read(stage.send(Method::POST, path, &[]).await).await;
        assert_eq!((posted.status, posted.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"));
    }
    let head = stage.send(Method::HEAD, &list, &[]).await;
    assert_eq!(head.status(), StatusCode::OK);
}

#[tokio::test]
async fn whoever_comes_without_a_link_is_told_how_to_get_one() {
    let stage = Stage::new();
    let root = stage.get("/stremio/torz/").await;
    assert_eq!((root.status, root.header("location")), (StatusCode::FOUND, "/stremio/torz/configure"));
    let page = stage.get("/stremio/torz/configure").await;
    assert!(String::from_utf8_lossy(&page.body).contains("Ask the person who runs this server"));
    assert_eq!(stage.get(&format!("/stremio/torz/{}/configure", pool())).await.status, StatusCode::OK);
    let nothing = stage.get("/stremio/torz/nothing/here").await;
    assert_eq!((nothing.status, nothing.json()["error"]["code"].as_str()), (StatusCode::NOT_FOUND, Some("NOT_FOUND")));
}

#[tokio::test]
async fn without_the_pool_only_own_tokens_work() {
    let stage = Stage::with(EdgeConfig { pool: false, ..EdgeConfig::default() }).with_film();
    let refused = stage.list(&pool()).await;
    assert_eq!((refused.status, refused.refusal()), (StatusCode::OK, "no_key"));
    assert_eq!(stage.list(&own()).await.refusal(), "");
    assert_eq!(stage.control.asked(), 0);
}

#[tokio::test]
async fn clips_are_videos_with_ranges() {
    let stage = Stage::new();
    let whole = stage.get("/stremio/_/clips/device_limit.mp4").await;
    assert_eq!((whole.status, whole.header("content-type")), (StatusCode::OK, "video/mp4"));
    assert_eq!(whole.refusal(), "device_limit");
    let path = "/stremio/_/clips/device_limit.mp4";
    let part = Reply::read(stage.send(Method::GET, path, &[("range", "bytes=4-7")]).await).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, b"ftyp".as_slice()));
    assert_eq!(part.header("content-range"), format!("bytes 4-7/{}", whole.body.len()));
    let beyond = Reply::read(stage.send(Method::GET, path, &[("range", "bytes=9999999-")]).await).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(stage.get("/stremio/_/clips/none.mp4").await.status, StatusCode::NOT_FOUND);
}
