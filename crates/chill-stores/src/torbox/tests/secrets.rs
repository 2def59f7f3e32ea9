//! No key in any error, whatever TorBox puts into its answers.

use chill_core::store::{AddMode, ItemId};
use chill_sim::{Fault, FaultRule};

use super::*;

/// Everything a caller could log of an error.
fn shown(error: &StoreError) -> String {
    let chain = std::error::Error::source(error).map(|source| format!("{source} {source:?}")).unwrap_or_default();
    format!("{error} {error:?} {error:#?} {} {chain}", error.message)
}

/// Answers that quote the key, a link with it, and another token.
fn tell_tales(url: &str) -> Vec<Fault> {
    let other = "9e8d7c6b-5a49-4837-a625-14f3e2d1c0b9";
    let link = format!("{url}/v1/api/torrents/requestdl?token={KEY}&torrent_id=1");
    let bodies = [
        format!(r#"{{"success":false,"error":"BAD_TOKEN","detail":"Key {KEY} ({other}) of {link}","data":null}}"#),
        format!(r#"{{"success":false,"error":"{KEY}","detail":["{link}"],"data":"{KEY}"}}"#),
        format!(r#"{{"success":false,"error":true,"detail":{{"{KEY}":"{link}"}},"data":null}}"#),
        format!(r#"{{"detail":[{{"loc":["query","{KEY}"],"msg":"bad {link} {other}"}}]}}"#),
        format!(r#"{{"success":true,"data":{{"plan":1,"premium_expires_at":{{"{KEY}":1}},"id":"{KEY}"}}}}"#),
        format!("plain text: token={KEY} {other} at {link}"),
        format!("<html>{link} {other}</html>"),
        format!("{{\"success\": {KEY}"),
    ];
    let statuses = [200, 400, 403, 422, 429, 500];
    let answer = |(body, status): (&String, u16)| Fault::Answer {
        status,
        content_type: "application/json".to_owned(),
        body: body.clone(),
    };
    bodies.iter().flat_map(|body| statuses.map(|status| (body, status))).map(answer).collect()
}

#[tokio::test]
async fn no_error_shows_a_key_a_link_or_a_token() {
    let faults = {
        let setting = Setting::new().await;
        tell_tales(&setting.world.torbox_url())
    };
    let mut seen = 0;
    for fault in faults {
        let setting = Setting::with_deadline(Duration::from_millis(150)).await;
        let hash = setting.knows(film());
        setting.world.torbox().add_fault(FaultRule::new("", fault.clone()));
        let (store, key, id) = (&setting.store, &setting.key, ItemId("7".to_owned()));
        let errors = [
            store.account(key).await.err(),
            store.cached(key, &[hash]).await.err(),
            store.add(key, &hash, AddMode::Download).await.err(),
            store.item(key, &id).await.err(),
            store.link(key, &id, 0, None, false).await.err(),
            store.remove(key, &id).await.err(),
        ];
        for error in errors.into_iter().flatten() {
            seen += 1;
            let shown = shown(&error);
            for secret in [KEY, &KEY[..13], "9e8d7c6b", "requestdl", "http://"] {
                assert!(!shown.contains(secret), "{secret} in {shown} after {fault:?}");
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

#[tokio::test]
async fn the_key_travels_in_the_header_and_in_the_one_query_that_needs_it() {
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    setting.store.account(&setting.key).await.unwrap();
    setting.store.cached(&setting.key, &[hash]).await.unwrap();
    let id = setting.add(&hash, AddMode::CachedOnly).await.unwrap().id.unwrap();
    setting.store.link(&setting.key, &id, 0, None, false).await.unwrap();
    setting.store.remove(&setting.key, &id).await.unwrap();
    for call in setting.world.torbox().calls() {
        assert_eq!(call.header("authorization"), Some(format!("Bearer {KEY}").as_str()), "{}", call.path);
        let in_query = call.query.iter().any(|(_, value)| value.contains(KEY));
        assert_eq!(in_query, call.path.ends_with("requestdl"), "{}", call.path);
        assert!(!call.body.contains(KEY) && !call.path.contains(KEY));
        assert!(call.header("user-agent").unwrap().starts_with("chillproxy/"));
    }
}

/// Everything logged while it is the default, at the most talkative level.
#[derive(Clone, Default)]
struct Logged(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_shows_a_key_or_a_link_at_any_level() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // While there is one subscriber alone, a line that another test's thread meets first is switched off here too.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing::subscriber::set_default(subscriber);
    // Another test may have met our log lines first, at a time when nobody listened.
    tracing::callsite::rebuild_interest_cache();
    let setting = Setting::new().await;
    let hash = setting.knows(film());
    setting.store.account(&setting.key).await.unwrap();
    let id = setting.add(&hash, AddMode::CachedOnly).await.unwrap().id.unwrap();
    let link = setting.store.link(&setting.key, &id, 0, None, false).await.unwrap();
    for fault in [Fault::Reset, Fault::HtmlBadGateway, Fault::TruncatedJson] {
        setting.world.torbox().fault("requestdl", fault, 3);
        setting.store.link(&setting.key, &id, 1, None, true).await.unwrap_err();
    }
    drop(guard);
    let logged = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("store answered") && logged.contains("requestdl"), "our own lines are there");
    let token = link.expose().rsplit('=').next().unwrap();
    for secret in [KEY, token] {
        assert!(!logged.contains(secret), "{secret} was logged");
    }
}
