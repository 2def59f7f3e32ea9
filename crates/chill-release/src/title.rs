//! The title: what is left before the first remark, cleaned.

use crate::lexicon::Word;
use crate::reading::Reading;

/// Letters of a script other than Latin that titles are given in beside a Latin one.
fn is_foreign(c: char) -> bool {
    matches!(c,
        '\u{400}'..='\u{52f}' | '\u{590}'..='\u{6ff}' | '\u{e00}'..='\u{e7f}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}')
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, 'À'..='ɏ') && c != '×'
}

/// Sets the title of the reading.
pub(crate) fn read(r: &mut Reading<'_>) {
    leading_numbers(r);
    let end = r.end.max(r.begin).min(r.stop);
    let raw = r.name.get(r.begin..end).unwrap_or_default();
    let ppv = (0..r.count()).find(|i| r.token(*i).word == Word::Ppv && r.start(*i) < end && r.start(*i) >= r.begin);
    let without = ppv.map(|i| {
        (r.name.get(r.begin..r.start(i)).unwrap_or_default(), r.name.get(r.end_of(i)..end).unwrap_or_default())
    });
    let mut title = match without {
        Some((before, after)) => clean(&format!("{}{}", before.trim_end_matches(['.', ' ']), after)),
        None => clean(raw),
    };
    if title.is_empty() {
        title = fallback(r);
    }
    r.out.title = title;
}

/// Steps over numbers that open the name and are set off: `S02E05 - Title`, `(2020) Title`, `01. Title`.
fn leading_numbers(r: &mut Reading<'_>) {
    let first = (0..r.count()).find(|i| r.start(*i) >= r.begin).unwrap_or(0);
    let mut i = first;
    while r.token(i).used {
        i += 1;
    }
    let listed =
        i == first && r.token(i).digits && r.token(i).len() == 2 && r.gap(i + 1) == b". " && r.out.extension.is_some();
    let at = if listed { i + 1 } else { i };
    let set_off = r.gap(at).iter().any(|byte| matches!(byte, b'-' | b')' | b']')) && r.gap(at).len() > 1;
    if at > first && r.has(at) && (listed || set_off) && r.start(at) < r.end {
        r.begin = r.start(at);
    }
}

/// Where the remarks begin at once, the title may be in the brackets that opened the name, or behind the first remark.
fn fallback(r: &Reading<'_>) -> String {
    let first_free = (0..r.count()).find(|i| r.start(*i) >= r.begin && !r.token(*i).used);
    if let Some(first) = first_free {
        let to = (first..r.count()).find(|i| r.token(*i).used).unwrap_or(r.count());
        let title = clean(r.name.get(r.start(first)..r.start(to)).unwrap_or_default());
        if !title.is_empty() {
            return title;
        }
    }
    match r.leading_group {
        Some((from, to)) => clean(r.name.get(r.start(from)..r.end_of(to - 1)).unwrap_or_default()),
        None => String::new(),
    }
}

fn clean(raw: &str) -> String {
    let text = decorated(without_cast(trim(raw)));
    let text = if text.is_ascii() { trim(text) } else { trim(leading_scripts(trim(other_scripts(text)))) };
    let text = without_movie(text);
    let dots = !text.contains(' ') && text.contains('.');
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '_' | ' ' | '\t' | '\u{a0}' => push_space(&mut out),
            '.' if dots => push_space(&mut out),
            c => out.push(c),
        }
    }
    while out.ends_with(' ') {
        out.pop();
    }
    close_brackets(out)
}

fn push_space(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Takes off what cannot begin or end a title.
fn trim(text: &str) -> &str {
    let text = text.trim_start_matches(|c: char| {
        !(c.is_alphanumeric() || matches!(c, '#' | '¡' | '¿' | '\'' | '"' | '(' | '[' | '【' | '★' | '$' | '«' | '“'))
    });
    let text = text.trim_end_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '-' | '_'
                    | ':'
                    | '/'
                    | '\\'
                    | '['
                    | '|'
                    | '{'
                    | '('
                    | '#'
                    | '$'
                    | '&'
                    | '^'
                    | '+'
                    | ','
                    | ';'
                    | '~'
                    | '–'
                    | '—'
                    | '【'
                    | '（'
                    | '='
                    | '•'
                    | '*'
                    | '<'
                    | '>'
            )
    });
    let last_word = text.trim_end_matches('.').rsplit([' ', '.']).next().map_or(0, |word| word.chars().count());
    let sentence = text.ends_with('.') && !text.ends_with("..") && last_word > 3;
    let text = if sentence && text.contains(' ') { text.trim_end_matches('.') } else { text };
    let dotted = !text.contains(' ');
    let text = if dotted { text.trim_end_matches(['.', '_', '-']) } else { text };
    match text.strip_suffix([' ', '.']) {
        Some(shorter) if shorter.ends_with(' ') => trim_spaces(shorter),
        _ => text,
    }
}

