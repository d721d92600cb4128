//! What the front end promises of any text, and the broken documents with which it is held to it.
//!
//! [`Documents`] takes the documents of the repository and breaks them as people and editors do, and as nobody does;
//! [`promises()`] reads, checks, exports and formats one and says what did not hold. The binary does both for a time;
//! a test replays what once failed.

mod clock;
mod documents;
mod promises;
mod random;
mod smaller;

pub use clock::Work;
pub use documents::{Documents, seeds};
pub use promises::promises;
pub use random::Random;
pub use smaller::smaller;
