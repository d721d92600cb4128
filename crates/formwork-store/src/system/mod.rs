//! What the store keeps beside the document's rows: events, keys, the next runs of jobs, kept answers, deliveries.
//!
//! Each thing has its file here with its record, its table and its statements, written once for both databases: the
//! statements name parameters `?1`, `?2`, … and use what SQLite and PostgreSQL have in common (`ON CONFLICT … DO
//! UPDATE`, `RETURNING`), and a store runs them through [`SystemConnection`]. A new table is one more file here, its
//! line in [`TABLES`], and nothing else: it is made when a database is opened that has none yet.

mod admissions;
mod answers;
mod budgets;
mod deliveries;
mod jobs;
mod keys;
mod nodes;
mod operations;
mod outbox;
mod releases;
mod signatures;
mod tables;
mod told;

use formwork_engine::StoreError;

pub use admissions::StoredAdmissions;
pub(crate) use admissions::{load_admissions, lock_admissions, prune_admissions, put_admissions};
pub(crate) use answers::{Kept, keep_answer, kept_answer, prune_answers};
pub use budgets::StoredBudget;
pub(crate) use budgets::{budgets, forget_reserved, keep_standing, note_reserved, prune_budget, standing};
pub use deliveries::{FailedAttempt, StoredDelivery};
pub(crate) use deliveries::{
    deliveries, keep_delivery, next_deliveries, note_attempt, prune_outbox, revive_delivery, take_delivery,
};
pub use jobs::NextRun;
pub(crate) use jobs::{next_runs, set_next_run};
pub use keys::StoredKey;
pub(crate) use keys::{insert_key, load_keys, note_uses, revoke_key};
pub(crate) use nodes::{end_lease, fresh_name, renew_lease};
pub use operations::{Holder, Unfinished};
pub(crate) use operations::{
    Wanted, claim_operation, find_operation, forget_operation, keep_operation, prune_operations,
    rest_operation, unfinished,
};
pub use outbox::StoredEvent;
pub(crate) use outbox::{EMIT, emitted, events};
pub(crate) use releases::{keep_release, recorded_tables, release};
pub(crate) use signatures::{prune_signatures, take_signature};
pub(crate) use tables::{Column, Kind, Table, create_missing, keep_secret, secret};
pub use told::{LeftDelivery, Told};
pub(crate) use told::{left_of_delivery, settle_delivery};

/// Every table of the store's own; no entity may have such a name.
pub(crate) const TABLES: &[Table] = &[
    tables::FORMWORK,
    outbox::TABLE,
    keys::TABLE,
    jobs::TABLE,
    answers::TABLE,
    operations::TABLE,
    nodes::TABLE,
    deliveries::TABLE,
    told::TABLE,
    crate::audit::TABLE,
    crate::audit::CHAIN,
    budgets::TABLE,
    budgets::RESERVED,
    admissions::TABLE,
    signatures::TABLE,
    releases::TABLE,
];

/// A value of a table of the store's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SystemValue {
    /// None.
    Null,
    /// A text.
    Text(String),
    /// A number, or an instant in microseconds since the epoch.
    Integer(i64),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl From<&str> for SystemValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for SystemValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&[u8]> for SystemValue {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<SystemValue>> From<Option<T>> for SystemValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A connection of either database, as the store's own tables need it.
pub(crate) trait SystemConnection {
    /// Runs a statement that gives no rows; gives how many it touched.
    fn execute(&mut self, sql: &str, values: &[SystemValue]) -> Result<u64, StoreError>;
    /// Runs a statement that gives rows.
    fn query(&mut self, sql: &str, values: &[SystemValue]) -> Result<Vec<SystemRow>, StoreError>;
    /// Has each statement of the transaction see what others have committed by then; for one that has a lock.
    fn as_others_commit(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
    /// The database's own time as an integer of SQL, in microseconds since the epoch.
    fn present(&self) -> &'static str;
}

/// A row of a table of the store's own.
#[derive(Debug)]
pub(crate) struct SystemRow(pub(crate) Vec<SystemValue>);

impl SystemRow {
    /// The text in a column.
    pub(crate) fn text(&mut self, column: usize) -> Result<String, StoreError> {
        self.optional_text(column)?.ok_or_else(unexpected)
    }

    /// The text in a column that may be null.
    pub(crate) fn optional_text(&mut self, column: usize) -> Result<Option<String>, StoreError> {
        match self.take(column) {
            SystemValue::Text(text) => Ok(Some(text)),
            SystemValue::Null => Ok(None),
            _ => Err(unexpected()),
        }
    }

    /// The number in a column.
    pub(crate) fn integer(&mut self, column: usize) -> Result<i64, StoreError> {
        self.optional_integer(column)?.ok_or_else(unexpected)
    }

    /// The number in a column that may be null.
    pub(crate) fn optional_integer(&mut self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.take(column) {
            SystemValue::Integer(number) => Ok(Some(number)),
            SystemValue::Null => Ok(None),
            _ => Err(unexpected()),
        }
    }

    /// So many bytes in a column.
    pub(crate) fn bytes<const N: usize>(&mut self, column: usize) -> Result<[u8; N], StoreError> {
        match self.take(column) {
            SystemValue::Bytes(bytes) => bytes.try_into().map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }

    /// The bytes in a column, however many.
    pub(crate) fn blob(&mut self, column: usize) -> Result<Vec<u8>, StoreError> {
        match self.take(column) {
            SystemValue::Bytes(bytes) => Ok(bytes),
            _ => Err(unexpected()),
        }
    }

    fn take(&mut self, column: usize) -> SystemValue {
        self.0.get_mut(column).map_or(SystemValue::Null, |value| std::mem::replace(value, SystemValue::Null))
    }
}

fn unexpected() -> StoreError {
    StoreError::Internal("a table of the store's own holds something else".into())
}
