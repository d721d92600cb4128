//! What time it is: the machine's clock, or one that moves only when told.

use crate::config::ClockChoice;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// 2030-01-01T00:00:00Z, where the test clock starts.
const TEST_START: i64 = 1_893_456_000_000_000;

/// A clock in microseconds since the epoch.
#[derive(Debug)]
pub(crate) enum Clock {
    /// The machine's.
    System,
    /// Moves only by [`Clock::set`].
    Test(AtomicI64),
    /// Moves with the time of the asynchronous runtime, which a simulation has paused: it goes on when everybody waits.
    Simulated {
        /// What it showed …
        start: i64,
        /// … then.
        origin: tokio::time::Instant,
    },
}

impl Clock {
    /// The clock that was chosen.
    pub(crate) fn new(choice: ClockChoice) -> Self {
        match choice {
            ClockChoice::System => Self::System,
            ClockChoice::Test => Self::Test(AtomicI64::new(TEST_START)),
            ClockChoice::TestFrom(start) => Self::Test(AtomicI64::new(start)),
        }
    }

    /// Now.
    pub(crate) fn now(&self) -> i64 {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
            }
            Self::Test(now) => now.load(Ordering::Acquire),
            Self::Simulated { start, origin } => {
                start.saturating_add(i64::try_from(origin.elapsed().as_micros()).unwrap_or(i64::MAX))
            }
        }
    }

    /// Whether it is the test clock.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self, Self::Test(_))
    }

    /// Moves the test clock on, never back; the machine's stays as it is.
    pub(crate) fn set(&self, instant: i64) {
        if let Self::Test(now) = self {
            now.fetch_max(instant, Ordering::AcqRel);
        }
    }
}
