//! What an operation of several parts carries from one transaction to the next.
//!
//! Each part keeps, in its own transaction, what comes next: [`Resume`] as bytes of [`crate::resume`]. Source:
//! language reference, *What running means*, parts.

use formwork_language::program::{Label, Slot};
use formwork_language::value::{Row, Value};
use std::sync::Arc;

/// The identity of an operation with parts, a UUIDv7.
pub type OperationId = [u8; 16];

/// What a call of several parts has besides its slots.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which operation; every part has the same.
    pub operation: OperationId,
    /// The program that it runs under: another one does not go on with it.
    pub program: Arc<str>,
    /// When its first part began, in microseconds since the epoch.
    pub started: i64,
    /// Under which key of its caller it is carried out once, as the server writes it.
    pub once: Option<Arc<str>>,
    /// That key alone: of the operations that have not ended no two have the same.
    pub key: Option<Arc<str>>,
    /// Where it goes on; absent in the first part.
    pub resume: Option<Box<Resume>>,
}

/// Where an operation or job goes on in its next transaction.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The instruction.
    pub at: Label,
    /// The variables.
    pub slots: Vec<Value>,
    /// The rows that they point to, as they were.
    pub rows: Vec<Row>,
    /// For an update of many rows: the primary key of the last one of the batch.
    pub after: Option<Vec<Value>>,
    /// For each slot that holds a page: the order's values of its last row when there are more.
    pub pages: Vec<(Slot, Option<Vec<Value>>)>,
    /// What happens before the next part.
    pub pending: Pending,
    /// Whether the store keeps it, so that it outlives the process.
    pub kept: bool,
    /// What the store counts its states by; 0 before the first. The next part holds only while this one is the last.
    pub step: u64,
}

impl Resume {
    /// Whether it is what a part began with: that one only looked whether rows have come to exist.
    pub fn only_waits(&self, before: &Self) -> bool {
        let waits = matches!(self.pending, Pending::Wait { .. });
        waits && (self.at, &self.pending) == (before.at, &before.pending)
    }
}

/// What happens between two parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Pending {
    /// Nothing: a batch of a job was full.
    Batch,
    /// Nothing: the step was `Commits`.
    Commit,
    /// Nothing: the next element of a loop begins, or the loop has ended.
    Element,
    /// A request, whose outcome the next part begins with.
    Call(Box<Outgoing>),
    /// The outcome of the request is known.
    Arrived(Box<Arrived>),
    /// Rows may come to exist until this instant, in microseconds since the epoch.
    Wait {
        /// Until when.
        until: i64,
    },
}

/// A request to an external component, complete but for headers with secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Index into `Program::upstreams`.
    pub upstream: u16,
    /// Upper case.
    pub method: Arc<str>,
    /// Path and query, percent-encoded.
    pub target: String,
    /// The JSON body.
    pub body: Option<String>,
    /// Lower-case names and values; `idempotency-key` is always among them.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
    /// How long a try may take, in microseconds; absent: the server's default.
    pub waiting: Option<i64>,
    /// How many tries; absent: the server's default.
    pub tries: Option<u32>,
}

/// What came of an [`Outgoing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// An answer, whatever its status.
    Answer {
        /// The status.
        status: u16,
        /// Lower-case names and values.
        headers: Vec<(Arc<str>, Arc<str>)>,
        /// The body's text.
        body: Arc<str>,
    },
    /// An answer that is no text or too long.
    Unfit,
    /// Nothing: the request may have been carried out.
    Unknown,
    /// Nothing: the request did not reach the other side.
    NotSent,
}

/// An operation as a store keeps it between two parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOperation {
    /// Its id.
    pub id: OperationId,
    /// The operation's or job's name, for people.
    pub name: Arc<str>,
    /// Whether it is a job.
    pub job: bool,
    /// Its index in the program.
    pub index: u32,
    /// The program that it runs under.
    pub program: Arc<str>,
    /// When its first part began, in microseconds since the epoch.
    pub started: i64,
    /// Under which key of its caller it is carried out once, as the server writes it.
    pub once: Option<Arc<str>>,
    /// As [`Part::key`].
    pub key: Option<Arc<str>>,
    /// As [`Resume::step`]: 1 for the first state that is kept.
    pub step: u64,
    /// [`crate::resume::encode`] of where it goes on.
    pub state: Vec<u8>,
}
