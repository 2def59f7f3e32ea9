//! When a call is made again: only what is the same twice as once, only when that may help, only within the deadline.

use std::time::Duration;

use chill_core::Chance;
use tokio::time::Instant;

use super::transport::{Answer, Fault};

/// Tries of a repeatable call, the first one included.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long one try may take. A repeatable call keeps half of the time left for another try, so that one lost
/// connection does not use up the whole deadline.
pub(super) fn patience(repeatable: bool, end: Instant) -> Duration {
    let left = end.saturating_duration_since(Instant::now());
    if repeatable { left / 2 } else { left }
}

/// The pause before the next try, or none when this outcome stands. `tried` counts the tries so far.
pub(super) fn pause(
    repeatable: bool,
    tried: u32,
    outcome: &Result<Answer, Fault>,
    chance: &Chance,
) -> Option<Duration> {
    let may_help = match outcome {
        Err(Fault::Connect) => true,
        Err(Fault::Timeout | Fault::Broken) => repeatable,
        Err(Fault::TooLong(_) | Fault::Malformed) => false,
        Ok(answer) => repeatable && answer.status.is_server_error(),
    };
    (may_help && tried < TRIES).then(|| {
        let base = FIRST_PAUSE * 2_u32.pow(tried.saturating_sub(1));
        let jitter = chance.below(u64::try_from(base.as_millis()).unwrap_or(0));
        base / 2 + Duration::from_millis(jitter)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn answer(status: u16) -> Result<Answer, Fault> {
        let status = StatusCode::from_u16(status).unwrap();
        Ok(Answer { status, headers: HeaderMap::new(), body: Bytes::new() })
    }

    #[test]
    fn a_create_is_repeated_only_when_it_was_never_sent() {
        let chance = Chance::seeded(1);
        assert!(pause(false, 1, &Err(Fault::Connect), &chance).is_some());
        for outcome in [Err(Fault::Timeout), Err(Fault::Broken), answer(500), answer(502), answer(200)] {
            assert_eq!(pause(false, 1, &outcome, &chance), None, "{outcome:?}");
        }
    }

    #[test]
    fn a_repeatable_call_is_tried_three_times_with_growing_pauses() {
        let chance = Chance::seeded(1);
        for tried in [1, 2] {
            let pause = pause(true, tried, &answer(503), &chance).unwrap();
            let base = FIRST_PAUSE * tried;
            assert!(pause >= base / 2 && pause <= base * 3 / 2, "{tried}: {pause:?}");
        }
        assert_eq!(pause(true, 3, &answer(503), &chance), None);
        for outcome in [answer(200), answer(404), answer(429), Err(Fault::TooLong(1)), Err(Fault::Malformed)] {
            assert_eq!(pause(true, 1, &outcome, &chance), None, "{outcome:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_try_leaves_time_for_another() {
        let end = Instant::now() + Duration::from_secs(20);
        assert_eq!(patience(true, end), Duration::from_secs(10));
        assert_eq!(patience(false, end), Duration::from_secs(20));
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(patience(false, end), Duration::ZERO);
    }
}
