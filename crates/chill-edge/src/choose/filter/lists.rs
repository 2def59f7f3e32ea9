//! Lists and maps: making, looking into, cutting.

use std::sync::Arc;

use super::arithmetic::order;
use super::builtin::{arg, list};
use super::meter::{Meter, Trouble};
use super::value::{List, Text, Value};

/// Elements of a range whose ends are known only when it runs.
const LONGEST_RANGE: i64 = 1_000;

/// `from..to`, both included; empty when it runs backwards.
pub(super) fn range<'a>(from: &Value<'a>, to: &Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let (from, to) = (from.as_int()?, to.as_int()?);
    if to.saturating_sub(from) >= LONGEST_RANGE {
        return Err(Trouble::Cannot("makes a range of more than 1000 elements"));
    }
    meter.list((from..=to).map(Value::Int).collect())
}

/// Whether a list holds a value, or a map a key.
pub(super) fn holds<'a>(group: &Value<'a>, value: &Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let found = match group {
        Value::Map(pairs) => {
            meter.spend(pairs.len())?;
            let key = value.as_str()?;
            pairs.iter().any(|(known, _)| known.as_str() == key)
        }
        Value::Record(record) => record.get(value.as_str()?).is_some(),
        Value::Nil => false,
        _ => {
            for item in group.as_list()?.iter() {
                if item.equals(value, meter)? {
                    return Ok(Value::Bool(true));
                }
            }
            false
        }
    };
    Ok(Value::Bool(found))
}

/// Keys and values in turn become a map; of equal keys the last counts.
pub(super) fn map<'a>(items: Vec<Value<'a>>, meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let mut pairs: Vec<(Text<'a>, Value<'a>)> = Vec::with_capacity(items.len() / 2);
    meter.take(items.len() * size_of::<Value<'_>>())?;
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        let Value::Text(key) = key else { return Err(Trouble::Type("a text as a key")) };
        meter.spend(pairs.len())?;
        pairs.retain(|(known, _)| known.as_str() != key.as_str());
        pairs.push((key, value));
    }
    Ok(Value::Map(Arc::from(pairs)))
}

/// The element at a place, from the end when it is negative. Texts count in characters.
pub(super) fn index<'a>(of: &Value<'a>, index: i64, meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    const OUTSIDE: Trouble = Trouble::Cannot("looks behind the end of a list or text");
    let length = match of {
        Value::Text(text) => {
            meter.read(text.as_str())?;
            text.as_str().chars().count()
        }
        _ => of.as_list()?.len(),
    };
    let place = place(index, length).ok_or(OUTSIDE)?;
    match of {
        Value::Text(text) => text.as_str().chars().nth(place).map(|c| Value::text(c.to_string())).ok_or(OUTSIDE),
        _ => of.as_list()?.get(place).ok_or(OUTSIDE),
    }
}

fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index.checked_add(length)? } else { index }).ok()
}

/// The part from one place up to, without, another; ends outside are moved in.
pub(super) fn slice<'a>(
    of: &Value<'a>,
    from: Option<i64>,
    to: Option<i64>,
    meter: &mut Meter,
) -> Result<Value<'a>, Trouble> {
    let length = match of {
        Value::Text(text) => text.as_str().chars().count(),
        _ => of.as_list()?.len(),
    };
    let bound = |end: i64| {
        if end < 0 { place(end, length).unwrap_or(0) } else { usize::try_from(end).unwrap_or(length).min(length) }
    };
    let (from, to) = (from.map_or(0, bound), to.map_or(length, bound));
    let count = to.saturating_sub(from);
    match of {
        Value::Text(text) => {
            meter.read(text.as_str())?;
            meter.text(text.as_str().chars().skip(from).take(count).collect::<String>())
        }
        _ => {
            let list = of.as_list()?;
            meter.list((from..from + count).filter_map(|index| list.get(index)).collect())
        }
    }
}

/// Characters of a text, elements of a list, keys of a map.
pub(super) fn length<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let length = match arg(arguments, 0)? {
        Value::Text(text) => {
            meter.read(text.as_str())?;
            text.as_str().chars().count()
        }
        Value::Map(pairs) => pairs.len(),
        Value::Record(record) => record.fields().len(),
        other => other.as_list()?.len(),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// The element or member, or nil when there is none.
pub(super) fn get<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    Ok(match (arg(arguments, 0)?, arg(arguments, 1)?) {
        (Value::Map(pairs), Value::Text(name)) => {
            meter.spend(pairs.len())?;
            let pair = pairs.iter().find(|(key, _)| key.as_str() == name.as_str());
            pair.map_or(Value::Nil, |(_, value)| value.clone())
        }
        (of @ (Value::List(_) | Value::Text(_)), Value::Int(place)) => index(of, *place, meter).unwrap_or(Value::Nil),
        _ => Value::Nil,
    })
}

pub(super) fn keys<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let Value::Map(pairs) = arg(arguments, 0)? else { return Err(Trouble::Type("a map")) };
    meter.list(pairs.iter().map(|(key, _)| Value::Text(key.clone())).collect())
}

pub(super) fn values<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let Value::Map(pairs) = arg(arguments, 0)? else { return Err(Trouble::Type("a map")) };
    meter.list(pairs.iter().map(|(_, value)| value.clone()).collect())
}

/// Each value once, where it stands first.
pub(super) fn uniq<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let mut unique: Vec<Value<'a>> = Vec::new();
    'items: for item in list(arguments, 0)?.iter() {
        for known in &unique {
            if known.equals(&item, meter)? {
                continue 'items;
            }
        }
        unique.push(item);
    }
    meter.list(unique)
}

pub(super) fn concat<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let mut all = Vec::new();
    for index in 0..arguments.len() {
        let list = list(arguments, index)?;
        meter.take(list.len() * size_of::<Value<'_>>())?;
        all.extend(list.iter());
    }
    meter.list(all)
}

/// Lists within the list are written out.
pub(super) fn flatten<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let mut flat = Vec::new();
    flatten_into(list(arguments, 0)?, &mut flat, meter)?;
    meter.list(flat)
}

fn flatten_into<'a>(list: &List<'a>, flat: &mut Vec<Value<'a>>, meter: &mut Meter) -> Result<(), Trouble> {
    meter.enter()?;
    for item in list.iter() {
        meter.spend(1)?;
        match item {
            Value::List(inner) => flatten_into(&inner, flat, meter)?,
            other => flat.push(other),
        }
    }
    meter.leave();
    Ok(())
}

/// Numbers or texts in order; `"desc"` puts the greatest first.
pub(super) fn sort<'a>(arguments: &[Value<'a>], meter: &mut Meter) -> Result<Value<'a>, Trouble> {
    let list = list(arguments, 0)?;
    let descending = match arguments.get(1).map(Value::as_str).transpose()? {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(Trouble::Cannot("sorts in an order that is neither \"asc\" nor \"desc\"")),
    };
    let mut items: Vec<Value<'a>> = list.iter().collect();
    let first = items.first().cloned().unwrap_or(Value::Nil);
    for item in &items {
        if item.kind() != first.kind() {
            order(&first, item)?;
        }
        order(item, item)?;
    }
    // Each element is compared about as often as the length has bits.
    meter.spend(items.len().saturating_mul(16))?;
    items.sort_by(|a, b| order(a, b).ok().flatten().unwrap_or(std::cmp::Ordering::Equal));
    if descending {
        items.reverse();
    }
    meter.list(items)
}
