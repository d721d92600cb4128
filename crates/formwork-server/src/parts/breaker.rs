//! When an external component fails again and again, calls to it are refused at once for a while, so that neither
//! side is burdened with what cannot succeed.

use parking_lot::Mutex;

/// So many calls in a row without an answer, or with 500 and above, open it.
pub(super) const FAILURES: u32 = 5;
/// For so long; then one call is let through to see. 10 s in microseconds.
pub(super) const OPEN_FOR: i64 = 10_000_000;

/// The breaker of one component.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// From when on a call may be tried, in microseconds since the epoch.
    open_until: Option<i64>,
}

impl Breaker {
    /// Whether a call may be made now. While it is open, the first one after the time is up goes ahead alone.
    pub(super) fn allows(&self, now: i64) -> bool {
        let mut state = self.0.lock();
        match state.open_until {
            None => true,
            Some(until) if now >= until => {
                state.open_until = Some(now.saturating_add(OPEN_FOR));
                true
            }
            Some(_) => false,
        }
    }

    /// How a call ended.
    pub(super) fn note(&self, succeeded: bool, now: i64) {
        let mut state = self.0.lock();
        if succeeded {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.open_until = Some(now.saturating_add(OPEN_FOR));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_one_success() {
        let breaker = Breaker::default();
        for _ in 1..FAILURES {
            breaker.note(false, 0);
        }
        assert!(breaker.allows(0));
        breaker.note(true, 0);
        for _ in 0..FAILURES {
            assert!(breaker.allows(0));
            breaker.note(false, 0);
        }
        assert!(!breaker.allows(OPEN_FOR - 1));
        assert!(breaker.allows(OPEN_FOR), "one call is let through");
        assert!(!breaker.allows(OPEN_FOR), "and only one");
        breaker.note(true, OPEN_FOR);
        assert!(breaker.allows(OPEN_FOR));
    }
}
