//! TorBox's counting windows per key.

/// Calls counted in a window that starts with its first call.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) limit: u32,
    length_ms: i64,
    started: i64,
    used: u32,
}

impl Window {
    pub(crate) fn per_minute(limit: u32) -> Self {
        Self { limit, length_ms: 60_000, started: i64::MIN / 2, used: 0 }
    }

    pub(crate) fn per_hour(limit: u32) -> Self {
        Self { length_ms: 3_600_000, ..Self::per_minute(limit) }
    }

    /// Counts one call; false when it is over the limit. Refused calls count as well.
    pub(crate) fn spend(&mut self, now: i64) -> bool {
        if now - self.started >= self.length_ms || now < self.started {
            self.started = now;
            self.used = 0;
        }
        self.used = self.used.saturating_add(1);
        self.used <= self.limit
    }

    pub(crate) fn remaining(&self) -> u32 {
        self.limit.saturating_sub(self.used)
    }

    pub(crate) fn ends_at(&self) -> i64 {
        self.started + self.length_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_again_after_its_length() {
        let mut window = Window::per_minute(2);
        assert!(window.spend(1_000));
        assert!(window.spend(2_000));
        assert!(!window.spend(60_999));
        assert!(window.spend(61_000));
        assert_eq!(window.remaining(), 1);
    }
}
