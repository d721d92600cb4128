//! When jobs run next.

use super::{Column, Kind, SystemConnection, Table};
use formwork_engine::StoreError;

/// The next runs.
pub(super) const TABLE: Table = Table {
    name: "_jobs",
    columns: &[
        Column::new("job", Kind::Text),
        Column::optional("next_run", Kind::Integer),
        // Which node is at work on a run of several transactions, and until when it is waited for.
        Column::optional("held_by", Kind::Text),
        Column::optional("held_until", Kind::Integer),
    ],
    further: &[],
};

/// When a job runs next; written with the run that it follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRun {
    /// The job: `Program::jobs[…].name`.
    pub job: String,
    /// Microseconds since the epoch; absent for one that runs no more (start-up).
    pub at: Option<i64>,
    /// The instant that the run was due; absent for one that somebody asked for. Nodes that share a database leave a
    /// run alone that another one has done.
    pub due: Option<i64>,
}

/// When jobs run next.
pub(crate) fn next_runs(connection: &mut dyn SystemConnection) -> Result<Vec<NextRun>, StoreError> {
    let rows = connection.query(r#"SELECT "job", "next_run" FROM "_jobs" ORDER BY "job""#, &[])?;
    rows.into_iter()
        .map(|mut row| Ok(NextRun { job: row.text(0)?, at: row.optional_integer(1)?, due: None }))
        .collect()
}

/// Notes when a job runs next.
pub(crate) fn set_next_run(connection: &mut dyn SystemConnection, next: &NextRun) -> Result<(), StoreError> {
    let sql = r#"INSERT INTO "_jobs" ("job", "next_run") VALUES (?1, ?2)
        ON CONFLICT ("job") DO UPDATE SET "next_run" = excluded."next_run""#;
    connection.execute(sql, &[next.job.as_str().into(), next.at.into()]).map(|_| ())
}
