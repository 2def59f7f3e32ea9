//! The values a filter works with. They borrow from the candidate and the program where they can.

use std::borrow::Cow;
use std::sync::Arc;

use super::meter::{Meter, Trouble};
use crate::choose::candidate::Candidate;
use crate::choose::fields::{Fact, Record};

/// One value.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text<'a>),
    List(List<'a>),
    Map(Arc<[(Text<'a>, Value<'a>)]>),
    /// A group of the candidate's properties.
    Record(Record),
}

/// A text.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Made(Arc<str>),
}

/// A list.
#[derive(Clone, Debug)]
pub(super) enum List<'a> {
    Constant(&'a [Value<'a>]),
    Numbers(&'a [u16]),
    Made(Arc<[Value<'a>]>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Constant(items) => items.len(),
            Self::Numbers(numbers) => numbers.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Constant(items) => items.get(index).cloned(),
            Self::Numbers(numbers) => numbers.get(index).map(|number| Value::Int(i64::from(*number))),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Value<'a>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Value<'a> {
    /// A property of the candidate, or a constant.
    pub(super) fn of(fact: Fact<'a>) -> Self {
        match fact {
            Fact::Text(Cow::Borrowed(text)) => Self::Text(Text::Borrowed(text)),
            Fact::Text(Cow::Owned(text)) => Self::text(text),
            Fact::Flag(flag) => Self::Bool(flag),
            Fact::Number(number) => Self::Int(number),
            Fact::Texts(texts) => {
                let items = texts.into_iter().map(|text| Self::Text(Text::Borrowed(text)));
                Self::List(List::Made(items.collect()))
            }
            Fact::Numbers(numbers) => Self::List(List::Numbers(numbers)),
        }
    }

    /// A text made for this. Results that grow go through [`Meter::text`] instead.
    pub(super) fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    /// The same value without copying texts and lists.
    pub(super) fn borrow(&'a self) -> Self {
        match self {
            Self::Text(text) => Self::Text(Text::Borrowed(text.as_str())),
            Self::List(List::Made(items)) => Self::List(List::Constant(items)),
            other => other.clone(),
        }
    }

    /// What people call its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) | Self::Record(_) => "map",
        }
    }

    pub(super) fn as_bool(&self) -> Result<bool, Trouble> {
        match self {
            Self::Bool(bool) => Ok(*bool),
            _ => Err(Trouble::Type("a yes or no")),
        }
    }

    pub(super) fn as_int(&self) -> Result<i64, Trouble> {
        match self {
            Self::Int(int) => Ok(*int),
            _ => Err(Trouble::Type("a whole number")),
        }
    }

    /// A whole or broken number as a broken one.
    pub(super) fn as_float(&self) -> Result<f64, Trouble> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "numbers beyond 2^53 lose their last digits in floats")]
            Self::Int(int) => Ok(*int as f64),
            Self::Float(float) => Ok(*float),
            _ => Err(Trouble::Type("a number")),
        }
    }

    pub(super) fn as_str(&self) -> Result<&str, Trouble> {
        match self {
            Self::Text(text) => Ok(text.as_str()),
            _ => Err(Trouble::Type("a text")),
        }
    }

    pub(super) fn as_list(&self) -> Result<&List<'a>, Trouble> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(Trouble::Type("a list")),
        }
    }

    /// Whether two values are the same; numbers of both kinds compare.
    pub(super) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Trouble> {
        meter.spend(1)?;
        Ok(match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Int(_) | Self::Float(_), Self::Int(_) | Self::Float(_)) => self.as_float()? == other.as_float()?,
            (Self::Text(a), Self::Text(b)) => {
                meter.read(a.as_str())?;
                a.as_str() == b.as_str()
            }
            (Self::List(a), Self::List(b)) => a.len() == b.len() && pairs_equal(a.iter().zip(b.iter()), meter)?,
            (Self::Map(a), Self::Map(b)) => {
                let keys = a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.0.as_str() == b.0.as_str());
                keys && pairs_equal(a.iter().zip(b.iter()).map(|(a, b)| (a.1.clone(), b.1.clone())), meter)?
            }
            (Self::Record(a), Self::Record(b)) => a == b,
            _ => false,
        })
    }

    /// What is behind a name, or nil.
    pub(super) fn member(&self, name: &str, candidate: &'a Candidate<'_>) -> Result<Self, Trouble> {
        match self {
            Self::Map(pairs) => {
                let pair = pairs.iter().find(|(key, _)| key.as_str() == name);
                Ok(pair.map_or(Self::Nil, |(_, value)| value.clone()))
            }
            Self::Record(record) => match record.get(name) {
                Some(crate::choose::fields::Named::Field(field)) => Ok(Self::of((field.read)(candidate))),
                Some(crate::choose::fields::Named::Record(inner)) => Ok(Self::Record(inner)),
                None => Ok(Self::Nil),
            },
            _ => Err(Trouble::Type("something with members")),
        }
    }
}

fn pairs_equal<'a>(pairs: impl Iterator<Item = (Value<'a>, Value<'a>)>, meter: &mut Meter) -> Result<bool, Trouble> {
    meter.enter()?;
    for (a, b) in pairs {
        if !a.equals(&b, meter)? {
            meter.leave();
            return Ok(false);
        }
    }
    meter.leave();
    Ok(true)
}
