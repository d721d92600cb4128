//! What an operation takes and what it ends in.

use crate::parts::{Part, Resume};
use crate::precondition::Precondition;
use formwork_language::program::{EntityId, FieldId};
use formwork_language::value::{Row, Value};
use formwork_model::facts::Outcome;
use std::sync::Arc;

/// One call of an operation, or one run of a job: what varies from run to run, all decided outside.
#[derive(Clone, Debug)]
pub struct Call {
    /// What runs.
    pub what: What,
    /// The fixed slots and the input; grown to the code's number of slots by the engine.
    pub slots: Vec<Value>,
    /// `now()`, in microseconds since the epoch. Kept when a conflict is retried.
    pub now: i64,
    /// Seed of the call's randomness (slugs, tokens), so that a run can be replayed.
    pub seed: Seed,
    /// What the caller knows of the row that it wants to change.
    pub precondition: Option<Box<Precondition>>,
    /// For what runs in several parts: which operation it is, and where it goes on.
    pub part: Option<Box<Part>>,
}

/// What a call's randomness begins from; as wide as the widest token that a step may ask for is worth.
pub type Seed = [u8; 32];

/// A seed of a number, for runs that are to be replayed; a guessable one, so never for a running system.
pub const fn replayable(number: u64) -> Seed {
    let mut seed = [0; 32];
    let bytes = number.to_le_bytes();
    let mut at = 0;
    while at < bytes.len() {
        seed[at] = bytes[at];
        at += 1;
    }
    seed
}

/// What a [`Call`] runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Index into `Program::operations`.
    Operation(u32),
    /// Index into `Program::jobs`.
    Job(u32),
    /// Rows of an entity put in place by a test, with all rules of the document. The one slot is a list of rows, each
    /// a list of values in the order of the fields; an absent value is not given.
    Rows(EntityId),
    /// Inserts the rows at start that are missing.
    RowsAtStart,
    /// Tests every row of tables against their rules, and computes again what is computed, when a document has changed.
    /// The one slot lists for each table: its number, a Select of all its rows, the same behind a row, and the
    /// UpdateByKey of its computed fields, or null. Answers what is broken like `Invariants`.
    Stored,
    /// Tests every invariant for all groups, and answers what is broken: a list of texts, the first 100.
    Invariants,
    /// A handler that is told something.
    Handler {
        /// Index into `Program::handlers`.
        handler: u32,
        /// How many links the chain of events has that it is told of.
        links: u8,
    },
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// An answer or a refusal; a refusal has undone every write of its transaction.
    pub result: Result<Answer, Refusal>,
    /// The rows that `Value::Row` in the answer points to.
    pub rows: Vec<Row>,
    /// Counters to add to: index into `Program::metrics` and by how much. Also when the call was refused.
    pub counts: Vec<(u16, f64)>,
    /// Values for histograms. Also when the call was refused.
    pub observations: Vec<(u16, f64)>,
    /// Whether there is more to do: a batch was full, or a part ended, and it goes on in a transaction of its own.
    pub again: bool,
    /// Where it goes on.
    pub resume: Option<Box<Resume>>,
}

impl Ended {
    /// A call that was refused before it began: nothing read, written or counted.
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            result: Err(refusal),
            rows: Vec::new(),
            counts: Vec::new(),
            observations: Vec::new(),
            again: false,
            resume: None,
        }
    }

    /// A run that was not needed: `204`, nothing read, written or counted.
    pub fn nothing_done() -> Self {
        let answer = Answer { status: 204, body: Body::Nothing, headers: Vec::new() };
        Self { result: Ok(answer), ..Self::refused(Refusal::Unavailable) }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Its body.
    pub body: Body,
    /// Further headers, names as written.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
}

