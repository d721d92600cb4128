//! PostgreSQL: its spelling, its values, transactions, the connections and who waits for whom.
//!
//! Values are kept as the language reference's table of types says; every identifier is quoted, every value bound.
//! Each call is one serialisable transaction, repeated whole when another one was in its way.

mod address;
mod backend;
mod calls;
mod cascades;
mod dialect;
mod errors;
mod isolation;
mod jobs;
mod listening;
mod migrate;
mod outcome;
mod pool;
mod session;
mod system;
mod tls;
mod transaction;
mod turns;
mod values;
mod visitor;

pub(crate) use backend::{PostgresStore, drop_schema};
pub(crate) use visitor::Visitor;

/// [`crate::tables::changed`] here.
pub(crate) fn changed(
    schema: &formwork_language::program::Schema,
    uses: &[formwork_language::program::TableUse],
    record: &str,
) -> Result<Vec<String>, String> {
    crate::tables::changed(&dialect::Postgres, schema, uses, record)
}
