//! A name cut into runs of letters and runs of digits, lower-cased beside the original.

use crate::lexicon::{self, Word};

/// Longest name that is read, in bytes; what lies beyond is ignored.
pub(crate) const LONGEST: usize = 768;
/// Most runs that are read.
pub(crate) const MOST: usize = 192;
/// Value of a digit run that is too long to be any number of ours.
pub(crate) const HUGE: u32 = u32::MAX;

/// One run of letters or of digits. Offsets are the same in the original and in the lower-cased name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) start: u16,
    pub(crate) end: u16,
    /// Value of a digit run.
    pub(crate) value: u32,
    /// Where the innermost open bracket stands, plus one; 0 outside of brackets.
    pub(crate) bracket: u16,
    /// Meaning of the run, or of `span` runs that begin here.
    pub(crate) word: Word,
    /// Runs that `word` covers.
    pub(crate) span: u8,
    pub(crate) digits: bool,
    /// Claimed by a rule.
    pub(crate) used: bool,
}

impl Token {
    /// What stands before the first and after the last token.
    pub(crate) const NONE: Self =
        Self { start: 0, end: 0, value: HUGE, bracket: 0, word: Word::None, span: 1, digits: false, used: false };

    pub(crate) fn len(&self) -> usize {
        usize::from(self.end - self.start)
    }
}

/// The buffers of one reading; kept by the caller so that reading allocates nothing.
pub(crate) struct Tokens {
    low: [u8; LONGEST],
    length: usize,
    list: [Token; MOST],
    count: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Open,
    Close,
    Gap,
}

/// Classes of the ASCII characters.
const CLASSES: [Class; 128] = {
    let mut classes = [Class::Gap; 128];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where a wrong index is an error")]
        {
            classes[byte as usize] = match byte {
                b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
                b'0'..=b'9' => Class::Digit,
                b'(' | b'[' | b'{' => Class::Open,
                b')' | b']' | b'}' => Class::Close,
                _ => Class::Gap,
            };
        }
        byte += 1_u8;
    }
    classes
};

impl Tokens {
    /// Cuts a name of at most [`LONGEST`] bytes.
    pub(crate) fn of(name: &str) -> Self {
        let mut tokens =
            Self { low: [0; LONGEST], length: name.len().min(LONGEST), list: [Token::NONE; MOST], count: 0 };
        tokens.cut(name);
        tokens.name_words();
        tokens
    }

    /// The lower-cased name.
    pub(crate) fn low(&self) -> &[u8] {
        self.low.get(..self.length).unwrap_or_default()
    }

    /// The runs.
    pub(crate) fn list(&self) -> &[Token] {
        self.list.get(..self.count).unwrap_or_default()
    }

    /// Forgets the runs that begin at `stop` or behind it.
    pub(crate) fn keep_before(&mut self, stop: usize) {
        while self.count > 0 && self.list.get(self.count - 1).is_some_and(|token| usize::from(token.start) >= stop) {
            self.count -= 1;
        }
    }

    /// The runs, to claim them.
    pub(crate) fn list_mut(&mut self) -> &mut [Token] {
        self.list.get_mut(..self.count).unwrap_or_default()
    }

    fn cut(&mut self, name: &str) {
        let mut open = [0_u16; 8];
        let mut depth = 0_usize;
        let mut last = Class::Gap;
        let mut at = 0_usize;
        let bytes = name.as_bytes();
        while at < self.length {
            let (class, size) =
                match bytes.get(at).and_then(|byte| CLASSES.get(usize::from(*byte)).map(|class| (*byte, class))) {
                    Some((byte, class)) => {
                        if let Some(slot) = self.low.get_mut(at) {
                            *slot = byte.to_ascii_lowercase();
                        }
                        (*class, 1)
                    }
                    None => self.lower(name, at),
                };
            match class {
                Class::Letter | Class::Digit => {
                    if class != last
                        && !self.push(
                            at,
                            class == Class::Digit,
                            depth.checked_sub(1).and_then(|top| open.get(top)).copied(),
                        )
                    {
                        return;
                    }
                    self.extend(at, size, class == Class::Digit);
                }
                Class::Open => {
                    if let Some(slot) = open.get_mut(depth) {
                        *slot = u16::try_from(at + 1).unwrap_or(0);
                        depth += 1;
                    }
                }
                Class::Close => depth = depth.saturating_sub(1),
                Class::Gap => {}
            }
            last = class;
            at += size;
        }
    }

