//! What stands around the rest: the site, the group, the checksum.

use crate::lexicon::Word;
use crate::reading::{Claim, Reading};

/// Last parts of the host names that sites put into names.
pub(crate) const DOMAINS: &[&str] = &[
    "ac", "ag", "agency", "am", "app", "asia", "at", "bar", "be", "best", "biz", "blog", "bond", "buzz", "by", "bz",
    "cam", "cc", "cf", "ch", "chat", "click", "cloud", "club", "cm", "co", "com", "cool", "cx", "cyou", "cz", "de",
    "digital", "dk", "earth", "ee", "email", "es", "eu", "expert", "fi", "fit", "fm", "foo", "fr", "fun", "ga", "gd",
    "ge", "gg", "gl", "gq", "gr", "gs", "guru", "host", "hu", "icu", "id", "in", "info", "ink", "io", "is", "it",
    "kim", "kz", "la", "lat", "li", "life", "link", "live", "lol", "lt", "ltd", "lv", "ly", "me", "media", "mn",
    "mobi", "moe", "mom", "monster", "mov", "ms", "mx", "net", "news", "ninja", "nl", "nu", "one", "onl", "online",
    "ooo", "org", "party", "pe", "ph", "phd", "pics", "pl", "pm", "press", "pro", "pub", "pw", "quest", "re", "ro",
    "rocks", "rs", "ru", "run", "sbs", "sc", "se", "sh", "shop", "si", "site", "sk", "skin", "so", "social", "space",
    "st", "stream", "su", "sx", "systems", "taxi", "team", "tech", "tel", "tf", "tips", "tk", "to", "today", "top",
    "trade", "tv", "ua", "uk", "us", "vc", "vin", "vip", "vu", "website", "wf", "ws", "wtf", "xyz", "yt", "zone",
];

fn is_domain(text: &[u8]) -> bool {
    DOMAINS.binary_search_by(|known| known.as_bytes().cmp(text)).is_ok()
}

/// Words that may begin a host name, at most, so that a name made of them is read as fast as any.
const SITES: usize = 8;
/// Parts of a host name at most.
const PARTS: usize = 12;

/// The run behind a host name that begins at `from`. Without "www" it must fill its bracket.
fn host(r: &Reading<'_>, from: usize) -> Option<usize> {
    let www = r.token(from).len() <= 3 && matches!(r.text(from), b"www" | b"ww" | b"wvw") && r.gap(from + 1) == b".";
    let boxed = matches!(last_mark(r.gap(from)), Some(b'[' | b'('));
    if !www && !boxed {
        return None;
    }
    let parts = (from + 1..from + PARTS)
        .take_while(|to| r.has(*to) && (matches!(r.gap(*to), b"." | b"-") || r.glued(*to)))
        .count();
    let to = from + 1 + parts;
    let domain = |last: &usize| r.gap(*last) == b"." && !r.glued(last + 1) && is_domain(r.text(*last));
    let closed = |last: usize| matches!(r.gap(last + 1).iter().find(|byte| **byte != b' '), Some(b']' | b')'));
    let known = (from + 1..to).rev().find(|last| domain(last) && (www || closed(*last)));
    // "www.films.anything - Title": what a dash sets off is a host whatever it ends in.
    let letters = |last: usize| r.gap(last) == b"." && !r.glued(last + 1) && !r.token(last).digits;
    let set_off = || (from + 2..to).rev().find(|last| www && letters(*last) && r.gap(last + 1) == b" - ");
    known.or_else(set_off).map(|last| last + 1)
}

/// The last byte of a gap but its spaces.
fn last_mark(gap: &[u8]) -> Option<u8> {
    gap.iter().rev().copied().find(|byte| *byte != b' ')
}

