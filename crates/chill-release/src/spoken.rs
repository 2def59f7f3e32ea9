//! Languages, and whether there are subtitles or dubbed sound.

use crate::language::Language;
use crate::lexicon::{self, Trust, Word};
use crate::reading::{Claim, Reading};

/// Reads remarks that mean a language or several, wherever they stand; the number of runs claimed, 0 for none.
pub(crate) fn read(r: &mut Reading<'_>, i: usize) -> usize {
    if r.glued(i) {
        return 0;
    }
    match r.word(i) {
        Word::Language(language, Trust::Sure) if r.whole(i) => {
            r.out.languages.insert(language);
            let subs = r.text(i).ends_with(b"sub")
                || r.text(i).ends_with(b"subs")
                || matches!(r.text(i), b"legendado" | b"legendas");
            r.out.subbed |= subs;
            r.out.dubbed |= matches!(r.text(i), b"dublado" | b"pldub" | b"dubbingpl");
            r.claim(i, i + 1, Claim::Ends);
            1
        }
        Word::Multi => multi(r, i),
        Word::Dual => dual(r, i),
        Word::Tri if several(r, i + 1) == Word::Track || several(r, i + 1) == Word::Dub => {
            r.out.languages.insert(Language::MultiAudio);
            r.claim(i, i + 2, Claim::Ends);
            2
        }
        Word::None if r.token(i).len() >= 5 && !r.token(i).digits => compound(r, i),
        _ => 0,
    }
}

/// The meaning of the next run, when it belongs to the same expression.
fn several(r: &Reading<'_>, i: usize) -> Word {
    if r.near(i) || r.gap(i) == b" - " { r.word(i) } else { Word::None }
}

fn multi(r: &mut Reading<'_>, i: usize) -> usize {
    let (language, length) = match several(r, i + 1) {
        Word::Sub => (Language::MultiSubs, 2),
        Word::Dub | Word::Track => (Language::MultiAudio, 2),
        _ if r.late(i) || r.capitals(i) || r.raw(i) == "MULTi" || r.bracketed(i) => (Language::MultiAudio, 1),
        _ => return 0,
    };
    r.out.subbed |= language == Language::MultiSubs;
    r.out.languages.insert(language);
    r.claim(i, i + length, Claim::Ends);
    length
}

fn dual(r: &mut Reading<'_>, i: usize) -> usize {
    let length = match several(r, i + 1) {
        Word::Sub => {
            r.out.subbed = true;
            r.claim(i, i + 2, Claim::Ends);
            return 2;
        }
        Word::Track | Word::Dub => 2,
        _ if r.text(i + 1) == b"a" && !r.has(i + 2) || r.text(i + 1) == b"line" => 2,
        _ if r.late(i) || r.capitals(i) || r.bracketed(i) => 1,
        _ => return 0,
    };
    r.out.languages.insert(Language::DualAudio);
    r.claim(i, i + length, Claim::Ends);
    length
}

/// `swesub`, `plsub`, `engdubbed`, `subita`: a code with what it is glued to.
fn compound(r: &mut Reading<'_>, i: usize) -> usize {
    const TAILS: &[&[u8]] = &[b"subbed", b"subs", b"sub", b"dubbed", b"dubs", b"dub"];
    const HEADS: &[&[u8]] = &[b"subs", b"sub", b"dubbing", b"lektor", b"napisy"];
    let text = r.text(i);
    let tail = TAILS.iter().find_map(|tail| text.strip_suffix(*tail).map(|code| (code, *tail)));
    let head = || HEADS.iter().find_map(|head| text.strip_prefix(*head).map(|code| (code, *head)));
    let Some((code, affix)) = tail.or_else(head) else { return 0 };
    let language = match lexicon::look_up(code) {
        Word::Language(language, _) => language,
        Word::Brazil => Language::Portuguese,
        _ => return 0,
    };
    let dubbed = affix.starts_with(b"dub");
    r.out.dubbed |= dubbed;
    r.out.subbed |= !dubbed && affix != b"lektor";
    r.out.languages.insert(language);
    r.claim(i, i + 1, Claim::Ends);
    1
}