fn trim_spaces(text: &str) -> &str {
    text.trim_end_matches([' ', '.', '-'])
}

/// Takes off "(…)" behind a title in another script, and everything bracketed behind a slash: the cast.
fn without_cast(text: &str) -> &str {
    let Some(open) = text.rfind('(').filter(|open| *open > 0) else { return text };
    let (before, cast) = (text.get(..open).unwrap_or(text), text.get(open..).unwrap_or_default());
    // The bracket may hold another one.
    let outer = text
        .find('(')
        .filter(|first| *first > 0 && text.get(*first..).is_some_and(|rest| rest.contains(" / ")))
        .unwrap_or(open);
    if cast.chars().any(is_foreign) || before.contains('/') {
        return trim(text.get(..outer.min(open)).unwrap_or(before));
    }
    text
}

/// Takes off "【group】★season★" before a title, and unwraps a title that is all in brackets.
fn decorated(mut text: &str) -> &str {
    for _ in 0..4 {
        let Some(open) = text.chars().next() else { return text };
        let close = match open {
            '[' => ']',
            '【' => '】',
            '★' => '★',
            _ => return text,
        };
        let inner = text.get(open.len_utf8()..).unwrap_or_default();
        let Some(at) = inner.find(close) else { return trim(inner) };
        let behind = trim(inner.get(at + close.len_utf8()..).unwrap_or_default());
        if !behind.chars().any(char::is_alphanumeric) {
            return inner.get(..at).unwrap_or(inner);
        }
        text = behind;
    }
    text
}

/// Of titles parted by slashes, those in Latin letters; where there are none, the last.
fn other_scripts(text: &str) -> &str {
    let mark = |c: char| matches!(c, '/' | '|' | '／');
    if !text.contains(mark) || !text.chars().any(is_foreign) {
        return text;
    }
    let mut best: Option<(usize, usize)> = None;
    let mut last = (0, text.len());
    let mut from = 0;
    for part in text.split(mark) {
        let to = from + part.len();
        last = (from, to);
        if !part.chars().any(is_foreign) && part.chars().any(is_latin) {
            best = Some(best.map_or((from, to), |(start, _)| (start, to)));
        } else if best.is_some_and(|(_, end)| end < from) {
            break;
        }
        from = to + text.get(to..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    let (from, to) = best.unwrap_or(last);
    text.get(from..to).unwrap_or(text).trim()
}

/// "مسلسل Title", "間諜 Title": a run in another script before or behind a Latin title.
fn leading_scripts(text: &str) -> &str {
    if !text.chars().any(is_foreign) || text.chars().filter(|c| is_latin(*c)).count() < 3 {
        return text;
    }
    let first = text.find(is_latin).unwrap_or(0);
    let foreign_before = text.get(..first).is_some_and(|before| before.chars().filter(|c| is_foreign(*c)).count() > 1);
    let from = if foreign_before { first } else { 0 };
    let rest = text.get(from..).unwrap_or(text);
    match rest.find(is_foreign) {
        Some(at)
            if rest.get(at..).is_some_and(|tail| {
                !tail.chars().any(is_latin) && tail.chars().filter(|c| is_foreign(*c)).count() > 1
            }) && at > 0 =>
        {
            trim(rest.get(..at).unwrap_or(rest))
        }
        _ => rest,
    }
}

/// "(Movie)" is a remark.
fn without_movie(text: &str) -> &str {
    ["(movie)", "[movie]"]
        .iter()
        .find_map(|tail| {
            let at = text.len().checked_sub(tail.len())?;
            text.get(at..)
                .filter(|end| end.eq_ignore_ascii_case(tail))
                .map(|_| text.get(..at).unwrap_or(text).trim_end())
        })
        .unwrap_or(text)
}

/// Drops a bracket that lost its partner.
fn close_brackets(mut title: String) -> String {
    for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
        if title.matches(open).count() != title.matches(close).count() {
            title = title.replace([open, close], "");
            title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
    title
}