/// The body of an [`Answer`].
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    Nothing,
    /// A value; rows are [`Value::Row`].
    Value(Value),
    /// A row, and lists of rows that belong to it, each under its name.
    RowWith {
        /// The row.
        row: Value,
        /// The lists.
        parts: Vec<(Arc<str>, Value)>,
    },
    /// A page: its rows, and the order's values of the last one when there are more.
    Page {
        /// Rows.
        items: Vec<Value>,
        /// The next cursor's values, which the edge encodes.
        next: Option<Vec<Value>>,
    },
    /// A redirect to this address.
    Redirect(Arc<str>),
}

/// A refusal: the edge turns it into a problem.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// A step said so.
    Step {
        /// HTTP status.
        status: u16,
        /// The step's code.
        code: Option<Arc<str>>,
        /// The step's message.
        message: Option<String>,
        /// Further members of the problem.
        members: Vec<(Arc<str>, Value)>,
    },
    /// A row would break rules of its fields: `422 invalid`, all faults at once.
    Invalid(Vec<FieldFault>),
    /// A rule over several fields or rows is broken: what the document names for it, else by its kind.
    Rule(Box<RuleFault>),
    /// A unique key or a reference is broken: `409 conflict`.
    Conflict {
        /// The entity.
        entity: EntityId,
        /// The fields of the key or the reference.
        fields: Vec<FieldId>,
        /// What.
        kind: ConflictKind,
    },
    /// No row that was updated or deleted is as the caller knows it: `412 precondition_failed`.
    Precondition,
    /// It was a rehearsal, see [`Precondition::rehearsal`]: it would have ended so, and nothing of it holds.
    Rehearsed(Box<Answer>),
    /// `500 arithmetic`
    Arithmetic(&'static str),
    /// `500 too_much_work`
    TooMuchWork,
    /// `500 too_many_rows`
    TooManyRows,
    /// A value that a function or the store does not accept: `422 invalid` with this detail.
    Unacceptable(String),
    /// The store is away or its group was not flushed: `503` with `Retry-After`.
    Unavailable,
    /// The store was lost while it committed, and it is not known whether it has: `504 outcome_unknown`.
    Unsure,
    /// The part is undone, since the operation has come further without it: somebody else carries it on.
    MovedOn,
    /// The queue is full: `503 overloaded` with `Retry-After`.
    Overloaded,
    /// We are wrong: `500`, details only in the log.
    Internal(String),
}

/// A rule that a row's field breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The entity.
    pub entity: EntityId,
    /// The field.
    pub field: FieldId,
    /// `required`, `type`, `min`, …
    pub code: &'static str,
    /// One sentence for the caller.
    pub detail: String,
}

/// A rule over several fields or rows that would be broken.
#[derive(Clone, Debug)]
pub struct RuleFault {
    /// What kind of rule.
    pub kind: RuleKind,
    /// The entity.
    pub entity: EntityId,
    /// The fields that it names; empty for a rule over whole rows.
    pub fields: Vec<FieldId>,
    /// One sentence for the caller that names the rule.
    pub detail: String,
    /// What the document says it is answered with.
    pub outcome: Option<Outcome>,
}

/// The kinds of rules of a [`RuleFault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// A unique key for which the document names an answer.
    Unique,
    /// A constraint over several fields.
    Constraint,
    /// Two intervals overlap.
    Overlap,
    /// A state takes a way that it must not.
    Transition,
    /// A row that is never changed.
    AppendOnly,
    /// A row that is there from the start.
    RowAtStart,
    /// A number over a group of rows.
    Invariant,
    /// There are as many rows as there may be.
    Quota,
}

impl RuleKind {
    /// A stable word for `errors`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unique => "unique",
            Self::Constraint => "constraint",
            Self::Overlap => "overlap",
            Self::Transition => "transition",
            Self::AppendOnly => "append_only",
            Self::RowAtStart => "row_at_start",
            Self::Invariant => "invariant",
            Self::Quota => "quota",
        }
    }
}

/// What a [`Refusal::Conflict`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictKind {
    /// The key is taken.
    Unique,
    /// The row referred to does not exist.
    MissingReference,
    /// The row is still referred to.
    Referenced,
}