/// Reads the words that count only behind the title.
pub(crate) fn read_late(r: &mut Reading<'_>, i: usize) -> usize {
    if !r.whole(i) {
        return 0;
    }
    match r.word(i) {
        Word::Sub => {
            r.out.subbed = true;
            r.claim(i, i + 1, Claim::Ends);
            1
        }
        Word::Dub => {
            r.out.dubbed = true;
            r.claim(i, i + 1, Claim::Ends);
            1
        }
        Word::Latin => {
            // "Spanish Latin America", "Latin American es": one language, not two.
            let american = matches!(r.text(i + 1), b"america" | b"american");
            let to = i + 1 + usize::from(american);
            let again = american && r.near(to) && matches!(r.token(to).word, Word::Language(Language::Spanish, _));
            r.out.languages.insert(Language::Latino);
            let to = to + usize::from(again);
            r.claim(i, to, Claim::Ends);
            to - i
        }
        Word::Brazil if brazilian(r, i) => {
            r.out.languages.insert(Language::Portuguese);
            r.claim(i, i + 1, Claim::Ends);
            1
        }
        // These codes are words about sound and picture elsewhere.
        Word::Hi if subtitle_file(r, i) => language_word(r, i, Language::Hindi, Trust::Code),
        Word::Hr if subtitle_file(r, i) => language_word(r, i, Language::Croatian, Trust::Code),
        Word::Language(language, trust) => language_word(r, i, language, trust),
        _ => 0,
    }
}

fn brazilian(r: &Reading<'_>, i: usize) -> bool {
    r.capitals(i) && (r.gap(i).starts_with(b"-") || i > 0 && is_language(r, i - 1) || is_language(r, i + 1))
}

fn is_language(r: &Reading<'_>, i: usize) -> bool {
    matches!(r.token(i).word, Word::Language(..) | Word::Latin | Word::Brazil) && r.has(i) && r.whole(i)
}

fn language_word(r: &mut Reading<'_>, i: usize, language: Language, trust: Trust) -> usize {
    let believed = match trust {
        Trust::Sure | Trust::Name | Trust::Code => true,
        Trust::Doubtful => {
            r.capitals(i) || alone_in_bracket(r, i) || neighbours(r, i) || subtitle_file(r, i) || sub_behind(r, i)
        }
        Trust::Short => {
            r.capitals(i)
                || alone_in_bracket(r, i)
                || neighbours(r, i) && !lower_word(r, i)
                || subtitle_file(r, i)
                || sub_behind(r, i)
        }
        Trust::Shortest => {
            neighbours(r, i) && (r.capitals(i) || joined(r, i))
                || subtitle_file(r, i)
                || alone_in_bracket(r, i) && r.capitals(i)
                || sound_behind(r, i)
                || sub_behind(r, i) && r.capitals(i)
        }
    };
    if !believed {
        return 0;
    }
    let latin = language == Language::Spanish && r.near(i + 1) && r.text(i + 1) == b"latin" && trust == Trust::Name;
    if !latin {
        let traditional = language == Language::Chinese && (around(r, i, b"traditional") || around(r, i, b"hant"));
        r.out.languages.insert(if traditional { Language::Taiwanese } else { language });
    }
    r.out.subbed |= r.text(i).starts_with(b"vost") || r.text(i) == b"subfrench";
    r.claim(i, i + usize::from(r.token(i).span), Claim::Ends);
    1
}

fn around(r: &Reading<'_>, i: usize, text: &[u8]) -> bool {
    i > 0 && r.text(i - 1) == text || i > 1 && r.text(i - 2) == text || r.text(i + 1) == text
}

fn lower_word(r: &Reading<'_>, i: usize) -> bool {
    r.raw(i).bytes().all(|byte| byte.is_ascii_lowercase()) && !joined(r, i)
}

fn alone_in_bracket(r: &Reading<'_>, i: usize) -> bool {
    let opens = r.gap(i).last().is_some_and(|byte| matches!(byte, b'[' | b'('));
    opens && r.gap(i + 1).first().is_some_and(|byte| matches!(byte, b']' | b')'))
}