    /// Lower-cases the character at `at`, which is not ASCII, into the buffer; its class and its size in bytes.
    fn lower(&mut self, name: &str, at: usize) -> (Class, usize) {
        let c = name.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('\0');
        let size = c.len_utf8();
        let plain = match c {
            'À'..='Þ' | 'А'..='Я' if c != '×' => char::from_u32(u32::from(c) + 32).unwrap_or(c),
            'Ѐ'..='Џ' => char::from_u32(u32::from(c) + 80).unwrap_or(c),
            'Ā'..='ķ' | 'Ŋ'..='ŷ' if u32::from(c) % 2 == 0 => char::from_u32(u32::from(c) + 1).unwrap_or(c),
            'Ĺ'..='ň' | 'Ź'..='ž' if u32::from(c) % 2 == 1 => char::from_u32(u32::from(c) + 1).unwrap_or(c),
            other => other,
        };
        let mut bytes = [0_u8; 4];
        let source = if plain.len_utf8() == size { plain } else { c };
        let encoded = source.encode_utf8(&mut bytes);
        if let Some(slot) = self.low.get_mut(at..at + size) {
            slot.copy_from_slice(encoded.as_bytes());
        }
        let class = match c {
            '【' | '（' | '「' | '『' | '《' => Class::Open,
            '】' | '）' | '」' | '』' | '》' => Class::Close,
            'ª' | 'º' => Class::Gap,
            '\u{300}'..='\u{36f}' => Class::Letter,
            c if c.is_alphabetic() => Class::Letter,
            _ => Class::Gap,
        };
        (class, size)
    }

    fn push(&mut self, at: usize, digits: bool, bracket: Option<u16>) -> bool {
        let start = u16::try_from(at).unwrap_or(u16::MAX);
        match self.list.get_mut(self.count) {
            Some(slot) => {
                let value = if digits { 0 } else { HUGE };
                *slot = Token { start, end: start, value, bracket: bracket.unwrap_or(0), digits, ..Token::NONE };
                self.count += 1;
                true
            }
            None => false,
        }
    }

    fn extend(&mut self, at: usize, size: usize, digits: bool) {
        let digit = self.low.get(at).map_or(0, |byte| u32::from(byte.wrapping_sub(b'0')));
        if let Some(token) = self.count.checked_sub(1).and_then(|last| self.list.get_mut(last)) {
            token.end += u16::try_from(size).unwrap_or(0);
            if digits {
                token.value = token.value.checked_mul(10).and_then(|value| value.checked_add(digit)).unwrap_or(HUGE);
            }
        }
    }

    /// Looks up the meaning of each chunk of glued runs, and where a chunk means nothing, of each run.
    fn name_words(&mut self) {
        let mut first = 0;
        while first < self.count {
            let mut after = first + 1;
            while self.list.get(after).is_some_and(|token| after < self.count && token.start == self.end_of(after - 1))
            {
                after += 1;
            }
            let span = after - first;
            let word = if span == 1 && self.list.get(first).is_some_and(|token| token.digits) {
                Word::None
            } else {
                self.meaning(first, after)
            };
            if word == Word::None && span > 1 {
                (first..after).for_each(|index| self.name_run(index));
            } else if let Some(token) = self.list.get_mut(first) {
                token.word = word;
                token.span = u8::try_from(span).unwrap_or(1);
            }
            first = after;
        }
    }

    fn name_run(&mut self, index: usize) {
        let mut word = match self.list.get(index) {
            Some(token) if !token.digits => self.meaning(index, index + 1),
            _ => return,
        };
        let mut unit = 0;
        if word == Word::None && self.begins_with_unit(index) {
            // "1080pHEVC", "4kHDR", "3xEng": the unit goes with the number.
            self.shift(index, 1);
            word = self.meaning(index, index + 1);
            unit = u16::from(word == Word::None);
        }
        if let Some(token) = self.list.get_mut(index) {
            token.word = word;
            token.start -= unit;
        }
    }

    /// Whether the run begins with the unit of the number it is glued to.
    fn begins_with_unit(&self, index: usize) -> bool {
        let (Some(token), Some(number)) =
            (self.list.get(index), index.checked_sub(1).and_then(|before| self.list.get(before)))
        else {
            return false;
        };
        let unit = self.low.get(usize::from(token.start));
        let fits = match unit {
            Some(b'p') => (240..=4320).contains(&number.value),
            Some(b'k') => matches!(number.value, 2 | 4 | 8),
            Some(b'x') => number.value < 10,
            _ => false,
        };
        fits && number.digits && number.end == token.start && token.len() > 2
    }

    fn shift(&mut self, index: usize, bytes: u16) {
        if let Some(token) = self.list.get_mut(index) {
            token.start += bytes;
        }
    }

    fn end_of(&self, index: usize) -> u16 {
        self.list.get(index).map_or(0, |token| token.end)
    }

    fn meaning(&self, first: usize, after: usize) -> Word {
        let start = self.list.get(first).map_or(0, |token| usize::from(token.start));
        let end = usize::from(self.end_of(after - 1));
        self.low.get(start..end).map_or(Word::None, lexicon::look_up)
    }
}
