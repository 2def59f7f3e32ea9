//! Filters: one expression that says whether a stream is kept, such as `Resolution >= "1080p" && !("cam" in Title)`.
//!
//! The language is the part of expr (<https://expr-lang.org>) that makes sense for a stream, with StremThru's addition
//! that `Resolution`, `Quality`, `Size` and `File.Size` are compared by rank: `Resolution >= "1080p"`, `Size < "12 GB"`.
//! Wherever else they stand they are plain texts. Patterns of `matches` are literals, and matching takes linear time.
//!
//! The source is cut into `token`s and compiled in one pass (`compile`, a Pratt parser that knows types) into
//! the steps of a small stack machine (`machine`). Nothing is recursive but nesting, which is bounded, and every
//! evaluation has a budget of steps and bytes. A filter that fails on a stream keeps it.
//!
//! Left out of expr: the clock, JSON, base64, bits, `groupBy`, `sortBy`, `reduce`, and patterns made at run time.

mod arithmetic;
mod builtin;
mod calls;
mod compile;
mod expression;
mod lists;
mod machine;
mod meter;
mod numbers;
mod operand;
mod operators;
mod pattern;
mod predicate;
mod primary;
mod program;
mod ranks;
#[cfg(test)]
mod tests;
mod texts;
mod token;
mod types;
mod value;

use std::fmt;
use std::sync::Arc;

use super::candidate::Candidate;
pub(crate) use pattern::Pattern;
use program::Program;

/// Longest source, in bytes.
pub const LONGEST: usize = 2_048;
/// Deepest nesting of brackets, conditions, unary operators and `let`s.
pub const DEEPEST: usize = 32;
/// Most steps a compiled filter may have.
pub const MOST_NODES: usize = 1_000;

/// A compiled filter; cloning shares it.
#[derive(Clone)]
pub struct Filter {
    program: Arc<Program>,
}

/// What a filter says about a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is shown.
    Keep,
    /// It is not.
    Hide,
    /// It is shown, because the filter failed on it; the text says why.
    Failed(String),
}

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct FilterError {
    /// Byte offset in the source.
    pub offset: usize,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// A sentence: what is wrong, and what would be right.
    pub message: String,
}

impl Filter {
    /// Compiles a filter. An empty text keeps everything.
    ///
    /// # Errors
    /// [`FilterError`]: not the language, an unknown name, types that do not fit, not a yes or no, or too large.
    pub fn compile(source: &str) -> Result<Self, FilterError> {
        let program = compile::program(source).map_err(|mistake| mistake.locate(source))?;
        Ok(Self { program: Arc::new(program) })
    }

    /// Whether the stream is shown.
    #[must_use]
    pub fn keeps(&self, stream: &Candidate<'_>) -> bool {
        !matches!(machine::run(&self.program, stream), Ok(false))
    }

    /// Whether the stream is shown, and why if the filter failed on it.
    #[must_use]
    pub fn verdict(&self, stream: &Candidate<'_>) -> Verdict {
        match machine::run(&self.program, stream) {
            Ok(true) => Verdict::Keep,
            Ok(false) => Verdict::Hide,
            Err(trouble) => Verdict::Failed(trouble.to_string()),
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("steps", &self.program.steps.len()).finish()
    }
}

/// A [`FilterError`] that knows only its offset.
#[derive(Debug)]
pub(super) struct Mistake {
    at: usize,
    message: String,
}

impl Mistake {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    fn locate(self, source: &str) -> FilterError {
        let before = source.get(..self.at).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        FilterError {
            offset: self.at.min(source.len()),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            message: self.message,
        }
    }
}
