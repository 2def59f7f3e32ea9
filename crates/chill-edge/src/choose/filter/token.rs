//! Cuts a filter's source into words, literals and symbols.

use super::Mistake;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Int(i64),
    Float(f64),
    Text(String),
    /// A name or a word of the language.
    Word(String),
    Symbol(&'static str),
    End,
}

/// A token and the byte it starts at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) at: usize,
}

/// Longer ones first.
const SYMBOLS: &[&str] = &[
    "**", "==", "!=", "<=", ">=", "&&", "||", "..", "?.", "??", "+", "-", "*", "/", "%", "^", "<", ">", "!", "?", ":",
    ",", ".", "(", ")", "[", "]", "{", "}", "|", ";", "=", "#",
];

/// All tokens of a source, with [`Kind::End`] last.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Mistake> {
    let mut cutter = Cutter { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        cutter.skip_blanks()?;
        let at = cutter.at;
        let kind = cutter.token()?;
        let last = kind == Kind::End;
        tokens.push(Token { kind, at });
        if last {
            return Ok(tokens);
        }
    }
}

struct Cutter<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Cutter<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) -> Result<(), Mistake> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let end = trimmed.find("*/");
                self.at += end.ok_or_else(|| Mistake::new(self.at, "this comment does not end; close it with */"))? + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Kind, Mistake> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Kind::End) };
        let digit_follows = rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit());
        match first {
            '"' | '\'' => self.text(first),
            '`' => self.raw_text(),
            '0'..='9' => self.number(),
            '.' if digit_follows => self.number(),
            _ if first.is_alphabetic() || first == '_' || first == '$' => Ok(self.word()),
            _ => self.symbol(first),
        }
    }

    fn word(&mut self) -> Kind {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        self.at += end;
        Kind::Word(rest.get(..end).unwrap_or_default().to_owned())
    }

    fn symbol(&mut self, first: char) -> Result<Kind, Mistake> {
        let rest = self.rest();
        // `a ?.5 : b` is a condition, not an optional member.
        let digit_third = rest.chars().nth(2).is_some_and(|next| next.is_ascii_digit());
        let fits = |symbol: &&&str| rest.starts_with(**symbol) && !(**symbol == "?." && digit_third);
        let symbol = SYMBOLS.iter().find(fits).ok_or_else(|| {
            Mistake::new(self.at, format!("“{}” is no part of the filter language", first.escape_debug()))
        })?;
        self.at += symbol.len();
        Ok(Kind::Symbol(symbol))
    }

    fn raw_text(&mut self) -> Result<Kind, Mistake> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let end = inside.find('`').ok_or_else(|| Mistake::new(self.at, "this text does not end; close it with `"))?;
        self.at += end + 2;
        Ok(Kind::Text(inside.get(..end).unwrap_or_default().to_owned()))
    }

    fn text(&mut self, quote: char) -> Result<Kind, Mistake> {
        let start = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.at = start + offset + 1;
                    return Ok(Kind::Text(text));
                }
                '\n' => break,
                '\\' => {
                    let letter = chars.next().map(|(_, letter)| letter);
                    let escaped = letter.and_then(|letter| escape(letter, || chars.next().map(|(_, digit)| digit)));
                    text.push(escaped.ok_or_else(|| {
                        Mistake::new(
                            start + offset,
                            "this escape is unknown; write \\\\ for a backslash, or quote with `",
                        )
                    })?);
                }
                _ => text.push(c),
            }
        }
        Err(Mistake::new(start, format!("this text does not end; close it with {quote}")))
    }

    fn number(&mut self) -> Result<Kind, Mistake> {
        let rest = self.rest();
        let based = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
        let base = based.iter().find(|(prefix, _)| rest.starts_with(prefix)).map(|(_, base)| *base);
        let length = if base.is_some() {
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len())
        } else {
            decimal_length(rest)
        };
        let written = rest.get(..length).unwrap_or_default();
        let digits = written.replace('_', "");
        let wrong = || Mistake::new(self.at, "this is no number the filter language knows, or it is too large");
        let follows = rest.get(length..).and_then(|after| after.chars().next());
        if follows.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return Err(wrong());
        }
        let kind = match base {
            Some(base) => {
                Kind::Int(i64::from_str_radix(digits.get(2..).unwrap_or_default(), base).map_err(|_| wrong())?)
            }
            None if digits.contains(['.', 'e', 'E']) => {
                Kind::Float(digits.parse::<f64>().ok().filter(|float| float.is_finite()).ok_or_else(wrong)?)
            }
            None => Kind::Int(digits.parse().map_err(|_| wrong())?),
        };
        self.at += length;
        Ok(kind)
    }
}

/// The length of digits, fraction and exponent. In `1..5` the dots are no fraction.
fn decimal_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b'_').unwrap_or(rest.len())
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

fn escape(letter: char, mut next: impl FnMut() -> Option<char>) -> Option<char> {
    let mut code = |length: usize| {
        let digits: String = (0..length).map_while(|_| next()).collect();
        let hexadecimal = digits.len() == length && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        hexadecimal.then(|| u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)).flatten()
    };
    Some(match letter {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' | '"' | '\'' | '`' => letter,
        'x' => code(2)?,
        'u' => code(4)?,
        'U' => code(8)?,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<Kind> {
        tokens(source).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_in_every_form() {
        let cases = [("1_000", 1_000), ("0xff", 255), ("0o17", 15), ("0b101", 5), ("007", 7)];
        for (source, number) in cases {
            assert_eq!(kinds(source), [Kind::Int(number), Kind::End], "{source}");
        }
        for (source, number) in [(".5", 0.5), ("1e3", 1e3), ("2.5e-1", 0.25), ("1.", 1.0)] {
            assert_eq!(kinds(source), [Kind::Float(number), Kind::End], "{source}");
        }
        assert_eq!(kinds("1..5"), [Kind::Int(1), Kind::Symbol(".."), Kind::Int(5), Kind::End]);
        for bad in ["0x", "0b2", "9223372036854775808", "1e999", "12abc", "0xfg"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts_and_comments() {
        let text = |text: &str| Kind::Text(text.to_owned());
        assert_eq!(kinds(r#""a\"b\x41\u00e9\n" 'it\'s'"#), [text("a\"bAé\n"), text("it's"), Kind::End]);
        assert_eq!(kinds(r"`\d+ //`"), [text(r"\d+ //"), Kind::End]);
        assert_eq!(kinds("/* a\n */ 1 // b\n2"), [Kind::Int(1), Kind::Int(2), Kind::End]);
        for (bad, at) in
            [("  \"a", 2), ("'a\nb'", 0), ("`a", 0), ("/* a", 0), (r#""ab\q""#, 3), (r#""\x4""#, 1), ("1 @", 2)]
        {
            assert_eq!(tokens(bad).unwrap_err().at, at, "{bad}");
        }
    }

    #[test]
    fn optional_members_and_conditions_are_told_apart() {
        assert_eq!(kinds("?.a")[0], Kind::Symbol("?."));
        assert_eq!(kinds("?.5")[..2], [Kind::Symbol("?"), Kind::Float(0.5)]);
        assert_eq!(kinds("a?:b")[1..3], [Kind::Symbol("?"), Kind::Symbol(":")]);
    }
}
