//! Who says when the writer works and what becomes of a group: in a simulation, where nothing may happen by chance.
//!
//! With a [`Driver`] the SQLite writer has no thread of its own: calls wait in its queue, and a turn of the driver works
//! on all of them as one group, by the same code as ever. So a seed decides which calls meet in a group, which groups
//! fail, and whose answers are lost.

use formwork_engine::{OperationId, StoreError, What};
use formwork_language::program::EntityId;
use formwork_language::value::Row;
use std::pin::Pin;

/// Something that is waited for.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Reads all rows of a table, in no order.
pub type Rows<'r> = &'r dyn Fn(EntityId) -> Result<Vec<Row>, StoreError>;

/// Drives a writer.
pub trait Driver: Send + Sync {
    /// Waits before the next group begins, and says what becomes of it.
    fn turn(&self) -> Waiting<Fate>;

    /// Waits while an answer is on its way back from the writer.
    fn way_back(&self) -> Waiting<()>;

    /// A call of a group has been run; `rows` reads all rows of a table as the transaction has them now.
    fn worked(&self, worked: Worked, rows: Rows<'_>);

    /// The group of the last calls has ended, and its answers have not left yet.
    fn ended(&self, committed: bool);
}

/// What becomes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is committed and answered.
    Commits,
    /// Its commit fails: nothing of it is there.
    Fails,
    /// It is committed, and nobody learns it.
    LosesAnswers,
    /// Every call in it is run, undone and run again, as a database does whose transactions met others.
    Repeats,
    /// Nothing of it is there, and everybody is told that it is: no store may do that, and a simulation must find it.
    Lies,
}

/// A call of a group and how it ended.
#[derive(Clone, Debug)]
pub struct Worked {
    /// What ran; absent for what the store or the server writes for itself.
    pub what: Option<What>,
    /// The `Idempotency-Key`, with its scope in front.
    pub key: Option<String>,
    /// The operation of which this was a part.
    pub operation: Option<OperationId>,
    /// The delivery that was carried out.
    pub delivery: Option<i64>,
    /// How it ended.
    pub outcome: WorkedOutcome,
}

/// How a call of a group ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkedOutcome {
    /// It has ended well.
    Done,
    /// A part of it has; others follow, and the store keeps where.
    Part,
    /// The same, and the store keeps nothing since nothing would be lost: it has only looked, or begins anew.
    Looked,
    /// It was refused and has changed nothing.
    Refused,
    /// It had been carried out before.
    Replayed,
}
