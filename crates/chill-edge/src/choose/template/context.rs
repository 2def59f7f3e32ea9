//! A candidate as the template engine sees it: only the properties that a template names are made.

use std::borrow::Cow;

use minijinja::Value;

use crate::choose::candidate::Candidate;
use crate::choose::fields::{Fact, Field, Record};

/// A name at the top of the context.
#[derive(Clone, Copy, Debug)]
pub(super) enum Root {
    Field(&'static str, &'static Field),
    Record(&'static str, Record),
}

impl Root {
    /// In the template's spelling.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Field(name, _) | Self::Record(name, _) => name,
        }
    }
}

fn field(record: Record, name: &str) -> Option<(&'static str, &'static Field)> {
    let spelled = |field: &'static Field| [field.name, field.snake].into_iter().find(|known| *known == name);
    record.fields().iter().find_map(|field| spelled(field).map(|name| (name, field)))
}

fn record(name: &str) -> Option<(&'static str, Record)> {
    let found = Record::INNER.iter().find(|(go, snake, _)| *go == name || *snake == name);
    found.map(|(go, snake, record)| (if *go == name { *go } else { *snake }, *record))
}

/// The top of a dotted name, when all of the name is known. What follows a property is the engine's business.
pub(super) fn find(name: &str) -> Option<Root> {
    let mut parts = name.split('.');
    let top = parts.next()?;
    if let Some((spelled, field)) = field(Record::Stream, top) {
        return Some(Root::Field(spelled, field));
    }
    let (spelled, outer) = record(top)?;
    let mut inner = outer;
    for part in parts {
        if field(inner, part).is_some() {
            break;
        }
        inner = record(part).filter(|_| inner == Record::Stream)?.1;
    }
    Some(Root::Record(spelled, outer))
}

/// The right spelling of an unknown name.
pub(super) fn near(name: &str) -> Option<String> {
    match name.split_once('.') {
        None => Record::Stream.near(name).map(str::to_owned),
        Some((top, member)) => {
            let (spelled, record) = record(Record::Stream.near(top)?)?;
            record.near(member).map(|member| format!("{spelled}.{member}"))
        }
    }
}

/// The values of the names.
pub(super) fn of(roots: &[Root], candidate: &Candidate<'_>) -> Value {
    Value::from_pairs(roots.iter().map(|root| match root {
        Root::Field(name, field) => (*name, value((field.read)(candidate))),
        Root::Record(name, record) => (*name, group(*record, candidate)),
    }))
}

fn group(record: Record, candidate: &Candidate<'_>) -> Value {
    let fields = record.fields().iter().flat_map(|field| {
        let value = value((field.read)(candidate));
        [(field.name, value.clone()), (field.snake, value)]
    });
    let inner = Record::INNER.iter().filter(|(_, _, inner)| record == Record::Stream && *inner != Record::Stream);
    let inner = inner.flat_map(|(go, snake, inner)| {
        let value = group(*inner, candidate);
        [(*go, value.clone()), (*snake, value)]
    });
    Value::from_pairs(fields.chain(inner))
}

fn value(fact: Fact<'_>) -> Value {
    match fact {
        Fact::Text(Cow::Borrowed(text)) => Value::from(text),
        Fact::Text(Cow::Owned(text)) => Value::from(text),
        Fact::Flag(flag) => Value::from(flag),
        Fact::Number(number) => Value::from(number),
        Fact::Texts(texts) => texts.into_iter().collect(),
        Fact::Numbers(numbers) => numbers.iter().copied().collect(),
    }
}
