//! What viewers write.

use super::{Filter, Verdict, check, trial};
use crate::choose::{AtStore, Candidate, ChosenFile};
use chill_core::StoreCode;
use chill_release::{Release, parse};

#[test]
fn a_film_by_what_its_name_says() {
    let release = trial::film();
    check(
        &trial::candidate(&release),
        &[
            ("", true),
            ("  // nothing but a comment\n", true),
            (r#"Resolution != "4k""#, false),
            (r#"Resolution == "4k""#, true),
            (r#"Resolution == "2160p""#, true),
            (r#"Resolution >= "1080p" && Quality >= "WEB""#, true),
            (r#"Resolution > "1080p""#, true),
            (r#""1080p" < Resolution"#, true),
            (r#""720p" <= Resolution <= "1080p""#, false),
            (r#""1080p" <= Resolution <= "4k""#, true),
            (r#"Resolution <= "8K""#, true),
            (r#"(Resolution) >= "1440p""#, true),
            (r#"Quality == "webdl""#, true),
            (r#"Quality > "BluRay""#, false),
            (r#"Quality >= "HDTV" and Quality < "BluRay""#, true),
            (r#"Quality != "CAM""#, true),
            (r#"!(lower(Quality) contains "cam")"#, true),
            (r#"lower(Quality) contains "web""#, true),
            (r#"Quality contains "WEB""#, true),
            (r#"Resolution in ["4k", "1080p"]"#, true),
            (r#"Resolution not in ["4k", "1080p"]"#, false),
            (r#"$env.Resolution in ["1080p"]"#, false),
            (r#"let r = Resolution; r in ["4k"]"#, true),
            (r#"Result.Resolution == "4k""#, true),
            (r#"Result.Resolution == "2160p""#, false),
            (r#"$env["Resolution"] == "4k""#, true),
            (r#"Resolution == lower("4K")"#, true),
            ("!Complete && len(Seasons) <= 1 && len(Episodes) <= 1", true),
            (r#"len(Languages) == 0 || any(Languages, # in ["en","cs"])"#, true),
            (r#"any(Languages, {# in ["de","fr"]})"#, false),
            (r#"all(Languages, # in ["en", "cs"])"#, true),
            (r#"none(Languages, # == "ru")"#, true),
            (r#"one(Languages, # == "en")"#, true),
            (r#"Languages == ["en", "cs"]"#, true),
            (r#""cs" in Languages and "hi" not in Languages"#, true),
            (r#"Size >= "1 GB" && Size < "12 GB""#, false),
            (r#"Size >= "1 GB" && Size <= "14 GB""#, true),
            (r#""12 GB" < Size < "15 GB""#, true),
            (r#"File.Size < "13.5 GB""#, true),
            (r#"File.Size > Size"#, false),
            (r#"Size == "14 GB""#, true),
            (r#"Size != """#, true),
            (r#"not ("DV" in HDR) or "HDR" in HDR"#, false),
            (r#""HDR10+" in HDR"#, true),
            (r#"len(HDR) == 2"#, true),
            (r#"HDR | join(" ") == "DV HDR10+""#, true),
            (r#"Group not in ["BADGRP","OTHER"]"#, true),
            (r#"Group == "GRP""#, true),
            (r#"Codec == "HEVC""#, true),
            (r#"Codec in ["AVC", "AV1"]"#, false),
            (r#""Atmos" in Audio"#, true),
            (r#"any(Audio, hasPrefix(#, "DD"))"#, true),
            (r#""5.1" in Channels"#, true),
            (r#"Year == "2019""#, true),
            (r#"int(Year) >= 2010 && int(Year) <= 2019"#, true),
            ("2010 <= int(Year) <= 2018", false),
            ("int(Year) in 2015..2020", true),
            ("Seeders > 3", true),
            ("Seeders >= 3 && Seeders < 12", false),
            ("Seeders > 3 ? true : IsPrivate", true),
            ("if Seeders > 100 { true } else if Seeders > 50 { true } else { false }", false),
            (r#"Title == "Quiet Hills""#, true),
            (r#"TTitle matches "(?i)\\bmulti\\b""#, true),
            (r"TTitle matches `(?i)\b(cam|ts|telesync)\b`", false),
            (r"not (TTitle matches `^quiet`)", true),
            (r"TTitle not matches `GRP$`", false),
            (r#"File.Name endsWith ".mkv""#, true),
            (r#"File.Name not endsWith ".mkv""#, false),
            (r#"File.Name startsWith "Quiet""#, true),
            (r#"File.Idx == 0"#, true),
            (r#"Category == "movie" && Season == -1 && Episode == -1"#, true),
            (r#"Kind == "torz" && Addon.Name == "Torz""#, true),
            (r#"Store.IsCached && Store.Code == "TB""#, true),
            (r#"Store.Name == "TorBox" && Store.IsProxied"#, true),
            (r#"let s = Store; s.IsCached"#, true),
            (r#"Indexer.Name == "my indexer""#, true),
            (r#"Hash == "0123456789abcdef0123456789abcdef01234567""#, true),
            ("!IsPrivate && !Hardcoded && !Upscaled", true),
            (r#"Raw.Name == "" && Age() == """#, true),
            ("BitRate == 0 && len(Subtitles) == 0", true),
            (r#""Name" in Store && "Nothing" not in Store"#, true),
        ],
    );
}

#[test]
fn what_is_unknown_is_least_and_empty() {
    let release = Release::default();
    check(
        &trial::bare(&release),
        &[
            (r#"Resolution == """#, true),
            (r#"Resolution < "240p""#, true),
            (r#"Resolution != "4k""#, true),
            (r#"Quality == "foo""#, true),
            (r#"Size < "1 B""#, true),
            (r#"Size == "nothing""#, true),
            (r#"File.Size == "" && File.Idx == -1 && File.Name == """#, true),
            ("Seeders == 0", true),
            (r#"Group == "" && Year == "" && Codec == """#, true),
            ("len(Languages) == 0 and none(HDR, true)", true),
            (r#"first(Languages) == nil"#, true),
            (r#"(first(Languages) ?? "none") == "none""#, true),
            (r#"Store.Code == "" && !Store.IsCached"#, true),
        ],
    );
}

#[test]
fn an_episode_by_what_was_asked_for() {
    let pack = parse("Harbour.Lights.S01-S03.720p.BluRay.x264-GRP");
    check(
        &trial::episode(&pack),
        &[
            ("Season in Seasons", true),
            ("Season == 2 && Episode == 5", true),
            (r#"Category == "series""#, true),
            ("len(Seasons) > 1", true),
            ("max(Seasons) == 3 && min(Seasons) == 1", true),
            ("sum(Seasons) == 6", true),
            ("4 in Seasons", false),
            ("Seasons == 1..3", true),
            ("Seasons[-1] == 3", true),
            ("len(Seasons[1:]) == 2", true),
            ("all(Seasons, # > 0) && count(Seasons, # > 1) == 2", true),
        ],
    );
}

#[test]
fn a_size_in_the_name_counts_when_nobody_knows_better() {
    let release = Release { size: Some("700MB".to_owned()), ..Release::default() };
    check(&trial::bare(&release), &[(r#""600 MB" < Size < "1 GB""#, true), (r#"string(Size) == "700 MB""#, true)]);
}

#[test]
fn a_filter_that_fails_keeps_the_stream() {
    let release = trial::film();
    let candidate = trial::candidate(&release);
    let cases = [
        ("int(Group) > 3", "a text that is none"),
        ("Seasons[0] == 1", "behind the end"),
        ("1 % (Seeders - 12) == 0", "divides by zero"),
        ("9223372036854775807 + Seeders > 0", "too large"),
        ("max(Seasons) > 2", "of no numbers"),
        ("first(Languages)", "a yes or no"),
        ("first(Seasons).x", "something with members"),
        ("len(1..(Seeders * 1000)) > 3", "more than 1000 elements"),
        ("len(repeat(Title, 100000)) > 3", "KiB"),
        (r#"repeat("", 9223372036854775807) != """#, ""),
    ];
    for (source, why) in cases {
        let filter = Filter::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        assert!(filter.keeps(&candidate) != why.is_empty(), "{source}");
        match filter.verdict(&candidate) {
            Verdict::Failed(text) => assert!(text.contains(why) && !why.is_empty(), "{source}: {text}"),
            other => assert!(why.is_empty(), "{source}: {other:?}"),
        }
    }
}

#[test]
fn one_compiled_filter_serves_all_threads() {
    let filter = Filter::compile(r#"Resolution >= "1080p" and Store.IsCached"#).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let filter = filter.clone();
            std::thread::spawn(move || {
                let release = trial::film();
                let cached = trial::candidate(&release);
                let store = AtStore { code: StoreCode::RealDebrid, cached: false, proxied: false };
                let waiting = Candidate { store: Some(store), file: ChosenFile::default(), ..cached };
                filter.keeps(&cached) && !filter.keeps(&waiting)
            })
        })
        .collect();
    assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
}
