//! The binary operators: how tightly they bind, and what each compiles to.

use super::Mistake;
use super::compile::Compiler;
use super::operand::Operand;
use super::pattern::Pattern;
use super::program::{Arithmetic, Relation, Step, TextTest};
use super::token::Kind;
use super::types::Type;
use super::value::{List, Value};

/// Patterns in one filter: each keeps an automaton in memory.
const MOST_PATTERNS: usize = 16;
/// KiB of all compiled patterns of one filter. Enough for dozens of words without regard to case.
const PATTERNS_SIZE: usize = 48;
/// Elements of a range between literals.
const LONGEST_RANGE: i64 = 1_000;

pub(super) const COMPARISON: u16 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Pipe,
    Or,
    And,
    Relation(Relation),
    In,
    Matches,
    TextTest(TextTest),
    Range,
    Arithmetic(Arithmetic),
    Coalesce,
}

impl Operator {
    /// The operator a token is, and how tightly it binds.
    pub(super) fn of(kind: &Kind) -> Option<(Self, u16)> {
        let word = match kind {
            Kind::Symbol(symbol) => symbol,
            Kind::Word(word) => word.as_str(),
            _ => return None,
        };
        Some(match word {
            "|" => (Self::Pipe, 0),
            "||" | "or" => (Self::Or, 10),
            "&&" | "and" => (Self::And, 15),
            "==" => (Self::Relation(Relation::Equal), COMPARISON),
            "!=" => (Self::Relation(Relation::NotEqual), COMPARISON),
            "<" => (Self::Relation(Relation::Less), COMPARISON),
            "<=" => (Self::Relation(Relation::LessOrEqual), COMPARISON),
            ">" => (Self::Relation(Relation::Greater), COMPARISON),
            ">=" => (Self::Relation(Relation::GreaterOrEqual), COMPARISON),
            "in" => (Self::In, COMPARISON),
            "matches" => (Self::Matches, COMPARISON),
            "contains" => (Self::TextTest(TextTest::Contains), COMPARISON),
            "startsWith" => (Self::TextTest(TextTest::StartsWith), COMPARISON),
            "endsWith" => (Self::TextTest(TextTest::EndsWith), COMPARISON),
            ".." => (Self::Range, 25),
            "+" => (Self::Arithmetic(Arithmetic::Add), 30),
            "-" => (Self::Arithmetic(Arithmetic::Subtract), 30),
            "*" => (Self::Arithmetic(Arithmetic::Multiply), 60),
            "/" => (Self::Arithmetic(Arithmetic::Divide), 60),
            "%" => (Self::Arithmetic(Arithmetic::Remainder), 60),
            "**" | "^" => (Self::Arithmetic(Arithmetic::Power), 100),
            "??" => (Self::Coalesce, 500),
            _ => return None,
        })
    }

    /// Whether `not` may stand before it.
    pub(super) fn has_negation(self) -> bool {
        matches!(self, Self::In | Self::Matches | Self::TextTest(_))
    }

    /// How tightly the right side must bind: powers group from the right, the others from the left.
    pub(super) fn right_side(self, precedence: u16) -> u16 {
        if self == Self::Arithmetic(Arithmetic::Power) { precedence } else { precedence + 1 }
    }
}

impl Compiler {
    /// `a op b` for the operators that want both sides on the stack.
    pub(super) fn combine(&mut self, left: &Operand, operator: Operator, right: &Operand) -> Result<Operand, Mistake> {
        let ty = match operator {
            Operator::In => self.membership(left, right)?,
            Operator::TextTest(test) => self.text_test(left, test, right)?,
            Operator::Range => self.range(left, right)?,
            Operator::Arithmetic(arithmetic) => self.arithmetic(left, arithmetic, right)?,
            Operator::Matches => self.matching(left, right)?,
            // Compiled elsewhere, because they decide what of the right side runs.
            Operator::Pipe | Operator::Or | Operator::And | Operator::Relation(_) | Operator::Coalesce => Type::Any,
        };
        Ok(left.becomes(ty))
    }

    fn membership(&mut self, left: &Operand, right: &Operand) -> Result<Type, Mistake> {
        let fits = right.ty.may_be_list() || right.ty.may_be_map();
        self.require(right, fits, "`in`", "a list on its right side; for a part of a text write contains")?;
        let element = match &right.ty {
            Type::List(element) => (**element).clone(),
            Type::Any => Type::Any,
            _ => Type::Text,
        };
        if !left.ty.meets(&element) {
            let (left_says, right_says) = (left.ty.says(), element.says());
            return Err(Mistake::new(left.at, format!("{left_says} is never in a list of which each is {right_says}")));
        }
        self.emit(Step::In)?;
        Ok(Type::Bool)
    }

