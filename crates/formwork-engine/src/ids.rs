//! UUIDv7 identities (RFC 9562, 5.7 with method 3 of 6.2): milliseconds, twelve bits of a finer clock, and
//! randomness. Each is greater than the one before from the same source.

use std::sync::{Arc, Mutex, PoisonError};

/// Makes identities that increase; one per node. Clones count on together.
#[derive(Clone, Debug, Default)]
pub struct IdSource {
    last: Arc<Mutex<u128>>,
}

/// The version and variant bits, which are no part of the order.
const MARKS: u128 = (0x7 << 76) | (0x2 << 62);
const TAIL_BITS: u32 = 62;
const TAIL: u128 = (1 << TAIL_BITS) - 1;

impl IdSource {
    /// A source without a past.
    pub fn new() -> Self {
        Self::default()
    }

    /// The identity for an instant (microseconds since the epoch) with this randomness. Does not go back when the
    /// clock does: then it counts on from the last.
    pub fn next(&mut self, now: i64, random: u64) -> [u8; 16] {
        let micros = u128::from(u64::try_from(now).unwrap_or(0));
        let fraction = (micros % 1000) * 4096 / 1000;
        let time = ((micros / 1000) & ((1 << 48) - 1)) << 12 | fraction;
        let mut dense = time << TAIL_BITS | (u128::from(random) & TAIL);
        // Whoever panicked had nothing half written: it is one number.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if dense <= *last {
            // A step of random size keeps the next one from being guessed from this one.
            dense = *last + 1 + u128::from(random as u32);
        }
        *last = dense;
        spread(dense).to_be_bytes()
    }
}

/// Puts version and variant between the 48 + 12 + 62 bits of a dense number.
const fn spread(dense: u128) -> u128 {
    let tail = dense & TAIL;
    let fraction = (dense >> TAIL_BITS) & 0xfff;
    let millis = (dense >> (TAIL_BITS + 12)) & ((1 << 48) - 1);
    (millis << 80) | (fraction << 64) | tail | MARKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_uuid_of_version_7_with_its_time_in_front() {
        let id = IdSource::new().next(1_700_000_000_123_000, u64::MAX);
        assert_eq!(id[6] >> 4, 7);
        assert_eq!(id[8] >> 6, 2);
        let millis = id[..6].iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        assert_eq!(millis, 1_700_000_000_123);
    }

    #[test]
    fn identities_increase_within_one_instant_and_when_the_clock_goes_back() {
        let mut ids = IdSource::new();
        let mut last = ids.next(1_700_000_000_000_000, u64::MAX);
        for step in 0..10_000 {
            let next = ids.next(1_700_000_000_000_000 - step, u64::MAX.wrapping_mul(step as u64));
            assert!(next > last);
            last = next;
        }
    }

    #[test]
    fn the_same_past_instant_and_randomness_give_the_same_identity() {
        let (mut one, mut other) = (IdSource::new(), IdSource::new());
        assert_eq!(one.next(5, 7), other.next(5, 7));
        assert_eq!(one.next(5, 7), other.next(5, 7));
    }
}
