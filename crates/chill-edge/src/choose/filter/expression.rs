//! The Pratt parser: operands, operators, conditions and `let`.

use super::Mistake;
use super::compile::{Compiler, Local, quoted};
use super::operand::Operand;
use super::operators::Operator;
use super::program::Step;
use super::token::Kind;
use super::types::Type;
use super::{builtin, predicate};
use crate::choose::fields::Record;

/// Words that are no names.
const RESERVED: &[&str] = &[
    "and",
    "contains",
    "else",
    "endsWith",
    "false",
    "if",
    "in",
    "let",
    "matches",
    "nil",
    "not",
    "or",
    "startsWith",
    "true",
];

impl Compiler {
    /// `a; b; c`: the last one counts.
    pub(super) fn sequence(&mut self) -> Result<Operand, Mistake> {
        loop {
            let operand = self.expression(0)?;
            if !self.eat(";") {
                return Ok(operand);
            }
            self.emit(Step::Drop)?;
        }
    }

    /// An expression of operators that bind at least this tightly.
    pub(super) fn expression(&mut self, least: u16) -> Result<Operand, Mistake> {
        self.deeper(|compiler| match compiler.peek() {
            Kind::Word(word) if least == 0 && word == "let" => compiler.named(),
            Kind::Word(word) if least == 0 && word == "if" => compiler.if_else(),
            _ => compiler.operators(least),
        })
    }

    fn operators(&mut self, least: u16) -> Result<Operand, Mistake> {
        let mut left = self.operand()?;
        while let Some((operator, precedence, negated)) =
            self.operator().filter(|(_, precedence, _)| *precedence >= least)
        {
            for _ in 0..=usize::from(negated) {
                self.advance();
            }
            left = match operator {
                Operator::Pipe => self.piped(left)?,
                Operator::Or | Operator::And => self.logic(&left, operator, precedence)?,
                Operator::Coalesce => self.coalesce(&left, precedence)?,
                Operator::Relation(relation) => self.relations(left, relation)?,
                _ => {
                    let right = self.expression(operator.right_side(precedence))?;
                    self.combine(&left, operator, &right)?
                }
            };
            if negated {
                self.emit(Step::Not)?;
            }
        }
        if least == 0 { self.conditions(left) } else { Ok(left) }
    }

    /// The operator that comes next, how tightly it binds, and whether `not` stands before it.
    fn operator(&self) -> Option<(Operator, u16, bool)> {
        if matches!(self.peek(), Kind::Word(word) if word == "not") {
            let (operator, precedence) = Operator::of(self.peek_after(1))?;
            return operator.has_negation().then_some((operator, precedence, true));
        }
        Operator::of(self.peek()).map(|(operator, precedence)| (operator, precedence, false))
    }

    /// `x | f(y)` is `f(x, y)`.
    fn piped(&mut self, left: Operand) -> Result<Operand, Mistake> {
        let at = self.at();
        let Kind::Word(name) = self.peek().clone() else {
            let found = self.found();
            return Err(
                self.mistake(format!("after | comes a function, such as upper(), not {found}; or is written ||"))
            );
        };
        self.advance();
        self.expect("(", "after the function's name")?;
        let call = self.call(&name, at, Some(left))?;
        self.postfix(call)
    }

    fn logic(&mut self, left: &Operand, operator: Operator, precedence: u16) -> Result<Operand, Mistake> {
        let (who, step): (_, fn(u16) -> Step) = match operator {
            Operator::And => ("`&&`", Step::KeepIfFalse),
            _ => ("`||`", Step::KeepIfTrue),
        };
        self.require(left, left.ty.may_be_bool(), who, "a yes or no on its left side")?;
        let jump = self.emit(step(0))?;
        self.emit(Step::Drop)?;
        let right = self.expression(precedence + 1)?;
        self.require(&right, right.ty.may_be_bool(), who, "a yes or no on its right side")?;
        if right.ty == Type::Any {
            self.emit(Step::CheckBool)?;
        }
        self.land(jump);
        Ok(left.becomes(Type::Bool))
    }

