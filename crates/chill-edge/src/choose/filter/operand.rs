//! A compiled part of an expression.

use super::types::Type;
use crate::choose::rank::Ranked;

/// What the steps from `from` on leave on the stack.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) ty: Type,
    /// Its first step.
    pub(super) from: usize,
    /// Its first byte in the source.
    pub(super) at: usize,
    /// It is exactly the name of something that is compared by rank.
    pub(super) ranked: Option<Ranked>,
    /// It is a rank already, as the middle of a chain of comparisons.
    pub(super) is_rank: bool,
}

impl Operand {
    pub(super) fn new(ty: Type, from: usize, at: usize) -> Self {
        Self { ty, from, at, ranked: None, is_rank: false }
    }

    /// The result of something that began with this operand.
    pub(super) fn becomes(&self, ty: Type) -> Self {
        Self::new(ty, self.from, self.at)
    }
}
