use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::*;

mod files;
mod words;

/// The fields a name fills, in the form of the table.
fn filled(release: &Release) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(release) else { return Map::new() };
    fields.retain(|_, value| {
        !matches!(value, Value::Null | Value::Bool(false))
            && value.as_str() != Some("")
            && value.as_array().is_none_or(|list| !list.is_empty())
    });
    fields
}

#[test]
fn every_name_of_the_table_is_read_whole() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in include_str!("tests/names.jsonl").lines() {
        let mut want: Map<String, Value> = serde_json::from_str(line).expect("a JSON object per line");
        let name = want.remove("name").and_then(|name| name.as_str().map(str::to_owned)).expect("a name per line");
        let got = filled(&parse(&name));
        if got != want {
            wrong.push(format!("{name}\n  want {}\n  got  {}", Value::from(want), Value::from(got)));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} names:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 300, "the table has only {count} names");
}

#[test]
fn ranges_are_bounded() {
    for name in [
        "Show S01-S99999",
        "Show E0001-9999",
        "Show 0001~9999",
        "Show Season 1-99",
        "Show Vol 1-999",
        "Show S01E0001-E9999",
    ] {
        let release = parse(name);
        for list in [&release.seasons, &release.episodes, &release.volumes] {
            assert!(list.len() <= MAX_NUMBERS && list.iter().all(|number| *number <= MAX_NUMBER), "{name}");
        }
    }
    assert!(parse("Show E0001-9999").episodes.len() <= MAX_NUMBERS);
    assert_eq!(parse("Show S01-S99999").seasons, [1]);
}

#[test]
fn a_name_of_any_length_is_read_as_its_beginning() {
    let short = "Quiet Harbour 2019 1080p BluRay x264";
    let long = format!("{short} {}", "filler ".repeat(9_000));
    let (short, long) = (parse(short), parse(&long));
    assert_eq!((short.title, short.year, short.quality), (long.title, long.year, long.quality));
}

#[test]
fn years_of_a_range_are_both_known() {
    assert_eq!(parse("Glass River Collection (1981-1999)").years(), Some((1981, 1999)));
    assert_eq!(parse("Glass River (1981)").years(), Some((1981, 1981)));
    assert_eq!(parse("Glass River").years(), None);
}

#[test]
fn resolutions_and_sources_rank_as_people_expect() {
    let resolutions = ["240p", "480p", "576p", "720p", "1080p", "2k", "4k", "8k"];
    let ranks: Vec<_> =
        resolutions.iter().filter_map(|text| Resolution::from_text(text)).map(Resolution::rank).collect();
    assert_eq!(ranks.len(), resolutions.len());
    assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    assert!(resolutions.iter().all(|text| Resolution::from_text(text).is_some_and(|known| known.to_string() == *text)));
    assert_eq!(Resolution::from_text("2160p"), Some(Resolution::UHD));
    assert_eq!(Resolution::from_text("tall"), None);

    let sources = [
        "SCR",
        "TeleSync",
        "CAM",
        "TVRip",
        "DVDRip",
        "HDTV",
        "WEB",
        "WEBRip",
        "WEB-DL",
        "BDRip",
        "BluRay",
        "BluRay REMUX",
    ];
    let ranks: Vec<_> = sources.iter().filter_map(|text| Quality::from_text(text)).map(Quality::rank).collect();
    assert_eq!(ranks.len(), sources.len());
    assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
}

#[test]
fn size_texts_are_bytes() {
    for (text, bytes) in [
        ("1 GB", Some(1 << 30)),
        ("1.5GB", Some(3 << 29)),
        ("700MB", Some(700 << 20)),
        ("700 MiB", Some(700 << 20)),
        ("4,7 GB", Some(5_046_586_572)),
        ("512", Some(512)),
        ("512 B", Some(512)),
        ("2tb", Some(2 << 40)),
        ("", None),
        ("GB", None),
        ("1.2.3 GB", None),
        ("9 XB", None),
        ("99999999999 PB", None),
    ] {
        assert_eq!(size_bytes(text), bytes, "{text}");
    }
}

