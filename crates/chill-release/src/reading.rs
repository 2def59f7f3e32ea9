//! One reading of one name: the runs, what is claimed, where the title ends, and what was found so far.

use crate::lexicon::Word;
use crate::release::Release;
use crate::token::{Token, Tokens};
use crate::video::{self, Kind};

/// What a claim means for the rest of the reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A remark: the title ends before it.
    Ends,
    /// A remark on picture or sound: the title ends before it, and so do bare episode numbers.
    Tech,
    /// Understood, and possibly a part of the title.
    Keeps,
}

pub(crate) struct Reading<'a> {
    pub(crate) name: &'a str,
    pub(crate) tokens: &'a mut Tokens,
    pub(crate) out: Release,
    /// First byte of the title.
    pub(crate) begin: usize,
    /// First byte after the title.
    pub(crate) end: usize,
    /// First byte of the first remark on picture or sound.
    pub(crate) tech: usize,
    /// First byte of the year or date that ends the title.
    pub(crate) dated: usize,
    /// First byte of the extension's dot, or the length of the name.
    pub(crate) stop: usize,
    /// A group in brackets opens the name, as in anime releases.
    pub(crate) leading_group: Option<(usize, usize)>,
    /// Another thing is known to be spoken of in Spanish, such as the season.
    pub(crate) spanish: bool,
    /// The name is one file inside a torrent.
    pub(crate) one_file: bool,
    /// The name ends in the extension of a subtitle file.
    pub(crate) subtitles: bool,
    /// Sources seen, to be weighed at the end.
    pub(crate) remux: bool,
    /// `UHD` was seen.
    pub(crate) uhd: bool,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(name: &'a str, tokens: &'a mut Tokens) -> Self {
        let extension = video::extension(name);
        let subtitles = extension.is_some_and(|(_, kind)| kind == Kind::Subtitles);
        let extension = extension.map(|(known, _)| known);
        let stop = name.len() - extension.map_or(0, |known| known.len() + 1);
        tokens.keep_before(stop);
        let container = extension.filter(|known| matches!(*known, "mkv" | "avi" | "mp4" | "wmv" | "mpg" | "mpeg"));
        let begin = tokens.list().first().map_or(0, |token| usize::from(token.start));
        Self {
            name,
            tokens,
            out: Release { extension, container, ..Release::default() },
            begin,
            end: stop,
            tech: stop,
            dated: stop,
            stop,
            leading_group: None,
            spanish: false,
            one_file: false,
            subtitles,
            remux: false,
            uhd: false,
        }
    }

    /// Runs before the extension.
    pub(crate) fn count(&self) -> usize {
        self.tokens.list().len()
    }

    pub(crate) fn token(&self, index: usize) -> Token {
        self.tokens.list().get(index).copied().unwrap_or(Token::NONE)
    }

    /// Whether there is a run at the index.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.token(index).end > 0
    }

    /// The meaning of an unclaimed run.
    pub(crate) fn word(&self, index: usize) -> Word {
        let token = self.token(index);
        if token.used { Word::None } else { token.word }
    }

    /// Letters that the tables do not know.
    pub(crate) fn plain(&self, index: usize) -> bool {
        let token = self.token(index);
        token.word == Word::None && !token.digits
    }

    /// Start of the run, or the end of the text behind the last one.
    pub(crate) fn start(&self, index: usize) -> usize {
        let token = self.token(index);
        if token.end == 0 { self.stop } else { usize::from(token.start) }
    }

    pub(crate) fn end_of(&self, index: usize) -> usize {
        usize::from(self.token(index).end)
    }

    /// Lower-cased text of the run.
    pub(crate) fn text(&self, index: usize) -> &[u8] {
        let token = self.token(index);
        self.tokens.low().get(usize::from(token.start)..usize::from(token.end)).unwrap_or_default()
    }

    /// Text of the run as written.
    pub(crate) fn raw(&self, index: usize) -> &'a str {
        let token = self.token(index);
        self.name.get(usize::from(token.start)..usize::from(token.end)).unwrap_or_default()
    }

    /// What stands between the run and the one before it.
    pub(crate) fn gap(&self, index: usize) -> &[u8] {
        let from = index.checked_sub(1).map_or(0, |before| self.end_of(before));
        self.name.as_bytes().get(from..self.start(index)).unwrap_or_default()
    }

    /// Nothing stands between the run and the one before it.
    pub(crate) fn glued(&self, index: usize) -> bool {
        index > 0 && self.has(index) && self.gap(index).is_empty()
    }

    /// At most one space, dot, underscore or dash stands before the run.
    pub(crate) fn near(&self, index: usize) -> bool {
        self.has(index) && matches!(self.gap(index), [] | [b' ' | b'.' | b'_' | b'-'])
    }

    /// The run and its `span` are a whole word.
    pub(crate) fn whole(&self, index: usize) -> bool {
        !self.glued(index) && !self.glued(index + usize::from(self.token(index).span))
    }

    /// An unclaimed digit run with a value that fits.
    pub(crate) fn number(&self, index: usize) -> Option<u32> {
        let token = self.token(index);
        (token.digits && !token.used && token.len() <= 5).then_some(token.value)
    }

    /// Whether a digit run is unclaimed.
    pub(crate) fn any_number(&self) -> bool {
        self.tokens.list().iter().any(|token| token.digits && !token.used)
    }

    /// In capitals, with at least one letter.
    pub(crate) fn capitals(&self, index: usize) -> bool {
        let raw = self.raw(index).as_bytes();
        raw.iter().any(u8::is_ascii_uppercase) && !raw.iter().any(u8::is_ascii_lowercase)
    }

    /// Written in a bracket that holds remarks, that is one that opens after the title began.
    pub(crate) fn bracketed(&self, index: usize) -> bool {
        usize::from(self.token(index).bracket) > self.begin
    }

    /// Nothing else is in its bracket.
    pub(crate) fn fills_bracket(&self, index: usize) -> bool {
        let (before, behind) = (self.gap(index), self.gap(index + 1));
        before.ends_with(b"[") && behind.starts_with(b"]") || before.ends_with(b"(") && behind.starts_with(b")")
    }

    /// The run comes after the title, as far as that is known by now.
    pub(crate) fn late(&self, index: usize) -> bool {
        self.start(index) >= self.end
    }

    /// Claims the runs `from..to`.
    pub(crate) fn claim(&mut self, from: usize, to: usize, claim: Claim) {
        let start = self.start(from);
        if let Some(tokens) = self.tokens.list_mut().get_mut(from..to) {
            tokens.iter_mut().for_each(|token| token.used = true);
        }
        if claim == Claim::Keeps || start <= self.begin {
            return;
        }
        self.end = self.end.min(start);
        if claim == Claim::Tech {
            self.tech = self.tech.min(start);
        }
    }
}
