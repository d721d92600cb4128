//! The program: what `formwork-engine` runs. Names are slots, conditions are portable operators, and every
//! statement is known before the first request.
//!
//! An operation is a graph of segments: a segment is what one transaction runs without waiting for anything
//! outside the store. `Every` jobs are operations without a request.

mod audit;
mod caches;
mod costs;
mod expressions;
mod instructions;
mod limits;
mod matrix;
mod operations;
mod schema;
mod signatures;
mod standing;
mod statements;
mod tokens;
mod upstream;
mod uses;

pub use audit::{AuditRules, Recorded};
pub use caches::{CacheLayer, CachedOperation, KeyPart, NotKept};
pub use costs::{Budget, BudgetEvent, BudgetFact, BudgetPeriod, Charge, Reserve, Settle, period_start};
/// Where an operation is served.
pub use formwork_model::sections::interface::Surface;
pub use instructions::{Answered, Code, Failure, Instruction, MessagePart, NextElement, PagedRows};
pub use limits::{CountedBy, LimitRule, Limited};
pub use matrix::{Access, Calling, Cell, MatrixRow, matrix};
pub use operations::{
    AccessRule, BodyShape, Granted, InputField, InputShape, Mode, Operation, OutputShape, PageShape,
    PathPart, Procedure,
};
pub use schema::{EntitySchema, FieldSchema, PlainIndex, Reference, Schema, UniqueKey};
pub use signatures::{STANDARD_HEADERS, SignatureRule, Signed, code, signing_key};
pub use standing::{CalendarDays, Change, Handler, Job, Schedule, Told, Trigger};
pub use statements::{
    Aggregate, ArithmeticOperator, Comparison, Condition, Limit, Lock, Operand, Query, QueryColumn, Select,
    SqlFunction, Statement, TextTest,
};
pub use tokens::{TokenAlgorithm, TokenRule, Way};
pub use upstream::{AnswerField, AnswerShape, NoAnswer, TargetPart, Upstream, UpstreamCall};
pub use uses::TableUse;

use crate::rules::RowByRow;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Index into [`Program::statements`].
pub type StatementId = u32;
/// Index into [`Schema::entities`].
pub type EntityId = u16;
/// Index into [`EntitySchema::fields`].
pub type FieldId = u16;
/// Index into an operation's slots. The first [`slots::INPUT`] are fixed, see [`slots`].
pub type Slot = u16;
/// Index into [`Code::instructions`].
pub type Label = u32;

/// The fixed slots of every operation, before its input fields (in the order of [`InputShape::fields`]) and its
/// variables. For an operation with a page, the last two input fields are the hidden `cursor` and `limit`.
pub mod slots {
    use super::Slot;
    /// `caller.id`: text, or absent in a public operation.
    pub const CALLER_ID: Slot = 0;
    /// `caller.roles`: list of text.
    pub const CALLER_ROLES: Slot = 1;
    /// `caller.scopes`: list of text.
    pub const CALLER_SCOPES: Slot = 2;
    /// `caller.claims`: map.
    pub const CALLER_CLAIMS: Slot = 3;
    /// `request.id`: text.
    pub const REQUEST_ID: Slot = 4;
    /// `request.ip`: text.
    pub const REQUEST_IP: Slot = 5;
    /// `request.headers`: map of lower-case names.
    pub const REQUEST_HEADERS: Slot = 6;
    /// The first input field.
    pub const INPUT: Slot = 7;
    /// In a handler, `event`: a map of `id` and, for an emitted event or something scheduled, `data`.
    pub const EVENT: Slot = 7;
    /// In a handler of changes, the row as it is after the change, or was before it was deleted: a map of its fields.
    pub const CHANGED: Slot = 8;
    /// In a handler of changes, `before`: the row as it was; absent for one that was created.
    pub const BEFORE: Slot = 9;
}

