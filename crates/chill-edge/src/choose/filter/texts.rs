//! Functions on texts. Places and lengths count characters.

use std::fmt::Write;

use super::builtin::{arg, list, text};
use super::meter::{Meter, Trouble};
use super::value::Value;

/// Without blanks, or without the characters of the second text, at both ends.
pub(super) fn trim<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let whole = text(arguments, 0)?;
    let trimmed = match arguments.get(1) {
        Some(cut) => {
            let cut = cut.as_str()?;
            meter.spend(whole.len().saturating_mul(cut.len()) / 64)?;
            whole.trim_matches(|c| cut.contains(c))
        }
        None => whole.trim(),
    };
    meter.text(trimmed)
}

pub(super) fn trim_prefix<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (whole, prefix) = (text(arguments, 0)?, optional(arguments, 1, " ")?);
    meter.text(whole.strip_prefix(prefix).unwrap_or(whole))
}

pub(super) fn trim_suffix<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (whole, suffix) = (text(arguments, 0)?, optional(arguments, 1, " ")?);
    meter.text(whole.strip_suffix(suffix).unwrap_or(whole))
}

fn optional<'v>(arguments: &'v [Value<'_>], index: usize, otherwise: &'static str) -> Result<&'v str, Trouble> {
    arguments.get(index).map_or(Ok(otherwise), Value::as_str)
}

/// The parts between separators; with a number, at most that many. An empty separator cuts between characters.
pub(super) fn split<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    cut(arguments, meter, false)
}

/// The parts with their separators.
pub(super) fn split_after<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    cut(arguments, meter, true)
}

fn cut<'a>(arguments: &[Value<'a>], meter: &mut Meter, keep: bool) -> Result<Value<'a>, Trouble> {
    let (whole, separator) = (text(arguments, 0)?, text(arguments, 1)?);
    let most = match arguments.get(2) {
        Some(most) => usize::try_from(most.as_int()?).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    if most == 0 {
        return meter.list(Vec::new());
    }
    meter.read(whole)?;
    let mut parts = Vec::new();
    let mut rest = Some(whole).filter(|whole| !(separator.is_empty() && whole.is_empty()));
    while let Some(text) = rest {
        let place = if separator.is_empty() {
            text.chars().next().map(char::len_utf8).filter(|length| *length < text.len())
        } else {
            text.find(separator)
        };
        let place = place.filter(|_| parts.len() + 1 < most);
        let behind = place.map(|place| place + separator.len());
        let end = if keep { behind } else { place };
        parts.push(meter.text(end.map_or(text, |end| text.get(..end).unwrap_or_default()))?);
        rest = behind.and_then(|behind| text.get(behind..));
    }
    meter.list(parts)
}

pub(super) fn replace<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (whole, old, new) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    meter.read(whole)?;
    let places = whole.matches(old).count();
    meter.take(places.saturating_mul(new.len()).saturating_add(whole.len()))?;
    Ok(Value::text(whole.replace(old, new)))
}

pub(super) fn repeat<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let part = text(arguments, 0)?;
    let times = usize::try_from(arg(arguments, 1)?.as_int()?)
        .map_err(|_| Trouble::Cannot("repeats a text less than no times"))?;
    meter.take(part.len().saturating_mul(times))?;
    // An empty text may be repeated any number of times, and stays empty.
    Ok(Value::text(if part.is_empty() { String::new() } else { part.repeat(times) }))
}

pub(super) fn join<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (list, separator) = (list(arguments, 0)?, optional(arguments, 1, "")?);
    let mut joined = String::new();
    for (index, part) in list.iter().enumerate() {
        let part = part.as_str()?;
        meter.take(part.len() + separator.len())?;
        meter.spend(1)?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(part);
    }
    Ok(Value::text(joined))
}

pub(super) fn index_of<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (whole, part) = (text(arguments, 0)?, text(arguments, 1)?);
    meter.read(whole)?;
    Ok(place(whole, whole.find(part)))
}

pub(super) fn last_index_of<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (whole, part) = (text(arguments, 0)?, text(arguments, 1)?);
    meter.read(whole)?;
    Ok(place(whole, whole.rfind(part)))
}

/// A byte offset as a number of characters; -1 for none.
fn place<'a>(whole: &str, offset: Option<usize>) -> Value<'a> {
    let before = offset.and_then(|offset| whole.get(..offset));
    Value::Int(before.map_or(-1, |before| i64::try_from(before.chars().count()).unwrap_or(i64::MAX)))
}

/// Any value as a text, as Go prints it.
pub(super) fn string<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let mut written = String::new();
    write(arg(arguments, 0)?, &mut written, meter)?;
    Ok(Value::text(written))
}

fn write(value: &Value<'_>, to: &mut String, meter: &mut Meter) -> Result<(), Trouble> {
    let before = to.len();
    // Writing to a String cannot fail.
    let _ = match value {
        Value::Nil => to.write_str("<nil>"),
        Value::Bool(bool) => write!(to, "{bool}"),
        Value::Int(int) => write!(to, "{int}"),
        Value::Float(float) => write!(to, "{float}"),
        Value::Text(text) => to.write_str(text.as_str()),
        Value::List(list) => {
            meter.enter()?;
            to.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    to.push(' ');
                }
                write(&item, to, meter)?;
            }
            to.push(']');
            meter.leave();
            return meter.spend(1);
        }
        Value::Map(_) | Value::Record(_) => return Err(Trouble::Type("a text, a number or a list")),
    };
    meter.take(to.len() - before + 1)
}
