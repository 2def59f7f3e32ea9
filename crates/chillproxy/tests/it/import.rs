//! Titles imported from IMDb's file serve searches when Cinemeta is away, on every kind of node, and after an import that was
//! broken off.

use chill_db::{Db, Options};
use tempfile::TempDir;

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};
use crate::node::command;
use crate::planes::{CONTROL, EdgeNode, INTERNAL, edge_settings};
use crate::streams::FILM;
use crate::web::Web;

const HEAD: &str =
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n";
/// Titles of the large file: some batches.
const MANY: u64 = 60_000;

on_both_engines!(an_imported_title_needs_no_cinemeta, a_killed_import_goes_on_where_it_was,);

/// A file with one film of the demo and one other.
fn small(dir: &TempDir) -> String {
    let file = dir.path().join("title.basics.tsv");
    let row = format!("{FILM}\tmovie\tNight of the Living Dead\tNight of the Living Dead\t0\t1968\t\\N\t96\tHorror\n");
    std::fs::write(&file, format!("{HEAD}{row}tt0000001\tshort\tCarmencita\tCarmencita\t0\t1894\t\\N\t1\tShort\n"))
        .unwrap();
    file.to_str().unwrap().to_owned()
}

async fn an_imported_title_needs_no_cinemeta(database: TestDatabase) {
    let app = App::start(database).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    let path = &small(&app.data);
    let imported = app.run(&["import", "imdb", path], "");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert!(String::from_utf8_lossy(&imported.stdout).starts_with("2 titles"));
    let again = app.run(&["import", "imdb", path], "");
    assert!(again.status.success() && String::from_utf8_lossy(&again.stdout).contains("already"));
    app.world.cinemeta().forget_calls();
    assert!(!app.streams(&viewer, FILM).await.is_empty());
    assert_eq!(app.world.cinemeta().calls().len(), 0, "nobody was asked for the title");
    std::fs::write(path, "something else").unwrap();
    assert_eq!(app.run(&["import", "imdb", path], "").status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_alone_reads_what_was_imported_there() {
    let app = App::serving(CONTROL, TestDatabase::postgres(), &[("INTERNAL_API_KEY", INTERNAL)]).await;
    app.add_key("main", KEY);
    let edge = EdgeNode::start(&app.world, &app.base);
    let web = Web::new("TestPlayer/1.0");
    app.until("the edge", async || edge.node.readiness(&web).await == Some(200)).await;
    let viewer = edge.seen_by(&app, &app.add_user("ada"));
    let settings = edge_settings(&app.world, &edge.dir, &edge.node.address(), &app.base);
    let file = small(&app.data);
    for words in [["import", "imdb", &file].as_slice(), &["import", "imdb", &file, "--role", "edge"]] {
        let imported = command(words, &settings).output().unwrap();
        assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    }
    app.world.cinemeta().forget_calls();
    let list = web.get(&viewer.streams("movie", FILM)).await;
    assert!(!crate::streams::read(&list).is_empty());
    assert_eq!(app.world.cinemeta().calls().len(), 0, "nobody was asked for the title");
    assert!(!edge.dir.path().join("data/chillproxy.db").exists(), "an edge has no control plane's database");
    let refused = command(&["import", "--role", "control", "imdb", &file], &app.settings).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("import on each edge"));
}

async fn a_killed_import_goes_on_where_it_was(database: TestDatabase) {
    let app = App::start(database).await;
    let url = app.database.url().unwrap_or_else(|| format!("sqlite://{}/chillproxy.db", app.data_dir().display()));
    let db = Db::open(&url.parse().unwrap(), Options::default()).await.unwrap();
    let row = |n| format!("tt{n:07}\tmovie\tFilm {n}\tFilm {n}\t0\t1999\t\\N\t96\tDrama\n");
    let text: String = std::iter::once(HEAD.to_owned()).chain((1..=MANY).map(row)).collect();
    let file = app.data.path().join("many.tsv");
    std::fs::write(&file, &text).unwrap();
    let words = ["import", "imdb", file.to_str().unwrap()];
    let mut import = command(&words, &app.settings).spawn().unwrap();
    let so_far = async || db.read().await.unwrap().imdb_import().await.unwrap();
    app.until("a part of the import", async || so_far().await.is_some()).await;
    import.kill().unwrap();
    import.wait().unwrap();
    let broken_off = so_far().await.unwrap();
    assert!(!broken_off.done && broken_off.lines > 1, "{broken_off:?}");
    let said = |words: &[&str]| String::from_utf8(app.run(words, "").stdout).unwrap();
    let rest = MANY - (broken_off.lines - 1);
    let goes_on = said(&words);
    assert!(goes_on.starts_with(&format!("{rest} titles read, {rest} of them new or changed")), "{goes_on}");
    assert_eq!(db.read().await.unwrap().imdb_count().await.unwrap(), MANY);
    std::fs::write(&file, text.replace("Film 777\t", "Movie 777\t")).unwrap();
    let newer = said(&words);
    assert!(newer.starts_with(&format!("{MANY} titles read, 1 of them new or changed")), "{newer}");
    db.close().await;
}
