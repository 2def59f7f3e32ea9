//! Numbers: calculating and ordering.

use std::cmp::Ordering;

use super::meter::{Meter, Trouble};
use super::program::Arithmetic;
use super::value::Value;

const OVERFLOW: Trouble = Trouble::Cannot("calculates a number that is too large");

/// `left op right`; `+` also joins texts.
pub(super) fn arithmetic<'a>(
    operator: Arithmetic,
    left: &Value<'a>,
    right: &Value<'a>,
    meter: &mut Meter,
) -> Result<Value<'a>, Trouble> {
    if let (Arithmetic::Add, Value::Text(a), Value::Text(b)) = (operator, left, right) {
        let (a, b) = (a.as_str(), b.as_str());
        meter.take(a.len() + b.len())?;
        return Ok(Value::text([a, b].concat()));
    }
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        let result = match operator {
            Arithmetic::Add => a.checked_add(*b),
            Arithmetic::Subtract => a.checked_sub(*b),
            Arithmetic::Multiply => a.checked_mul(*b),
            Arithmetic::Remainder if *b == 0 => return Err(Trouble::Cannot("divides by zero")),
            Arithmetic::Remainder => Some(a.checked_rem(*b).unwrap_or(0)),
            Arithmetic::Divide | Arithmetic::Power => return broken(operator, left, right),
        };
        return result.map(Value::Int).ok_or(OVERFLOW);
    }
    broken(operator, left, right)
}

fn broken<'a>(operator: Arithmetic, left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>, Trouble> {
    let (a, b) = (left.as_float()?, right.as_float()?);
    Ok(Value::Float(match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Subtract => a - b,
        Arithmetic::Multiply => a * b,
        Arithmetic::Divide => a / b,
        Arithmetic::Power => a.powf(b),
        Arithmetic::Remainder => return Err(Trouble::Type("a whole number")),
    }))
}

/// `-value`
pub(super) fn negate<'a>(value: &Value<'a>) -> Result<Value<'a>, Trouble> {
    match value {
        Value::Int(int) => int.checked_neg().map(Value::Int).ok_or(OVERFLOW),
        other => Ok(Value::Float(-other.as_float()?)),
    }
}

/// Numbers by size, texts by their letters; none when one is not a number.
pub(super) fn order(left: &Value<'_>, right: &Value<'_>) -> Result<Option<Ordering>, Trouble> {
    Ok(match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.as_str().cmp(b.as_str())),
        _ => left.as_float()?.partial_cmp(&right.as_float()?),
    })
}

/// A float as a whole number.
pub(super) fn whole(float: f64) -> Result<i64, Trouble> {
    const EDGE: f64 = 9.223_372_036_854_775e18;
    if !float.is_finite() || float.abs() > EDGE {
        return Err(OVERFLOW);
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to fit; the fraction is dropped as in Go")]
    Ok(float as i64)
}
