//! Links, made.

use chill_core::Secret;

use super::stage::{ALICE, Stage, config, encoded};
use crate::proxy::{Proxy, ProxyConfig};

const FILM: &str = "https://files.example/a/A%20Film.mkv?key=k";

#[tokio::test]
async fn a_user_makes_links_that_tell_nothing() {
    let stage = Stage::new().await;
    let made = stage.get(&format!("/v0/proxy?url={}&url=https://b.example/", encoded(FILM)), &[ALICE]).await;
    assert_eq!(
        (made.status, made.header("content-type"), made.header("access-control-allow-origin")),
        (200, "application/json", "*")
    );
    assert_eq!(made.json()["data"]["total_items"], 2);
    let links = made.json()["data"]["items"].as_array().unwrap().clone();
    let first = stage.path(links[0].as_str().unwrap());
    let (token, name) = first.strip_prefix("/v0/proxy/").unwrap().split_once('/').unwrap();
    assert_eq!((name, token.split('.').count()), ("A%20Film.mkv", 3));
    assert!(!stage.path(links[1].as_str().unwrap()).strip_prefix("/v0/proxy/").unwrap().contains('/'));
    let payload = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(!payload.contains("files.example") && !payload.contains("s3cret") && !payload.contains("exp"), "{payload}");

    // Asked for with the credential in the query, too, a link holds no password.
    let made = stage.get("/v0/proxy?url=https://a.example/f&exp=60&token=alice:s3cret", &[]).await;
    let link = made.json()["data"]["items"][0].as_str().unwrap().to_owned();
    let token = stage.path(&link).strip_prefix("/v0/proxy/").unwrap().split('/').next().unwrap().to_owned();
    let payload = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((&payload["sub"], &payload["exp"]), (&"alice".into(), &1_700_000_060.into()));
    assert!(!payload.to_string().contains("s3cret") && !payload.to_string().contains("a.example"));
}

