//! Install links that were read lately. Every request repeats its link, and reading one costs more than most of what a
//! stream list from memory does; links are data that says the same each time.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::user_data::{InvalidUserData, LONGEST, UserData};
use crate::error::ApiError;

/// Bytes of links remembered at once, as they stand in paths.
const CAPACITY: u64 = 4 * 1024 * 1024;
/// A link nobody uses is forgotten after this long.
const IDLE: Duration = Duration::from_secs(600);
/// What an entry weighs beside its text.
const OVERHEAD: usize = 256;

/// The links in use, by the segment of the path that holds them.
pub(crate) struct Links(moka::sync::Cache<String, Arc<UserData>>);

impl Links {
    pub(crate) fn new() -> Self {
        let weigh = |segment: &String, _: &Arc<UserData>| u32::try_from(segment.len() + OVERHEAD).unwrap_or(u32::MAX);
        Self(moka::sync::Cache::builder().max_capacity(CAPACITY).weigher(weigh).time_to_idle(IDLE).build())
    }

    /// What a segment says, still percent-encoded. Only a good one is remembered.
    ///
    /// # Errors
    /// 400 with a sentence that says what is wrong with it.
    pub(crate) fn read(&self, segment: &str) -> Result<Arc<UserData>, ApiError> {
        if let Some(data) = self.0.get(segment) {
            return Ok(data);
        }
        let data = Arc::new(parse(segment)?);
        self.0.insert(segment.to_owned(), Arc::clone(&data));
        Ok(data)
    }
}

fn parse(segment: &str) -> Result<UserData, ApiError> {
    let wrong = |error: InvalidUserData| ApiError::bad_request(error.to_string());
    // Percent-encoding makes at most three characters of one.
    if segment.len() > 3 * LONGEST {
        return Err(wrong(InvalidUserData::Oversized));
    }
    let decoded = percent_decode_str(segment).decode_utf8();
    UserData::parse(&decoded.map_err(|_| wrong(InvalidUserData::NotBase64))?).map_err(wrong)
}
