//! What became of a commit that was not answered: the server knows, by the transaction's number.
//!
//! The number is asked for with the beginning of each transaction that writes. A server that was started again meanwhile
//! may have given it to another transaction if ours was not committed; then only what it says of an undone one counts.

use super::errors::Fault;
use super::session::Session;
use std::time::{Duration, Instant};

/// How a transaction begins whose outcome may be asked for; its one row is the mark.
pub(crate) const SERIALIZABLE: &str =
    "BEGIN; SELECT pg_current_xact_id()::text || ' ' || pg_postmaster_start_time()::text";
/// The same at read committed.
pub(crate) const READ_COMMITTED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
    SELECT pg_current_xact_id()::text || ' ' || pg_postmaster_start_time()::text";

/// How long the server is asked while it has not decided.
const UNDECIDED: Duration = Duration::from_millis(20);

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is committed.
    Held,
    /// It is not, and never will be.
    Undone,
    /// Nobody can say.
    Unknown,
}

/// Asks what became of the transaction of a mark; nothing while the server cannot be asked.
pub(crate) fn outcome(session: &mut Session, mark: &str, until: Instant) -> Option<Outcome> {
    let Some((number, started)) = mark.split_once(' ') else { return Some(Outcome::Unknown) };
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Outcome::Unknown);
    }
    let sql = format!("SELECT pg_xact_status('{number}'::xid8), pg_postmaster_start_time()::text");
    loop {
        let rows = match session.rows(usize::MAX, &sql, &[]) {
            Ok(rows) => rows,
            Err(failed) => {
                return match Fault::of(&failed) {
                    // A number that the server has not given yet: before it was started again it had, for nothing.
                    Fault::Store(_) => Some(Outcome::Undone),
                    Fault::Conflict | Fault::Lost(_) => None,
                };
            }
        };
        let text =
            |at: usize| rows.first().and_then(|row| row.try_get::<_, Option<String>>(at).ok().flatten());
        let same_server = text(1).is_some_and(|now| now == started);
        match text(0).as_deref() {
            Some("committed") if same_server => return Some(Outcome::Held),
            Some("aborted") => return Some(Outcome::Undone),
            Some("in progress") if !same_server => return Some(Outcome::Undone),
            Some("in progress") if Instant::now() < until => std::thread::sleep(UNDECIDED),
            _ => return Some(Outcome::Unknown),
        }
    }
}
