//! Functions that look at each element of a list.

use super::machine::Machine;
use super::meter::Trouble;
use super::program::Place;
use super::types::Type;
use super::value::Value;

macro_rules! predicates {
    ($($variant:ident $name:literal;)*) => {
        /// What is asked of the elements.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Predicate {
            $($variant,)*
        }

        impl Predicate {
            pub(super) fn find(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

predicates! {
    All "all";
    Any "any";
    Count "count";
    Filter "filter";
    Find "find";
    FindIndex "findIndex";
    FindLast "findLast";
    FindLastIndex "findLastIndex";
    Map "map";
    None "none";
    One "one";
    Sum "sum";
}

impl Predicate {
    /// Whether a condition must be given.
    pub(super) fn needs_body(self) -> bool {
        !matches!(self, Self::Count | Self::Sum)
    }

    /// Whether the condition may have this type.
    pub(super) fn takes(self, body: &Type) -> bool {
        match self {
            Self::Map => true,
            Self::Sum => body.may_be_number(),
            _ => body.may_be_bool(),
        }
    }

    /// The same as a sentence says it.
    pub(super) fn needs(self) -> &'static str {
        if self == Self::Sum { "a number for each element" } else { "a yes or no for each element" }
    }

    /// The type of the result.
    pub(super) fn result(self, element: &Type, body: &Type) -> Type {
        match self {
            Self::All | Self::Any | Self::None | Self::One => Type::Bool,
            Self::Count | Self::FindIndex | Self::FindLastIndex => Type::Int,
            Self::Filter => Type::list_of(element.clone()),
            // Nil when there is none.
            Self::Find | Self::FindLast => Type::Any,
            Self::Map => Type::list_of(body.clone()),
            Self::Sum if *body == Type::Int => Type::Int,
            Self::Sum => Type::Number,
        }
    }

    /// Runs the steps of the condition for each element.
    pub(super) fn run<'a>(self, machine: &mut Machine<'a>, body: (usize, Place)) -> Result<Value<'a>, Trouble> {
        let list = machine.pop()?;
        let list = list.as_list()?;
        let mut count = 0_i64;
        let mut sum = Value::Int(0);
        let mut kept = Vec::new();
        let backwards = matches!(self, Self::FindLast | Self::FindLastIndex);
        for turn in 0..list.len() {
            let index = if backwards { list.len() - 1 - turn } else { turn };
            let element = list.get(index).unwrap_or(Value::Nil);
            let result = machine.element(element.clone(), index, body)?;
            match self {
                Self::Map => kept.push(result),
                Self::Sum => sum = machine.add(&sum, &result)?,
                _ => {
                    let yes = result.as_bool()?;
                    count += i64::from(yes);
                    match self {
                        Self::All if !yes => return Ok(Value::Bool(false)),
                        Self::Any if yes => return Ok(Value::Bool(true)),
                        Self::None if yes => return Ok(Value::Bool(false)),
                        Self::Find | Self::FindLast if yes => return Ok(element),
                        Self::FindIndex | Self::FindLastIndex if yes => {
                            return Ok(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
                        }
                        Self::Filter if yes => kept.push(element),
                        _ => {}
                    }
                }
            }
        }
        Ok(match self {
            Self::All | Self::None => Value::Bool(true),
            Self::Any => Value::Bool(false),
            Self::One => Value::Bool(count == 1),
            Self::Count => Value::Int(count),
            Self::Find | Self::FindLast => Value::Nil,
            Self::FindIndex | Self::FindLastIndex => Value::Int(-1),
            Self::Filter | Self::Map => machine.meter.list(kept)?,
            Self::Sum => sum,
        })
    }
}
