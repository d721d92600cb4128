//! What flow expressions see of the outside: the test clock's present time and seeded randomness.

use formwork_language::eval::Host;

/// Clock and randomness of one flow.
pub(super) struct FlowHost {
    /// Microseconds since the epoch, as the test clock last said.
    pub(super) now: i64,
    state: u64,
    identifiers: u64,
}

impl FlowHost {
    /// A host whose randomness a seed determines.
    pub(super) const fn new(now: i64, seed: u64) -> Self {
        Self { now, state: seed, identifiers: 0 }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for test data.
    const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

impl Host for FlowHost {
    fn now(&self) -> i64 {
        self.now
    }

    fn random(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    /// RFC 9562, 5.7: milliseconds, version 7, a counter that makes each greater than the one before, random bits.
    fn uuid(&mut self) -> [u8; 16] {
        self.identifiers += 1;
        let millis = (self.now / 1000).unsigned_abs() + (self.identifiers >> 12);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        let counter = (self.identifiers & 0x0fff) as u16 | 0x7000;
        bytes[6..8].copy_from_slice(&counter.to_be_bytes());
        let random = self.next() >> 2 | 1 << 63;
        bytes[8..].copy_from_slice(&random.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_the_randomness() {
        let (mut one, mut other) = (FlowHost::new(0, 7), FlowHost::new(0, 7));
        let (mut first, mut second) = ([0; 11], [0; 11]);
        one.random(&mut first);
        other.random(&mut second);
        assert_eq!(first, second);
        other.random(&mut second);
        assert_ne!(first, second);
    }

    #[test]
    fn identifiers_increase_and_are_of_version_7() {
        let mut host = FlowHost::new(1_893_456_000_000_000, 0);
        let many: Vec<[u8; 16]> = (0..10_000).map(|_| host.uuid()).collect();
        assert!(many.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(many.iter().all(|uuid| uuid[6] >> 4 == 7 && uuid[8] >> 6 == 0b10));
    }
}
