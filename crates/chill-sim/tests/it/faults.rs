//! Scripted misbehaviour of the API simulators.

use std::time::Duration;

use axum::body::Body;
use chill_sim::{ErrorField, Fault, FaultRule, RateLimitShape, Torrent};
use http::Request;
use serde_json::{Value, json};

use crate::client::{KEY, world};

#[tokio::test]
async fn answers_instead_of_the_endpoint_come_as_often_as_scripted() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let limited = |shape, retry_after| Fault::RateLimited { shape, retry_after };
    let (html, text) = ("text/html".to_owned(), "<html>".to_owned());
    let cases: Vec<(Fault, u16, &str)> = vec![
        (Fault::ServerError, 500, "UNKNOWN_ERROR"),
        (Fault::HtmlBadGateway, 502, "502 Bad Gateway"),
        (Fault::EmptyBadGateway, 502, ""),
        (Fault::HtmlPage, 200, "Just a moment"),
        (Fault::Code { status: 403, code: "PLAN_RESTRICTED_FEATURE".to_owned() }, 403, "PLAN_RESTRICTED_FEATURE"),
        (Fault::Answer { status: 418, content_type: html, body: text }, 418, "<html>"),
        (limited(RateLimitShape::Detail, None), 429, r#"{"detail":"300 per 1 minute"}"#),
        (limited(RateLimitShape::Error, Some(7)), 429, "Rate limit exceeded"),
        (limited(RateLimitShape::Envelope, None), 429, "RATE_LIMIT_EXCEEDED"),
        (Fault::Garbage, 200, ""),
    ];
    for (fault, status, text) in cases {
        let seconds = if let Fault::RateLimited { retry_after, .. } = &fault { *retry_after } else { None };
        world.torbox().fault("user/me", fault.clone(), 1);
        let answer = client.torbox("user/me").await?;
        assert_eq!(answer.status, status, "{fault:?}");
        assert!(answer.text().contains(text), "{fault:?}");
        assert_eq!(answer.header("retry-after"), seconds.map(|s| s.to_string()).unwrap_or_default());
        assert_eq!(client.torbox("user/me").await?.json()?["success"], true, "once only: {fault:?}");
    }
    assert_eq!(world.torbox().calls_to("user/me"), 20);
    let unknown_error = {
        world.torbox().fault("", Fault::ServerError, 1);
        client.torbox("torrents/mylist").await?.json()?
    };
    assert!(unknown_error["data"].is_string());
    Ok(())
}

#[tokio::test]
async fn changed_answers_keep_what_was_done() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let torrents = ["a", "b", "c"].map(|name| world.torbox().add_torrent(Torrent::single(name, 5)));
    world.torbox().fault("createtorrent", Fault::NullData, 1);
    let null = client.create(&torrents[0], "").await?.json()?;
    assert_eq!((&null["success"], &null["data"]), (&json!(true), &Value::Null));
    world.torbox().fault("createtorrent", Fault::QuotedIds, 1);
    let quoted = client.create(&torrents[1], "").await?.json()?;
    assert!(quoted["data"]["torrent_id"].is_string());
    world.torbox().fault("createtorrent", Fault::TruncatedJson, 1);
    let cut = client.create(&torrents[2], "").await?;
    assert_eq!(cut.status, 200);
    assert!(cut.json().is_err() && !cut.body.is_empty());
    assert_eq!(world.torbox().items(KEY).len(), 3);
    let odd = [
        (ErrorField::True, json!(true)),
        (ErrorField::False, json!(false)),
        (ErrorField::NullText, json!("null")),
        (ErrorField::Null, Value::Null),
    ];
    for (error, shown) in odd {
        world.torbox().fault("mylist", Fault::OddError { error }, 1);
        assert_eq!(client.torbox("torrents/mylist").await?.json()?["error"], shown);
    }
    Ok(())
}

#[tokio::test]
async fn connections_hang_or_are_reset() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.torbox().fault("user/me", Fault::Hang, 1);
    let waited = tokio::time::timeout(Duration::from_millis(300), client.torbox("user/me")).await;
    assert!(waited.is_err(), "a hanging call has no answer");
    world.torbox().fault("user/me", Fault::Reset, 1);
    assert!(client.torbox("user/me").await.is_err());
    assert_eq!(client.torbox("user/me").await?.status, 200);
    let calls = world.torbox().calls();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [0, 0, 200]);
    Ok(())
}

#[tokio::test]
async fn answers_drip_or_stop_in_the_middle() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let whole = client.torbox("user/me").await?.body;
    world.torbox().fault("user/me", Fault::Slow { bytes_per_s: whole.len() as u64 * 5 }, 1);
    let started = std::time::Instant::now();
    assert_eq!(client.torbox("user/me").await?.body, whole);
    assert!(started.elapsed() >= Duration::from_millis(150), "{:?}", started.elapsed());
    world.torbox().fault("user/me", Fault::StallAt { bytes: 10 }, 1);
    let waited = tokio::time::timeout(Duration::from_millis(300), client.torbox("user/me")).await;
    assert!(waited.is_err(), "the rest never comes");
    assert_eq!(world.torbox().calls().last().map(|call| call.status), Some(200), "though it began well");
    Ok(())
}

#[tokio::test]
async fn latency_delays_the_true_answer_and_keys_can_be_singled_out() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.torbox().add_account("other", chill_sim::Plan::Pro, 0);
    let rule = FaultRule::new("user/me", Fault::Latency { ms: 50 });
    world.torbox().add_fault(rule.for_key(KEY));
    world.torbox().add_fault(FaultRule::new("user/me", Fault::EmptyBadGateway).for_key(KEY).after(1).times(1));
    let started = std::time::Instant::now();
    assert_eq!(client.torbox("user/me").await?.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(client.torbox_as("other", "user/me").await?.status, 200);
    assert_eq!(client.torbox("user/me").await?.status, 502);
    world.torbox().clear_faults();
    assert_eq!(client.torbox("user/me").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn calls_are_recorded_with_what_they_carried() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let url = format!("{}/v1/api/torrents/checkcached?format=list", world.torbox_url());
    let request = Request::post(url).header("x-from", "test").body(Body::from("hello"))?;
    client.send(request).await?;
    let calls = world.torbox().calls();
    let call = &calls[0];
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/v1/api/torrents/checkcached"));
    assert_eq!((call.param("format"), call.header("x-from")), (Some("list"), Some("test")));
    assert_eq!((call.body.as_str(), call.status), ("hello", 422));
    world.torbox().forget_calls();
    assert_eq!(world.torbox().calls_to(""), 0);
    Ok(())
}