/// Everything that runs.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Tables.
    pub schema: Schema,
    /// Statements that operations and jobs use.
    pub statements: Vec<Statement>,
    /// Every operation of sections 4 and 5 that is served over HTTP, in the order of the document, whatever its mode.
    pub operations: Vec<Operation>,
    /// Procedures: what several operations share. Where one is carried out, its instructions stand in the operation.
    pub procedures: Vec<Procedure>,
    /// Standing steps that run by the clock.
    pub jobs: Vec<Job>,
    /// What runs after a commit: standing steps that begin with *When*, and what is scheduled.
    pub handlers: Vec<Handler>,
    /// Events that steps emit or section 10 declares; `Emit` refers by index.
    pub events: Vec<EventShape>,
    /// Counters and histograms that steps fill; `Count` refers by index.
    pub metrics: Vec<MetricShape>,
    /// Roles that section 9 or *Requires* name, sorted, without `system`, `internal`, `anonymous`.
    pub roles: Vec<Arc<str>>,
    /// The header that carries API keys; `x-api-key` by default. Lower case.
    pub api_key_header: Arc<str>,
    /// The bearer tokens that section 9 takes, in its order.
    pub tokens: Vec<TokenRule>,
    /// The signed requests that section 9 takes, in its order.
    pub signatures: Vec<SignatureRule>,
    /// The ways to prove who calls, in the order of section 9: of several proofs in one request the first one counts.
    pub ways: Vec<Way>,
    /// What the document says of `Idempotency-Key`; an operation that is not named has
    /// [`OnceRule::usual`].
    pub once: Vec<OnceRule>,
    /// How often, how many at a time and how large requests may be, in the order of section 9.
    pub limits: Vec<LimitRule>,
    /// Statements over many rows of tables whose rows the engine must see, and how they are done one by one.
    pub row_by_row: FxHashMap<StatementId, RowByRow>,
    /// The external components of section 3; calls refer by index.
    pub upstreams: Vec<Upstream>,
    /// What the audit trail records.
    pub audit: AuditRules,
    /// The names that `secret("…")` reads, each once, sorted.
    pub secrets: Vec<Arc<str>>,
    /// What may be spent.
    pub budgets: Vec<Budget>,
    /// The cache layers of section 8 that are kept.
    pub cache_layers: Vec<CacheLayer>,
    /// The operations whose answers they keep, sorted by operation.
    pub cached: Vec<CachedOperation>,
}

/// How an operation takes `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnceRule {
    /// Index into [`Program::operations`].
    pub operation: u32,
    /// Whether a request without one is refused.
    pub required: bool,
    /// How long an answer is kept, in microseconds; absent: for ever.
    pub kept: Option<i64>,
}

impl OnceRule {
    /// A key may be sent, and its answer is kept for 24 h.
    pub const fn usual(operation: u32) -> Self {
        Self { operation, required: false, kept: Some(86_400_000_000) }
    }
}

impl Program {
    /// Whether something runs in more than one transaction, so that its state is kept in between.
    pub fn has_parts(&self) -> bool {
        let operations = self.operations.iter().map(|operation| &operation.code);
        let jobs = self.jobs.iter().map(|job| &job.code);
        let handlers = self.handlers.iter().map(|handler| &handler.code);
        operations.chain(jobs).chain(handlers).any(Code::has_parts)
    }

    /// How an operation takes `Idempotency-Key`.
    pub fn once_rule(&self, operation: u32) -> OnceRule {
        let found = self.once.iter().find(|rule| rule.operation == operation);
        found.copied().unwrap_or(OnceRule::usual(operation))
    }
}

/// An event.
#[derive(Clone, Debug)]
pub struct EventShape {
    /// Its name.
    pub name: Arc<str>,
    /// Names of its data's members.
    pub data: Vec<Arc<str>>,
}

/// The counter that Formwork fills by itself: runs of standing steps that failed, and elements of loops that are
/// transactions of their own.
pub const STANDING_FAILURES: &str = "standing.failures";

/// The part of the requests to a cache layer that ran no behaviour; Formwork measures it by itself.
pub const CACHE_HIT_RATIO: &str = "cache_hit_ratio";

/// A metric that steps fill.
#[derive(Clone, Debug)]
pub struct MetricShape {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is a histogram (else a counter).
    pub histogram: bool,
    /// What it measures.
    pub help: Arc<str>,
}
