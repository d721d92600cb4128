//! A sliding window: whether one more request may be let through when at most so many may be in every window of a
//! length, and from when on.
//!
//! What is kept are the times of those let through. A window is half open: what happened exactly its length ago is out
//! of it. Where more than [`RUNS`] may be in a window, times are rounded up to a part of it, so that what is kept stays
//! small; rounded up they leave the window later, never earlier, so that no window ever holds more than it may.

use std::collections::VecDeque;

/// How many times are kept of one window.
const RUNS: u64 = 512;
/// The same when there are very many logs.
const FEW_RUNS: i64 = 32;

/// At most `count` in every `length` microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) count: u64,
    pub(super) length: i64,
}

impl Window {
    /// What times are rounded up to; 1 leaves them as they are.
    fn grain(self, crowded: bool) -> i64 {
        match crowded {
            true => (self.length / FEW_RUNS).max(1),
            false if self.count > RUNS => (self.length / RUNS as i64).max(1),
            false => 1,
        }
    }
}

/// When requests were let through, oldest first, those of the same time together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    runs: VecDeque<(i64, u64)>,
    total: u64,
}

impl Log {
    /// Forgets what is in no window any more.
    pub(super) fn forget(&mut self, window: Window, now: i64) {
        while let Some((time, count)) = self.runs.front().copied()
            && time <= now.saturating_sub(window.length)
        {
            self.runs.pop_front();
            self.total = self.total.saturating_sub(count);
        }
    }

    /// From when on one more may be let through; nothing when it may now.
    pub(super) fn free_at(&self, window: Window) -> Option<i64> {
        let mut left = self.total;
        if left < window.count {
            return None;
        }
        for (time, count) in &self.runs {
            left = left.saturating_sub(*count);
            if left < window.count {
                return Some(time.saturating_add(window.length));
            }
        }
        None
    }

    /// Notes down one that is let through.
    pub(super) fn admit(&mut self, window: Window, now: i64, crowded: bool) {
        let grain = window.grain(crowded);
        let rounded = now.saturating_add(grain - 1).div_euclid(grain).saturating_mul(grain);
        let last = self.runs.back().map_or(i64::MIN, |(time, _)| *time);
        // A clock that went back counts as standing still.
        let at = rounded.max(last);
        self.total += 1;
        match self.runs.back_mut() {
            Some((time, count)) if *time == at => *count += 1,
            _ => self.runs.push_back((at, 1)),
        }
    }

    /// How many more may be let through now.
    pub(super) fn remaining(&self, window: Window) -> u64 {
        window.count.saturating_sub(self.total)
    }

    /// In how many microseconds there may be more than now.
    pub(super) fn more_in(&self, window: Window, now: i64) -> i64 {
        let first = self.runs.front().map(|(time, _)| *time);
        first.map_or(window.length, |time| time.saturating_add(window.length).saturating_sub(now)).max(0)
    }

    /// When nothing of it counts any more.
    pub(super) fn until(&self, window: Window) -> i64 {
        self.runs.back().map_or(0, |(time, _)| time.saturating_add(window.length))
    }

    /// How many times it keeps.
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Its bytes: the first time, then pairs of distance and count, all as numbers of seven bits a byte.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.runs.len() * 5);
        let mut last = 0_i64;
        for (time, count) in &self.runs {
            write(&mut bytes, u64::try_from(time.saturating_sub(last)).unwrap_or(0));
            write(&mut bytes, *count);
            last = *time;
        }
        bytes
    }

    /// What [`Log::to_bytes`] wrote; empty for what is nothing of the kind.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (mut log, mut rest, mut last) = (Self::default(), bytes, 0_i64);
        while let (Some(distance), Some(count)) = (read(&mut rest), read(&mut rest)) {
            last = last.saturating_add(i64::try_from(distance).unwrap_or(i64::MAX));
            log.runs.push_back((last, count));
            log.total = log.total.saturating_add(count);
        }
        log
    }
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sentence itself: how many were let through in the window that ends now.
    fn naive(admitted: &[i64], window: Window, now: i64) -> bool {
        let inside = admitted.iter().filter(|time| **time > now - window.length).count();
        (inside as u64) < window.count
    }

    fn ask(log: &mut Log, window: Window, now: i64, crowded: bool) -> bool {
        log.forget(window, now);
        let free = log.free_at(window).is_none();
        if free {
            log.admit(window, now, crowded);
        }
        free
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn decides_as_the_sentence_says(
            count in 1_u64..20, length in 1_i64..1_000, steps in prop::collection::vec(0_i64..200, 1..300),
        ) {
            let window = Window { count, length };
            let (mut log, mut admitted, mut now) = (Log::default(), Vec::new(), 1_000_000);
            for step in steps {
                now += step;
                let may = naive(&admitted, window, now);
                let kept = Log::from_bytes(&log.to_bytes());
                prop_assert_eq!(&kept, &log);
                prop_assert_eq!(ask(&mut log, window, now, false), may);
                if may {
                    admitted.push(now);
                } else {
                    let free = log.free_at(window).expect("refused");
                    prop_assert!(free > now && naive(&admitted, window, free) && !naive(&admitted, window, free - 1));
                }
            }
        }

        #[test]
        fn rounded_times_never_let_more_through_and_all_at_once_exactly_as_many(
            count in 1_u64..1_500, steps in prop::collection::vec(0_i64..30_000, 1..100), crowded: bool,
        ) {
            let window = Window { count, length: 1_000_000 };
            let mut log = Log::default();
            let mut admitted = Vec::new();
            for _ in 0..count + 5 {
                admitted.extend(ask(&mut log, window, 7, crowded).then_some(7));
            }
            prop_assert_eq!(admitted.len() as u64, count);
            let mut now = 7;
            for step in steps {
                now += step;
                for _ in 0..20 {
                    if ask(&mut log, window, now, crowded) {
                        prop_assert!(naive(&admitted, window, now));
                        admitted.push(now);
                    }
                }
                prop_assert!(log.len() <= 600);
            }
            // What waits as long as it is told is let through.
            log.forget(window, now);
            if let Some(free) = log.free_at(window) {
                prop_assert!(ask(&mut log, window, free, crowded));
            }
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Log::from_bytes(&bytes);
        }
    }

    #[test]
    fn a_clock_that_goes_back_lets_nothing_more_through() {
        let window = Window { count: 2, length: 100 };
        let mut log = Log::default();
        assert!(ask(&mut log, window, 1_000, false));
        assert!(ask(&mut log, window, 950, false));
        assert!(!ask(&mut log, window, 960, false));
        assert!(!ask(&mut log, window, 1_099, false));
        assert!(ask(&mut log, window, 1_100, false));
    }
}
