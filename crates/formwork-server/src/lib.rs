//! The HTTP edge: a checked document becomes three listeners (public, internal, admin) over one store.
//!
//! The server decodes requests straight into typed slots, lets the store run the call, and writes the answer's bytes;
//! it knows no SQL and no step. Source: interfaces *HTTP, on the public listener*; conventions *HTTP core*,
//! *Security*, *Observability*.

mod admin;
mod audit;
mod auth;
mod budgets;
mod cache;
mod clock;
mod conditional;
mod config;
mod cursor;
mod data;
mod edge;
mod forms;
mod input;
mod json;
mod keys;
mod limits;
mod listen;
mod log;
mod metrics;
mod mock;
mod once;
mod outgoing;
mod parts;
mod problems;
mod random;
mod respond;
mod room;
mod router;
mod schedule;
mod serve;
mod shared;
pub mod simulated;
mod start;
mod startup;
mod tls;
mod unkept;

pub use budgets::{BudgetLine, budgets};
pub use config::{Addresses, ClockChoice, Config, Limits, Secrets, TokenSource, UpstreamAddress};
pub use edge::Origins;
pub use keys::{FirstKey, KeyCommand, KeyError, KeyOutcome, KeySummary, NewKey, keys, keys_offline};
pub use parts::MissingSecrets;
pub use start::{Running, StartError, start, start_within};
pub use startup::{ModeRow, curl_line, mode_table, not_yet_enforced};
pub use tls::TlsFiles;
pub use unkept::{Means, Unkept, unkept};
