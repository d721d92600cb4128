//! Flows as the prover carries them out: who calls what, what must come back, and what is put in place or looked at.
//!
//! Source: language reference, *Flows*.

use crate::expression::Expression;
use formwork_model::Class;
use formwork_model::facts::Outcome;
use formwork_syntax::Span;
use std::sync::Arc;

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

impl FlowStep {
    /// The steps nested below it, which stand in the same flow.
    pub fn nested(&self) -> &[FlowStep] {
        match &self.action {
            Some(
                FlowAction::Together { branches: steps }
                | FlowAction::Repeat { steps, .. }
                | FlowAction::Steps(steps),
            ) => steps,
            _ => &[],
        }
    }

    /// It and the steps nested below it, in the order of the text.
    pub fn all(&self) -> Vec<&FlowStep> {
        let mut all = vec![self];
        all.extend(self.nested().iter().flat_map(FlowStep::all));
        all
    }
}

/// Which operation a flow calls.
#[derive(Clone, Debug)]
pub enum Target {
    /// Index into [`crate::program::Program::operations`], named or found by the route.
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
#[derive(Clone, Debug)]
pub enum Actor {
    /// Without a key.
    Anonymous,
    /// With a key of this role.
    Role {
        /// The role.
        role: Arc<str>,
        /// `caller.id`: the role's name unless `as` gives another.
        id: Arc<str>,
        /// ``with scope `S` ``
        scopes: Vec<Arc<str>>,
        /// ``with claim `name` = `EXPR` ``
        claims: Vec<(Arc<str>, Expression)>,
    },
    /// An external component, which calls an operation that it signs.
    Component(Arc<str>),
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
    /// `n`: which row of a *Given*, which of N callers, which round of *N times*; from 1.
    pub const N: u16 = 3;
    /// `request`: what an external component was sent, a map of `method`, `path`, `query`, `headers`, `body`.
    pub const REQUEST: u16 = 4;
    /// The first remembered variable.
    pub const FIRST: u16 = 5;
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
    /// The clock stands at an instant: where the flow begins, or a later one.
    ClockStands {
        /// The instant, when it is written down.
        at: Option<i64>,
        /// The instant as an expression.
        value: Expression,
        /// As written.
        text: String,
    },
    /// A component's standing steps run now.
    RunComponent(Arc<str>),
    /// Rows are put in place.
    Given(Given),
    /// The sum of a field.
    Sum {
        /// Name of the entity.
        entity: Arc<str>,
        /// Name of the field.
        field: Arc<str>,
        /// The condition's text as written.
        filter: Option<Arc<str>>,
        /// The remembered variables that the condition may name.
        variables: Vec<(Arc<str>, u16)>,
        /// What it is.
        amount: Amount,
    },
    /// The value of a metric.
    Metric {
        /// Its name.
        metric: Arc<str>,
        /// What it is.
        amount: Amount,
    },
    /// The steps of another flow, carried out before this one's own.
    Begins {
        /// The other flow's name.
        flow: Arc<str>,
        /// Its steps, over this flow's variables.
        steps: Vec<FlowStep>,
    },
    /// Calls and standing steps, all at once.
    Together {
        /// Each on its own: calls, calls of N actors, components that run; behind them the tally, if there is one.
        branches: Vec<FlowStep>,
    },
    /// How many of the calls of a [`FlowAction::Together`] get which outcome.
    Tally {
        /// `exactly M of them get`
        exactly: Vec<(u32, Expectation)>,
        /// `the others get`
        others: Option<Expectation>,
    },
    /// Steps, several times over.
    Repeat {
        /// How often.
        times: u32,
        /// The steps.
        steps: Vec<FlowStep>,
    },
    /// An error case of several steps.
    Steps(Vec<FlowStep>),
    /// A component does not work as it should, or does again.
    Fault {
        /// The component.
        component: Arc<str>,
        /// Whether the test plays it.
        external: bool,
        /// What is wrong with it.
        fault: Fault,
    },
    /// What an external component, played by the test, answers.
    PartnerAnswers {
        /// The component.
        component: Arc<str>,
        /// Upper case.
        method: Arc<str>,
        /// With `{name}` for any piece.
        path: Arc<str>,
        /// What it answers; nothing when it stays silent.
        answer: Option<PartnerAnswer>,
        /// For the next so many calls; for all when absent.
        times: Option<u32>,
    },
    /// How often an external component was called.
    PartnerCalled {
        /// The component.
        component: Arc<str>,
        /// Upper case; whatever it is when absent.
        method: Option<Arc<str>>,
        /// With `{name}` for any piece; whatever it is when absent.
        path: Option<Arc<str>>,
        /// How often.
        count: RowCount,
        /// A condition over the slot [`flow_slots::REQUEST`], with its text.
        with: Option<(Expression, String)>,
    },
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

/// Rows that a flow puts in place.
#[derive(Clone, Debug)]
pub struct Given {
    /// Index into the program's entities.
    pub entity: u16,
    /// How many; their number is in the slot [`flow_slots::N`].
    pub count: u32,
    /// Name of each field that is set, and its value.
    pub assignments: Vec<(Arc<str>, Expression)>,
    /// The variable of the row, or of the list of rows when a number was written.
    pub variable: Option<u16>,
    /// Whether a number was written.
    pub many: bool,
}

/// What a number must be.
#[derive(Clone, Debug)]
pub struct Amount {
    /// Exactly so much, at least, or at most.
    pub comparison: AmountComparison,
    /// How much.
    pub value: Expression,
    /// As written.
    pub text: String,
}

/// See [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountComparison {
    /// `is`
    Exactly,
    /// `is at least`
    AtLeast,
    /// `is at most`
    AtMost,
}

/// What is wrong with a component.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It does not answer.
    Unavailable,
    /// It answers later by so many microseconds.
    Slow(i64),
    /// It answers everything with this status and body.
    Answers {
        /// HTTP status.
        status: u16,
        /// The body.
        body: Option<Expression>,
    },
    /// Nothing any more.
    Back,
}

/// An answer of an external component.
#[derive(Clone, Debug)]
pub struct PartnerAnswer {
    /// HTTP status.
    pub status: u16,
    /// The body, computed anew for each call; `request` is in scope.
    pub body: Option<Expression>,
    /// Further headers.
    pub headers: Vec<(Arc<str>, Expression)>,
    /// How much later, in microseconds of the test clock.
    pub after: i64,
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
    /// At most so many.
    AtMost(u64),
}
