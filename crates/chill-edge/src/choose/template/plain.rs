//! The default templates in plain Rust. A test keeps them equal to [`super::default`].

use std::fmt::{self, Write};

use chill_release::{Language, Member};

use crate::choose::candidate::Candidate;
use crate::choose::fields::audio;
use crate::choose::rank::total;
use crate::choose::size_text::{rate_text, size_text};

/// What [`super::default::NAME`] makes, before it is tidied.
pub(super) fn name(candidate: &Candidate<'_>) -> String {
    let mut text = String::with_capacity(64);
    // Writing to a String cannot fail.
    let _ = write_name(&mut text, candidate);
    text
}

/// What [`super::default::DESCRIPTION`] makes, before it is tidied.
pub(super) fn description(candidate: &Candidate<'_>) -> String {
    let mut text = String::with_capacity(512);
    let _ = write_description(&mut text, candidate);
    text
}

fn write_name(to: &mut String, candidate: &Candidate<'_>) -> fmt::Result {
    if let Some(store) = candidate.store {
        let proxied = if store.proxied { "✨ " } else { "" };
        let cached = if store.cached { "⚡️ " } else { "⏳ " };
        write!(to, "{proxied}{cached}[{}]", store.code.as_str().to_ascii_uppercase())?;
    }
    if candidate.private {
        to.write_str(" 🔑")?;
    }
    write!(to, "\n{}", candidate.addon)?;
    if let Some(resolution) = candidate.release.resolution {
        write!(to, "\n{resolution}")?;
    }
    Ok(())
}

fn write_description(to: &mut String, candidate: &Candidate<'_>) -> fmt::Result {
    let release = candidate.release;
    if let Some(quality) = release.quality {
        write!(to, "💿 {quality} ")?;
    }
    if let Some(codec) = release.codec {
        write!(to, "🎞️ {}", codec.family())?;
    }
    to.write_char('\n')?;
    list(to, "📺 ", release.hdr.iter().map(Member::as_str), " ")?;
    let (audio, channels) = (audio(release.audio), release.channels);
    if !release.hdr.is_empty() {
        to.write_char(' ')?;
    }
    list(to, "🎧 ", audio.iter().copied(), ", ")?;
    let before = if audio.is_empty() { "🎧 " } else { " | " };
    list(to, before, channels.iter().map(Member::as_str), ", ")?;
    to.write_char('\n')?;
    sizes(to, candidate)?;
    to.write_char('\n')?;
    let sound = if candidate.subtitles.is_empty() { "🌐 " } else { "🎙️ " };
    list(to, sound, release.languages.iter().map(Language::flag), " ")?;
    to.write_char('\n')?;
    list(to, "💬 ", candidate.subtitles.iter().map(Language::flag), " ")?;
    to.write_char('\n')?;
    origin(to, candidate)
}

fn sizes(to: &mut String, candidate: &Candidate<'_>) -> fmt::Result {
    if let Some(whole) = total(candidate).map(size_text) {
        if let Some(file) = candidate.file.size.map(size_text).filter(|file| *file != whole) {
            write!(to, "💾 {file} ")?;
        }
        write!(to, "📦 {whole}")?;
    }
    if let Some(rate) = candidate.bit_rate.filter(|rate| *rate > 0) {
        write!(to, " 〽️ {}", rate_text(rate))?;
    }
    match candidate.seeders {
        Some(seeders) if seeders > 0 => write!(to, " 👤 {seeders}"),
        _ => Ok(()),
    }
}

fn origin(to: &mut String, candidate: &Candidate<'_>) -> fmt::Result {
    let release = candidate.release;
    if let Some(group) = release.group.as_deref().filter(|group| !group.is_empty()) {
        write!(to, "⚙️ {group} ")?;
    }
    match release.site.as_deref().filter(|site| !site.is_empty()) {
        _ if !candidate.indexer.is_empty() => write!(to, "🔍 {}", candidate.indexer)?,
        Some(site) => write!(to, "🔗 {site}")?,
        None => {}
    }
    match candidate.file.name.filter(|name| !name.is_empty()) {
        Some(name) => write!(to, "\n📄 {name}"),
        None => write!(to, "\n📁 {}", candidate.title),
    }
}

/// A mark and the items behind it; nothing without items.
fn list<'a>(to: &mut String, mark: &str, items: impl Iterator<Item = &'a str>, separator: &str) -> fmt::Result {
    for (index, item) in items.enumerate() {
        to.write_str(if index == 0 { mark } else { separator })?;
        to.write_str(item)?;
    }
    Ok(())
}
