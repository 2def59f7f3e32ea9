//! No key and no indexer's secret leaves the process by any path: answers, headers, redirects, logs at trace level,
//! metrics, database and every other file it writes.

use hyper::Method;

use crate::app::{App, INDEXER_KEY, KEY, KEY_TWO};
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::FILM;

on_both_engines!(no_secret_is_found_anywhere);

/// Every form a secret might hide in.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bare = secret.replace('-', "");
    let bytes = secret.as_bytes();
    vec![
        bytes.to_vec(),
        bare.clone().into_bytes(),
        bare.to_uppercase().into_bytes(),
        data_encoding::BASE64_NOPAD.encode(bytes).into_bytes(),
        data_encoding::HEXLOWER.encode(bytes).into_bytes(),
        bytes[..20.min(bytes.len())].to_vec(),
    ]
}

/// Where something was said, and what.
struct Said(Vec<(String, Vec<u8>)>);

impl Said {
    fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    async fn ask(&mut self, app: &App, method: Method, url: &str, headers: &[(&str, &str)]) {
        let answer = app.web.send(method.clone(), url, headers).await;
        let head = format!("{} {:?}", answer.status, answer.headers);
        self.add(format!("head of {method} {url}"), head);
        self.add(format!("body of {method} {url}"), answer.body.to_vec());
    }
}

async fn no_secret_is_found_anywhere(database: TestDatabase) {
    let (mut app, viewer) = App::with_viewer(database).await;
    app.world.torbox().add_account(KEY_TWO, chill_sim::Plan::Pro, 0);
    app.add_key("second", KEY_TWO);
    let mut said = Said(Vec::new());
    visit(&app, &viewer, &mut said).await;
    app.world.torbox().add_fault(chill_sim::FaultRule::new("", chill_sim::Fault::ServerError));
    app.world.torznab().add_fault(chill_sim::FaultRule::new("", chill_sim::Fault::Reset));
    visit(&app, &viewer, &mut said).await;
    app.world.torbox().clear_faults();
    app.world.torbox().rotate_key(KEY, "rotated");
    visit(&app, &viewer, &mut said).await;
    for words in
        [["key", "list", "--json"], ["key", "show", "main"], ["user", "list", "--json"], ["usage", "--by", "key"]]
    {
        let output = app.run(&words, "");
        said.add(format!("{words:?}"), [output.stdout, output.stderr].concat());
    }
    let doctor = app.run(&["doctor"], "");
    said.add("doctor", [doctor.stdout, doctor.stderr].concat());
    said.ask(&app, Method::GET, &format!("{}/metrics", app.metrics), &[]).await;
    app.stop();
    said.add("the log", app.log_text());
    for file in crate::app::files_below(&app.data_dir()) {
        said.add(file.display().to_string(), std::fs::read(&file).unwrap());
    }
    let log = app.log_text();
    assert!(log.len() > 5_000 && log.contains("DEBUG"), "the log says what it can");

    for secret in [KEY, KEY_TWO, INDEXER_KEY] {
        for form in forms(secret) {
            for (place, bytes) in &said.0 {
                let found = bytes.windows(form.len()).any(|window| window == form);
                assert!(!found, "{} is in {place}", String::from_utf8_lossy(&form));
            }
        }
    }
    for (place, bytes) in said.0.iter().filter(|(place, _)| place == "the log") {
        let link = viewer.link.as_bytes();
        assert!(!bytes.windows(link.len()).any(|window| window == link), "the link id is in {place}");
    }
}

async fn visit(app: &App, viewer: &crate::app::Viewer, said: &mut Said) {
    said.ask(app, Method::GET, &viewer.manifest, &[]).await;
    said.ask(app, Method::GET, &viewer.streams("movie", FILM), &[]).await;
    said.ask(app, Method::GET, &viewer.streams("series", crate::streams::EPISODE), &[]).await;
    for path in
        ["/health", "/readyz", "/livez", "/nowhere", "/stremio/torz/manifest.json", "/stremio/torz/%00/manifest.json"]
    {
        said.ask(app, Method::GET, &format!("{}{path}", app.base), &[]).await;
    }
    let answer = app.web.get(&viewer.streams("movie", FILM)).await;
    for stream in crate::streams::read(&answer).iter().filter(|s| s.size < 20_000_000) {
        said.ask(app, Method::HEAD, &stream.url, &[]).await;
        said.ask(app, Method::GET, &stream.url, &[("range", "bytes=0-999")]).await;
    }
    let broken = format!("{}/_/strem/{FILM}/tb/{}/0/x.mkv", viewer.addon(), "f".repeat(40));
    said.ask(app, Method::GET, &broken, &[]).await;
}
