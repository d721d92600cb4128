//! One node runs a job: its row is locked by the transaction that moves it on, and says which node is at work on a
//! run of several transactions.

use super::system::OnPostgres;
use crate::system::{NextRun, SystemConnection, set_next_run};
use formwork_engine::StoreError;

/// How long a node that has committed one batch of a run is waited for before another takes the job, in seconds.
const HELD: i64 = 60;

const LOCK: &str = r#"SELECT "next_run", "held_by",
        coalesce("held_until" > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, FALSE)
    FROM "_jobs" WHERE "job" = ?1 FOR UPDATE"#;

/// Whether a run may begin: not when another node has moved the job on, or is at work on it.
pub(crate) fn may_run(system: &mut OnPostgres<'_>, next: &NextRun, node: &str) -> Result<bool, StoreError> {
    let rows = system.query(LOCK, &[next.job.as_str().into()])?;
    let Some(mut row) = rows.into_iter().next() else { return Ok(true) };
    let (stored, holder, held) = (row.optional_integer(0)?, row.optional_text(1)?, row.integer(2)? != 0);
    let moved_on = next.due.zip(stored).is_some_and(|(due, stored)| stored > due);
    let of_another = held && holder.is_some_and(|holder| holder != node);
    Ok(!moved_on && !of_another)
}

/// Whether no run of several transactions is left, which goes on by itself; one of another version of the document is
/// not waited for.
pub(crate) fn has_ended(
    system: &mut OnPostgres<'_>,
    next: &NextRun,
    program: Option<&str>,
) -> Result<bool, StoreError> {
    let Some(program) = program else { return Ok(true) };
    let left = r#"SELECT 1 FROM "_operations" WHERE "job" = 1 AND "name" = ?1 AND "program" = ?2 LIMIT 1"#;
    Ok(system.query(left, &[next.job.as_str().into(), program.into()])?.is_empty())
}

/// Notes how a run ended: moved on, or to be continued by this node.
pub(crate) fn note(
    system: &mut OnPostgres<'_>,
    next: &NextRun,
    node: &str,
    again: bool,
) -> Result<(), StoreError> {
    if !again {
        set_next_run(system, next)?;
        let free = r#"UPDATE "_jobs" SET "held_by" = NULL, "held_until" = NULL WHERE "job" = ?1"#;
        return system.execute(free, &[next.job.as_str().into()]).map(|_| ());
    }
    let hold = format!(
        r#"INSERT INTO "_jobs" ("job", "held_by", "held_until")
        VALUES (?1, ?2, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + {HELD} * 1000000)
        ON CONFLICT ("job") DO UPDATE SET "held_by" = excluded."held_by", "held_until" = excluded."held_until""#
    );
    system.execute(&hold, &[next.job.as_str().into(), node.into()]).map(|_| ())
}
