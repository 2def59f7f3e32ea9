//! Reads names on standard input and prints one JSON object per line.

use std::io::{BufRead, BufWriter, Write};

use chill_release::{Member, Release, Set};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return out.flush();
        }
        let name = String::from_utf8_lossy(&line);
        writeln!(out, "{}", object(&chill_release::parse(name.trim_end_matches(['\r', '\n']))))?;
    }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn list<T: Member>(set: &Set<T>) -> Vec<&'static str> {
    set.iter().map(Member::as_str).collect()
}

/// Every field under its plain name, empty where the name says nothing.
fn object(r: &Release) -> Value {
    json!({
        "title": r.title, "year": text(r.year.as_ref()), "date": text(r.date.as_ref()),
        "seasons": r.seasons, "episodes": r.episodes, "volumes": r.volumes, "complete": r.complete,
        "episodecode": text(r.episode_code.as_ref()), "resolution": text(r.resolution), "quality": text(r.quality),
        "codec": text(r.codec), "audio": list(&r.audio), "channels": list(&r.channels), "hdr": list(&r.hdr),
        "bitdepth": text(r.bit_depth), "threed": text(r.three_d), "languages": list(&r.languages),
        "edition": text(r.edition), "region": text(r.region.as_ref()), "network": text(r.network),
        "group": text(r.group.as_ref()), "site": text(r.site.as_ref()), "container": text(r.container),
        "extension": text(r.extension), "size": text(r.size.as_ref()), "releasetypes": list(&r.release_types),
        "commentary": r.commentary, "convert": r.convert, "documentary": r.documentary, "dubbed": r.dubbed,
        "extended": r.extended, "hardcoded": r.hardcoded, "proper": r.proper, "remastered": r.remastered,
        "repack": r.repack, "retail": r.retail, "subbed": r.subbed, "uncensored": r.uncensored,
        "unrated": r.unrated, "upscaled": r.upscaled,
    })
}
