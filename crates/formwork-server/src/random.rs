//! Random bytes from the system, and the seeds of calls.

use formwork_engine::Seed;
use parking_lot::Mutex;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::cell::RefCell;

thread_local! {
    /// In a simulation, from where this thread has its randomness instead of from the system.
    static SEEDED: RefCell<Option<ChaCha20Rng>> = const { RefCell::new(None) };
}

/// From now on this thread's randomness follows from a seed; without one it is the system's again.
pub(crate) fn seed_this_thread(seed: Option<Seed>) {
    SEEDED.with_borrow_mut(|source| *source = seed.map(ChaCha20Rng::from_seed));
}

/// Gives every call its seed: a generator that the system has seeded once, since asking the system for each call
/// costs more than reading a row does.
#[derive(Debug)]
pub(crate) struct Seeds(Mutex<ChaCha20Rng>);

impl Seeds {
    /// Seeded by the system.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self(Mutex::new(ChaCha20Rng::from_seed(bytes()?))))
    }

    /// A seed that nobody has had.
    pub(crate) fn next(&self) -> Seed {
        let mut seed = [0; 32];
        self.0.lock().fill_bytes(&mut seed);
        seed
    }
}

/// Fills an array with random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills a buffer with random bytes.
pub(crate) fn fill(buffer: &mut [u8]) -> Result<(), getrandom::Error> {
    SEEDED.with_borrow_mut(|source| match source {
        Some(source) => {
            source.fill_bytes(buffer);
            Ok(())
        }
        None => getrandom::fill(buffer),
    })
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}
