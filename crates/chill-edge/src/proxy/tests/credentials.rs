//! Credentials in a URL, and where they go.

use data_encoding::BASE64;

use super::stage::{Origin, Stage};

fn basic(credential: &str) -> String {
    format!("Basic {}", BASE64.encode(credential.as_bytes()))
}

/// What an origin was last told by `Authorization`.
fn told(origin: &Origin) -> Option<String> {
    let (_, _, headers) = origin.asked().pop().unwrap();
    headers.get("authorization").map(|value| value.to_str().unwrap().to_owned())
}

fn with(user: &str, url: &str) -> String {
    url.replacen("://", &format!("://{user}@"), 1)
}

#[tokio::test]
async fn a_user_in_the_url_is_told_to_its_server_as_a_client_tells_it() {
    let (origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    for (user, more, expected) in [
        ("us%C3%A9r:p%40ss:w%2Frd", "", Some(basic("usér:p@ss:w/rd"))),
        ("user", "", Some(basic("user:"))),
        (":password", "", Some(basic(":password"))),
        ("user:password", "&req_headers=Authorization:%20Bearer%20x", Some("Bearer x".to_owned())),
        ("", "", None),
    ] {
        let link = stage.link(&with(user, &format!("{url}/film.mkv")), more).await;
        assert_eq!(stage.get(&link, &[]).await.text(), "0123456789", "{user}");
        assert_eq!(told(&origin), expected, "{user}");
        let (_, asked, headers) = origin.asked().pop().unwrap();
        assert_eq!((&*asked, headers["host"].to_str().unwrap()), ("/film.mkv", &url["http://".len()..]));
    }
}

#[tokio::test]
async fn a_redirect_takes_no_users_credentials_elsewhere() {
    let (there, _there, inner) = Origin::on("127.0.0.1").await;
    let (here, _here, outer) = Origin::on("127.0.0.2").await;
    let stage = Stage::new().await;
    for (to, at, expected) in [
        (format!("{inner}/film.mkv"), &there, None),
        (with("other:x", &format!("{inner}/film.mkv")), &there, Some(basic("other:x"))),
        (format!("{inner}/to?{outer}/film.mkv"), &here, None),
        (format!("{outer}/film.mkv"), &here, Some(basic("user:password"))),
        ("film.mkv".to_owned(), &here, Some(basic("user:password"))),
        (with("second:y", &format!("{outer}/film.mkv")), &here, Some(basic("second:y"))),
    ] {
        let link = stage.link(&with("user:password", &format!("{outer}/to?{to}")), "").await;
        assert_eq!(stage.get(&link, &[]).await.text(), "0123456789", "{to}");
        assert_eq!(told(at), expected, "{to}");
    }
    let users = basic("user:password");
    let leaked =
        there.asked().iter().any(|(_, _, sent)| sent.values().any(|value| value.as_bytes() == users.as_bytes()));
    assert!(!leaked);
}

#[tokio::test]
async fn redirects_are_followed_ten_times() {
    let (origin, _listening, url) = Origin::on("127.0.0.1").await;
    let stage = Stage::new().await;
    for (hops, status) in [(10, 200), (11, 502)] {
        let asked = origin.asked().len();
        let link = stage.link(&format!("{url}/hop{hops}"), "").await;
        assert_eq!(stage.get(&link, &[]).await.status, status, "{hops}");
        assert_eq!(origin.asked().len() - asked, 11);
    }
}
