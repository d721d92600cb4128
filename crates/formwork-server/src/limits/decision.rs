//! Whether a request keeps to all of its rates: let through and counted by each of them, or refused and counted by none.

use super::window::{Log, Window};

/// By what admissions are found: part of a digest, so that who is counted cannot be read from it.
pub(super) type Key = [u8; 16];

/// A rate that a request must keep to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    /// Of what is counted together.
    pub(super) key: Key,
    /// Of all those together for whom there is no room.
    pub(super) overflow: Key,
    /// At most how many in every how long.
    pub(super) window: Window,
    /// Whether it outlives the process.
    pub(super) kept: bool,
}

/// What a rate leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// How many more may come now.
    pub(super) remaining: u64,
    /// In how many microseconds there may be more.
    pub(super) more_in: i64,
    /// In how many microseconds the next may come; nothing when it may now.
    pub(super) wait: Option<i64>,
}

/// What was decided of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Decision {
    /// Whether it was let through.
    pub(super) admitted: bool,
    /// One for each need.
    pub(super) states: Vec<State>,
}

/// Decides over the logs of the needs, in their order.
pub(super) fn decide(windows: &[Window], logs: &mut [Log], now: i64, crowded: bool) -> Decision {
    let mut waits = Vec::with_capacity(windows.len());
    for (window, log) in windows.iter().zip(logs.iter_mut()) {
        log.forget(*window, now);
        waits.push(log.free_at(*window).map(|free| free.saturating_sub(now)));
    }
    let admitted = waits.iter().all(Option::is_none);
    let states = windows.iter().zip(logs).zip(waits).map(|((window, log), wait)| {
        if admitted {
            log.admit(*window, now, crowded);
        }
        State { remaining: log.remaining(*window), more_in: log.more_in(*window, now), wait }
    });
    Decision { states: states.collect(), admitted }
}
