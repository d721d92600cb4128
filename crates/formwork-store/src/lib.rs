//! Keeps rows, events, keys and jobs: runs a program's calls in transactions, durably and grouped.
//!
//! SQLite so far. What an operation does is the engine's business; HTTP is the server's. Source: *The pipeline*,
//! room 6.

mod error;
mod options;
mod sqlite;
mod store;
mod system;

pub use error::OpenError;
pub use options::{CommitObserver, Options};
pub use store::Store;
pub use system::{NextRun, StoredEvent, StoredKey};
