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

/// [`crate::tables::changed`] here.
pub(crate) fn changed(
    schema: &formwork_language::program::Schema,
    uses: &[formwork_language::program::TableUse],
    record: &str,
) -> Result<Vec<String>, String> {
    crate::tables::changed(&dialect::Sqlite, schema, uses, record)
}
