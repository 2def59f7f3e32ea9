//! What one evaluation may cost.

use std::sync::Arc;

use super::value::{List, Text, Value};

/// Steps of one evaluation; looking at an element, or at [`BYTES_PER_STEP`] bytes of text, is a step too.
const STEPS: u32 = 10_000;
/// Bytes of texts and lists made in one evaluation.
const BYTES: usize = 256 * 1024;
/// Deepest nesting of lists within lists.
const DEEPEST: u8 = 40;
const BYTES_PER_STEP: usize = 64;

/// Why a filter fails on a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("the filter takes more than {STEPS} steps for this stream")]
    Steps,
    #[error("the filter makes more than {} KiB of texts and lists for this stream", BYTES / 1024)]
    Memory,
    #[error("the filter needs {0} here, and this stream has something else")]
    Type(&'static str),
    #[error("the filter {0}")]
    Cannot(&'static str),
}

/// What is left of the budget.
#[derive(Debug)]
pub(super) struct Meter {
    steps: u32,
    bytes: usize,
    depth: u8,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self { steps: STEPS, bytes: BYTES, depth: 0 }
    }

    /// Counts steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Trouble> {
        let steps = u32::try_from(steps).map_err(|_| Trouble::Steps)?;
        self.steps = self.steps.checked_sub(steps).ok_or(Trouble::Steps)?;
        Ok(())
    }

    /// Counts looking through a text.
    pub(super) fn read(&mut self, text: &str) -> Result<(), Trouble> {
        self.spend(text.len() / BYTES_PER_STEP)
    }

    /// Counts bytes before they are made.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Trouble::Memory)?;
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// A new text, counted.
    pub(super) fn text<'a>(&mut self, text: impl Into<Arc<str>>) -> Result<Value<'a>, Trouble> {
        let text = text.into();
        self.take(text.len() + 16)?;
        Ok(Value::Text(Text::Made(text)))
    }

    /// A new list, counted.
    pub(super) fn list<'a>(&mut self, items: Vec<Value<'a>>) -> Result<Value<'a>, Trouble> {
        self.take((items.len() + 1) * size_of::<Value<'_>>())?;
        Ok(Value::List(List::Made(items.into())))
    }

    /// Goes into a list within a list.
    pub(super) fn enter(&mut self) -> Result<(), Trouble> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Trouble::Cannot("nests lists too deeply"));
        }
        Ok(())
    }

    /// And out of it.
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}
