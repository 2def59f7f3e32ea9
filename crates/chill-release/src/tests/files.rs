//! Files inside torrents.

use crate::{episode_of, is_sample_or_extra, is_subtitles, is_video};

#[test]
fn files_of_a_pack_give_their_episode() {
    let cases: &[(&str, Option<u16>, &[u16])] = &[
        ("Paper.Kingdom.S02/Paper.Kingdom.S02E05.1080p.WEB.mkv", Some(2), &[5]),
        ("Paper Kingdom Season 2/05.mkv", Some(2), &[5]),
        ("Season 2/05 - The Crown.mkv", Some(2), &[5]),
        ("Season 2/Paper Kingdom - 05 - The Crown.mkv", Some(2), &[5]),
        ("Season 2/Paper Kingdom 2x05.mkv", Some(2), &[5]),
        ("Paper Kingdom/Season 02/E05.mkv", Some(2), &[5]),
        ("Paper Kingdom/Season 02/Episode 5.mkv", Some(2), &[5]),
        ("Paper Kingdom/S02/05. The Crown.mkv", Some(2), &[5]),
        ("Paper Kingdom/Specials/01 - Behind.mkv", Some(0), &[1]),
        ("Specials/Paper Kingdom S00E03.mkv", Some(0), &[3]),
        ("Paper.Kingdom.S01-S03/Paper.Kingdom.S03/Paper.Kingdom.S03E10.mkv", Some(3), &[10]),
        ("Paper Kingdom (2019)/Paper Kingdom - s01e01-e02 - Both.mkv", Some(1), &[1, 2]),
        ("Paper Kingdom/paper.kingdom.s01e01e02.mkv", Some(1), &[1, 2]),
        ("Paper Kingdom/paper.kingdom.1x01-1x02.mkv", Some(1), &[1, 2]),
        ("[Group] Paper Kingdom/[Group] Paper Kingdom - 105 [1080p][ABCD1234].mkv", None, &[105]),
        ("[Group] Paper Kingdom/[Group] Paper Kingdom - 05v2 [1080p].mkv", None, &[5]),
        ("[Group] Paper Kingdom S2/[Group] Paper Kingdom S2 - 05 [1080p].mkv", Some(2), &[5]),
        ("Paper Kingdom/Paper_Kingdom_-_012.mkv", None, &[12]),
        ("Paper Kingdom 2of4.mkv", None, &[2]),
        ("Paper Kingdom (2 of 4).avi", None, &[2]),
        ("Сезон 2/05 серия.avi", Some(2), &[5]),
        ("Сезон 2/Серия 5.avi", Some(2), &[5]),
        ("Paper Kingdom Temporada 2/Paper Kingdom [Cap.205].avi", Some(2), &[5]),
        ("Staffel 2/Paper Kingdom Folge 5.mkv", Some(2), &[5]),
        ("Paper.Kingdom.02.05.avi", Some(2), &[5]),
        ("Paper Kingdom S02\\Paper Kingdom S02E05.mkv", Some(2), &[5]),
        ("Paper Kingdom - S02E05 - 100 Days 1080p.mkv", Some(2), &[5]),
        ("Paper Kingdom - S02E05 - 10-31.mkv", Some(2), &[5]),
        ("Paper.Kingdom.2019.1080p.BluRay.x264-GRP.mkv", None, &[]),
        ("Paper Kingdom 2 (2019)/Paper Kingdom 2 (2019).mkv", None, &[]),
    ];
    for (path, season, episodes) in cases {
        let numbers = episode_of(path);
        assert_eq!((numbers.season, numbers.episodes.as_slice()), (*season, *episodes), "{path}");
    }
}

#[test]
fn numbers_without_a_season_count_through() {
    assert_eq!(episode_of("[Group] Paper Kingdom - 105 [1080p].mkv").absolute, Some(105));
    assert_eq!(episode_of("Paper Kingdom S02E05.mkv").absolute, None);
    // The folder's season does not make a counted-through number the season's own.
    let both = episode_of("Season 2/Paper Kingdom - 31.mkv");
    assert_eq!((both.season, both.absolute), (Some(2), Some(31)));
}

#[test]
fn samples_and_extras_are_known() {
    for path in [
        "Sample/paper.kingdom.mkv",
        "paper.kingdom.2019.1080p-sample.mkv",
        "sample-paper.kingdom.mkv",
        "paper.kingdom.sample.mkv",
        "Film/Sample.mkv",
        "Film/Extras/Making of.mkv",
        "Film/Featurettes/Cast.mkv",
        "Film/Behind The Scenes/One.mkv",
        "Film/Deleted Scenes/One.mkv",
        "Film/Trailers/One.mkv",
        "Film/Paper Kingdom-trailer.mp4",
        "Trailer.mp4",
        "[Group] Paper Kingdom - NCOP1 [1080p].mkv",
        "[Group] Paper Kingdom NCED [1080p].mkv",
        "Film/Bonus/One.mkv",
        "Film\\Sample\\film.mkv",
    ] {
        assert!(is_sample_or_extra(path), "{path}");
    }
}

#[test]
fn films_and_episodes_are_no_extras() {
    for path in [
        "Paper.Kingdom.S01E01.mkv",
        "The Interview (2014)/The Interview (2014) 1080p.mkv",
        "Paper.Kingdom.S01E05.The.Sample.Case.1080p.WEB.mkv",
        "Trailer.Park.Kingdom.S01E01.mkv",
        "Extra.Ordinary.2019.1080p.mkv",
        "Bonus.Track.2023.1080p.mkv",
        "Paper Kingdom/Season 1/01 - Preview.mkv",
    ] {
        assert!(!is_sample_or_extra(path), "{path}");
    }
}

#[test]
fn extensions_tell_what_a_file_is() {
    assert!(["a.mkv", "a.MP4", "b/a.m2ts", "a.webm", "a.ts", "a.avi"].into_iter().all(is_video));
    assert!(!["a.srt", "a.nfo", "mkv", "a.", "a.mkv.txt", "", "a.mkvv"].into_iter().any(is_video));
    assert!(["a.srt", "a.ASS"].into_iter().all(is_subtitles) && !is_subtitles("a.mkv"));
}
