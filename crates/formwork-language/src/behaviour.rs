//! What the language says about a document besides the program: how every step was taken, notes, and flows.

use crate::expression::Expression;
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

/// A flow, ready to be carried out by `formwork-prove`.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub name: Arc<str>,
    /// Its steps.
    pub steps: Vec<FlowStep>,
    /// Its error cases.
    pub errors: Vec<FlowStep>,
    /// Where.
    pub span: Span,
}

/// A step of a flow.
#[derive(Clone, Debug)]
pub struct FlowStep {
    /// As written, without marks.
    pub text: String,
    /// Where.
    pub span: Span,
    /// How it was taken.
    pub class: Class,
    /// What it does; absent when it is narrative or not understood.
    pub action: Option<FlowAction>,
}

/// Which operation a flow calls.
#[derive(Clone, Debug)]
pub enum Target {
    /// Index into [`Program::operations`], named or found by the route.
    Operation(u32),
    /// A method and a path that no operation has.
    Path {
        /// Upper case.
        method: Arc<str>,
        /// As written.
        path: Arc<str>,
    },
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Without a key.
    Anonymous,
    /// With a key of this role.
    Role {
        /// The role.
        role: Arc<str>,
        /// `caller.id`: the role's name unless `as` gives another.
        id: Arc<str>,
    },
}

/// A call.
#[derive(Clone, Debug)]
pub struct FlowCall {
    /// Who.
    pub actor: Actor,
    /// What.
    pub target: Target,
    /// The concrete path when the step gives one (`GET /spring`), with its query.
    pub path: Option<Arc<str>>,
    /// The input, over flow variables (slots), as a map.
    pub input: Option<Expression>,
    /// `again`: the last input of that operation.
    pub again: bool,
    /// Headers.
    pub headers: Vec<(Arc<str>, Expression)>,
}

/// What a call must give. In `with` the slots are [`flow_slots`].
#[derive(Clone, Debug)]
pub struct Expectation {
    /// One of these.
    pub outcomes: Vec<Outcome>,
    /// A condition on the answer, with its text.
    pub with: Option<(Expression, String)>,
    /// `remembers x = EXPR`: slot and value.
    pub remembers: Vec<(u16, Expression)>,
}

/// The fixed slots of flow expressions; remembered variables follow.
pub mod flow_slots {
    /// `response`: the parsed body.
    pub const RESPONSE: u16 = 0;
    /// `status`
    pub const STATUS: u16 = 1;
    /// `headers`: map of lower-case names.
    pub const HEADERS: u16 = 2;
    /// The first remembered variable.
    pub const FIRST: u16 = 3;
}

/// What a flow step does.
#[derive(Clone, Debug)]
pub enum FlowAction {
    /// A call, and what it must give.
    Call {
        /// The call.
        call: FlowCall,
        /// What it must give; absent when the step does not say.
        expect: Option<Expectation>,
    },
    /// N callers `actor-1…N` at once.
    AtOnce {
        /// How many.
        count: u32,
        /// The call of each.
        call: FlowCall,
        /// `exactly M get`: how many get which outcome.
        exactly: Vec<(u32, Expectation)>,
        /// `the others get`
        others: Option<Expectation>,
    },
    /// How many rows there are.
    CountRows {
        /// Name of the entity.
        entity: Arc<str>,
        /// How many; `A … exists` is `AtLeast(1)`, `No … exists` is `Exactly(0)`.
        count: RowCount,
        /// The condition's text as written, for the admin API, which compiles it itself.
        filter: Option<Arc<str>>,
        /// The remembered variables that the condition may name.
        variables: Vec<(Arc<str>, u16)>,
    },
    /// An event was emitted.
    EventEmitted {
        /// Its name.
        event: Arc<str>,
        /// How often; at least once when absent.
        times: Option<u32>,
        /// A condition over the slot [`flow_slots::RESPONSE`] holding the event's data, with its text.
        with: Option<(Expression, String)>,
    },
    /// The clock moves on, in microseconds.
    Advance(i64),
    /// A component's standing steps run now.
    RunComponent(Arc<str>),
    /// A command of section 4 is run in a folder of the flow's own.
    RunCommand {
        /// The tool and its arguments.
        arguments: Vec<Arc<str>>,
        /// The exit code that it must give.
        exit: i32,
        /// What it must print.
        checks: Vec<CommandCheck>,
    },
}

/// What a command must print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandCheck {
    /// Where.
    pub stream: Stream,
    /// A part of it, literal.
    pub contains: Arc<str>,
}

/// The streams of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

/// See [`FlowAction::CountRows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowCount {
    /// Exactly so many.
    Exactly(u64),
    /// At least so many.
    AtLeast(u64),
}