    fn coalesce(&mut self, left: &Operand, precedence: u16) -> Result<Operand, Mistake> {
        let jump = self.emit(Step::KeepIfSome(0))?;
        self.emit(Step::Drop)?;
        let right = self.expression(precedence + 1)?;
        self.land(jump);
        let ty = match &left.ty {
            Type::Nil => right.ty,
            Type::Any => Type::Any,
            known => known.clone().or(right.ty),
        };
        Ok(left.becomes(ty))
    }

    /// `c ? x : y` and `x ?: y`, any number of them.
    fn conditions(&mut self, mut left: Operand) -> Result<Operand, Mistake> {
        while self.eat("?") {
            self.require(&left, left.ty.may_be_bool(), "`?`", "a yes or no before it")?;
            let ty = if self.eat(":") {
                let jump = self.emit(Step::KeepIfTrue(0))?;
                self.emit(Step::Drop)?;
                let other = self.expression(0)?;
                self.land(jump);
                Type::Bool.or(other.ty)
            } else {
                let otherwise = self.emit(Step::JumpIfFalse(0))?;
                let first = self.expression(0)?;
                self.expect(":", "between the two results of `?`")?;
                let end = self.emit(Step::Jump(0))?;
                self.land(otherwise);
                let second = self.expression(0)?;
                self.land(end);
                first.ty.or(second.ty)
            };
            left = left.becomes(ty);
        }
        Ok(left)
    }

    /// `if c { x } else { y }`
    fn if_else(&mut self) -> Result<Operand, Mistake> {
        let (at, from) = (self.at(), self.here());
        self.advance();
        let condition = self.expression(0)?;
        self.require(&condition, condition.ty.may_be_bool(), "`if`", "a yes or no")?;
        let otherwise = self.emit(Step::JumpIfFalse(0))?;
        let first = self.braced()?;
        if !self.eat_word("else") {
            let found = self.found();
            return Err(self.mistake(format!("expected else after the braces of if, found {found}")));
        }
        let end = self.emit(Step::Jump(0))?;
        self.land(otherwise);
        let again = matches!(self.peek(), Kind::Word(word) if word == "if");
        let second = if again { self.expression(0)? } else { self.braced()? };
        self.land(end);
        Ok(Operand::new(first.ty.or(second.ty), from, at))
    }

    fn braced(&mut self) -> Result<Operand, Mistake> {
        self.expect("{", "around the result of if and else")?;
        let operand = self.sequence()?;
        self.expect("}", "at the end of the result of if and else")?;
        Ok(operand)
    }

    /// `let x = 1; x + 1`
    fn named(&mut self) -> Result<Operand, Mistake> {
        let (at, from) = (self.at(), self.here());
        self.advance();
        let name_at = self.at();
        let Kind::Word(name) = self.peek().clone() else {
            let found = self.found();
            return Err(self.mistake(format!("after let comes a name, not {found}")));
        };
        self.advance();
        if self.is_taken(&name) {
            return Err(Mistake::new(name_at, format!("{} has a meaning already; choose another name", quoted(&name))));
        }
        self.expect("=", "after the name")?;
        let value = self.expression(0)?;
        let slot = self.program.locals;
        self.program.locals += 1;
        self.emit(Step::SetLocal(slot))?;
        self.expect(";", "after the value of let")?;
        self.scope.push(Local { name, slot, ty: value.ty });
        let body = self.sequence();
        self.scope.pop();
        Ok(Operand::new(body?.ty, from, at))
    }

    fn is_taken(&self, name: &str) -> bool {
        RESERVED.contains(&name)
            || name.starts_with('$')
            || self.scope.iter().any(|local| local.name == name)
            || Record::Stream.get(name).is_some()
            || builtin::find(name).is_some()
            || predicate::Predicate::find(name).is_some()
    }
}
