//! Steps and expressions: parsed, resolved against the model, typed, and lowered to a [`program::Program`].
//!
//! Pure: no file, clock, network or global state. What is wrong becomes a [`notes::Note`]; `formwork-check` gives it
//! words. Source: language reference, *Steps*, *Expressions*, *Flows*.

pub mod behaviour;
pub mod constraint;
pub mod eval;
pub mod expression;
pub mod functions;
pub mod notes;
pub mod program;
pub mod rules;
pub mod sql;
pub mod value;

mod flows;
mod infer;
mod lower;
mod query;
mod steps;
mod tokens;

pub use flows::flow_forms;
pub use steps::{StepForm, step_forms};

use behaviour::Compiled;
use formwork_model::Model;

/// Compiles everything executable in a model: entities, operations, standing steps and flows.
pub fn compile(source: &str, model: &Model) -> Compiled {
    lower::lower_model(source, model)
}
