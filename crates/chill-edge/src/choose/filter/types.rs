//! What is known of a value before the filter runs.

use crate::choose::fields::{Named, Record, Shape};

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// Known only when it runs.
    Any,
    Nil,
    Bool,
    Int,
    Float,
    /// An int or a float.
    Number,
    Text,
    List(Box<Self>),
    Map,
    Record(Record),
}

impl Type {
    pub(super) fn list_of(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    pub(super) fn of(named: Named) -> Self {
        match named {
            Named::Record(record) => Self::Record(record),
            Named::Field(field) => match field.shape {
                Shape::Text => Self::Text,
                Shape::Flag => Self::Bool,
                Shape::Number => Self::Int,
                Shape::Texts => Self::list_of(Self::Text),
                Shape::Numbers => Self::list_of(Self::Int),
            },
        }
    }

    /// As a sentence says it.
    pub(super) fn says(&self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Nil => "nil",
            Self::Bool => "a yes or no",
            Self::Int | Self::Float | Self::Number => "a number",
            Self::Text => "a text",
            Self::List(_) => "a list",
            Self::Map | Self::Record(_) => "a group of values",
        }
    }

    pub(super) fn may_be_bool(&self) -> bool {
        matches!(self, Self::Any | Self::Bool)
    }

    pub(super) fn may_be_number(&self) -> bool {
        matches!(self, Self::Any | Self::Int | Self::Float | Self::Number)
    }

    pub(super) fn may_be_int(&self) -> bool {
        matches!(self, Self::Any | Self::Int | Self::Number)
    }

    pub(super) fn may_be_text(&self) -> bool {
        matches!(self, Self::Any | Self::Text)
    }

    pub(super) fn may_be_list(&self) -> bool {
        matches!(self, Self::Any | Self::List(_))
    }

    pub(super) fn may_be_map(&self) -> bool {
        matches!(self, Self::Any | Self::Map | Self::Record(_))
    }

    /// The type of the elements of a list.
    pub(super) fn element(&self) -> Self {
        match self {
            Self::List(item) => (**item).clone(),
            _ => Self::Any,
        }
    }

    /// Whether values of the two types can be equal.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any | Self::Nil, _) | (_, Self::Any | Self::Nil) => true,
            (Self::List(a), Self::List(b)) => a.meets(b),
            _ if self.may_be_number() => other.may_be_number(),
            _ if self.may_be_map() => other.may_be_map(),
            _ => self == other,
        }
    }

    /// The type of a value that is one or the other.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (a, b) if a.is_known_number() && b.is_known_number() => Self::Number,
            (Self::List(_), Self::List(_)) => Self::list_of(Self::Any),
            _ => Self::Any,
        }
    }

    /// The type of a sum, difference or product of numbers.
    pub(super) fn with_number(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Int, Self::Int) => Self::Int,
            (Self::Float, _) | (_, Self::Float) => Self::Float,
            _ => Self::Number,
        }
    }

    fn is_known_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Number)
    }
}
