//! The clock and the randomness of one call, for the expressions in it.

use crate::ids::IdSource;
use crate::outcome::Seed;
use formwork_language::eval::Host;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One call's clock and randomness.
pub(crate) struct CallHost<'a> {
    now: i64,
    seed: Seed,
    ids: &'a mut IdSource,
    stream: Option<Box<ChaCha12Rng>>,
}

impl<'a> CallHost<'a> {
    /// The host of a call at an instant.
    pub(crate) fn new(now: i64, seed: Seed, ids: &'a mut IdSource) -> Self {
        Self { now, seed, ids, stream: None }
    }

    /// Made when it is first asked for: most calls that read need none.
    fn stream(&mut self) -> &mut ChaCha12Rng {
        let seed = self.seed;
        self.stream.get_or_insert_with(|| Box::new(ChaCha12Rng::from_seed(seed)))
    }
}

impl Host for CallHost<'_> {
    fn now(&self) -> i64 {
        self.now
    }

    fn random(&mut self, buffer: &mut [u8]) {
        self.stream().fill_bytes(buffer);
    }

    fn uuid(&mut self) -> [u8; 16] {
        let random = self.stream().next_u64();
        self.ids.next(self.now, random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream() {
        let draw = |seed| {
            let mut ids = IdSource::new();
            let mut host = CallHost::new(0, crate::outcome::replayable(seed), &mut ids);
            let mut bytes = [0; 16];
            host.random(&mut bytes);
            (bytes, host.uuid())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