#[tokio::test]
async fn only_users_make_links() {
    let stage = Stage::new().await;
    for right in [
        ALICE,
        ("x-stremthru-authorization", "alice:s3cret"),
        ("x-stremthru-authorization", "YWxpY2U6czNjcmV0"),
        ("proxy-authorization", "Basic YWxpY2U6czNjcmV0"),
    ] {
        assert_eq!(stage.get("/v0/proxy?url=u", &[right]).await.status, 200, "{right:?}");
    }
    assert_eq!(stage.get("/v0/proxy?url=u&token=bob:hunter2", &[]).await.status, 200);
    for (path, headers) in [
        ("/v0/proxy?url=u", &[][..]),
        ("/v0/proxy", &[]),
        ("/v0/proxy?url=u&token=alice:wrong", &[]),
        ("/v0/proxy?url=u&token=nobody:", &[]),
        ("/v0/proxy?url=u&token=:", &[]),
        ("/v0/proxy?url=u", &[("authorization", "Basic YWxpY2U6czNjcmV0")]),
        // The first credential counts, not whichever passes.
        ("/v0/proxy?url=u&token=alice:s3cret", &[("x-stremthru-authorization", "Basic eA==")]),
    ] {
        let refused = stage.get(path, headers).await;
        assert_eq!(refused.refusal(), (403, "forbidden".to_owned()), "{path}");
        assert_eq!(refused.header("x-stremthru-authenticate"), "Basic");
    }
    let nobody = Stage::with(ProxyConfig::new(crate::proxy::ProxyUsers::default(), Secret::new("x".repeat(32)))).await;
    assert_eq!(nobody.get("/v0/proxy?url=u&token=:", &[]).await.status, 403);
    let short = ProxyConfig { secret: Secret::new("short"), ..config() };
    assert!(Proxy::new(short, std::sync::Arc::new(chill_core::rate::Unlimited)).is_err());
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_envelope() {
    let stage = Stage::new().await;
    for (path, status, message) in [
        ("/v0/proxy", 400, "missing url"),
        ("/v0/proxy?url=", 400, "missing url"),
        ("/v0/proxy?url=a&url=b&redirect=1", 400, "can not redirect for multiple urls"),
        ("/v0/proxy?url=a&exp=1d", 400, "invalid expiration"),
        ("/v0/proxy?url=file:///etc/passwd", 400, "invalid url"),
        ("/v0/proxy?url=http://a/%0aCookie:%20x", 400, "invalid url"),
        (&format!("/v0/proxy?{}", "url=a&".repeat(501)), 400, "too many urls, max allowed 500"),
    ] {
        assert_eq!(stage.get(path, &[ALICE]).await.refusal(), (status, message.to_owned()), "{path}");
    }
    let refused = stage.ask("DELETE", "/v0/proxy?token=alice:s3cret", &[("request-id", "abc")], "").await;
    assert_eq!((refused.header("request-id"), refused.header("allow")), ("abc", "GET, POST, OPTIONS"));
    let error = serde_json::json!({
        "request_id": "abc", "type": "api_error", "code": "METHOD_NOT_ALLOWED", "message": "method not allowed",
        "method": "DELETE", "path": "/v0/proxy", "status_code": 405,
    });
    assert_eq!(refused.json(), serde_json::json!({ "error": error }));
    let made = stage.get("/v0/proxy", &[("request-id", "a\"b")]).await;
    assert_eq!(
        (made.header("request-id").len(), made.json()["error"]["request_id"].as_str().unwrap()),
        (20, made.header("request-id"))
    );
    let asked = stage.ask("OPTIONS", "/v0/proxy", &[], "").await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin"), asked.body.len()), (200, "*", 0));
}

#[tokio::test]
async fn a_form_makes_links_as_a_query_does() {
    let stage = Stage::new().await;
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let body = format!("url={}&url=https://b.example/x.mp4&filename[0]=One+Film.mkv&exp=1h&redirect=1", encoded(FILM));
    let made = stage.ask("POST", "/v0/proxy", &[ALICE, form], &body).await;
    let items = made.json()["data"]["items"].clone();
    assert_eq!((made.status, made.json()["data"]["total_items"].as_u64()), (200, Some(2)));
    assert!(items[0].as_str().unwrap().ends_with("/One%20Film.mkv") && items[1].as_str().unwrap().ends_with("/x.mp4"));
    assert_eq!(stage.ask("POST", "/v0/proxy", &[form], "url=u&token=alice:s3cret").await.status, 200);
    assert_eq!(stage.ask("POST", "/v0/proxy?token=alice:s3cret", &[form], "url=u").await.status, 200);
    for (headers, body, status) in [
        (&[ALICE][..], "url=u", 400),
        (&[ALICE, ("content-type", "multipart/form-data; boundary=x")], "url=u", 400),
        (&[ALICE, form], "", 400),
        (&[ALICE, form], &format!("url=u&x={}", "y".repeat(1 << 20)), 400),
        (&[form], "url=u", 403),
    ] {
        assert_eq!(stage.ask("POST", "/v0/proxy?url=in-the-query", headers, body).await.status, status);
    }
}

#[tokio::test]
async fn a_player_is_sent_to_its_link_at_once() {
    let stage = Stage::new().await;
    let sent = stage.get("/v0/proxy?url=https://a.example/f.mkv&redirect=1&token=alice:s3cret", &[]).await;
    let link = stage.path(sent.header("location"));
    assert!(sent.status == 302 && link.starts_with("/v0/proxy/ey") && link.ends_with("/f.mkv"), "{link}");
}

#[tokio::test]
async fn links_lead_to_the_public_address() {
    let made = async |config: ProxyConfig, headers: &[(&str, &str)]| {
        let stage = Stage::with(config).await;
        let made = stage.get("/v0/proxy?url=u", &[&[ALICE], headers].concat()).await;
        let link = made.json()["data"]["items"][0].as_str().unwrap().to_owned();
        link.split_once("/v0/").unwrap().0.to_owned()
    };
    let forwarded = [("host", "inside:8080"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "films.example")];
    assert_eq!(made(config(), &forwarded).await, "https://films.example");
    let strange = ProxyConfig { trusted_proxies: chill_core::address::TrustedProxies::default(), ..config() };
    assert_eq!(made(strange, &forwarded).await, "http://inside:8080");
    let fixed = ProxyConfig { base_url: Some("https://public.example/".parse().unwrap()), ..config() };
    assert_eq!(made(fixed, &forwarded).await, "https://public.example");
}
