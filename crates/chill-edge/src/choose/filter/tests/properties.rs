//! Every property that a filter or a template may ask for, by names that have it and names that do not.

use super::{Filter, Verdict};
use crate::choose::fields::{Named, Record};
use crate::choose::template::Part;
use crate::choose::{Candidate, Template, trial};
use chill_release::parse;

/// Property, a name that has it, what is then true of it and not of the plain name.
const OF_NAMES: &[(&str, &str, &str)] = &[
    ("Title", "Other.Hills.2019.1080p", r#"Title == "Other Hills""#),
    ("Year", "Quiet.Hills.1999.1080p", r#"Year == "1999""#),
    ("Date", "Quiet.Talk.2021.03.02.720p", r#"Date == "2021-03-02""#),
    ("Seasons", "Quiet.Hills.S01-S03.720p", "Seasons == [1, 2, 3]"),
    ("Episodes", "Quiet.Hills.S02E04-E06.720p", "Episodes == 4..6"),
    ("Volumes", "Quiet Hills Vol 1-3 DVDRip", "2 in Volumes"),
    ("Complete", "Quiet.Hills.S01.COMPLETE.720p", "Complete"),
    ("EpisodeCode", "[Grp] Quiet Hills - 05 [1080p][A1B2C3D4].mkv", r#"EpisodeCode == "A1B2C3D4""#),
    ("Resolution", "Quiet.Hills.2019.720p.WEB-DL", r#"Resolution == "720p""#),
    ("Quality", "Quiet.Hills.2019.1080p.BluRay.x264", r#"Quality > "WEB-DL""#),
    ("Codec", "Quiet.Hills.2019.1080p.x265", r#"Codec == "HEVC""#),
    ("Audio", "Quiet.Hills.2019.1080p.DTS-HD.MA.5.1", r#""DTS Lossless" in Audio"#),
    ("Channels", "Quiet.Hills.2019.1080p.DD5.1", r#"Channels == ["5.1"]"#),
    ("HDR", "Quiet.Hills.2019.2160p.HDR10+.x265", r#""HDR10+" in HDR"#),
    ("BitDepth", "Quiet.Hills.2019.1080p.10bit.x265", r#"BitDepth == "10bit""#),
    ("ThreeD", "Quiet.Hills.2019.3D.HSBS.1080p", r#"ThreeD == "3D HSBS""#),
    ("Languages", "Quiet.Hills.2019.GERMAN.1080p", r#""de" in Languages"#),
    ("Edition", "Quiet.Hills.2019.Theatrical.Cut.1080p", r#"Edition == "Theatrical""#),
    ("Region", "Quiet.Hills.2019.R5.DVDRip.XviD", r#"Region == "R5""#),
    ("Network", "Quiet.Hills.S01.1080p.NF.WEB-DL", r#"Network == "Netflix""#),
    ("Group", "Quiet.Hills.2019.1080p.WEB-DL.x264-OTHER", r#"Group == "OTHER""#),
    ("Site", "[ films.example.com ] Quiet.Hills.2019.1080p", r#"Site == "films.example.com""#),
    ("Container", "Quiet.Hills.2019.1080p.mp4", r#"Container == "mp4""#),
    ("Extension", "Quiet.Hills.2019.1080p.mkv", r#"Extension == "mkv""#),
    ("Size", "Quiet Hills 2019 HDRip 700MB x264", r#"Size == "700 MB""#),
    ("ReleaseTypes", "[Grp] Quiet Hills OVA [1080p]", r#""OVA" in ReleaseTypes"#),
    ("Commentary", "Quiet.Hills.2019.1080p.BluRay.Commentary.x264", "Commentary"),
    ("Convert", "Quiet.Hills.2019.CONVERT.1080p.WEB.x264", "Convert"),
    ("Documentary", "Quiet Hills (2019) Documentary 1080p", "Documentary"),
    ("Dubbed", "Quiet.Hills.2019.DUBBED.1080p", "Dubbed"),
    ("Extended", "Quiet.Hills.2019.EXTENDED.1080p", "Extended"),
    ("Hardcoded", "Quiet.Hills.2019.HC.1080p.WEBRip", "Hardcoded"),
    ("Proper", "Quiet.Hills.S01E02.PROPER.720p", "Proper"),
    ("Remastered", "Quiet.Hills.1969.REMASTERED.1080p", "Remastered"),
    ("Repack", "Quiet.Hills.S01E02.REPACK.720p", "Repack"),
    ("Retail", "Quiet.Hills.2019.RETAIL.DVDRip", "Retail"),
    ("Subbed", "Quiet.Hills.2019.SUBBED.1080p", "Subbed"),
    ("Uncensored", "Quiet.Hills.S01.UNCENSORED.1080p", "Uncensored"),
    ("Unrated", "Quiet.Hills.2019.UNRATED.1080p", "Unrated"),
    ("Upscaled", "Quiet.Hills.1969.2160p.UPSCALED.x265", "Upscaled"),
    ("TTitle", "Quiet.Hills.2019.1080p.OPEN-MATTE", "TTitle matches `(?i)open.matte`"),
];

/// Properties of the torrent itself, which `film` has and `bare` has not.
const OF_TORRENTS: &[(&str, &str)] = &[
    ("Hash", r#"Hash startsWith "0123456789" and File.Idx == 0"#),
    ("Seeders", "Seeders == 12"),
    ("IsPrivate", "not IsPrivate and Seeders > 0"),
    ("Kind", r#"Kind == "torz" and Store.IsCached"#),
    ("Category", r#"Category == "movie" and Store.IsProxied"#),
    ("Season", r#"Season == -1 and File.Size >= "13 GB""#),
    ("Episode", r#"Episode == -1 and File.Name endsWith ".mkv""#),
    ("BitRate", r#"BitRate == 0 and Store.Code == "TB""#),
    ("Subtitles", r#"len(Subtitles) == 0 and Indexer.Name == "my indexer""#),
];

fn verdict(candidate: &Candidate<'_>, expression: &str) -> Verdict {
    Filter::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}")).verdict(candidate)
}

#[test]
fn each_property_is_asked_for() {
    let plain = parse("Quiet.Hills.2019.1080p.WEB-DL.x264-GRP");
    for (property, name, expression) in OF_NAMES {
        let release = parse(name);
        let candidate = Candidate { title: name, ..trial::bare(&release) };
        assert_eq!(verdict(&candidate, expression), Verdict::Keep, "{property}: {name}: {release:?}");
        assert_eq!(verdict(&trial::bare(&plain), expression), Verdict::Hide, "{property}");
        assert!(expression.contains(property), "{property}");
    }
    let film = trial::film();
    for (property, expression) in OF_TORRENTS {
        assert_eq!(verdict(&trial::candidate(&film), expression), Verdict::Keep, "{property}");
        assert_eq!(verdict(&trial::bare(&film), expression), Verdict::Hide, "{property}");
    }
    for field in Record::Stream.fields() {
        let asked = OF_NAMES.iter().map(|row| row.0).chain(OF_TORRENTS.iter().map(|row| row.0));
        assert!(asked.into_iter().any(|name| name == field.name), "{} is in no table", field.name);
    }
}

#[test]
fn templates_know_each_property_by_both_spellings() {
    let film = trial::film();
    let candidate = trial::candidate(&film);
    let groups = Record::INNER.iter().map(|(name, snake, record)| (format!("{name}."), format!("{snake}."), *record));
    let all = std::iter::once((String::new(), String::new(), Record::Stream)).chain(groups);
    for (name, snake, record) in all {
        for field in record.fields() {
            assert!(matches!(record.get(field.name), Some(Named::Field(_))));
            let shown = |source: String| {
                let template = Template::compile(Part::Description, &source);
                template.unwrap_or_else(|error| panic!("{source}: {error}")).render(&candidate).unwrap()
            };
            let one = shown(format!("<{{{{ {name}{} }}}}>", field.name));
            let other = shown(format!("<{{{{ {snake}{} }}}}>", field.snake));
            assert_eq!(one, other, "{}", field.name);
        }
    }
}
