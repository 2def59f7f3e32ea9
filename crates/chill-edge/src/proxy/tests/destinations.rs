//! Where links may not lead.

use super::stage::{Origin, Stage, config};
use crate::proxy::ProxyConfig;
use crate::relay::AllowList;

fn allowing(list: &str) -> ProxyConfig {
    ProxyConfig { allow: AllowList::parse(list).unwrap(), ..config() }
}

const REFUSED: (u16, &str) = (403, "the destination is not allowed here");

#[tokio::test]
async fn a_link_never_leads_inside() {
    let (origin, listening, _url) = Origin::on("127.0.0.1").await;
    let port = listening.at.port();
    let stage = Stage::with(allowing("")).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "127.000.000.001",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "%31%32%37.0.0.1",
        "１２７。０。０。１",
        "0.0.0.0",
        "0",
        "localhost",
        "LOCALHOST",
        "user:password@localhost",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[fd00:ec2::254]",
    ] {
        for method in ["GET", "HEAD"] {
            let link = stage.link(&format!("http://{host}:{port}/film.mkv"), "").await;
            let reply = stage.ask(method, &link, &[], "").await;
            assert_eq!(reply.status, 403, "{host}");
            assert!(method == "HEAD" || reply.refusal().1 == REFUSED.1, "{host}");
        }
    }
    assert!(origin.asked().is_empty());
    let ssl = stage.link(&format!("https://127.0.0.1:{port}/film.mkv"), "").await;
    assert_eq!(stage.get(&ssl, &[]).await.refusal(), (REFUSED.0, REFUSED.1.to_owned()));
}

#[tokio::test]
async fn what_an_operator_allows_is_reached_by_its_address_or_its_name() {
    let (origin, listening, _url) = Origin::on("127.0.0.1").await;
    let port = listening.at.port();
    for (allow, host, status) in [
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.0/8", "localhost", 200),
        ("localhost", "localhost", 200),
        ("localhost", "127.0.0.1", 403),
        ("127.0.0.2", "127.0.0.1", 403),
    ] {
        let asked = origin.asked().len();
        let stage = Stage::with(allowing(allow)).await;
        let link = stage.link(&format!("http://{host}:{port}/film.mkv"), "").await;
        assert_eq!(stage.get(&link, &[]).await.status, status, "{allow} {host}");
        assert_eq!(origin.asked().len() - asked, usize::from(status == 200));
    }
    // A port of another protocol stays shut, whoever listens there.
    let stage = Stage::with(allowing("127.0.0.0/8")).await;
    let link = stage.link("http://127.0.0.1:25/film.mkv", "").await;
    assert_eq!(stage.get(&link, &[]).await.status, 403);
}

#[tokio::test]
async fn a_redirect_is_judged_like_a_link() {
    judged(false).await;
}

#[tokio::test]
async fn the_plain_client_is_led_inside_no_more_than_ours() {
    judged(true).await;
}

async fn judged(plain: bool) {
    let (inside, _inside, inner) = Origin::on("127.0.0.1").await;
    let (outside, _outside, outer) = Origin::on("127.0.0.2").await;
    let mut config = allowing("127.0.0.2");
    config.relay.plain = plain;
    let stage = Stage::with(config).await;
    for to in [
        format!("{inner}/film.mkv"),
        inner.replace("127.0.0.1", "localhost") + "/film.mkv",
        inner.replace("127.0.0.1", "2130706433") + "/film.mkv",
        format!("{outer}/to?{inner}/film.mkv"),
        "http://127.0.0.2:25/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let link = stage.link(&format!("{outer}/to?{to}"), "").await;
        assert_eq!(stage.get(&link, &[]).await.refusal(), (REFUSED.0, REFUSED.1.to_owned()), "{to}");
    }
    assert!(inside.asked().is_empty() && outside.asked().len() == 7);
    let link = stage.link(&format!("{outer}/to?file:///etc/passwd"), "").await;
    assert_eq!(stage.get(&link, &[]).await.status, 502);
    let link = stage.link(&format!("{outer}/to?{outer}/film.mkv"), "").await;
    assert_eq!(stage.get(&link, &[]).await.text(), "0123456789");
}

#[tokio::test]
async fn a_redirect_elsewhere_takes_no_secret_along() {
    let (there, _there, inner) = Origin::on("127.0.0.1").await;
    let (here, _here, outer) = Origin::on("127.0.0.2").await;
    let stage = Stage::with(allowing("127.0.0.0/8")).await;
    let lines = "Cookie:%20a=b%0aAuthorization:%20x%0aX-Api-Key:%20k%0aReferer:%20https://site.example/";
    for (to, kept) in [(format!("{outer}/film.mkv"), true), (format!("{inner}/film.mkv"), false)] {
        let link = stage.link(&format!("{outer}/to?{to}"), &format!("&req_headers={lines}")).await;
        let reply = stage.get(&link, &[("range", "bytes=2-4")]).await;
        assert_eq!((reply.status, reply.text()), (206, "234"));
        let (_, _, sent) = if kept { here.asked().pop() } else { there.asked().pop() }.unwrap();
        for secret in ["cookie", "authorization", "x-api-key"] {
            assert_eq!(sent.contains_key(secret), kept, "{secret} to {to}");
        }
        assert_eq!(
            (&sent["referer"], &sent["range"]),
            (&"https://site.example/".parse().unwrap(), &"bytes=2-4".parse().unwrap())
        );
    }
}
