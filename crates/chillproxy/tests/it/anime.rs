//! Anime by the ids of its own catalogues, from the list to the bytes.

use chill_sim::{Anime, Release, Torrent};

use crate::app::App;
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::{Stream, read, sha256};

const SERIES: &str = "tt9990005";
const LIST: &str = r#"[{"kitsu_id":8671,"mal_id":25777,"imdb_id":"tt9990005","season":{"tvdb":2}},
    {"kitsu_id":12,"imdb_id":null}]"#;

on_both_engines!(anime_is_found_by_number_and_by_season);

/// An anime of two seasons, its pack counted through, and a single episode of it.
fn seed(app: &App) -> Torrent {
    let file = |n: u64| (format!("[Grp] Ushio no Yaiba - {n:02} [1080p].mkv"), 10_000 + n);
    let pack = Torrent::new("[Grp] Ushio no Yaiba (01-24) [1080p][Batch]", (1..=24).map(file));
    let other = Torrent::single("[Grp] Ushio no Yaiba - 05 [1080p].mkv", 9_000);
    for torrent in [&pack, &other] {
        app.world.torznab().add_release(Release {
            imdb: None,
            season: None,
            categories: vec![5070],
            ..Release::episode(torrent, SERIES, 1, None, 9)
        });
        app.world.torbox().add_torrent(torrent.clone());
    }
    let episodes: Vec<_> = (1..=12).flat_map(|n| [(1, n, "x"), (2, n, "x")]).collect();
    app.world.cinemeta().add_title(chill_sim::Title::series(SERIES, "Tidal Blades", "2013–", &episodes));
    app.world.kitsu().add_anime(Anime::new(8671, "Ushio no Yaiba 2nd Season", "2017-04-01").at_mal(25777));
    app.world.kitsu().add_anime(Anime::new(12, "Ushio no Yaiba", "2013-04-01"));
    pack
}

fn is(streams: &[Stream], names: &[&str]) {
    let mut shown: Vec<&str> = streams.iter().map(|stream| stream.file_name.as_str()).collect();
    shown.sort_unstable();
    assert_eq!(shown, names);
}

async fn anime_is_found_by_number_and_by_season(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let pack = seed(&app);
    let through = read(&app.web.get(&viewer.streams("anime", "kitsu:12:5")).await);
    is(&through, &["[Grp] Ushio no Yaiba - 05 [1080p].mkv"; 2]);
    let file = app.data.path().join("anime.json");
    std::fs::write(&file, LIST).unwrap();
    let imported = app.run(&["import", "anime", file.to_str().unwrap()], "");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    assert_eq!(String::from_utf8_lossy(&imported.stdout), "2 anime imported; they are found under 3 ids.\n");
    let second = read(&app.web.get(&viewer.streams("series", "mal:25777:5")).await);
    is(&second, &["[Grp] Ushio no Yaiba - 17 [1080p].mkv"]);
    let played = app.web.get(&second[0].url).await;
    assert_eq!(played.status, 200);
    let bytes = chill_sim::content_bytes(pack.seed(16), 0, usize::try_from(pack.files[16].size).unwrap());
    assert_eq!(sha256(&played.body), sha256(&bytes));
    std::fs::write(&file, "[]").unwrap();
    assert_eq!(app.run(&["import", "anime", file.to_str().unwrap()], "").status.code(), Some(1));
}
