//! A compiled filter: steps of a stack machine.

use super::builtin::Builtin;
use super::pattern::Pattern;
use super::predicate::Predicate;
use super::value::Value;
use crate::choose::fields::Field;
use crate::choose::rank::Ranked;

/// Where a step is.
pub(super) type Place = u16;

/// What a filter was compiled to.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) constants: Vec<Value<'static>>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) locals: u16,
}

/// One step. Values come from the top of the stack, the result goes there.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Constant(u16),
    Field(&'static Field),
    Rank(Ranked),
    Local(u16),
    SetLocal(u16),
    /// `#`
    Element,
    /// `#index`
    Position,
    Drop,
    Not,
    Negate,
    CheckBool,
    CheckNumber,
    Jump(Place),
    /// Takes the condition away.
    JumpIfFalse(Place),
    /// These leave the value for what comes there.
    KeepIfFalse(Place),
    KeepIfTrue(Place),
    KeepIfNil(Place),
    KeepIfSome(Place),
    Compare(Comparison),
    Arithmetic(Arithmetic),
    TextTest(TextTest),
    Matches(u16),
    In,
    Range,
    /// The name is a constant.
    Member(u16),
    Index,
    Slice {
        from: bool,
        to: bool,
    },
    List(u16),
    /// Pairs of key and value.
    Map(u16),
    Call(&'static Builtin, u8),
    /// For each element of a list, the steps up to the place.
    Each(Predicate, Place),
}

/// A comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparison {
    pub(super) relation: Relation,
    /// The text on this side becomes a rank first.
    pub(super) left: Option<Ranked>,
    pub(super) right: Option<Ranked>,
    /// In `a < b < c`: false ends the chain there, else the right side stays.
    pub(super) chain: Option<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}
