//! The command line as scripts use it: forms, exit codes, sentences.

use serde_json::json;

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};

on_both_engines!(
    users_are_managed_by_name_and_by_id,
    keys_are_managed_by_name_and_by_id,
    what_was_done_is_listed_and_proven
);

async fn users_are_managed_by_name_and_by_id(database: TestDatabase) {
    let app = App::start(database).await;
    let user =
        app.cli(&["user", "add", "--name", "Ada", "--email", "ada@example.org", "--max-devices", "5", "--json"], "");
    for field in ["id", "name", "linkId", "manifestUrl", "stremioUrl"] {
        assert!(user[field].is_string(), "{field}: {user}");
    }
    assert!(user["manifestUrl"].as_str().unwrap().starts_with(&app.base));
    assert!(user["stremioUrl"].as_str().unwrap().starts_with("stremio://"));
    let twice = app.run(&["user", "add", "--name", "ada"], "");
    assert_eq!(twice.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&twice.stderr).contains("ada"), "the sentence names the name");
    let id = user["id"].as_str().unwrap();
    assert_eq!(app.cli(&["user", "suspend", id, "--json"], "")["status"], "suspended");
    assert_eq!(app.cli(&["user", "activate", "Ada", "--json"], "")["status"], "active");
    let renewed = app.cli(&["user", "reset-link", "ada", "--json"], "");
    assert_ne!(renewed["linkId"], user["linkId"]);
    let list = app.cli(&["user", "list", "--json"], "");
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!((&list[0]["name"], &list[0]["linkId"]), (&"Ada".into(), &renewed["linkId"]));
    let unknown = app.run(&["user", "suspend", "nobody"], "");
    assert_eq!(unknown.status.code(), Some(1));
    assert!(app.run(&["user", "remove", "Ada"], "").status.success());
    assert_eq!(app.cli(&["user", "list", "--json"], ""), json!([]));
}

