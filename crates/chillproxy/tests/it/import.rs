//! Titles imported from IMDb's file serve searches when Cinemeta is away.

use crate::app::{App, KEY};
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::FILM;

const HEAD: &str =
    "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres\n";

on_both_engines!(an_imported_title_needs_no_cinemeta);

async fn an_imported_title_needs_no_cinemeta(database: TestDatabase) {
    let app = App::start(database).await;
    app.add_key("main", KEY);
    let viewer = app.add_user("ada");
    let file = app.data.path().join("title.basics.tsv");
    let row = format!("{FILM}\tmovie\tNight of the Living Dead\tNight of the Living Dead\t0\t1968\t\\N\t96\tHorror\n");
    std::fs::write(&file, format!("{HEAD}{row}tt0000001\tshort\tCarmencita\tCarmencita\t0\t1894\t\\N\t1\tShort\n"))
        .unwrap();
    let path = file.to_str().unwrap();
    let imported = app.run(&["import", "imdb", path], "");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert!(String::from_utf8_lossy(&imported.stdout).starts_with("2 titles"));
    let again = app.run(&["import", "imdb", path], "");
    assert!(again.status.success() && String::from_utf8_lossy(&again.stdout).contains("already"));
    app.world.cinemeta().forget_calls();
    assert!(!app.streams(&viewer, FILM).await.is_empty());
    assert_eq!(app.world.cinemeta().calls().len(), 0, "nobody was asked for the title");
    std::fs::write(&file, "something else").unwrap();
    assert_eq!(app.run(&["import", "imdb", path], "").status.code(), Some(1));
}
