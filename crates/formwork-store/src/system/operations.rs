//! Operations of several parts, between two of them: where each goes on. A row is written in the transaction of the
//! part that it follows, and goes with the last one.

use super::{Column, Kind, SystemConnection, SystemValue, Table};
use formwork_engine::{KeptOperation, OperationId, StoreError};

/// The operations that have not ended.
pub(super) const TABLE: Table = Table {
    name: "_operations",
    columns: &[
        Column::new("id", Kind::Bytes),
        Column::new("name", Kind::Text),
        Column::new("job", Kind::Integer),
        Column::new("place", Kind::Integer),
        Column::new("program", Kind::Text),
        Column::new("started", Kind::Integer),
        Column::optional("once", Kind::Text),
        Column::new("state", Kind::Bytes),
    ],
    further: &[],
};

/// Keeps an operation, in place of what was kept of it before; its values come from [`kept`].
pub(crate) const KEEP: &str = r#"INSERT INTO "_operations" ("id", "name", "job", "place", "program", "started", "once", "state")
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT ("id") DO UPDATE SET "state" = excluded."state""#;

/// The values of [`KEEP`].
pub(crate) fn kept(operation: &KeptOperation) -> [SystemValue; 8] {
    [
        operation.id[..].into(),
        (&*operation.name).into(),
        i64::from(operation.job).into(),
        i64::from(operation.index).into(),
        (&*operation.program).into(),
        operation.started.into(),
        operation.once.as_deref().into(),
        operation.state[..].into(),
    ]
}

/// Forgets an operation that has ended.
pub(crate) fn forget_operation(
    connection: &mut dyn SystemConnection,
    id: &OperationId,
) -> Result<bool, StoreError> {
    let sql = r#"DELETE FROM "_operations" WHERE "id" = ?1"#;
    Ok(connection.execute(sql, &[id[..].into()])? > 0)
}

/// Every operation that has not ended, oldest first.
pub(crate) fn operations(connection: &mut dyn SystemConnection) -> Result<Vec<KeptOperation>, StoreError> {
    let sql = r#"SELECT "id", "name", "job", "place", "program", "started", "once", "state" FROM "_operations"
        ORDER BY "started", "id""#;
    let rows = connection.query(sql, &[])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(KeptOperation {
                id: row.bytes(0)?,
                name: row.text(1)?.into(),
                job: row.integer(2)? != 0,
                index: u32::try_from(row.integer(3)?).unwrap_or(u32::MAX),
                program: row.text(4)?.into(),
                started: row.integer(5)?,
                once: row.optional_text(6)?.map(Into::into),
                state: row.blob(7)?,
            })
        })
        .collect()
}