/// Claims host names, and steps over one that opens the name.
pub(crate) fn site(r: &mut Reading<'_>) {
    if !r.name.contains('.') {
        return;
    }
    let mut i = 0;
    let mut tries = 0;
    while i < r.count() && tries < SITES {
        let Some(to) = host(r, i) else {
            i += 1;
            tries += usize::from(r.text(i - 1) == b"www");
            continue;
        };
        let text = r.name.get(r.start(i)..r.end_of(to - 1)).unwrap_or_default();
        if r.out.site.is_none() {
            r.out.site = Some(text.to_owned());
        }
        let opening = i == 0 || r.start(i) <= r.begin;
        r.claim(i, to, if opening { Claim::Keeps } else { Claim::Ends });
        if opening && to < r.count() {
            r.begin = r.start(to);
        }
        i = to;
    }
}

/// Steps over a bracket that opens the name and holds no remark: the group of an anime release.
pub(crate) fn opening_bracket(r: &mut Reading<'_>) {
    let first = (0..r.count()).find(|i| r.start(*i) >= r.begin).unwrap_or(0);
    let bracket = usize::from(r.token(first).bracket);
    if bracket == 0 || r.start(first) > r.begin.max(bracket) + 4 {
        return;
    }
    let open = r.name.get(bracket - 1..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
    if matches!(open, '(' | '{') {
        return;
    }
    let after = (first..r.count()).find(|i| usize::from(r.token(*i).bracket) != bracket).unwrap_or(r.count());
    if after < r.count() {
        r.leading_group = Some((first, after));
        r.begin = r.start(after);
    }
}

/// Eight hexadecimal digits in a bracket of their own at the end.
pub(crate) fn checksum(r: &mut Reading<'_>) {
    let count = r.count();
    let mut to = count;
    for _ in 0..4 {
        let Some(bracket) = to.checked_sub(1).map(|last| r.token(last).bracket).filter(|bracket| *bracket > 0) else {
            return;
        };
        let from = (0..to).rev().take_while(|i| r.token(*i).bracket == bracket).last().unwrap_or(to);
        let text = r.name.get(usize::from(bracket)..r.end_of(to - 1)).unwrap_or_default();
        let hexadecimal = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let letters = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        // All digits may be a date; all letters may be a word.
        let plain = if letters {
            digits || !text.bytes().any(|byte| byte.is_ascii_lowercase())
        } else {
            r.out.extension.is_some()
        };
        if hexadecimal && plain && (letters || !text.starts_with("20")) {
            r.out.episode_code = Some(text.to_ascii_uppercase());
            r.claim(from, to, Claim::Ends);
            return;
        }
        to = from;
    }
}

/// The group: behind the last dash, else in the last bracket, else in the first one.
pub(crate) fn group(r: &mut Reading<'_>) {
    r.out.group = closing_bracket(r).or_else(|| behind_dash(r)).or_else(|| opening(r)).or_else(|| last_bracket(r));
}

fn opening(r: &Reading<'_>) -> Option<String> {
    let (first, after) = r.leading_group?;
    if (first..after).any(|i| r.token(i).used) {
        return None;
    }
    let text = r.name.get(r.start(first)..r.end_of(after - 1))?;
    let rest = r.name.get(r.end_of(after - 1)..)?;
    let whole = match rest.find([']', '】']) {
        Some(close) => r.name.get(r.start(first)..r.end_of(after - 1) + close)?,
        None => text,
    };
    whole.contains(char::is_alphabetic).then(|| whole.trim().to_owned())
}

/// Only where remarks came before: a dash in a bare title is part of the title.
fn behind_dash(r: &Reading<'_>) -> Option<String> {
    let count = r.count();
    // Brackets behind the group, such as "[rartv]", are not part of it.
    let mut last = count.checked_sub(1)?;
    while r.token(last).bracket > 0 {
        // "x264-[GROUP]".
        let bracket = usize::from(r.token(last).bracket);
        if r.name.get(..bracket).is_some_and(|before| before.ends_with("-[")) && !r.token(last).used {
            return r.name.get(bracket..r.end_of(last)).map(str::to_owned);
        }
        last = last.checked_sub(1)?;
    }
    let mut from = last;
    loop {
        let gap = r.gap(from);
        if gap.contains(&b'-') && dash_opens(r, from, last) {
            break;
        }
        let inside = matches!(gap, [] | b"@" | b"_" | b"." | b"-" | b"!");
        if !inside || from == 0 || last - from > 8 {
            return None;
        }
        from -= 1;
    }
    let sound = |i: usize| r.token(i).used;
    if (from..=last).all(sound) || r.start(from) <= r.end || r.tech >= r.start(from) && r.dated >= r.start(from) {
        return None;
    }
    // "GRP.MULTI": remarks behind a dot are not the group's; where one comes first, as in "1990-1994.1080p", there is none.
    let told = (from..=last).find(|i| r.token(*i).used && (r.gap(*i) == b"." || r.gap(*i + 1) == b"." && *i < last));
    let last = match told {
        Some(remark) if remark == from => return None,
        Some(remark) => remark - 1,
        None => last,
    };
    let text = r.name.get(r.start(from)..r.end_of(last))?;
    Some(text.trim_end_matches(['.', '_', ' ']).to_owned())
}

/// A dash before `from` opens the group when what stands before it is a remark, or the dash is set off by a space on one side.
fn dash_opens(r: &Reading<'_>, from: usize, last: usize) -> bool {
    let gap = r.gap(from);
    let Some(before) = from.checked_sub(1) else { return false };
    if r.gap(from) == b" - " && last > from + 2 {
        return false;
    }
    gap.len() > 1 || r.token(before).used || !r.token(before).used && !hyphenated(r, from)
}

/// `Some-Raws`: the word before the dash is itself set off by a dash.
fn hyphenated(r: &Reading<'_>, from: usize) -> bool {
    from > 1 && r.gap(from - 1).ends_with(b"-") && !r.token(from - 1).used
}

/// `(B-World)` at the very end.
fn closing_bracket(r: &Reading<'_>) -> Option<String> {
    let count = r.count();
    let last = count.checked_sub(1)?;
    let bracket = usize::from(r.token(last).bracket);
    if bracket == 0 || r.end_of(last) + 2 < r.stop || r.name.as_bytes().get(bracket - 1) != Some(&b'(') {
        return None;
    }
    let from = (0..count).rev().take_while(|i| usize::from(r.token(*i).bracket) == bracket).last()?;
    let text = r.name.get(bracket..r.end_of(last))?;
    let plain = !text.contains([' ', ',']) && !(from..count).any(|i| r.token(i).used) && !r.token(last).digits;
    if plain && r.start(from) > r.end && r.tech < r.start(from) {
        return Some(text.to_owned());
    }
    signature(r, from, last)
}

/// `(1080p BluRay x265 Name)`: a last word among remarks that is none.
fn signature(r: &Reading<'_>, from: usize, last: usize) -> Option<String> {
    let mut first = last;
    while first > from && r.glued(first) {
        first -= 1;
    }
    let remarks = first > from && r.token(first - 1).used && r.gap(first) == b" ";
    let free = !r.token(first).used
        && r.token(first).len() >= 3
        && !r.token(first).digits
        && r.token(first).word == Word::None;
    (remarks && free && r.tech < r.start(first))
        .then(|| r.name.get(r.start(first)..r.end_of(last)).map(str::to_owned))?
}

/// `[Group]` at the very end, where no other group is named.
fn last_bracket(r: &Reading<'_>) -> Option<String> {
    let count = r.count();
    let last = count.checked_sub(1)?;
    let bracket = usize::from(r.token(last).bracket);
    let square = bracket > 0 && r.name.as_bytes().get(bracket - 1) == Some(&b'[');
    if !square || r.end_of(last) + 2 < r.stop || r.tech > bracket {
        return None;
    }
    let from = (0..count).rev().take_while(|i| usize::from(r.token(*i).bracket) == bracket).last()?;
    let text = r.name.get(bracket..r.end_of(last))?;
    let free = !(from..count).any(|i| r.token(i).used || r.token(i).word != Word::None);
    (free && text.len() <= 24 && text.bytes().any(|byte| byte.is_ascii_alphabetic())).then(|| text.to_owned())
}
