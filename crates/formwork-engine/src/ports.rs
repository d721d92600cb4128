//! What the engine needs from outside: each a trait that stores, servers and simulators implement.

use crate::account::{Account, Standing};
use crate::audit::AuditEntry;
use crate::parts::{KeptOperation, OperationId};
use formwork_language::program::{EntityId, FieldId, StatementId};
use formwork_language::value::{Decimal, Value};
use std::sync::Arc;

/// One open transaction of a store. It knows statement ids and typed values only.
pub trait Transaction {
    /// Runs a statement that gives whole rows; each row's values are in the entity's field order, and its version.
    fn rows(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        each: &mut dyn FnMut(Vec<Value>, i64),
    ) -> Result<(), StoreError>;

    /// Runs a statement that gives one value (Count, Exists, Aggregate).
    fn value(&mut self, statement: StatementId, parameters: &[Value]) -> Result<Value, StoreError>;

    /// Runs a writing statement; gives the number of rows touched.
    fn write(&mut self, statement: StatementId, parameters: &[Value]) -> Result<u64, StoreError>;

    /// Runs the next batch of an UpdateWhere with a limit: the rows behind a primary key, in its order. Gives the
    /// number of rows touched, and the key of the last one when there may be more.
    fn write_batch(
        &mut self,
        statement: StatementId,
        parameters: &[Value],
        after: Option<&[Value]>,
    ) -> Result<(u64, Option<Vec<Value>>), StoreError>;

    /// Reads a row again by its primary key: its values in the entity's field order, and its version; nothing when
    /// it is gone.
    fn reread(&mut self, entity: EntityId, key: &[Value]) -> Result<Option<(Vec<Value>, i64)>, StoreError>;

    /// Appends an event to the outbox.
    fn emit(&mut self, event: &OutboxEvent) -> Result<(), StoreError>;

    /// Keeps what a handler is to be told after the commit.
    fn deliver(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        Err(StoreError::Internal(format!("this store tells `{}` nothing", delivery.handler)))
    }

    /// Appends an entry to the audit trail.
    fn audit(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        Err(StoreError::Internal(format!("this store keeps no audit trail of `{}`", entry.operation)))
    }

    /// How a budget stands. No other transaction changes it before this one has ended.
    fn standing(&mut self, account: &Account) -> Result<Standing, StoreError> {
        Err(StoreError::Internal(format!("this store keeps no budget `{}`", account.budget)))
    }

    /// Keeps how a budget stands.
    fn keep_standing(&mut self, account: &Account, standing: &Standing) -> Result<(), StoreError> {
        let _ = standing;
        Err(StoreError::Internal(format!("this store keeps no budget `{}`", account.budget)))
    }

    /// Notes what an operation of several parts keeps back, so that it is given back when the operation is forgotten.
    fn note_reserved(
        &mut self,
        operation: &OperationId,
        account: &Account,
        amount: Decimal,
    ) -> Result<(), StoreError> {
        let _ = (operation, amount);
        Err(StoreError::Internal(format!("this store keeps no budget `{}`", account.budget)))
    }

    /// Forgets what an operation has kept back: it is charged.
    fn forget_reserved(&mut self, operation: &OperationId) -> Result<(), StoreError> {
        let _ = operation;
        Err(StoreError::Internal("this store keeps no budgets".into()))
    }

    /// Keeps where an operation with parts goes on, in place of the state whose step is one less;
    /// [`StoreError::MovedOn`] when that is not the one that is kept, or when its key is another operation's.
    fn keep_operation(&mut self, operation: &KeptOperation) -> Result<(), StoreError> {
        let _ = operation;
        Err(StoreError::Internal("this store keeps no operations with parts".into()))
    }

    /// Forgets an operation that has ended; [`StoreError::MovedOn`] when another state than that of this step is kept.
    fn forget_operation(&mut self, operation: &OperationId, step: u64) -> Result<(), StoreError> {
        let _ = (operation, step);
        Err(StoreError::Internal("this store keeps no operations with parts".into()))
    }
}

/// An event on its way to the outbox.
#[derive(Clone, Debug)]
pub struct OutboxEvent {
    /// Its id, a UUIDv7.
    pub id: [u8; 16],
    /// Its name.
    pub name: Arc<str>,
    /// The row that it is about: entity and primary key as text, for the order per row.
    pub about: Option<(EntityId, String)>,
    /// Its data as a JSON object.
    pub data: String,
    /// Microseconds since the epoch.
    pub time: i64,
}

/// What a handler is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The id of the event, change or schedule, a UUIDv7.
    pub event: [u8; 16],
    /// `Handler::name`
    pub handler: Arc<str>,
    /// The row that it is about: what one handler is told of one row comes in order.
    pub order: Option<String>,
    /// `{"data": …}` of an event or schedule, `{"row": …, "before": …}` of a change.
    pub payload: String,
    /// How many links its chain of events has; with more than [`crate::MOST_LINKS`] it is kept as failed.
    pub links: u8,
    /// When its transaction was, in microseconds since the epoch.
    pub created: i64,
    /// Not before this instant.
    pub due: i64,
}

/// Why a statement failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// A unique key is taken.
    Unique {
        /// The entity.
        entity: EntityId,
        /// The key's fields.
        fields: Vec<FieldId>,
    },
    /// A reference points nowhere.
    MissingReference {
        /// The entity.
        entity: EntityId,
        /// The referencing field.
        fields: Vec<FieldId>,
    },
    /// The row is still referred to.
    Referenced {
        /// The entity of the row.
        entity: EntityId,
    },
    /// A value that was computed over rows breaks a rule of its field.
    Invalid {
        /// The entity.
        entity: EntityId,
        /// The field.
        field: FieldId,
        /// As in `FieldFault`.
        code: &'static str,
        /// One sentence for the caller.
        detail: String,
    },
    /// Integer overflow in SQL.
    Arithmetic,
    /// A bound of the store.
    TooMuchWork,
    /// Of an operation with parts another state is kept than the one that this part went on from.
    MovedOn,
    /// The store is away.
    Unavailable(String),
    /// A fault of ours.
    Internal(String),
}

/// For an operator: what happened, in words, without names of ours.
impl std::fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unique { .. } => formatter.write_str("a unique key is taken"),
            Self::MissingReference { .. } => formatter.write_str("what a row refers to does not exist"),
            Self::Referenced { .. } => formatter.write_str("a row is still referred to"),
            Self::Invalid { code, .. } => write!(formatter, "a value breaks the rule `{code}` of its field"),
            Self::Arithmetic => formatter.write_str("a number is beyond what its field keeps"),
            Self::TooMuchWork => formatter.write_str("it is too much work"),
            Self::MovedOn => formatter.write_str("somebody else has gone on with it"),
            Self::Unavailable(cause) => write!(formatter, "the store is away: {cause}"),
            Self::Internal(cause) => formatter.write_str(cause),
        }
    }
}
