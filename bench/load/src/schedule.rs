//! When each request of an open loop is due: evenly spaced, whatever the server does.
//!
//! Latency is counted from here and not from the send, so that a stall is felt by every request that should
//! have gone out during it.

use std::time::Duration;

/// Evenly spaced requests at a fixed rate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    per_second: f64,
    length: Duration,
}

impl Schedule {
    /// A schedule of at least one request per second.
    pub(crate) fn new(per_second: f64, length: Duration) -> Self {
        Self { per_second: per_second.max(1.0), length }
    }

    /// How many requests there are in all.
    pub(crate) fn total(&self) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
        let total = (self.per_second * self.length.as_secs_f64()).floor() as u64;
        total.max(1)
    }

    /// When request `index` is due, counted from the beginning of the run.
    pub(crate) fn due(&self, index: u64) -> Duration {
        #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^52 requests")]
        let index = index as f64;
        Duration::from_secs_f64(index / self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_evenly_spaced_and_fill_the_run() {
        let schedule = Schedule::new(250.0, Duration::from_secs(2));
        assert_eq!(schedule.total(), 500);
        assert_eq!(schedule.due(0), Duration::ZERO);
        assert_eq!(schedule.due(1), Duration::from_millis(4));
        assert_eq!(schedule.due(499), Duration::from_millis(1996));
    }

    #[test]
    fn spacing_does_not_drift_when_it_is_no_whole_number_of_nanoseconds() {
        let schedule = Schedule::new(3.0, Duration::from_secs(3_000));
        assert_eq!(schedule.due(9_000 - 3), Duration::from_secs(2_999));
    }

    #[test]
    fn even_the_slowest_server_is_asked_once() {
        assert_eq!(Schedule::new(0.0, Duration::from_millis(10)).total(), 1);
    }
}
