//! Evaluates compiled expressions: the contract with the host, the budget, and the entry.
//!
//! Source: language reference, *Expressions*.

mod arithmetic;
mod evaluator;

pub(crate) use arithmetic::binary as arithmetic;

use crate::expression::Expression;
use crate::value::{Row, Value};
use evaluator::Evaluator;

/// What expressions see besides their slots: everything that varies from run to run comes through here.
pub trait Host {
    /// Microseconds since the epoch: one instant per transaction.
    fn now(&self) -> i64;
    /// Fills the buffer with random bytes.
    fn random(&mut self, buffer: &mut [u8]);
    /// A fresh UUIDv7, greater than the one before.
    fn uuid(&mut self) -> [u8; 16];
    /// The secret of this name. Only who sends a request knows any; it never leaves in an answer or a log.
    fn secret(&self, name: &str) -> Option<std::sync::Arc<str>> {
        let _ = name;
        None
    }
}

/// The variables and rows that an expression may name.
pub struct Scope<'a> {
    /// Values by slot; see [`crate::program::slots`].
    pub slots: &'a [Value],
    /// Rows by index.
    pub rows: &'a [Row],
    /// Clock and randomness.
    pub host: &'a mut dyn Host,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationError {
    /// Overflow, division by zero, NaN or infinity to be stored: `500 arithmetic`.
    Arithmetic(&'static str),
    /// More than 1,000,000 steps, or a text or list grown beyond its bound: `500 too_much_work`.
    TooMuchWork,
    /// An argument that the function does not accept, such as an unparsable timestamp.
    Invalid(String),
    /// No such overload for these values; CEL's `no_such_overload`. Static types make it rare.
    NoOverload(&'static str),
}

impl std::fmt::Display for EvaluationError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Arithmetic(what) | Self::NoOverload(what) => formatter.write_str(what),
            Self::TooMuchWork => formatter.write_str("too much work for one expression"),
            Self::Invalid(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for EvaluationError {}

/// How many steps one expression may take. Source: language reference, *Bounds*.
pub const STEP_LIMIT: u64 = 1_000_000;

/// The value of an expression.
pub fn evaluate(expression: &Expression, scope: &mut Scope<'_>) -> Result<Value, EvaluationError> {
    let work = Work { host: scope.host, steps: 0 };
    Evaluator { slots: scope.slots, rows: scope.rows, work, locals: Vec::new() }.value(expression)
}

/// What a running expression may use: clock, randomness, and its budget.
pub struct Work<'h> {
    /// Clock and randomness.
    pub host: &'h mut dyn Host,
    steps: u64,
}

impl Work<'_> {
    /// Takes steps from the budget: one for each node, and more for long texts and lists.
    pub fn charge(&mut self, steps: usize) -> Result<(), EvaluationError> {
        self.steps = self.steps.saturating_add(steps as u64);
        if self.steps > STEP_LIMIT { Err(EvaluationError::TooMuchWork) } else { Ok(()) }
    }
}