async fn keys_are_managed_by_name_and_by_id(database: TestDatabase) {
    let app = App::start(database).await;
    let key = app.add_key("main", KEY);
    assert_eq!(
        (&key["store"], &key["name"], &key["state"]),
        (&"tb".into(), &"main".into(), &"healthy".into()),
        "{key}"
    );
    assert!(key["id"].is_string());
    let wrong = app.run(
        &["key", "add", "--store", "tb", "--name", "wrong", "--passport", "own_use"],
        "00000000-dead-4000-8000-000000000000",
    );
    assert_eq!(wrong.status.code(), Some(1));
    let text = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(text.contains("TorBox") && !text.contains("00000000-dead"), "{text}");
    let empty = app.run(&["key", "add", "--store", "tb", "--name", "empty", "--passport", "own_use"], "");
    assert_eq!(empty.status.code(), Some(1));
    let many =
        app.run(&["key", "add", "--store", "tb", "--name", "many", "--passport", "own_use", "--max-users", "2"], KEY);
    assert!(!many.status.success());
    for (word, state) in [("drain", "draining"), ("disable", "disabled"), ("enable", "healthy")] {
        assert!(app.run(&["key", word, "main"], "").status.success(), "{word}");
        assert_eq!(app.cli(&["key", "list", "--json"], "")[0]["state"], state);
    }
    assert!(app.run(&["key", "check", "main"], "").status.success());
    let unasked = ["key", "add", "--store", "tb", "--name", "later", "--passport", "own_use", "--unchecked"];
    let added = app.run(&unasked, "00000000-beef-4000-8000-000000000000");
    assert!(String::from_utf8_lossy(&added.stdout).contains("is unchecked"), "{added:?}");
    let shown = app.cli(&["key", "show", "later", "--json"], "");
    assert_eq!((&shown["state"], &shown["checked"]), (&"healthy".into(), &false.into()));
    assert_eq!(app.cli(&["key", "show", "main", "--json"], "")["checked"], true);
    assert!(app.run(&["key", "remove", "later"], "").status.success());
    assert!(app.run(&["key", "remove", key["id"].as_str().unwrap()], "").status.success());
    assert_eq!(app.cli(&["key", "list", "--json"], ""), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_tell_scripts_what_happened() {
    let mut app = App::start(TestDatabase::sqlite()).await;
    assert_eq!(app.run(&["no-such-command"], "").status.code(), Some(2));
    assert_eq!(
        app.run(&["key", "add", "--store", "zz", "--name", "x", "--passport", "own_use"], KEY).status.code(),
        Some(2)
    );
    assert_eq!(app.run(&["check-config"], "").status.code(), Some(0));
    assert_eq!(app.run(&["doctor"], "").status.code(), Some(1), "an empty pool is told");
    app.add_key("main", KEY);
    let doctor = app.run(&["doctor"], "");
    assert_eq!(doctor.status.code(), Some(0), "{}", String::from_utf8_lossy(&doctor.stdout));
    app.settings.push(("CHILLPROXY_LEESE_TTL".into(), "5m".into()));
    let bad = app.run(&["serve"], "");
    assert_eq!(bad.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("CHILLPROXY_LEESE_TTL"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_master_key_is_refused_with_a_sentence() {
    let mut app = App::start(TestDatabase::sqlite()).await;
    app.add_key("main", KEY);
    app.stop();
    let other = data_encoding::BASE64.encode(&[7; 32]);
    app.settings.push(("CHILLPROXY_MASTER_KEY".into(), other));
    let refused = app.run(&["serve"], "");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).to_lowercase().contains("master key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let app = App::start(TestDatabase::sqlite()).await;
    app.add_key("main", KEY);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&app.data_dir()), 0o700);
    for file in crate::app::files_below(&app.data_dir()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

async fn what_was_done_is_listed_and_proven(database: TestDatabase) {
    let app = App::start(database).await;
    app.add_key("main", KEY);
    let ada = app.add_user("ada");
    assert!(app.run(&["user", "suspend", "ada"], "").status.success());
    assert!(app.run(&["user", "activate", "ada"], "").status.success());
    let streams = app.web.get(&ada.streams("movie", crate::streams::FILM)).await;
    assert_eq!(streams.status, 200);
    let list = app.cli(&["audit", "list", "--since", "1h", "--json"], "");
    let acts: Vec<_> = list.as_array().unwrap().iter().rev().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["key.add", "user.add", "user.suspend", "user.activate", "user.assign"]);
    assert_eq!((&list[0]["actor"], &list[0]["subject"]["name"]), (&"system".into(), &"ada".into()));
    assert_eq!(list[1]["actor"], "cli");
    assert!(list[1]["from"].as_str().unwrap().contains('@'), "{}", list[1]);
    assert_eq!(app.cli(&["audit", "list", "--limit", "2", "--json"], "").as_array().unwrap().len(), 2);
    let report = app.cli(&["audit", "verify", "--json"], "");
    assert_eq!((&report["whole"], &report["rows"], &report["unsealed"]), (&true.into(), &5.into(), &0.into()));
    let shown = app.run(&["audit", "verify"], "");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("5 acts on 1 days, 0 not sealed yet: whole."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_changed_in_the_trail_makes_verify_fail() {
    let mut app = App::start(TestDatabase::sqlite()).await;
    app.add_user("ada");
    assert!(app.run(&["user", "suspend", "ada"], "").status.success());
    app.stop();
    // Folds the journal into the file.
    assert!(app.run(&["migrate"], "").status.success());
    let file = app.data_dir().join("chillproxy.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let word = b"user.suspend";
    let at = bytes.windows(word.len()).position(|window| window == word).unwrap();
    bytes[at + 5] = b'x';
    std::fs::write(&file, bytes).unwrap();
    let verified = app.run(&["audit", "verify"], "");
    assert_eq!(verified.status.code(), Some(1));
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(said.contains("row 2 (") && said.contains("was changed"), "{said}");
}
