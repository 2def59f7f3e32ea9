//! Runs a compiled filter on one candidate.

use super::arithmetic;
use super::lists;
use super::meter::{Meter, Trouble};
use super::program::{Comparison, Place, Program, Relation, Step, TextTest};
use super::value::{Text, Value};
use crate::choose::candidate::Candidate;
use crate::choose::rank::Ranked;

/// A compiled filter is broken: the compiler emitted steps that do not fit together.
const BROKEN: Trouble = Trouble::Cannot("is broken");

/// Whether the candidate passes.
pub(super) fn run(program: &Program, candidate: &Candidate<'_>) -> Result<bool, Trouble> {
    let mut machine = Machine {
        program,
        candidate,
        stack: Vec::with_capacity(8),
        locals: vec![Value::Nil; usize::from(program.locals)],
        elements: Vec::new(),
        meter: Meter::new(),
    };
    machine.block(0, program.steps.len())?;
    machine.pop()?.as_bool()
}

/// The state of one evaluation.
pub(super) struct Machine<'a> {
    program: &'a Program,
    candidate: &'a Candidate<'a>,
    stack: Vec<Value<'a>>,
    locals: Vec<Value<'a>>,
    /// Elements that `#` means and their places, innermost last.
    elements: Vec<(Value<'a>, usize)>,
    pub(super) meter: Meter,
}

