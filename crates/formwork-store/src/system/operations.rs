//! Operations of several parts, between two of them: where each goes on. A row is written in the transaction of the
//! part that it follows, and goes with the last one.
//!
//! Each state has a step, one more than the one before, and is replaced or forgotten only by who names that step: a
//! part whose commit was not answered is not done twice, and a node that was thought gone cannot go on beside the one
//! that took over. A node is at work on its operations as long as its lease lasts (`nodes.rs`).

use super::budgets::give_back;
use super::{Column, Kind, SystemConnection, SystemRow, SystemValue, Table};
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
        // Absent in rows of a version that counted no steps: as if 1.
        Column::optional("step", Kind::Integer),
        Column::optional("owner", Kind::Text),
        Column::optional("key", Kind::Text),
        // Until when it waits for a repeat with its key, in microseconds since the epoch; nobody goes on by himself.
        Column::optional("rests", Kind::Integer),
    ],
    further: &[r#"CREATE UNIQUE INDEX IF NOT EXISTS "_operations by key" ON "_operations" ("key")"#],
};

const ALL: &str =
    r#""id", "name", "job", "place", "program", "started", "once", "key", coalesce("step", 1), "state""#;

/// Who is at work on an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This process.
    Own,
    /// A process that has lately said that it lives.
    Other,
    /// None that lives.
    Nobody,
    /// None: its caller was told to ask again, and a repeat with the key carries it on.
    Rests,
}

/// An operation that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub id: OperationId,
    /// As [`KeptOperation::step`].
    pub step: u64,
    /// As [`KeptOperation::program`].
    pub program: String,
    /// The operation's or job's name.
    pub name: String,
    /// As [`KeptOperation::job`].
    pub job: bool,
    /// As [`KeptOperation::index`].
    pub index: u32,
    /// As [`KeptOperation::once`].
    pub once: Option<String>,
    /// Who is at work on it.
    pub holder: Holder,
}

/// Keeps a state, sealed before; [`StoreError::MovedOn`] when it does not follow the one that is kept.
pub(crate) fn keep_operation(
    connection: &mut dyn SystemConnection,
    (operation, state): (&KeptOperation, &[u8]),
    node: &str,
) -> Result<(), StoreError> {
    let touched = if operation.step <= 1 {
        let sql = r#"INSERT INTO "_operations"
            ("id", "name", "job", "place", "program", "started", "once", "state", "step", "owner", "key")
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10) ON CONFLICT DO NOTHING"#;
        let values = [
            operation.id[..].into(),
            (&*operation.name).into(),
            i64::from(operation.job).into(),
            i64::from(operation.index).into(),
            (&*operation.program).into(),
            operation.started.into(),
            operation.once.as_deref().into(),
            state.into(),
            node.into(),
            operation.key.as_deref().into(),
        ];
        connection.execute(sql, &values)?
    } else {
        let sql = r#"UPDATE "_operations" SET "state" = ?3, "step" = ?2 + 1
            WHERE "id" = ?1 AND coalesce("step", 1) = ?2"#;
        let before = number(operation.step - 1);
        connection.execute(sql, &[operation.id[..].into(), before, state.into()])?
    };
    if touched > 0 { Ok(()) } else { Err(StoreError::MovedOn) }
}

/// Forgets an operation that has ended; [`StoreError::MovedOn`] when its state is not of this step.
pub(crate) fn forget_operation(
    connection: &mut dyn SystemConnection,
    id: &OperationId,
    step: u64,
) -> Result<(), StoreError> {
    let sql = r#"DELETE FROM "_operations" WHERE "id" = ?1 AND coalesce("step", 1) = ?2"#;
    match connection.execute(sql, &[id[..].into(), number(step)])? {
        0 => Err(StoreError::MovedOn),
        _ => give_back(connection, id),
    }
}

