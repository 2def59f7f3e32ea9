//! Packs as they are, and the file each click must find in them.

use super::*;

struct Case {
    id: &'static str,
    torrent: &'static str,
    name: Option<&'static str>,
    index: Option<usize>,
    files: &'static [(&'static str, u64)],
    want: Option<&'static str>,
}

const fn case(id: &'static str, files: &'static [(&'static str, u64)], want: Option<&'static str>) -> Case {
    Case { id, torrent: "", name: None, index: None, files, want }
}

impl Case {
    const fn of(mut self, torrent: &'static str) -> Self {
        self.torrent = torrent;
        self
    }

    const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    const fn at(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }

    fn check(&self, title: Option<&Title>) {
        let content: ContentId = self.id.parse().unwrap();
        let wish = Wish { content: &content, title, torrent: self.torrent, name: self.name, index: self.index };
        let files = self.files.iter().map(|(path, size)| (*path, Some(*size)));
        let chosen = choose(files, &wish).map(|index| self.files[index].0);
        assert_eq!(chosen, self.want, "{} in {:?} ({:?})", self.id, self.files, self.torrent);
    }
}

const SEASON: &[(&str, u64)] = &[
    ("/Harbour.Lights.S02E01.1080p.mkv", 900),
    ("/Harbour.Lights.S02E02.1080p.mkv", 800),
    ("/Harbour.Lights.S02E03.1080p.mkv", 950),
    ("/Sample/harbour.lights.s02e02.sample.mkv", 20),
    ("/Harbour.Lights.S02E02.1080p.srt", 1),
];
const FOLDERS: &[(&str, u64)] = &[
    ("/Season 1/01 - The Pier.mkv", 500),
    ("/Season 1/02 - The Fog.mkv", 510),
    ("/Season 2/01 - The Storm.mkv", 520),
    ("/Season 2/02 - The Calm.mkv", 530),
];
const BARE: &[(&str, u64)] = &[("/01.mkv", 500), ("/02.mkv", 510), ("/03.mkv", 505)];
const ANIME: &[(&str, u64)] = &[
    ("/[Grp] Tidal Blades - 01 [1080p].mkv", 300),
    ("/[Grp] Tidal Blades - 02 [1080p].mkv", 310),
    ("/[Grp] Tidal Blades - NCOP1 [1080p].mkv", 90),
];
const DOUBLE: &[(&str, u64)] = &[("/Show.S01E01E02.mkv", 1_000), ("/Show.S01E03.mkv", 500)];
const TWICE: &[(&str, u64)] = &[("/720p/Show.S01E02.720p.mkv", 300), ("/1080p/Show.S01E02.1080p.mkv", 900)];
const CROSS: &[(&str, u64)] = &[("/show.1x01.avi", 300), ("/show.1x02.avi", 310), ("/show.2x02.avi", 310)];
const FILM: &[(&str, u64)] = &[
    ("/Quiet.Hills.1968.mkv", 4_000),
    ("/Sample/quiet.hills.sample.mkv", 9_000),
    ("/Extras/Making Of.mkv", 5_000),
    ("/poster.jpg", 9_999),
];
const TRILOGY: &[(&str, u64)] =
    &[("/Quiet Hills (1968).mkv", 4_000), ("/Quiet Hills 2 (1971).mkv", 5_000), ("/Quiet Hills 3 (1975).mkv", 4_500)];
const TRAILERS: &[(&str, u64)] = &[("/Trailers/trailer 1.mp4", 40), ("/sample.mkv", 30), ("/readme.txt", 1)];

fn episodes() -> Vec<Case> {
    vec![
        case("tt1:2:1", SEASON, Some("/Harbour.Lights.S02E01.1080p.mkv")),
        case("tt1:2:2", SEASON, Some("/Harbour.Lights.S02E02.1080p.mkv")),
        case("tt1:2:3", SEASON, Some("/Harbour.Lights.S02E03.1080p.mkv")),
        case("tt1:2:4", SEASON, None),
        case("tt1:1:2", SEASON, None),
        case("tt1:2:2", SEASON, Some("/Harbour.Lights.S02E02.1080p.mkv")).named("Harbour.Lights.S02E03.1080p.mkv"),
        case("tt1:2:2", SEASON, Some("/Harbour.Lights.S02E02.1080p.mkv")).at(0),
        case("tt1:2:9", SEASON, None).named("Harbour.Lights.S02E03.1080p.mkv"),
        case("tt1:2:9", SEASON, None).at(1),
        case("tt1:2:2", SEASON, Some("/Harbour.Lights.S02E02.1080p.mkv")).at(3),
        case("tt1:1:1", FOLDERS, Some("/Season 1/01 - The Pier.mkv")),
        case("tt1:1:2", FOLDERS, Some("/Season 1/02 - The Fog.mkv")),
        case("tt1:2:1", FOLDERS, Some("/Season 2/01 - The Storm.mkv")),
        case("tt1:2:2", FOLDERS, Some("/Season 2/02 - The Calm.mkv")),
        case("tt1:3:1", FOLDERS, None),
        case("tt1:1:2", BARE, Some("/02.mkv")),
        case("tt1:1:2", BARE, Some("/02.mkv")).of("Show Season 1 1080p"),
        case("tt1:2:2", BARE, Some("/02.mkv")).of("Show.S02.1080p.WEB-DL"),
        case("tt1:2:2", BARE, None).of("Show.S03.1080p.WEB-DL"),
        case("tt1:2:2", BARE, None).of("Show.S01-S03.1080p.WEB-DL"),
        case("tt1:2:2", BARE, None),
        case("tt1:1:4", BARE, None),
        case("tt1:1:2", ANIME, Some("/[Grp] Tidal Blades - 02 [1080p].mkv")).of("[Grp] Tidal Blades [1080p]"),
        case("tt1:1:3", ANIME, None),
        case("tt1:1:1", DOUBLE, Some("/Show.S01E01E02.mkv")),
        case("tt1:1:2", DOUBLE, Some("/Show.S01E01E02.mkv")),
        case("tt1:1:3", DOUBLE, Some("/Show.S01E03.mkv")),
        case("tt1:1:2", TWICE, Some("/1080p/Show.S01E02.1080p.mkv")),
        case("tt1:1:2", TWICE, Some("/720p/Show.S01E02.720p.mkv")).named("Show.S01E02.720p.mkv"),
        case("tt1:1:2", CROSS, Some("/show.1x02.avi")),
        case("tt1:2:2", CROSS, Some("/show.2x02.avi")),
        case("tt1:1:2", &[("/Show.S01E02.mkv", 5)], Some("/Show.S01E02.mkv")),
        case("tt1:1:2", &[("/Show.S01E03.mkv", 5)], None),
        case("tt1:1:2", &[("/The Fog.mkv", 5)], Some("/The Fog.mkv")).of("Show.S01E02.1080p"),
        case("tt1:1:2", &[("/The Fog.mkv", 5), ("/sample.mkv", 1)], Some("/The Fog.mkv")).of("Show.S01E02"),
        case("tt1:1:2", &[("/The Fog.mkv", 5)], None).of("Show.S02E02.1080p"),
        case("tt1:1:2", &[("/The Fog.mkv", 5), ("/The Pier.mkv", 6)], None),
        case("tt1:1:2", &[("/The Fog.mkv", 5), ("/The Pier.mkv", 6)], Some("/The Fog.mkv")).named("The Fog.mkv"),
        case("tt1:1:2", &[("/The Fog.mkv", 5), ("/The Pier.mkv", 6)], Some("/The Pier.mkv")).at(1),
        case("tt1:0:1", &[("/Show.S00E01.Special.mkv", 5), ("/Show.S01E01.mkv", 6)], Some("/Show.S00E01.Special.mkv")),
        case("tt1:1:1", TRAILERS, None),
        case("tt1:1:1", &[], None),
    ]
}

fn films() -> Vec<Case> {
    vec![
        case("tt1", FILM, Some("/Quiet.Hills.1968.mkv")),
        case("tt1", FILM, Some("/Quiet.Hills.1968.mkv")).named("quiet.hills.sample.mkv"),
        case("tt1", FILM, Some("/Quiet.Hills.1968.mkv")).at(1),
        case("tt1", FILM, Some("/Quiet.Hills.1968.mkv")).at(3),
        case("tt1", FILM, Some("/Quiet.Hills.1968.mkv")).at(99),
        case("tt1", TRILOGY, Some("/Quiet Hills 2 (1971).mkv")),
        case("tt1", TRILOGY, Some("/Quiet Hills (1968).mkv")).named("Quiet Hills (1968).mkv"),
        case("tt1", TRILOGY, Some("/Quiet Hills (1968).mkv")).named("/Quiet Hills (1968).mkv"),
        case("tt1", TRILOGY, Some("/Quiet Hills 3 (1975).mkv")).at(2),
        case("tt1", TRILOGY, Some("/Quiet Hills (1968).mkv")).at(2).named("Quiet Hills (1968).mkv"),
        case("tt1", TRAILERS, None),
        case("tt1", &[], None),
        case("tt1", &[("/film.iso", 5), ("/film.txt", 4)], None),
        case("tt1", &[("/CD1/film.cd1.avi", 700), ("/CD2/film.cd2.avi", 690)], Some("/CD1/film.cd1.avi")),
    ]
}

#[test]
fn episodes_are_found_in_their_packs() {
    let cases = episodes();
    assert!(cases.len() >= 40);
    cases.iter().for_each(|case| case.check(None));
}

#[test]
fn films_are_found_among_their_extras() {
    films().iter().for_each(|case| case.check(None));
}

#[test]
fn a_title_tells_the_films_of_a_collection_apart() {
    let title = Title::new("Quiet Hills", Some(1968));
    case("tt1", TRILOGY, Some("/Quiet Hills (1968).mkv")).check(Some(&title));
    let third = Title::new("Quiet Hills 3", Some(1975));
    case("tt1", TRILOGY, Some("/Quiet Hills 3 (1975).mkv")).check(Some(&third));
    let unknown = Title::new("Another", None);
    case("tt1", TRILOGY, Some("/Quiet Hills 2 (1971).mkv")).check(Some(&unknown));
}

#[test]
fn a_torrent_of_very_many_files_is_bounded() {
    let files: Vec<String> = (0..20_000).map(|n| format!("/Show.S01E{n:02}.mkv")).collect();
    let content: ContentId = "tt1:1:7".parse().unwrap();
    let wish = Wish { content: &content, title: None, torrent: "", name: None, index: None };
    assert!(choose(files.iter().map(|path| (path.as_str(), None)), &wish).is_some_and(|index| index < MOST_FILES));
}