/// A language stands right beside it.
fn neighbours(r: &Reading<'_>, i: usize) -> bool {
    let short = |gap: &[u8]| gap.len() <= 3 && !gap.iter().any(|byte| matches!(byte, b')' | b']' | b'(' | b'['));
    i > 0 && short(r.gap(i)) && is_language(r, i - 1) || short(r.gap(i + 1)) && is_language(r, i + 1)
}

/// A language stands right beside it, joined by a mark and not only by a space or dot.
fn joined(r: &Reading<'_>, i: usize) -> bool {
    let mark = |gap: &[u8]| gap.iter().any(|byte| matches!(byte, b'+' | b',' | b'&' | b'/' | b'-' | b'_'));
    i > 0 && mark(r.gap(i)) && is_language(r, i - 1) || mark(r.gap(i + 1)) && is_language(r, i + 1)
}

/// The last word of a subtitle file's name.
fn subtitle_file(r: &Reading<'_>, i: usize) -> bool {
    r.subtitles && (i + 2 >= r.count() || i == 0)
}

fn sub_behind(r: &Reading<'_>, i: usize) -> bool {
    let sub = |at: usize| matches!(r.token(at).word, Word::Sub | Word::Dub | Word::Flag(_));
    r.near(i + 1) && sub(i + 1) || i > 0 && r.near(i) && sub(i - 1)
}

/// `Es-DTSHD`, `En AC3`: a track's language before its format.
fn sound_behind(r: &Reading<'_>, i: usize) -> bool {
    r.gap(i + 1) == b"-"
        && matches!(r.token(i + 1).word, Word::Audio(_) | Word::Dts | Word::Dd | Word::Ac)
        && r.raw(i).as_bytes().first().is_some_and(u8::is_ascii_uppercase)
}

/// Languages in capitals right before the end of the title belong to the remarks behind it.
pub(crate) fn before_the_end(r: &mut Reading<'_>) {
    let count = r.count();
    let mut i = (0..count).find(|i| r.start(*i) >= r.end).unwrap_or(count);
    while let Some(before) = i.checked_sub(1) {
        let shouting = r.capitals(before)
            && r.token(before).len() >= 3
            && before > 0
            && (!r.capitals(before - 1) || is_language(r, before - 1))
            || is_language(r, before + 1) && before > 0 && r.capitals(before);
        let trusted = matches!(r.word(before), Word::Language(_, Trust::Name | Trust::Code | Trust::Sure));
        if !(shouting && trusted && (r.near(before + 1) || before + 1 == count) && r.start(before) > r.begin) {
            return;
        }
        r.end = r.start(before);
        i = before;
    }
}

/// A bracket that holds nothing but languages ends the title.
pub(crate) fn boxed(r: &mut Reading<'_>) {
    let mut i = 0;
    while i < r.count() && r.start(i) < r.end {
        let bracket = r.token(i).bracket;
        let to = (i..r.count()).find(|at| r.token(*at).bracket != bracket).unwrap_or(r.count());
        let spoken = |at: usize| {
            is_language(r, at) || matches!(r.token(at).word, Word::Sub | Word::Dub | Word::Track) || r.token(at).used
        };
        if r.bracketed(i) && (i..to).all(spoken) && (i..to).any(|at| is_language(r, at)) {
            r.end = r.start(i);
            return;
        }
        i = to;
    }
}

/// The first run behind the title; in a subtitle file without any remark, its last words.
pub(crate) fn first_late(r: &Reading<'_>) -> usize {
    let count = r.count();
    let nothing = if r.subtitles && r.end == r.stop { count.saturating_sub(4) } else { count };
    (0..count).find(|i| r.late(*i)).unwrap_or(nothing)
}

/// Consequences of what was found.
pub(crate) fn finish(r: &mut Reading<'_>) {
    if r.subtitles && r.out.languages.contains(Language::Latino) {
        // "Latin American Spanish.spa.srt" says the same thing twice.
        r.out.languages.remove(Language::Spanish);
    }
    if r.spanish && !r.out.languages.contains(Language::Latino) && !r.out.languages.contains(Language::Portuguese) {
        r.out.languages.insert(Language::Spanish);
    }
    r.out.dubbed |= r.out.languages.contains(Language::MultiAudio) || r.out.languages.contains(Language::DualAudio);
}
