//! What the language says about a document besides the program: how every step was taken, notes, and flows.

mod flow;

pub use flow::*;

use crate::notes::Note;
use crate::program::{Mode, Program};
use formwork_model::Class;
use formwork_model::facts::Outcome;
use formwork_syntax::Span;
use std::sync::Arc;

/// The result of compiling a model.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// What runs. Complete and runnable only when no note is an error.
    pub program: Program,
    /// Each behaviour, in the order operations then endpoints of the model.
    pub behaviours: Vec<Behaviour>,
    /// Each standing step, in the order of the components.
    pub standing: Vec<StandingStep>,
    /// Each flow of the model, in order.
    pub flows: Vec<Flow>,
    /// What is wrong; `check` gives it code and words.
    pub notes: Vec<Note>,
}

/// How a behaviour was taken.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Name of the operation.
    pub operation: Arc<str>,
    /// Index into [`Program::operations`]; absent for commands.
    pub program: Option<u32>,
    /// How it is served.
    pub mode: Mode,
    /// Its sentences, in order, nested ones included.
    pub steps: Vec<Step>,
    /// Entities that it reads, writes, and events that it emits, by name.
    pub touches: Touches,
    /// What could be inferred of it when its steps are prose or missing.
    pub inference: Inference,
}

/// What became of a behaviour without steps. Source: language reference, *Inferred behaviours*.
#[derive(Clone, Debug, Default)]
pub enum Inference {
    /// It has steps, or is a command.
    #[default]
    NotNeeded,
    /// Its other facts determine these steps, which run.
    Steps(Inferred),
    /// It is mocked, because: one clause, such as ``input `lines` is no field of `order` ``.
    Refused(Arc<str>),
}

/// Steps that a behaviour does not have and its operation determines.
#[derive(Clone, Debug)]
pub struct Inferred {
    /// What they do: ``creates a `link` ``.
    pub summary: Arc<str>,
    /// Sentences of the language, in order; what runs is exactly this text.
    pub steps: Vec<Arc<str>>,
    /// What writes them into the document, in order of place; empty where there is no room for them.
    pub edits: Vec<(Span, String)>,
}

/// Names that a behaviour or standing step uses, each once, in order of first use.
#[derive(Clone, Debug, Default)]
pub struct Touches {
    /// Entities read.
    pub reads: Vec<Arc<str>>,
    /// Entities written.
    pub writes: Vec<Arc<str>>,
    /// Events emitted.
    pub emits: Vec<Arc<str>>,
    /// Metrics counted or observed.
    pub metrics: Vec<Arc<str>>,
    /// Input fields read (`from the input` reads all that the entity has).
    pub inputs: Vec<Arc<str>>,
}

/// A sentence of a behaviour.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where.
    pub span: Span,
    /// How it was taken.
    pub class: Class,
    /// The errors that it can raise.
    pub errors: Vec<Outcome>,
}

/// A standing step of a component.
#[derive(Clone, Debug)]
pub struct StandingStep {
    /// The component.
    pub component: Arc<str>,
    /// Index into [`Program::jobs`], when it is understood.
    pub job: Option<u32>,
    /// Its head and its steps.
    pub steps: Vec<Step>,
    /// What it uses.
    pub touches: Touches,
}
