//! Packs as they are (`packs.txt`), and the file each click must find in them.

use super::*;

/// One torrent of the table and the clicks into it.
#[derive(Default)]
struct Pack {
    torrent: String,
    files: Vec<(String, u64)>,
    clicks: Vec<Click>,
}

/// One line that begins with a question mark.
struct Click {
    line: usize,
    content: ContentId,
    title: Option<Title>,
    name: Option<String>,
    index: Option<usize>,
    want: Option<String>,
}

fn packs() -> Vec<Pack> {
    let mut packs = Vec::new();
    for (at, line) in include_str!("tests/packs.txt").lines().enumerate() {
        if let Some(torrent) = line.strip_prefix("= ") {
            packs.push(Pack { torrent: torrent.to_owned(), ..Pack::default() });
        } else if let Some(file) = line.strip_prefix("  ") {
            let (size, path) = file.split_once(' ').unwrap();
            packs.last_mut().unwrap().files.push((path.to_owned(), size.parse().unwrap()));
        } else if let Some(click) = line.strip_prefix("? ") {
            packs.last_mut().unwrap().clicks.push(read(at + 1, click));
        }
    }
    packs
}

fn read(line: usize, text: &str) -> Click {
    let (id, rest) = text.split_once(' ').unwrap();
    let (given, want) = match rest.strip_prefix('{') {
        Some(rest) => rest.split_once("} ").unwrap(),
        None => ("", rest),
    };
    let given: Vec<(&str, &str)> = given.split("; ").filter_map(|pair| pair.split_once('=')).collect();
    let text = |key: &str| given.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let number = |key: &str| text(key).map(|value| value.parse::<u16>().unwrap());
    let content: ContentId = id.parse().unwrap();
    let plain = Numbers::of(&content, None);
    let numbers = plain.filter(|_| text("abs").or(text("season")).is_some()).map(|plain| Numbers {
        season: number("season").or(plain.season),
        episode: number("episode").unwrap_or(plain.episode),
        absolute: number("abs"),
        own: plain.own,
    });
    let list = |key: &str| text(key).map(str::to_owned).into_iter().collect();
    let title = (!given.is_empty()).then(|| Title {
        numbers,
        also: list("also"),
        part: list("part"),
        ..Title::new(text("title").unwrap_or_default(), number("year"))
    });
    Click {
        line,
        content,
        title,
        name: text("name").map(str::to_owned),
        index: number("at").map(usize::from),
        want: Some(want.to_owned()).filter(|want| want != "-"),
    }
}

#[test]
fn every_click_finds_its_file() {
    let (mut clicks, mut wrong) = (0, Vec::new());
    for pack in packs() {
        for click in &pack.clicks {
            clicks += 1;
            let wish = Wish {
                content: &click.content,
                title: click.title.as_ref(),
                torrent: &pack.torrent,
                name: click.name.as_deref(),
                index: click.index,
            };
            let files = pack.files.iter().map(|(path, size)| (path.as_str(), Some(*size).filter(|size| *size > 0)));
            let found = choose(files, &wish).map(|index| pack.files[index].0.clone());
            if found != click.want {
                wrong.push(format!("line {}: {} in {:?}: {found:?}", click.line, click.content, pack.torrent));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(clicks >= 200, "{clicks}");
}

#[test]
fn a_torrent_of_very_many_files_is_bounded() {
    let files: Vec<String> = (0..20_000).map(|n| format!("/Show.S01E{n:02}.mkv")).collect();
    let content: ContentId = "tt1:1:7".parse().unwrap();
    let wish = Wish { content: &content, title: None, torrent: "", name: None, index: None };
    assert!(choose(files.iter().map(|path| (path.as_str(), None)), &wish).is_some_and(|index| index < MOST_FILES));
}
