//! Functions on numbers.

use std::cmp::Ordering;

use super::arithmetic::{arithmetic, order, whole};
use super::builtin::{arg, list};
use super::meter::{Meter, Trouble};
use super::program::Arithmetic;
use super::value::Value;

const NOTHING: Trouble = Trouble::Cannot("asks for the least or greatest of no numbers");

/// A text or a number as a whole number; fractions are dropped.
pub(super) fn int<'a>(arguments: &[Value<'a>], _: &mut Meter) -> Result<Value<'a>, Trouble> {
    match arg(arguments, 0)? {
        Value::Text(text) => text
            .as_str()
            .trim()
            .parse()
            .map(Value::Int)
            .map_err(|_| Trouble::Cannot("reads a number from a text that is none")),
        Value::Int(int) => Ok(Value::Int(*int)),
        other => Ok(Value::Int(whole(other.as_float()?)?)),
    }
}

/// A text or a number as a float.
pub(super) fn float<'a>(arguments: &[Value<'a>], _: &mut Meter) -> Result<Value<'a>, Trouble> {
    match arg(arguments, 0)? {
        Value::Text(text) => {
            let parsed = text.as_str().trim().parse::<f64>().ok().filter(|float| float.is_finite());
            parsed.map(Value::Float).ok_or(Trouble::Cannot("reads a number from a text that is none"))
        }
        other => Ok(Value::Float(other.as_float()?)),
    }
}

pub(super) fn abs<'a>(arguments: &[Value<'a>], _: &mut Meter) -> Result<Value<'a>, Trouble> {
    match arg(arguments, 0)? {
        Value::Int(int) => {
            int.checked_abs().map(Value::Int).ok_or(Trouble::Cannot("calculates a number that is too large"))
        }
        other => Ok(Value::Float(other.as_float()?.abs())),
    }
}

pub(super) fn max<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    extreme(arguments, Ordering::Greater, meter)
}

pub(super) fn min<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    extreme(arguments, Ordering::Less, meter)
}

fn extreme<'a>(arguments: &[Value<'a>], wanted: Ordering, meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let numbers = numbers(arguments, meter)?;
    let mut best: Option<Value<'a>> = None;
    for number in numbers {
        let better = match &best {
            Some(best) => order(&number, best)? == Some(wanted),
            None => true,
        };
        if better {
            best = Some(number);
        }
    }
    best.ok_or(NOTHING)
}

pub(super) fn mean<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let numbers = numbers(arguments, meter)?;
    let mut sum = Value::Float(0.0);
    for number in &numbers {
        sum = arithmetic(Arithmetic::Add, &sum, number, meter)?;
    }
    let count = Value::Int(i64::try_from(numbers.len()).unwrap_or(i64::MAX));
    if numbers.is_empty() { Ok(Value::Float(0.0)) } else { arithmetic(Arithmetic::Divide, &sum, &count, meter) }
}

pub(super) fn median<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let mut floats = numbers(arguments, meter)?.iter().map(Value::as_float).collect::<Result<Vec<f64>, _>>()?;
    floats.sort_by(f64::total_cmp);
    let half = floats.len() / 2;
    let at = |index: usize| floats.get(index).copied().unwrap_or(0.0);
    let odd = floats.len() % 2 == 1;
    Ok(Value::Float(if odd || half == 0 { at(half) } else { f64::midpoint(at(half - 1), at(half)) }))
}

/// The numbers among the arguments and in their lists.
fn numbers<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Vec<Value<'a>>, Trouble> {
    let mut numbers = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        if let Value::List(_) = argument {
            let list = list(arguments, index)?;
            meter.take(list.len() * size_of::<Value<'_>>())?;
            numbers.extend(list.iter());
        } else {
            numbers.push(argument.clone());
        }
    }
    for number in &numbers {
        number.as_float()?;
    }
    Ok(numbers)
}
