//! Which device asks: one tap of a player is one device, and nobody chooses his own address.

use hyper::Method;

use crate::app::{App, KEY};
use crate::database::TestDatabase;
use crate::streams::FILM;
use crate::web::Web;

fn devices(app: &App) -> usize {
    app.cli(&["device", "list", "--user", "ada", "--json"], "").as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stacks_of_one_player_are_one_device() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    let listed =
        Web::new("Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36");
    let streams = crate::streams::read(&listed.get(&viewer.streams("movie", FILM)).await);
    let stream = streams.iter().filter(|s| s.cached()).min_by_key(|s| s.size).unwrap();
    for agent in ["okhttp/4.12.0", "Stremio/1.6 ExoPlayerLib/2.18.2", "VLC/3.0.18 LibVLC/3.0.18", "Lavf/60.3.100"] {
        assert_eq!(Web::new(agent).send(Method::HEAD, &stream.url, &[]).await.status, 200, "{agent}");
    }
    assert_eq!(devices(&app), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_headers_of_strangers_change_nothing() {
    let (app, viewer) = App::with_viewer(TestDatabase::sqlite()).await;
    for n in 0..6 {
        let forged = format!("203.0.113.{n}");
        let headers =
            [("x-forwarded-for", forged.as_str()), ("x-real-ip", &forged), ("forwarded", &format!("for={forged}"))];
        let answer = app.web.send(Method::GET, &viewer.streams("movie", FILM), &headers).await;
        assert_eq!(answer.header("x-chillproxy-refusal"), "");
    }
    assert_eq!(devices(&app), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxys_header_tells_viewers_apart() {
    let app = App::with(TestDatabase::sqlite(), &[("CHILLPROXY_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    for client in ["203.0.113.1", "203.0.113.2", "6.6.6.6, 203.0.113.2"] {
        app.web.send(Method::GET, &viewer.streams("movie", FILM), &[("x-forwarded-for", client)]).await;
    }
    assert_eq!(devices(&app), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_addresses_are_not_stored() {
    let app = App::with(TestDatabase::sqlite(), &[("CHILLPROXY_TRUSTED_PROXIES", "127.0.0.0/8")]).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    app.web.send(Method::GET, &viewer.streams("movie", FILM), &[("x-forwarded-for", "203.0.113.77")]).await;
    assert_eq!(devices(&app), 1);
    for file in crate::app::files_below(&app.data_dir()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(12).any(|window| window == b"203.0.113.77"), "{}", file.display());
    }
}
