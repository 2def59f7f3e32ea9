//! How often an address may guess.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chill_core::Rates;
use chill_core::rate::{Bucket, Scope, Verdict};
use data_encoding::BASE64;
use serde_json::json;

use super::stage::{ALICE, Origin, Reply, Stage, config, encoded};

/// So many tokens for everybody.
struct Tokens(Mutex<u32>);

impl Tokens {
    fn left(&self) -> u32 {
        *self.0.lock().unwrap()
    }
}

#[async_trait]
impl Rates for Tokens {
    async fn take(&self, buckets: &[Bucket]) -> Verdict {
        assert!(buckets.len() == 1 && buckets[0].scope() == Scope::Address, "{buckets:?}");
        let mut left = self.0.lock().unwrap();
        match left.checked_sub(1) {
            Some(fewer) => {
                *left = fewer;
                Verdict::Allowed
            }
            None => Verdict::Refused { scope: Scope::Address, retry_after: Duration::from_millis(1_500) },
        }
    }
}

async fn stage(tokens: u32) -> (Stage, Arc<Tokens>) {
    let tokens = Arc::new(Tokens(Mutex::new(tokens)));
    (Stage::counted(config(), tokens.clone()).await, tokens)
}

/// A link as StremThru makes them without sealing.
fn plain(credential: &str, url: &str) -> String {
    let json = json!({"u": credential, "v": url, "tunt": "a"}).to_string();
    format!("/v0/proxy/{}", encoded(&format!("base64.{}", BASE64.encode(json.as_bytes()))))
}

fn is_throttled(reply: &Reply) -> bool {
    reply.refusal() == (429, "too many requests".to_owned()) && reply.header("retry-after") == "2"
}

#[tokio::test]
async fn who_makes_links_is_counted_before_his_password_is_looked_at() {
    let (stage, _) = stage(3).await;
    assert_eq!(stage.get("/v0/proxy?url=u&token=alice:wrong", &[]).await.status, 403);
    assert_eq!(stage.ask("OPTIONS", "/v0/proxy", &[], "").await.status, 200);
    assert_eq!(stage.get("/v0/proxy?url=u", &[ALICE]).await.status, 200);
    assert_eq!(stage.ask("POST", "/v0/proxy?token=alice:guess", &[], "").await.status, 403);
    for path in ["/v0/proxy?url=u&token=alice:wrong", "/v0/proxy?url=u&token=alice:s3cret"] {
        assert!(is_throttled(&stage.get(path, &[]).await), "{path}");
    }
}

#[tokio::test]
async fn a_link_that_opens_costs_nothing_and_one_that_does_not_is_counted() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let (stage, tokens) = stage(3).await;
    let link = stage.link(&format!("{url}/film.mkv"), "").await;
    for _ in 0..5 {
        assert_eq!(stage.get(&link, &[("range", "bytes=2-4")]).await.text(), "234");
    }
    assert_eq!(tokens.left(), 2);
    assert_eq!(stage.get("/v0/proxy/garbage", &[]).await.status, 400);
    assert_eq!(stage.get(&link.replacen("/v0/proxy/ey", "/v0/proxy/fy", 1), &[]).await.status, 400);
    assert!(is_throttled(&stage.get("/v0/proxy/garbage", &[]).await));
    assert_eq!(stage.get(&link, &[]).await.text(), "0123456789");
}

#[tokio::test]
async fn a_right_guess_is_told_no_more_often_than_a_wrong_one() {
    let (_origin, _listening, url) = Origin::on("127.0.0.1").await;
    let (stage, tokens) = stage(3).await;
    let (film, other) = (format!("{url}/film.mkv"), format!("{url}/other.mkv"));
    for _ in 0..5 {
        assert_eq!(stage.get(&plain("alice:s3cret", &film), &[]).await.text(), "0123456789");
    }
    assert_eq!(tokens.left(), 2, "it was a guess once");
    for guess in ["alice:a", "alice:b"] {
        assert_eq!(stage.get(&plain(guess, &film), &[]).await.status, 401);
    }
    for guess in ["alice:c", "alice:s3cret"] {
        assert!(is_throttled(&stage.get(&plain(guess, &other), &[]).await), "{guess}");
    }
    assert_eq!(stage.get(&plain("alice:s3cret", &film), &[]).await.text(), "0123456789");
}