#[test]
fn languages_have_flags_and_names() {
    for language in Language::ALL {
        assert_ne!(language.flag(), language.as_str(), "{language}");
        assert_eq!(Language::from_code(language.as_str()), Some(*language));
    }
    assert_eq!((language_flag("pt-BR"), language_name("es-419"), language_flag("xx")), ("🇧🇷", "Latino", "xx"));
}

#[test]
fn titles_that_mean_the_same_match() {
    for (left, right) in [
        ("The Quiet Harbour", "quiet harbour"),
        ("Amélie à la Mer", "Amelie a la mer"),
        ("Salt & Stone", "Salt and Stone"),
        ("Hunter's Moon", "Hunters Moon"),
        ("Spider-Orchard", "Spiderorchard"),
        ("Quiet Harbour: Return", "Quiet.Harbour.Return"),
        ("The Sleeping Lighthouse", "The Sleeping Lighthose"),
        ("Fall II", "Fall 2"),
        ("Тихая Ёлка", "тихая елка"),
        ("The", "the"),
    ] {
        assert!(titles_match(left, right), "{left} / {right}");
    }
}

#[test]
fn titles_that_mean_others_do_not_match() {
    for (left, right) in [
        ("Quiet Harbour", "Quiet Harbour 2"),
        ("Fall II", "Fall III"),
        ("Saw", "Jaw"),
        ("Up", "It"),
        ("Room 104", "Room 105"),
        ("", ""),
        ("Quiet Harbour", ""),
        ("Lost", "Lost Girl"),
        ("Quiet Harbour", "Quiet Harbour Nights"),
    ] {
        assert!(!titles_match(left, right), "{left} / {right}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn any_text_can_be_read(name in "\\PC{0,200}") {
        check(&name);
    }

    #[test]
    fn any_order_of_known_words_can_be_read(parts in proptest::collection::vec(piece(), 0..24)) {
        check(&parts.concat());
    }

    #[test]
    fn titles_match_themselves(title in "[a-zA-Z0-9 .'éß]{1,60}") {
        prop_assert_eq!(titles_match(&title, &title), !normalise_title(&title).is_empty());
    }
}

/// Pieces that rules look for, and text that sits badly between them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "S01",
            "E02",
            "1x03",
            "s",
            "e",
            "Season",
            "1-5",
            "2019",
            "1080p",
            "WEB",
            "DL",
            "[",
            "]",
            "(",
            ")",
            "-",
            " ",
            ".",
            "_",
            "www.",
            "com",
            "DTS",
            "HD",
            "MA",
            "5.1",
            "第",
            "話",
            "сезон",
            "【",
            "】",
            "Vol",
            "of",
            "x",
            "DDP",
            "+",
            "/",
            "~",
            "ª",
            "é",
            "x264-",
            "GB",
            "May",
            "th",
            "3D",
            "Half",
            "ENG",
            "sub",
            "multi",
            "The",
            "complete",
            "collection",
            "4k",
            "v2",
            "№",
            "\u{301}",
            "🎬",
            "to",
        ])
        .prop_map(str::to_owned),
        "[0-9]{1,12}",
        "\\PC{1,4}",
    ]
}

fn check(name: &str) {
    let release = parse(name);
    for list in [&release.seasons, &release.episodes, &release.volumes] {
        assert!(list.len() <= MAX_NUMBERS && list.iter().all(|number| *number <= MAX_NUMBER), "{name}");
    }
    assert!(release.title.len() <= name.len() + 8, "{name}");
    assert!(episode_of(name).episodes.len() <= MAX_NUMBERS, "{name}");
    assert!(!(is_video(name) && is_subtitles(name)), "{name}");
    assert!(is_sample_or_extra(&format!("Sample/{name}")), "{name}");
}
