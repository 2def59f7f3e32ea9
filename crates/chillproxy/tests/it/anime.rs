//! Anime by the ids of its own catalogues, from the list to the bytes.

use chill_sim::{Anime, Release, Torrent};

use crate::app::App;
use crate::database::{TestDatabase, on_both_engines};
use crate::streams::{Stream, read, sha256};

const SERIES: &str = "tt9990005";
const LIST: &str = r#"[{"kitsu_id":8671,"mal_id":25777,"imdb_id":"tt9990005","season":{"tvdb":2}},
    {"kitsu_id":12,"imdb_id":null}]"#;

on_both_engines!(
    anime_is_found_by_number_and_by_season,
    imdbs_id_finds_what_is_counted_through,
    without_the_map_imdbs_id_finds_what_its_title_says,
);

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

/// A series of six seasons, whose releases count through them all: S05E20 is 137.
async fn imdbs_id_finds_what_is_counted_through(database: TestDatabase) {
    const LONG: &str = "tt9990007";
    let (app, viewer) = App::with_viewer(database).await;
    let lengths = [(1, 40), (2, 27), (3, 30), (4, 20), (5, 30), (6, 10)];
    let episodes: Vec<_> =
        lengths.iter().flat_map(|&(season, last)| (1..=last).map(move |n| (season, n, "x"))).collect();
    app.world.cinemeta().add_title(chill_sim::Title::series(LONG, "Lanterns of Kaze", "2002–2009", &episodes));
    app.world.kitsu().add_anime(Anime::new(21, "Kaze no Akari", "2002-10-03"));
    let file = |n: u64| (format!("Kaze no Akari - {n:03}.mkv"), 10_000 + n);
    let pack = Torrent::new("[Grp] Kaze no Akari (001-157) [480p]", (1..=157).map(file));
    let single = |name: &str, bytes| Torrent::single(name, bytes);
    let right = single("[Grp] Lanterns of Kaze - 137 [720p].mkv", 9_137);
    let wrong = single("[Grp] Lanterns of Kaze - 020 [720p].mkv", 9_020);
    for torrent in [&pack, &right, &wrong] {
        let release = Release::episode(torrent, LONG, 1, None, 9);
        let release = Release { imdb: None, season: None, categories: vec![5070], ..release };
        app.world.torznab().add_release(release);
        app.world.torbox().add_torrent(torrent.clone());
    }
    let list = async || read(&app.web.get(&viewer.streams("series", &format!("{LONG}:5:20"))).await);
    let map = app.data.path().join("anime.json");
    std::fs::write(&map, format!("[{{\"kitsu_id\":21,\"imdb_id\":\"{LONG}\",\"season\":{{\"tvdb\":-1}}}}]")).unwrap();
    let imported = app.run(&["import", "anime", map.to_str().unwrap()], "");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    let found = list().await;
    is(&found, &["Kaze no Akari - 137.mkv", "[Grp] Lanterns of Kaze - 137 [720p].mkv"]);
    let of_pack = found.iter().find(|stream| stream.file_name.starts_with("Kaze")).unwrap();
    let played = app.web.get(&of_pack.url).await;
    let bytes = chill_sim::content_bytes(pack.seed(136), 0, usize::try_from(pack.files[136].size).unwrap());
    assert_eq!((played.status.as_u16(), sha256(&played.body)), (200, sha256(&bytes)));
    let asked = app.world.torznab().calls().into_iter().flat_map(|call| call.query);
    let texts: Vec<String> = asked.filter(|(name, _)| name == "q").map(|(_, text)| text).collect();
    assert!(texts.contains(&"Lanterns of Kaze 137".to_owned()), "{texts:?}");
}

async fn without_the_map_imdbs_id_finds_what_its_title_says(database: TestDatabase) {
    let (app, viewer) = App::with_viewer(database).await;
    let episodes: Vec<_> = (1..=12).flat_map(|n| [(1, n, "x"), (2, n, "x")]).collect();
    let plain = chill_sim::Title::series("tt9990008", "Paper Cranes", "2011–", &episodes);
    let japanese = chill_sim::Title::series("tt9990009", "Paper Boats", "2011–", &episodes);
    app.world.cinemeta().add_title(plain);
    app.world.cinemeta().add_title(japanese.made_in("Animation", "Japan"));
    let styles = ["- 17", "S02E05", "S02E06", "- 18"];
    // The indexer knows the id of the one, and of the other only the name.
    for (name, imdb) in [("Paper Cranes", Some("tt9990008")), ("Paper Boats", None)] {
        for style in styles {
            let torrent = Torrent::single(&format!("{name} {style} [720p].mkv"), 9_000);
            let release = Release::episode(&torrent, "tt0", 2, None, 9);
            let (imdb, season) = (imdb.map(str::to_owned), imdb.and(Some(2)));
            app.world.torznab().add_release(Release { imdb, season, categories: vec![5000], ..release });
            app.world.torbox().add_torrent(torrent);
        }
    }
    let list = async |id: &str| read(&app.web.get(&viewer.streams("series", id)).await);
    is(&list("tt9990008:2:5").await, &["Paper Cranes - 17 [720p].mkv", "Paper Cranes S02E05 [720p].mkv"]);
    is(&list("tt9990009:2:5").await, &["Paper Boats - 17 [720p].mkv", "Paper Boats S02E05 [720p].mkv"]);
}
