//! Keeps rows, events, keys and jobs: runs a program's calls in transactions, durably and grouped.
//!
//! What every database shares stands in `statements` (SQL of a program, behind a dialect), `tables` (the document's
//! tables and what changed in them), `system` (the store's own tables) and `rules`; `sqlite` holds what is SQLite's
//! alone. What an operation does is the engine's business; HTTP is the server's. Source: *The pipeline*, room 6.

mod admissions;
mod audit;
mod commits;
mod driver;
mod error;
mod folder;
mod once;
mod options;
mod postgres;
mod releases;
mod rules;
mod sqlite;
mod statements;
mod store;
mod system;
mod tables;
mod vault;

pub use admissions::Decide;
pub use audit::{Anchor, AuditError, AuditFault, AuditFilter, AuditTrail, Head, StoredAudit, Verified};
pub use commits::{Commits, Mark};
pub use driver::{Driver, Fate, Rows, Waiting, Worked, WorkedOutcome};
pub use error::OpenError;
pub use folder::write_private;
pub use once::{KeptAnswer, Once, OnceEnded, OnceKey, Render};
pub use options::{CommitObserver, Options};
pub use sqlite::{Inspector, WaitingDelivery};
pub use store::Store;
pub use system::{
    FailedAttempt, Holder, LeftDelivery, NextRun, StoredAdmissions, StoredBudget, StoredDelivery,
    StoredEvent, StoredKey, Told, Unfinished,
};
pub use vault::VariablesKey;
