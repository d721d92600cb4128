//! Runs a program against a store, a clock, randomness and a caller. One interpreter without I/O.
//!
//! Everything that varies from run to run comes in through [`Call`], [`Transaction`] and [`IdSource`]; the same
//! call on the same rows ends the same. What the tables look like is the store's business, what travels over HTTP
//! the server's.

mod account;
mod assign;
mod audit;
mod fit;
mod host;
mod ids;
pub mod json;
mod masked;
mod outcome;
mod parts;
mod ports;
mod precondition;
pub mod resume;
mod rows;
mod run;

pub use account::{Account, Short, Standing};
pub use audit::AuditEntry;
pub use fit::{Misfit, fit};
pub use ids::IdSource;
pub use masked::MASK;
pub use outcome::{
    Answer, Body, Call, ConflictKind, Ended, FieldFault, Refusal, RuleFault, RuleKind, Seed, What, replayable,
};
pub use parts::{Arrived, KeptOperation, OperationId, Outgoing, Part, Pending, Resume};
pub use ports::{Delivery, OutboxEvent, StoreError, Transaction};
pub use precondition::{Precondition, Tags, row_tag};
pub use run::{MAX_ROWS_HELD, MAX_ROWS_READ, MAX_ROWS_WRITTEN, MOST_LINKS, run, run_from};
