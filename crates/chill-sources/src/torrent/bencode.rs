//! Bencode (BEP 3): values as slices of the bytes they were read from.
//!
//! A value is found by one pass that keeps a depth and no stack, so nested input costs neither recursion nor memory, and
//! what is not asked for is skipped and never stored.

/// Lists and dictionaries inside one another. A torrent has five.
const DEPTH: usize = 32;
/// Digits of a string's length; more than any input here is long.
const LENGTH_DIGITS: usize = 9;

/// One value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Integer(i64),
    Text(&'a [u8]),
    List(Items<'a>),
    Dict(Dict<'a>),
}

/// The values of a list, in order. Ends at the first that cannot be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'a>(&'a [u8]);

/// The entries of a dictionary.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dict<'a>(&'a [u8]);

/// The first value of `bytes`, as it stands there. What follows it does not matter.
pub(super) fn first(bytes: &[u8]) -> Option<&[u8]> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match bytes.get(at)? {
            b'i' => at = integer(bytes, at)?.1,
            b'0'..=b'9' => at = text(bytes, at)?.1,
            b'l' | b'd' if depth < DEPTH => {
                depth += 1;
                at += 1;
            }
            b'e' if depth > 0 => {
                depth -= 1;
                at += 1;
            }
            _ => return None,
        }
        if depth == 0 {
            return bytes.get(..at);
        }
    }
}

/// `i…e` at `at`: the number, and where it ends. Numbers beyond 64 bits, `i-0e` and leading zeros are none.
fn integer(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let rest = bytes.get(at + 1..)?;
    let len = rest.iter().take(21).position(|byte| *byte == b'e')?;
    let digits = std::str::from_utf8(&rest[..len]).ok()?;
    let plain = digits.strip_prefix('-').unwrap_or(digits);
    let canonical = plain == "0" && plain == digits || plain.starts_with(|c: char| matches!(c, '1'..='9'));
    Some((digits.parse().ok().filter(|_| canonical)?, at + 1 + len + 1))
}

/// `4:spam` at `at`: the bytes, and where they end.
fn text(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = bytes.get(at..)?;
    let len = rest.iter().take(LENGTH_DIGITS + 1).position(|byte| *byte == b':')?;
    let digits = std::str::from_utf8(&rest[..len]).ok()?;
    let canonical = digits == "0" || digits.starts_with(|c: char| matches!(c, '1'..='9'));
    let long: usize = digits.parse().ok().filter(|_| canonical)?;
    let start = at + len + 1;
    Some((bytes.get(start..start.checked_add(long)?)?, start + long))
}

impl<'a> Value<'a> {
    /// What stands at the beginning of `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let whole = first(bytes)?;
        let inside = || whole.get(1..whole.len().saturating_sub(1)).unwrap_or_default();
        match whole.first()? {
            b'i' => integer(whole, 0).map(|(number, _)| Self::Integer(number)),
            b'l' => Some(Self::List(Items(inside()))),
            b'd' => Some(Self::Dict(Dict(inside()))),
            _ => text(whole, 0).map(|(text, _)| Self::Text(text)),
        }
    }

    pub(super) fn integer(self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(number) } else { None }
    }

    pub(super) fn text(self) -> Option<&'a [u8]> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn list(self) -> Option<Items<'a>> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    pub(super) fn dict(self) -> Option<Dict<'a>> {
        if let Self::Dict(dict) = self { Some(dict) } else { None }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let raw = first(self.0)?;
        self.0 = &self.0[raw.len()..];
        Value::read(raw)
    }
}

impl<'a> Dict<'a> {
    /// The first value of this key, as it stands in the input.
    pub(super) fn raw(self, key: &str) -> Option<&'a [u8]> {
        let mut rest = self.0;
        loop {
            let (name, end) = text(rest, 0)?;
            let value = first(rest.get(end..)?)?;
            if name == key.as_bytes() {
                return Some(value);
            }
            rest = &rest[end + value.len()..];
        }
    }

    /// The first value of this key.
    pub(super) fn get(self, key: &str) -> Option<Value<'a>> {
        self.raw(key).and_then(Value::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_where_they_end() {
        for (input, raw) in [
            ("i0e", Some("i0e")),
            ("i-12ei3e", Some("i-12e")),
            ("4:spam5", Some("4:spam")),
            ("0:", Some("0:")),
            ("le", Some("le")),
            ("ll4:spamei1eed", Some("ll4:spamei1ee")),
            ("d1:ai1e1:bd1:cleee rest", Some("d1:ai1e1:bd1:cleee")),
            ("", None),
            ("e", None),
            ("i-0e", None),
            ("i01e", None),
            ("ie", None),
            ("i1", None),
            ("i99999999999999999999e", None),
            ("i+1e", None),
            ("5:spam", None),
            ("04:spam", None),
            ("+4:spam", None),
            ("99999999999:x", None),
            ("9999999999", None),
            ("l4:spam", None),
            ("d1:a", None),
        ] {
            assert_eq!(first(input.as_bytes()), raw.map(str::as_bytes), "{input}");
        }
    }

    #[test]
    fn lists_and_dictionaries_are_walked() {
        let value = Value::read(b"d4:listli1e2:abe3:numi-7ee").unwrap();
        let dict = value.dict().unwrap();
        assert_eq!(dict.get("num").and_then(Value::integer), Some(-7));
        assert_eq!(dict.raw("list"), Some(&b"li1e2:abe"[..]));
        let items: Vec<_> = dict.get("list").and_then(Value::list).unwrap().collect();
        assert_eq!((items[0].integer(), items[1].text()), (Some(1), Some(&b"ab"[..])));
        assert!(dict.get("nothing").is_none() && value.list().is_none() && items[0].text().is_none());
    }

    #[test]
    fn depth_is_bounded_and_costs_no_stack() {
        let nested = |depth: usize| "l".repeat(depth) + &"e".repeat(depth);
        assert!(first(nested(DEPTH).as_bytes()).is_some());
        assert!(first(nested(DEPTH + 1).as_bytes()).is_none());
        assert!(first("l".repeat(1 << 20).as_bytes()).is_none());
        assert!(first("d1:a".repeat(1 << 18).as_bytes()).is_none());
    }
}
