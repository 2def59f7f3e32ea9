//! Columns to types and back. What does not fit says which table holds it.

use std::str::FromStr;

use chill_core::control::Delivery;

use crate::DbError;

/// Reads a text column into an identifier or another parsed type.
pub(crate) fn parse<T: FromStr>(table: &'static str, text: &str) -> Result<T, DbError> {
    text.parse().map_err(|_| DbError::corrupt(table, std::any::type_name::<T>()))
}

/// A number that is never negative.
pub(crate) fn count(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

/// A sum that is never negative.
pub(crate) fn sum(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number of bytes as a column; beyond 8 EiB it stops growing.
pub(crate) fn bytes(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The word of a delivery.
pub(crate) fn delivery_word(delivery: Option<Delivery>) -> Option<&'static str> {
    delivery.map(|delivery| match delivery {
        Delivery::Relay => "relay",
        Delivery::Redirect => "redirect",
    })
}

/// Reads the word of a delivery.
pub(crate) fn delivery(table: &'static str, word: Option<&str>) -> Result<Option<Delivery>, DbError> {
    match word {
        None => Ok(None),
        Some("relay") => Ok(Some(Delivery::Relay)),
        Some("redirect") => Ok(Some(Delivery::Redirect)),
        Some(_) => Err(DbError::corrupt(table, "delivery")),
    }
}
