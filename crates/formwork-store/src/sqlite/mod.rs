//! SQLite: schema, statements, transactions, the one writer and the readers.
//!
//! Values are kept as the language reference's table of types says; every identifier is quoted, every value bound.

mod compile;
mod condition;
mod connection;
mod errors;
mod functions;
mod migrate;
mod operand;
mod readers;
mod schema;
mod system;
mod transaction;
mod values;
mod writer;

pub(crate) use compile::Compiled;

pub(crate) use readers::Readers;
pub(crate) use system::{events, insert_key, load_keys, next_runs, revoke_key, set_next_run};
pub(crate) use writer::{Writer, open};