    fn text_test(&mut self, left: &Operand, test: TextTest, right: &Operand) -> Result<Type, Mistake> {
        let who = match test {
            TextTest::Contains => "`contains`",
            TextTest::StartsWith => "`startsWith`",
            TextTest::EndsWith => "`endsWith`",
        };
        let needs = "a text on its left side; for an element of a list write \"x\" in Languages";
        self.require(left, left.ty.may_be_text(), who, needs)?;
        self.require(right, right.ty.may_be_text(), who, "a text on its right side")?;
        self.emit(Step::TextTest(test))?;
        Ok(Type::Bool)
    }

    fn range(&mut self, left: &Operand, right: &Operand) -> Result<Type, Mistake> {
        self.require(left, left.ty.may_be_int(), "`..`", "a whole number")?;
        self.require(right, right.ty.may_be_int(), "`..`", "a whole number")?;
        let ends = (self.constant_in(left.from, right.from), self.constant_in(right.from, self.here()));
        if let (Some(Value::Int(from)), Some(Value::Int(to))) = ends {
            let (from, to) = (*from, *to);
            if to.saturating_sub(from) >= LONGEST_RANGE {
                let message =
                    format!("a range may have at most {LONGEST_RANGE} elements; compare with < and > instead");
                return Err(Mistake::new(left.at, message));
            }
            let items: Vec<Value<'static>> = (from..=to).map(Value::Int).collect();
            self.fold(items.len())?;
            self.program.steps.truncate(left.from);
            self.constant(Value::List(List::Made(items.into())))?;
        } else {
            self.emit(Step::Range)?;
        }
        Ok(Type::list_of(Type::Int))
    }

    fn arithmetic(&mut self, left: &Operand, arithmetic: Arithmetic, right: &Operand) -> Result<Type, Mistake> {
        let (a, b) = (&left.ty, &right.ty);
        let texts = arithmetic == Arithmetic::Add && a.may_be_text() && b.may_be_text();
        let whole = arithmetic == Arithmetic::Remainder;
        let number = |ty: &Type| if whole { ty.may_be_int() } else { ty.may_be_number() };
        if !(texts || number(a) && number(b)) {
            let needs = match arithmetic {
                Arithmetic::Add => "`+` joins two numbers or two texts",
                Arithmetic::Remainder => "`%` needs two whole numbers",
                _ => "this operator needs two numbers",
            };
            return Err(Mistake::new(left.at, format!("{needs}, but here are {} and {}", a.says(), b.says())));
        }
        self.emit(Step::Arithmetic(arithmetic))?;
        Ok(match arithmetic {
            Arithmetic::Add if *a == Type::Text || *b == Type::Text => Type::Text,
            Arithmetic::Add if texts => Type::Any,
            Arithmetic::Divide | Arithmetic::Power => Type::Float,
            Arithmetic::Remainder => Type::Int,
            _ => a.with_number(b),
        })
    }

    /// The pattern must be a literal, so that it is compiled once.
    fn matching(&mut self, left: &Operand, right: &Operand) -> Result<Type, Mistake> {
        self.require(left, left.ty.may_be_text(), "`matches`", "a text on its left side")?;
        let Some(Value::Text(pattern)) = self.constant_in(right.from, self.here()) else {
            return Err(Mistake::new(right.at, "the pattern of `matches` must be a text in quotes"));
        };
        if self.program.patterns.len() >= MOST_PATTERNS {
            let message = format!("more than {MOST_PATTERNS} patterns; join some with | in one pattern");
            return Err(Mistake::new(right.at, message));
        }
        let used: usize = self.program.patterns.iter().map(Pattern::size).sum();
        let pattern = Pattern::compile(pattern.as_str(), PATTERNS_SIZE.saturating_sub(used));
        let pattern = pattern.map_err(|message| Mistake::new(right.at, message))?;
        let index = u16::try_from(self.program.patterns.len()).unwrap_or(u16::MAX);
        self.program.patterns.push(pattern);
        self.program.steps.truncate(right.from);
        self.emit(Step::Matches(index))?;
        Ok(Type::Bool)
    }
}
