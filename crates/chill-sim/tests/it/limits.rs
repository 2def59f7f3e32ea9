//! Keys, rate windows, cooldown and the free plan's month.

use std::time::Duration;

use chill_sim::{Behaviour, Plan, RateLimitShape, RateReset, Torrent, TorrentState};
use serde_json::{Value, json};

use crate::client::{KEY, world};

fn fetched(number: u32) -> Torrent {
    Torrent::single(&format!("{number}.mkv"), 5).state(TorrentState::Downloadable { bytes_per_s: 5 })
}

#[tokio::test]
async fn keys_are_checked_and_can_be_rotated_while_links_live_on() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    let hash = world.torbox().add_torrent(Torrent::single("a.mkv", 1000));
    let link = client.link(&hash, 0).await?;
    assert_eq!(client.torbox_as("", "user/me").await?.json()?["error"], "NO_AUTH");
    assert_eq!(client.torbox(&format!("user/me?token={KEY}")).await?.status, 200);
    assert!(world.torbox().rotate_key(KEY, "key-two"));
    let refused = client.torbox("user/me").await?;
    assert_eq!((refused.status.as_u16(), refused.json()?["error"].as_str()), (403, Some("BAD_TOKEN")));
    let permalink = client.torbox_as("key-two", &format!("torrents/requestdl?token={KEY}&torrent_id=1")).await?;
    assert_eq!(permalink.status, 403, "the token in the query counts, not the header");
    assert_eq!(client.torbox_as("key-two", "torrents/mylist").await?.status, 200);
    assert_eq!(client.get(&link).await?.body.len(), 1000);
    Ok(())
}

#[tokio::test]
async fn three_hundred_calls_a_minute_then_429_without_an_envelope() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.clock().freeze();
    for _ in 0..300 {
        assert_eq!(client.torbox("user/me").await?.status, 200);
    }
    let limited = client.torbox("user/me").await?;
    assert_eq!((limited.status.as_u16(), limited.json()?), (429, json!({"detail": "300 per 1 minute"})));
    assert_eq!(limited.header("retry-after"), "");
    let shape = RateLimitShape::Error;
    world.torbox().set_behaviour(Behaviour { rate_body: shape, retry_after: true, ..Behaviour::default() });
    let limited = client.torbox("user/me").await?;
    assert_eq!(limited.json()?, json!({"error": "Rate limit exceeded: 300 per 1 minute"}));
    assert_eq!(limited.header("retry-after"), "60");
    world.torbox().add_account("other", Plan::Pro, 0);
    assert_eq!(client.torbox_as("other", "user/me").await?.status, 200, "another key has its own window");
    world.clock().advance(Duration::from_secs(60));
    assert_eq!(client.torbox("user/me").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn uncached_creates_have_an_hourly_budget_and_cached_ones_do_not_spend_it() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.clock().freeze();
    world.torbox().set_behaviour(Behaviour { uncached_creates_per_hour: 2, ..Behaviour::default() });
    for number in 0..2 {
        let hash = world.torbox().add_torrent(fetched(number));
        let created = client.create(&hash, "&seed=3").await?;
        assert_eq!(created.header("x-ratelimit-limit"), "2");
        assert_eq!(created.header("x-ratelimit-remaining"), (1 - number).to_string());
        assert_eq!(created.header("x-ratelimit-reset"), "3600");
    }
    let hash = world.torbox().add_torrent(fetched(3));
    let limited = client.create(&hash, "").await?;
    assert_eq!((limited.status.as_u16(), limited.json()?), (429, json!({"detail": "2 per 1 hour"})));
    assert_eq!(limited.header("x-ratelimit-limit"), "", "the hourly refusal carries no rate headers");
    let cached = world.torbox().add_torrent(Torrent::single("cached.mkv", 5));
    world.torbox().set_behaviour(Behaviour { rate_reset: RateReset::UnixTime, ..world.torbox().behaviour() });
    let created = client.create(&cached, "").await?;
    assert_eq!((created.status.as_u16(), created.header("x-ratelimit-limit")), (200, "300"));
    assert!(created.header("x-ratelimit-reset").parse::<f64>()? > 1e9);
    world.clock().advance(Duration::from_secs(3600));
    assert_eq!(client.create(&hash, "").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn cooldown_refuses_uncached_creates_and_shows_in_user_data() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.torbox().set_cooldown(KEY, Duration::from_secs(3600));
    let uncached = world.torbox().add_torrent(fetched(1));
    let cached = world.torbox().add_torrent(Torrent::single("cached.mkv", 5));
    let refused = client.create(&uncached, "").await?;
    assert_eq!((refused.status.as_u16(), refused.json()?["error"].as_str()), (400, Some("COOLDOWN_LIMIT")));
    let until = refused.json()?["data"]["cooldown_until"].clone();
    assert_eq!(client.torbox("user/me").await?.json()?["data"]["cooldown_until"], until);
    assert_eq!(client.create(&cached, "").await?.status, 200);
    world.clock().advance(Duration::from_secs(3601));
    assert_eq!(client.create(&uncached, "").await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn the_free_plan_has_pauses_a_month_and_one_slot() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    world.clock().freeze();
    world.torbox().add_account("free", Plan::Free, 0);
    for number in 0..10 {
        let hash = world.torbox().add_torrent(fetched(number));
        assert_eq!(client.create_as("free", &hash, "&seed=3").await?.status, 200, "{number}");
        world.clock().advance(Duration::from_secs(86_400));
    }
    let hash = world.torbox().add_torrent(fetched(11));
    let refused = client.create_as("free", &hash, "").await?.json()?;
    assert_eq!(refused["error"], "MONTHLY_LIMIT");
    assert_eq!(refused["data"], json!({"monthly_limit": 10, "current_downloads": 10}));
    world.torbox().set_behaviour(Behaviour { limit_codes: false, ..Behaviour::default() });
    assert_eq!(client.create_as("free", &hash, "").await?.json()?["error"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn user_data_tells_plan_slots_and_identity() -> anyhow::Result<()> {
    let (world, client) = world().await?;
    for (key, plan, number) in
        [("f", Plan::Free, 0), ("e", Plan::Essential, 1), ("p", Plan::Pro, 2), ("s", Plan::Standard, 3)]
    {
        world.torbox().add_account(key, plan, 4);
        let user = client.torbox_as(key, "user/me?settings=true").await?.json()?;
        assert_eq!(user["data"]["plan"], number);
        assert_eq!(user["data"]["additional_concurrent_slots"], 4);
        assert_eq!(user["data"]["premium_expires_at"].is_null(), plan == Plan::Free);
        assert!(user["data"]["settings"].is_object());
    }
    world.torbox().set_behaviour(Behaviour { null_fields: true, bad_key_status: 401, ..Behaviour::default() });
    assert!(client.torbox("user/me").await?.json()?["data"]["cooldown_until"].is_null());
    assert_eq!(client.torbox_as("nobody", "user/me").await?.status, 401);
    Ok(())
}
