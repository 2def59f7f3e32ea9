//! Makes a vendor's words fit for a log: short, printable, without keys, links and tokens.

use chill_core::Secret;

/// The longest text kept, in characters.
const LENGTH: usize = 200;
/// How much of the input is looked at, in bytes.
const READ: usize = 4096;
/// A run of this many token characters, with a digit or mixed case, is taken for a token.
const TOKEN: usize = 16;
const REMOVED: &str = "[removed]";

/// At most 200 printable characters of `text`, without `keys`, URLs and anything that looks like a token or a UUID.
pub(crate) fn printable(text: &str, keys: &[&Secret]) -> String {
    let mut text = whole_words(text);
    for key in keys.iter().filter(|key| !key.is_empty()) {
        text = text.replace(key.expose(), REMOVED);
    }
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        if word.contains("://") || word.contains("magnet:") {
            out.push_str(REMOVED);
        } else {
            without_tokens(word, &mut out);
        }
    }
    out.chars().take(LENGTH).collect()
}

/// The part that is looked at. A word cut in two could hide a token, so it is left out.
fn whole_words(text: &str) -> String {
    if text.len() <= READ {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(READ);
    let head = &text[..end];
    head.rsplit_once(char::is_whitespace).map_or_else(String::new, |(whole, _)| whole.to_owned())
}

fn without_tokens(word: &str, out: &mut String) {
    let mut rest = word;
    while !rest.is_empty() {
        let run = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
        let (token, after) = rest.split_at(run);
        out.push_str(if looks_like_token(token) { REMOVED } else { token });
        let other = after.find(is_token_char).unwrap_or(after.len());
        out.push_str(&after[..other]);
        rest = &after[other..];
    }
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '=' | '%' | '~')
}

fn looks_like_token(run: &str) -> bool {
    let digit = run.bytes().any(|b| b.is_ascii_digit());
    let mixed = run.bytes().any(|b| b.is_ascii_lowercase()) && run.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    run.len() >= TOKEN && (digit || mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_links_and_tokens_are_removed() {
        let key = Secret::new("short-key");
        for (text, expected) in [
            ("The key short-key is bad", "The key [removed] is bad"),
            ("see https://api.example/x?token=abc now", "see [removed] now"),
            ("id 5c0d8c5e-27a4-4a53-9d0b-6f0c8b6f1a11.", "id [removed]"),
            ("token=abcDEFghiJKLmno", "[removed]"),
            ("(5c0d8c5e27a44a539d0b6f0c8b6f1a11)", "([removed])"),
            ("DOWNLOAD_SERVER_ERROR: try\n\tlater\u{7}", "DOWNLOAD_SERVER_ERROR: try later"),
            ("60 per 1 hour", "60 per 1 hour"),
            ("magnet:?xt=urn:btih:abc", "[removed]"),
        ] {
            assert_eq!(printable(text, &[&key]), expected);
        }
    }

    #[test]
    fn the_text_is_bounded_and_no_token_hides_at_the_cut() {
        assert_eq!(printable(&"é ".repeat(10_000), &[]).chars().count(), LENGTH);
        let long = format!("{}{}", "1".repeat(READ + 5), "abc ".repeat(5));
        assert_eq!(printable(&long, &[]), "");
        let links = "https://a/b ".repeat(341) + "https-5c0d8c5e-27a4-4a53-9d0b-6f0c8b6f1a11";
        assert!(!printable(&links, &[]).contains("5c0d"));
    }
}
