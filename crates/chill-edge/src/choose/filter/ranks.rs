//! Comparisons, and which of them compare ranks.

use super::Mistake;
use super::compile::Compiler;
use super::operand::Operand;
use super::operators::{COMPARISON, Operator};
use super::program::{Comparison, Relation, Step};
use super::types::Type;
use super::value::Value;
use crate::choose::rank::Ranked;

impl Relation {
    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

impl Compiler {
    /// `a < b`, and `a < b < c`, which means `a < b && b < c` with b looked at once.
    pub(super) fn relations(&mut self, left: Operand, first: Relation) -> Result<Operand, Mistake> {
        let whole = left.becomes(Type::Bool);
        let (mut left, mut relation, mut chain) = (left, first, Vec::new());
        loop {
            let mut right = self.expression(COMPARISON + 1)?;
            let ranked = left.ranked.or(right.ranked);
            let step = self.relation(&left, relation, &right)?;
            let next = match Operator::of(self.peek()) {
                Some((Operator::Relation(next), _)) if relation.is_order() && next.is_order() => next,
                _ => {
                    self.emit(step)?;
                    break;
                }
            };
            chain.push(self.emit(step)?);
            self.advance();
            right.ranked = ranked;
            right.is_rank = ranked.is_some();
            // Its steps lie behind a comparison now, so they are no constant any more.
            right.from = self.here();
            (left, relation) = (right, next);
        }
        for comparison in chain {
            self.land(comparison);
        }
        Ok(whole)
    }

    fn relation(&mut self, left: &Operand, relation: Relation, right: &Operand) -> Result<Step, Mistake> {
        let mut comparison = Comparison { relation, left: None, right: None, chain: None };
        if let Some(ranked) = left.ranked.or(right.ranked) {
            let end = self.here();
            comparison.left = self.rank(left, right.from, ranked)?;
            comparison.right = self.rank(right, end, ranked)?;
            return Ok(Step::Compare(comparison));
        }
        let (a, b) = (&left.ty, &right.ty);
        let fits = if relation.is_order() {
            a.may_be_number() && b.may_be_number() || a.may_be_text() && b.may_be_text()
        } else {
            a.meets(b)
        };
        if !fits {
            let (a, b) = (a.says(), b.says());
            return Err(Mistake::new(left.at, format!("{a} cannot be compared with {b}")));
        }
        Ok(Step::Compare(comparison))
    }

    /// Turns one side into a rank now, or says that it must be turned when it runs.
    fn rank(&mut self, side: &Operand, end: usize, ranked: Ranked) -> Result<Option<Ranked>, Mistake> {
        if side.is_rank {
            return Ok(None);
        }
        if let Some(own) = side.ranked {
            if let Some(step) = self.program.steps.get_mut(side.from) {
                *step = Step::Rank(own);
            }
            return Ok(None);
        }
        if !side.ty.may_be_text() {
            let (name, example, says) = (ranked.name(), ranked.example(), side.ty.says());
            let message = format!("{name} is compared with a text, such as {example}, but this is {says}");
            return Err(Mistake::new(side.at, message));
        }
        let Some(Value::Text(text)) = self.constant_in(side.from, end) else { return Ok(Some(ranked)) };
        let rank = self.keep(Value::Int(ranked.of_text(text.as_str())))?;
        if let Some(step) = self.program.steps.get_mut(side.from) {
            *step = Step::Constant(rank);
        }
        Ok(None)
    }
}
