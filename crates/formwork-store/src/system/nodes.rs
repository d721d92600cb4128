//! The processes that work on the same rows: each says again and again that it lives. What one of them has begun is
//! its own as long as its lease lasts.
//!
//! Leases are measured by the database's clock alone: nodes may differ in theirs, and the time that a test moves has
//! nothing to do with which processes live. A file has one process, by its lock; it needs no lease.

use super::{Column, Kind, SystemConnection, Table};
use formwork_engine::StoreError;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The processes.
pub(super) const TABLE: Table = Table {
    name: "_nodes",
    columns: &[Column::new("node", Kind::Text), Column::new("until", Kind::Integer)],
    further: &[],
};

/// How long the lease of a node that is gone stays, so that the table does not grow: a day, in microseconds.
const KEPT: i64 = 86_400_000_000;

/// A name that no other process has.
pub(crate) fn fresh_name() -> String {
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Has the lease of a node last so many microseconds from now on.
pub(crate) fn renew_lease(
    connection: &mut dyn SystemConnection,
    node: &str,
    length: i64,
) -> Result<(), StoreError> {
    let present = connection.present();
    let sql = format!(
        r#"INSERT INTO "_nodes" ("node", "until") VALUES (?1, {present} + ?2)
        ON CONFLICT ("node") DO UPDATE SET "until" = excluded."until""#
    );
    connection.execute(&sql, &[node.into(), length.into()])?;
    let sql = format!(r#"DELETE FROM "_nodes" WHERE "until" < {present} - {KEPT}"#);
    connection.execute(&sql, &[]).map(|_| ())
}

/// Ends the lease of a node.
pub(crate) fn end_lease(connection: &mut dyn SystemConnection, node: &str) -> Result<(), StoreError> {
    connection.execute(r#"DELETE FROM "_nodes" WHERE "node" = ?1"#, &[node.into()]).map(|_| ())
}
