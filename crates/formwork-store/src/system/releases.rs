//! The documents of releases, so that what began under one can be carried on under it: once each, by what its program is
//! called. Kept are the latest ones and those of which something is under way.

use super::{Column, Kind, SystemConnection, SystemValue, Table};
use formwork_engine::StoreError;

/// Releases kept of which nothing is under way: a node may still begin something under one of them.
const KEPT: i64 = 20;

/// The documents.
pub(super) const TABLE: Table = Table {
    name: "_releases",
    columns: &[
        Column::new("program", Kind::Text),
        // When a process last started with it, in microseconds since the epoch.
        Column::new("started", Kind::Integer),
        // UTF-8; bytes, since a text of PostgreSQL holds no zero.
        Column::new("document", Kind::Bytes),
    ],
    further: &[],
};

/// Keeps a document, and forgets those that nobody needs.
pub(crate) fn keep_release(
    connection: &mut dyn SystemConnection,
    program: &str,
    document: &str,
    now: i64,
) -> Result<(), StoreError> {
    let sql = r#"INSERT INTO "_releases" ("program", "started", "document") VALUES (?1, ?2, ?3)
        ON CONFLICT ("program") DO UPDATE SET "started" = excluded."started""#;
    connection.execute(sql, &[program.into(), now.into(), document.as_bytes().into()])?;
    let sql = r#"DELETE FROM "_releases" WHERE "program" NOT IN (SELECT "program" FROM "_operations")
        AND "program" NOT IN (SELECT "program" FROM "_delivery_parts")
        AND "program" NOT IN (SELECT "program" FROM "_releases" ORDER BY "started" DESC, "program" LIMIT ?1)"#;
    connection.execute(sql, &[SystemValue::Integer(KEPT)]).map(|_| ())
}

/// The document of a release; nothing when it is not kept.
pub(crate) fn release(
    connection: &mut dyn SystemConnection,
    program: &str,
) -> Result<Option<String>, StoreError> {
    let sql = r#"SELECT "document" FROM "_releases" WHERE "program" = ?1"#;
    let row = connection.query(sql, &[program.into()])?.into_iter().next();
    let document = row.map(|mut row| row.blob(0)).transpose()?;
    document.map(|bytes| String::from_utf8(bytes).map_err(|_| super::unexpected())).transpose()
}

/// What the database says of the document's tables.
pub(crate) fn recorded_tables(connection: &mut dyn SystemConnection) -> Result<String, StoreError> {
    let sql = r#"SELECT "value" FROM "_formwork" WHERE "name" = ?1"#;
    let row = connection.query(sql, &["schema".into()])?.into_iter().next();
    row.ok_or_else(super::unexpected)?.text(0)
}
