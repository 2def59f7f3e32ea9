//! Patterns of `matches`: RE2's syntax, in linear time, and small.

use regex::{Regex, RegexBuilder};

/// Sizes that are tried, in KiB of the compiled pattern.
const SIZES: [usize; 5] = [2, 4, 8, 16, 32];
/// Longest pattern that stands alone, in bytes.
const LONGEST: usize = 1_000;
/// Lazily made states kept for one pattern, in bytes.
const STATES: usize = 256 * 1024;

/// A compiled pattern. Matching takes time in proportion to its size times the length of the text.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    size: usize,
}

impl Pattern {
    /// Compiles a pattern of at most `room` KiB.
    pub(super) fn compile(source: &str, room: usize) -> Result<Self, String> {
        let source = ascii_classes(source);
        for size in SIZES.into_iter().filter(|size| *size <= room) {
            let bytes = size * 1024;
            let built = RegexBuilder::new(&source).size_limit(bytes).dfa_size_limit(STATES).nest_limit(32).build();
            match built {
                Ok(regex) => return Ok(Self { regex, size }),
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(other) => {
                    // The parser draws the pattern and a caret over several lines; its last line is the sentence.
                    let text = other.to_string();
                    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    return Err(format!("this is no pattern: {last}"));
                }
            }
        }
        Err("the pattern is too large, alone or with those before it; repeat less or name fewer words".to_owned())
    }

    /// A pattern for names of releases, where case does not matter; none when it is empty.
    ///
    /// # Errors
    /// A sentence about what is wrong with it.
    pub(crate) fn of_names(source: &str) -> Result<Option<Self>, String> {
        let source = source.trim();
        if source.len() > LONGEST {
            return Err(format!("the pattern is longer than {LONGEST} characters; name fewer words"));
        }
        let largest = SIZES.last().copied().unwrap_or_default();
        let compile = || Self::compile(&format!("(?i){source}"), largest);
        (!source.is_empty()).then(compile).transpose()
    }

    /// KiB of the compiled pattern, rounded up.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Steps that looking through a text costs.
    pub(super) fn cost(&self, text: &str) -> usize {
        text.len().saturating_mul(self.size) / 4
    }

    /// Whether it is found anywhere in a text.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// RE2's `\d`, `\w`, `\s` and `\b` know ASCII only, which also keeps patterns small.
fn ascii_classes(source: &str) -> String {
    let mut rewritten = String::with_capacity(source.len());
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            rewritten.push(c);
            continue;
        }
        let class = match chars.next() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('s') => r"[\t\n\f\r\x20]",
            Some('S') => r"[^\t\n\f\r\x20]",
            Some('b') if chars.peek() != Some(&'{') => r"(?-u:\b)",
            other => {
                rewritten.push('\\');
                rewritten.extend(other);
                continue;
            }
        };
        rewritten.push_str(class);
    }
    rewritten
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern, 32).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
    }

    #[test]
    fn classes_are_re2s() {
        assert!(is_match(r"^\w+\s\d$", "abc 1") && !is_match(r"^\w$", "ž") && is_match(r"^\W$", "ž"));
        assert!(is_match(r"^[\w.]+\.S\d{2}E\d{2,3}\.", "A.b.S01E02."));
        assert!(is_match(r"^[^\d\s]+$", "ab") && !is_match(r"^[^\d]+$", "a1"));
        assert!(is_match(r"(?i)\bTS\b", "a.ts.b") && !is_match(r"\bts\b", "pots"));
        assert!(is_match(r"^\\w$", r"\w") && is_match(r"^Am.lie$", "Amélie") && is_match("(?i)ŽLUŤ", "žluť"));
        assert!(is_match(r"^\p{Cyrillic}+$", "кино") && is_match(r"^\D\S$", "ab"));
    }

    #[test]
    fn sizes_are_small_for_everyday_patterns() {
        for (pattern, most) in [(r"(?i)\b(cam|ts|telesync)\b", 4), (r"^[\w.]+\.S\d{2}E\d{2,3}\.", 8), ("x", 2)] {
            let size = Pattern::compile(pattern, 32).map(|pattern| pattern.size());
            assert!(size.as_ref().is_ok_and(|size| *size <= most), "{pattern}: {size:?}");
        }
        assert!(Pattern::compile(r"[a-z]{0,200}", 32).is_ok_and(|pattern| pattern.size() > 8));
        assert!(Pattern::compile(r"[a-z]{0,400}", 8).is_err());
    }
}
