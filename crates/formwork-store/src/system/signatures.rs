//! Signatures that have been taken: each once, until requests of its age are refused anyway.

use super::{Column, Kind, SystemConnection, Table};
use formwork_engine::StoreError;

/// The signatures.
pub(super) const TABLE: Table = Table {
    name: "_signatures",
    columns: &[Column::new("name", Kind::Text), Column::new("until", Kind::Integer)],
    further: &[r#"CREATE INDEX "_signatures by until" ON "_signatures" ("until")"#],
};

/// Takes a signature; false when it has been taken before.
pub(crate) fn take_signature(
    connection: &mut dyn SystemConnection,
    name: &str,
    until: i64,
) -> Result<bool, StoreError> {
    let sql =
        r#"INSERT INTO "_signatures" ("name", "until") VALUES (?1, ?2) ON CONFLICT ("name") DO NOTHING"#;
    Ok(connection.execute(sql, &[name.into(), until.into()])? > 0)
}

/// Removes those that are too old to come again, at most so many; gives how many.
pub(crate) fn prune_signatures(
    connection: &mut dyn SystemConnection,
    now: i64,
    most: i64,
) -> Result<u64, StoreError> {
    let sql = r#"DELETE FROM "_signatures" WHERE "name" IN
        (SELECT "name" FROM "_signatures" WHERE "until" <= ?1 LIMIT ?2)"#;
    connection.execute(sql, &[now.into(), most.into()])
}