/// The oldest operations that have not ended, at most so many.
pub(crate) fn unfinished(
    connection: &mut dyn SystemConnection,
    node: &str,
    most: i64,
) -> Result<Vec<Unfinished>, StoreError> {
    let sql = format!(r#"{} ORDER BY "started", "id" LIMIT ?2"#, listed(connection));
    connection.query(&sql, &[node.into(), most.into()])?.into_iter().map(read_unfinished).collect()
}

/// The operation of an id or a key.
pub(crate) fn find_operation(
    connection: &mut dyn SystemConnection,
    node: &str,
    by: Wanted<'_>,
) -> Result<Option<Unfinished>, StoreError> {
    let (column, value) = match by {
        Wanted::Id(id) => ("id", id[..].into()),
        Wanted::Key(key) => ("key", key.into()),
    };
    let sql = format!(r#"{} WHERE "{column}" = ?2"#, listed(connection));
    connection.query(&sql, &[node.into(), value])?.into_iter().next().map(read_unfinished).transpose()
}

/// By what an operation is found.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'w> {
    Id(&'w OperationId),
    Key(&'w str),
}

/// Makes a node the one that carries an operation on, from its state of this step: who held it before cannot any more.
/// Nothing is given when the operation has come further meanwhile.
pub(crate) fn claim_operation(
    connection: &mut dyn SystemConnection,
    node: &str,
    id: &OperationId,
    step: u64,
) -> Result<Option<KeptOperation>, StoreError> {
    let sql = format!(
        r#"UPDATE "_operations" SET "owner" = ?1, "rests" = NULL, "step" = ?3 + 1
        WHERE "id" = ?2 AND coalesce("step", 1) = ?3 RETURNING {ALL}"#
    );
    let rows = connection.query(&sql, &[node.into(), id[..].into(), number(step)])?;
    rows.into_iter().next().map(read).transpose()
}

/// Leaves an operation to a repeat with its key, until the key's time is over.
pub(crate) fn rest_operation(
    connection: &mut dyn SystemConnection,
    id: &OperationId,
    step: u64,
    until: i64,
) -> Result<(), StoreError> {
    let sql = r#"UPDATE "_operations" SET "rests" = ?3 WHERE "id" = ?1 AND coalesce("step", 1) = ?2"#;
    connection.execute(sql, &[id[..].into(), number(step), until.into()]).map(|_| ())
}

/// Forgets operations that no repeat may carry on any more, at most so many; gives how many went.
pub(crate) fn prune_operations(
    connection: &mut dyn SystemConnection,
    now: i64,
    most: i64,
) -> Result<u64, StoreError> {
    let sql = r#"DELETE FROM "_operations" WHERE "id" IN
        (SELECT "id" FROM "_operations" WHERE "rests" <= ?1 ORDER BY "rests" LIMIT ?2) RETURNING "id""#;
    let gone = connection.query(sql, &[now.into(), most.into()])?;
    let count = gone.len() as u64;
    for mut row in gone {
        give_back(connection, &row.bytes(0)?)?;
    }
    Ok(count)
}

fn listed(connection: &dyn SystemConnection) -> String {
    let present = connection.present();
    format!(
        r#"SELECT "id", coalesce("step", 1), "program", "name", "once", CASE WHEN "rests" IS NOT NULL THEN 3
            WHEN "owner" = ?1 THEN 0
            WHEN EXISTS (SELECT 1 FROM "_nodes" WHERE "node" = "owner" AND "until" > {present}) THEN 1
            ELSE 2 END, "job", "place" FROM "_operations""#
    )
}

fn read_unfinished(mut row: SystemRow) -> Result<Unfinished, StoreError> {
    Ok(Unfinished {
        id: row.bytes(0)?,
        step: u64::try_from(row.integer(1)?).unwrap_or(0),
        program: row.text(2)?,
        name: row.text(3)?,
        once: row.optional_text(4)?,
        holder: match row.integer(5)? {
            0 => Holder::Own,
            1 => Holder::Other,
            3 => Holder::Rests,
            _ => Holder::Nobody,
        },
        job: row.integer(6)? != 0,
        index: u32::try_from(row.integer(7)?).unwrap_or(u32::MAX),
    })
}

fn read(mut row: SystemRow) -> Result<KeptOperation, StoreError> {
    Ok(KeptOperation {
        id: row.bytes(0)?,
        name: row.text(1)?.into(),
        job: row.integer(2)? != 0,
        index: u32::try_from(row.integer(3)?).unwrap_or(u32::MAX),
        program: row.text(4)?.into(),
        started: row.integer(5)?,
        once: row.optional_text(6)?.map(Into::into),
        key: row.optional_text(7)?.map(Into::into),
        step: u64::try_from(row.integer(8)?).unwrap_or(0),
        state: row.blob(9)?,
    })
}

fn number(step: u64) -> SystemValue {
    i64::try_from(step).unwrap_or(i64::MAX).into()
}
