//! Chance from a seed: the only one that a simulation has.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of chance.
#[derive(Debug)]
pub(crate) struct Dice(ChaCha12Rng);

impl Dice {
    /// The stream of this number of a seed: two streams know nothing of each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self(ChaCha12Rng::from_seed(wide(seed, stream)))
    }

    /// A whole number below a bound, which is at least 1.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The bias of a remainder does not matter here.
        self.0.next_u64() % bound.max(1)
    }

    /// A whole number from one to another.
    pub(crate) fn between(&mut self, least: i128, most: i128) -> i128 {
        let span = u128::try_from(most.saturating_sub(least)).unwrap_or(0).saturating_add(1);
        let drawn = u128::from(self.0.next_u64()) << 64 | u128::from(self.0.next_u64());
        least.saturating_add(i128::try_from(drawn % span.max(1)).unwrap_or(0))
    }

    /// True in so many of 100 cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(crate) fn pick<'i, T>(&mut self, items: &'i [T]) -> Option<&'i T> {
        let at = self.below(items.len() as u64);
        items.get(usize::try_from(at).unwrap_or(0))
    }

    /// Random bytes.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) {
        self.0.fill_bytes(buffer);
    }
}

/// The seed of a stream, as wide as a generator takes it.
pub(crate) fn wide(seed: u64, stream: u64) -> [u8; 32] {
    let mut wide = [0; 32];
    wide[..8].copy_from_slice(&seed.to_le_bytes());
    wide[8..16].copy_from_slice(&stream.to_le_bytes());
    wide
}
