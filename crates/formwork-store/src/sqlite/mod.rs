//! SQLite: its spelling, its values, transactions, the one writer and the readers.
//!
//! Values are kept as the language reference's table of types says; every identifier is quoted, every value bound.

mod connection;
mod dialect;
mod driven;
mod errors;
mod functions;
mod inspector;
mod migrate;
mod readers;
mod system;
mod transaction;
mod values;
mod visitor;
mod writer;

pub use inspector::{Inspector, WaitingDelivery};
pub(crate) use readers::Readers;
pub(crate) use visitor::OwnConnection;
pub(crate) use writer::{Writer, open};
