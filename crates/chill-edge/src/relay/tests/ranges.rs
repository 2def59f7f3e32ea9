//! RFC 9110 as a player relies on it.

use chill_sim::Torrent;
use http::Method;

use super::stage::{Player, Stage, ask, quick};
use crate::relay::RelayConfig;

const SIZE: u64 = 100_000;

#[tokio::test]
async fn each_range_gets_its_status_head_and_bytes() {
    each_range(quick()).await;
}

#[tokio::test]
async fn each_range_gets_the_same_from_the_plain_client() {
    each_range(RelayConfig { plain: true, ..quick() }).await;
}

async fn each_range(config: RelayConfig) {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", SIZE), config).await;
    let last = SIZE - 1;
    for (range, status, span) in [
        ("", 200, Some((0, last))),
        ("bytes=0-", 206, Some((0, last))),
        ("bytes=0-0", 206, Some((0, 0))),
        ("bytes=100-199", 206, Some((100, 199))),
        ("Bytes=100-199", 206, Some((100, 199))),
        ("bytes = 100 - 199", 206, Some((100, 199))),
        ("bytes=99999-", 206, Some((last, last))),
        ("bytes=99000-200000", 206, Some((99_000, last))),
        ("bytes=-1", 206, Some((last, last))),
        ("bytes=-500", 206, Some((last - 499, last))),
        ("bytes=-200000", 206, Some((0, last))),
        ("bytes=100000-", 416, None),
        ("bytes=100000-100001", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=0-1,5-6", 200, Some((0, last))),
        ("bytes=5-1", 200, Some((0, last))),
        ("bytes=x-", 200, Some((0, last))),
        ("lines=1-2", 200, Some((0, last))),
        ("bytes=18446744073709551616-", 416, None),
        ("bytes=99000-18446744073709551616", 206, Some((99_000, last))),
    ] {
        let headers = if range.is_empty() { vec![] } else { vec![("range", range)] };
        let reply = stage.get(&headers).await;
        assert_eq!(reply.status, status, "{range}");
        assert!(reply.whole, "{range}");
        let content_range = match (status, span) {
            (206, Some((first, last))) => format!("bytes {first}-{last}/{SIZE}"),
            (416, _) => format!("bytes */{SIZE}"),
            _ => String::new(),
        };
        assert_eq!(reply.header("content-range"), content_range, "{range}");
        let expected = span.map_or(vec![], |(first, last)| stage.bytes(first, (last - first + 1) as usize));
        assert_eq!(reply.header("content-length"), expected.len().to_string(), "{range}");
        assert_eq!(reply.header("accept-ranges"), "bytes", "{range}");
        assert!(reply.body == expected, "{range}");
    }
}

#[tokio::test]
async fn head_says_what_get_would_and_sends_nothing() {
    let stage = Stage::of_size(SIZE).await;
    let (head, get) = (ask(stage.address, &Method::HEAD, &[]).await, stage.get(&[]).await);
    assert_eq!((head.status, get.status), (200, 200));
    for name in ["content-length", "etag", "last-modified", "content-type", "accept-ranges", "content-disposition"] {
        assert!(!head.header(name).is_empty(), "{name}");
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert!(head.whole && head.body.is_empty());
    assert_eq!(stage.film.meter.bytes(), SIZE, "only the GET moved bytes");
}

#[tokio::test]
async fn head_says_what_get_would_of_a_range_that_the_origin_ignores() {
    let stage = Stage::new(Torrent::single("A Film (1968).mkv", 3 << 20), quick()).await;
    for range in ["bytes=0-9", "bytes=10-", "bytes=3000000-", "bytes=-5", "bytes=4000000-", "bytes=0-1,5-6"] {
        let headers = [("range", range)];
        let (head, get) = (ask(stage.address, &Method::HEAD, &headers).await, stage.get(&headers).await);
        assert_eq!(head.status, get.status, "{range}");
        for name in ["content-length", "content-range", "accept-ranges", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{range}: {name}");
        }
        assert!(head.whole && head.body.is_empty(), "{range}");
    }
}

#[tokio::test]
async fn if_range_holds_for_the_same_version_only() {
    let stage = Stage::of_size(SIZE).await;
    let first = stage.get(&[("range", "bytes=0-9")]).await;
    let (etag, date) = (first.header("etag").to_owned(), first.header("last-modified").to_owned());
    let weak = format!("W/{etag}");
    for (validator, status) in
        [(etag.as_str(), 206), (date.as_str(), 206), ("\"another\"", 200), (weak.as_str(), 200), ("nonsense", 200)]
    {
        let reply = stage.get(&[("range", "bytes=10-19"), ("if-range", validator)]).await;
        assert_eq!(reply.status, status, "{validator}");
        let expected = if status == 206 { stage.bytes(10, 10) } else { stage.bytes(0, 100_000) };
        assert!(reply.whole && reply.body == expected, "{validator}");
    }
}

#[tokio::test]
async fn only_a_film_s_own_headers_reach_the_player() {
    let stage = Stage::of_size(SIZE).await;
    let reply = stage.get(&[("range", "bytes=0-9")]).await;
    let mut names: Vec<_> = reply.headers.keys().map(http::HeaderName::as_str).filter(|name| *name != "date").collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept-ranges",
            "access-control-allow-origin",
            "access-control-expose-headers",
            "cache-control",
            "content-disposition",
            "content-length",
            "content-range",
            "content-type",
            "etag",
            "last-modified",
            "x-content-type-options",
        ]
    );
    assert_eq!(reply.header("content-type"), "video/x-matroska");
    assert!(reply.header("content-disposition").starts_with("inline; filename=\"A Film (1968).mkv\""));
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn only_what_concerns_the_film_reaches_the_origin() {
    let stage = Stage::of_size(SIZE).await;
    stage
        .get(&[
            ("range", "bytes=0-9"),
            ("cookie", "session=1"),
            ("authorization", "Basic dTpw"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-real-ip", "192.0.2.7"),
            ("forwarded", "for=192.0.2.7"),
            ("referer", "https://viewer.example/"),
            ("origin", "https://viewer.example"),
            ("user-agent", "VLC/3.0"),
            ("accept", "video/*"),
            ("accept-encoding", "gzip"),
            ("accept-language", "de"),
            ("te", "trailers"),
            ("x-custom", "1"),
        ])
        .await;
    let calls = stage.world.cdn().calls();
    let mut sent = calls[0].headers.clone();
    sent.sort();
    let host = stage.world.cdn_url().replace("http://", "");
    let agent = concat!("Chillproxy/", env!("CARGO_PKG_VERSION"));
    let expected = [
        ("accept", "*/*"),
        ("accept-encoding", "identity"),
        ("host", host.as_str()),
        ("range", "bytes=0-9"),
        ("user-agent", agent),
    ];
    assert_eq!(sent, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn other_methods_are_refused() {
    let stage = Stage::of_size(SIZE).await;
    let reply = ask(stage.address, &Method::POST, &[]).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET, HEAD"));
    assert!(stage.world.cdn().calls().is_empty());
}

#[tokio::test]
async fn requests_after_each_other_share_a_connection_to_the_origin() {
    let stage = Stage::of_size(SIZE).await;
    let mut player = Player::connect(stage.address).await;
    for first in 0..20_u64 {
        let range = format!("bytes={}-{}", first * 1_000, first * 1_000 + 4_999);
        let reply = player.ask(&Method::GET, &[("range", &range)]).await;
        assert!(reply.status == 206 && reply.body == stage.bytes(first * 1_000, 5_000), "{range}");
    }
    assert_eq!(stage.world.cdn().connections(), 1);
    assert_eq!((stage.film.meter.bytes(), stage.film.meter.open()), (100_000, 0));
}