impl<'a> Machine<'a> {
    pub(super) fn pop(&mut self) -> Result<Value<'a>, Trouble> {
        self.stack.pop().ok_or(BROKEN)
    }

    fn push(&mut self, value: Value<'a>) {
        self.stack.push(value);
    }

    fn top(&self) -> Result<&Value<'a>, Trouble> {
        self.stack.last().ok_or(BROKEN)
    }

    /// The last `count` values, in the order they were made.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Value<'a>>, Trouble> {
        let from = self.stack.len().checked_sub(count).ok_or(BROKEN)?;
        Ok(self.stack.split_off(from))
    }

    fn block(&mut self, from: usize, to: usize) -> Result<(), Trouble> {
        let program = self.program;
        let mut at = from;
        while at < to {
            let step = program.steps.get(at).ok_or(BROKEN)?;
            self.meter.spend(1)?;
            at = match self.step(step, at)? {
                Some(place) => usize::from(place),
                None => at + 1,
            };
        }
        Ok(())
    }

    /// Runs a predicate's condition for one element.
    pub(super) fn element(
        &mut self,
        element: Value<'a>,
        index: usize,
        body: (usize, Place),
    ) -> Result<Value<'a>, Trouble> {
        self.meter.spend(1)?;
        self.elements.push((element, index));
        self.block(body.0, usize::from(body.1))?;
        self.elements.pop();
        self.pop()
    }

    pub(super) fn add(&mut self, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>, Trouble> {
        arithmetic::arithmetic(super::program::Arithmetic::Add, a, b, &mut self.meter)
    }

    /// One step; a place when the next step is not the one behind it.
    fn step(&mut self, step: &'a Step, at: usize) -> Result<Option<Place>, Trouble> {
        match step {
            Step::Jump(place) => return Ok(Some(*place)),
            Step::JumpIfFalse(place) => return Ok((!self.pop()?.as_bool()?).then_some(*place)),
            Step::KeepIfFalse(place) => return Ok((!self.top()?.as_bool()?).then_some(*place)),
            Step::KeepIfTrue(place) => return Ok(self.top()?.as_bool()?.then_some(*place)),
            Step::KeepIfNil(place) => return Ok(matches!(self.top()?, Value::Nil).then_some(*place)),
            Step::KeepIfSome(place) => return Ok((!matches!(self.top()?, Value::Nil)).then_some(*place)),
            Step::Compare(comparison) => return self.compare(*comparison),
            Step::Each(predicate, end) => {
                let result = predicate.run(self, (at + 1, *end))?;
                self.push(result);
                return Ok(Some(*end));
            }
            Step::Drop => {
                self.pop()?;
            }
            Step::SetLocal(slot) => {
                let value = self.pop()?;
                *self.locals.get_mut(usize::from(*slot)).ok_or(BROKEN)? = value;
            }
            Step::CheckBool => {
                self.top()?.as_bool()?;
            }
            Step::CheckNumber => {
                self.top()?.as_float()?;
            }
            other => {
                let value = self.value(other)?;
                self.push(value);
            }
        }
        Ok(None)
    }

    /// The steps that leave one value.
    fn value(&mut self, step: &'a Step) -> Result<Value<'a>, Trouble> {
        match step {
            Step::Constant(index) => self.constant(*index),
            Step::Field(field) => Ok(Value::of((field.read)(self.candidate))),
            Step::Rank(ranked) => Ok(Value::Int(ranked.of(self.candidate))),
            Step::Local(slot) => self.locals.get(usize::from(*slot)).cloned().ok_or(BROKEN),
            Step::Element => self.elements.last().map(|(element, _)| element.clone()).ok_or(BROKEN),
            Step::Position => {
                let (_, place) = self.elements.last().ok_or(BROKEN)?;
                Ok(Value::Int(i64::try_from(*place).unwrap_or(i64::MAX)))
            }
            Step::Not => Ok(Value::Bool(!self.pop()?.as_bool()?)),
            Step::Negate => arithmetic::negate(&self.pop()?),
            Step::Member(name) => {
                let name = self.constant(*name)?;
                self.pop()?.member(name.as_str()?, self.candidate)
            }
            Step::List(count) => {
                let items = self.pop_many(usize::from(*count))?;
                self.meter.list(items)
            }
            Step::Map(count) => {
                let items = self.pop_many(usize::from(*count) * 2)?;
                lists::map(items, &mut self.meter)
            }
            Step::Call(builtin, count) => {
                let arguments = self.pop_many(usize::from(*count))?;
                (builtin.run)(&arguments, &mut self.meter)
            }
            Step::Slice { from, to } => {
                let to = if *to { Some(self.pop()?.as_int()?) } else { None };
                let from = if *from { Some(self.pop()?.as_int()?) } else { None };
                lists::slice(&self.pop()?, from, to, &mut self.meter)
            }
            Step::Matches(pattern) => {
                let value = self.pop()?;
                let text = value.as_str()?;
                let pattern = self.program.patterns.get(usize::from(*pattern)).ok_or(BROKEN)?;
                self.meter.spend(pattern.cost(text))?;
                Ok(Value::Bool(pattern.is_match(text)))
            }
            other => {
                let right = self.pop()?;
                let left = self.pop()?;
                self.pair(other, &left, &right)
            }
        }
    }

    /// The steps that take two values.
    fn pair(&mut self, step: &'a Step, left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>, Trouble> {
        match step {
            Step::Arithmetic(kind) => arithmetic::arithmetic(*kind, left, right, &mut self.meter),
            Step::Range => lists::range(left, right, &mut self.meter),
            Step::In => lists::holds(right, left, &mut self.meter),
            Step::Index => match (left, right) {
                (Value::Map(_) | Value::Record(_), Value::Text(name)) => left.member(name.as_str(), self.candidate),
                _ => lists::index(left, right.as_int()?, &mut self.meter),
            },
            Step::TextTest(test) => {
                let (text, part) = (left.as_str()?, right.as_str()?);
                self.meter.read(text)?;
                Ok(Value::Bool(match test {
                    TextTest::Contains => text.contains(part),
                    TextTest::StartsWith => text.starts_with(part),
                    TextTest::EndsWith => text.ends_with(part),
                }))
            }
            _ => Err(BROKEN),
        }
    }

    fn constant(&self, index: u16) -> Result<Value<'a>, Trouble> {
        let program: &'a Program = self.program;
        let constants: &'a [Value<'a>] = &program.constants;
        constants.get(usize::from(index)).map(Value::borrow).ok_or(BROKEN)
    }

    fn compare(&mut self, comparison: Comparison) -> Result<Option<Place>, Trouble> {
        let (right, left) = (self.pop()?, self.pop()?);
        for side in [&left, &right] {
            if let Value::Text(text) = side {
                self.meter.read(text.as_str())?;
            }
        }
        let left = ranked(comparison.left, left)?;
        let right = ranked(comparison.right, right)?;
        let holds = match comparison.relation {
            Relation::Equal => left.equals(&right, &mut self.meter)?,
            Relation::NotEqual => !left.equals(&right, &mut self.meter)?,
            Relation::Less => arithmetic::order(&left, &right)?.is_some_and(std::cmp::Ordering::is_lt),
            Relation::LessOrEqual => arithmetic::order(&left, &right)?.is_some_and(std::cmp::Ordering::is_le),
            Relation::Greater => arithmetic::order(&left, &right)?.is_some_and(std::cmp::Ordering::is_gt),
            Relation::GreaterOrEqual => arithmetic::order(&left, &right)?.is_some_and(std::cmp::Ordering::is_ge),
        };
        match comparison.chain {
            Some(_) if holds => self.push(right),
            chain => {
                self.push(Value::Bool(holds));
                return Ok(chain);
            }
        }
        Ok(None)
    }
}

fn ranked<'a>(ranked: Option<Ranked>, value: Value<'a>) -> Result<Value<'a>, Trouble> {
    match (ranked, &value) {
        (None, _) => Ok(value),
        (Some(ranked), Value::Text(text)) => Ok(Value::Int(ranked.of_text(Text::as_str(text)))),
        // The middle of a chain is a rank already.
        (Some(_), Value::Int(_)) => Ok(value),
        (Some(_), _) => Err(Trouble::Type("a text")),
    }
}
