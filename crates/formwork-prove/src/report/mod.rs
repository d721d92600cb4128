//! What came out of a test: verdicts per flow and step, and their renderings.

mod as_json;
mod as_junit;
mod as_text;

use crate::flows::Checked;
use formwork_check::Analysis;
use formwork_language::behaviour::{Flow, FlowStep};
use formwork_model::Class;
use formwork_syntax::{Position, Span};

/// How a step, a flow or a whole test came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It held.
    Pass,
    /// It fell short.
    Fail,
    /// Nothing can be said: what it rests on fell short, or it was not understood.
    Inconclusive,
    /// It cannot be carried out against this system; a flow without executable step is not a test.
    NotTestable,
    /// A narrative step.
    NotExecuted,
}

impl Verdict {
    /// As it stands in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotTestable => "not_testable",
            Self::NotExecuted => "not_executed",
        }
    }

    /// Whether what follows a step that came out so has nothing to rest on.
    pub(crate) const fn ends_the_flow(self) -> bool {
        matches!(self, Self::Fail | Self::Inconclusive | Self::NotTestable)
    }
}

/// First and one past the last place.
pub type Place = (Position, Position);

/// The whole test.
#[derive(Clone, Debug)]
pub struct Report {
    /// Seed of the randomness.
    pub seed: u64,
    /// In the order of the document.
    pub flows: Vec<FlowReport>,
}

/// One flow.
#[derive(Clone, Debug)]
pub struct FlowReport {
    /// Its name.
    pub name: String,
    /// Where.
    pub place: Place,
    /// Its steps, in order.
    pub steps: Vec<StepReport>,
    /// How the document's invariants came out behind its steps; absent when there are none.
    pub invariants: Option<StepReport>,
    /// Its error cases, in order.
    pub errors: Vec<StepReport>,
}

/// One step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// As written.
    pub text: String,
    /// Where.
    pub place: Place,
    /// How it came out.
    pub verdict: Verdict,
    /// What the step says; absent when it was not carried out.
    pub expected: Option<String>,
    /// What came, or why nothing was done.
    pub got: Option<String>,
    /// Why it is not as the step says, where that is not plain: which part of a condition does not hold.
    pub differs: Option<String>,
    /// The id of the request that shows it, by which the system's log knows it.
    pub request: Option<String>,
    /// The steps nested below it, which say how it came out.
    pub steps: Vec<StepReport>,
}

impl Report {
    /// Fails if a flow fails, passes if all flows that are tests pass and there is one.
    pub fn verdict(&self) -> Verdict {
        let any = |wanted| self.flows.iter().any(|flow| flow.verdict() == wanted);
        [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass]
            .into_iter()
            .find(|verdict| any(*verdict))
            .unwrap_or(Verdict::NotTestable)
    }

    /// How many steps and error cases have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.flows.iter().flat_map(FlowReport::leaves).filter(|step| step.verdict == verdict).count()
    }
}

impl FlowReport {
    /// Fails if a step or error case fails; passes only if each of them was carried out and held.
    pub fn verdict(&self) -> Verdict {
        let any = |wanted| self.all().any(|step| step.verdict == wanted);
        [Verdict::Fail, Verdict::Inconclusive, Verdict::NotTestable, Verdict::Pass]
            .into_iter()
            .find(|verdict| any(*verdict))
            .unwrap_or(Verdict::NotTestable)
    }

    /// Whether it has a step that could be carried out somewhere.
    pub fn is_a_test(&self) -> bool {
        self.leaves().any(|step| step.verdict != Verdict::NotExecuted)
    }

    fn all(&self) -> impl Iterator<Item = &StepReport> {
        self.steps.iter().chain(&self.invariants).chain(&self.errors)
    }

    /// Every step and error case; of one that holds steps, those.
    fn leaves(&self) -> impl Iterator<Item = &StepReport> {
        self.all().flat_map(StepReport::leaves)
    }
}

impl StepReport {
    /// A step that came out without being held against anything.
    pub(crate) fn new(analysis: &Analysis, step: &FlowStep, verdict: Verdict) -> Self {
        let place = Self::place(analysis, step.span);
        // The source itself, with its backticks, so that the report reads like the document.
        let lines = step.span.slice(&analysis.source).lines();
        let words: Vec<&str> = lines.map(without_marker).flat_map(str::split_whitespace).collect();
        let text = if words.is_empty() { step.text.clone() } else { words.join(" ") };
        Self {
            text,
            place,
            verdict,
            expected: None,
            got: None,
            differs: None,
            request: None,
            steps: Vec::new(),
        }
    }

    /// A step that was carried out.
    pub(crate) fn checked(analysis: &Analysis, step: &FlowStep, checked: Checked) -> Self {
        let Checked { verdict, expected, got, differs, request, steps } = checked;
        Self { expected, got, differs, request, steps, ..Self::new(analysis, step, verdict) }
    }

    /// What is tested of a whole flow.
    pub(crate) fn about(analysis: &Analysis, flow: &Flow, text: &str, checked: Checked) -> Self {
        let step =
            FlowStep { text: text.to_owned(), span: Span::new(0, 0), class: Class::Understood, action: None };
        Self { place: Self::place(analysis, flow.span), ..Self::checked(analysis, &step, checked) }
    }

    /// It alone, or the steps nested below it.
    pub(crate) fn leaves(&self) -> Vec<&StepReport> {
        match self.steps.as_slice() {
            [] => vec![self],
            steps => steps.iter().flat_map(StepReport::leaves).collect(),
        }
    }

    /// Says what came.
    pub(crate) fn got(mut self, got: &str) -> Self {
        self.got = Some(got.to_owned());
        self
    }

    /// The places of a span.
    pub(crate) fn place(analysis: &Analysis, span: Span) -> Place {
        let at = |offset| analysis.lines.position(&analysis.source, offset);
        (at(span.start), at(span.end))
    }
}

/// A line without the number or dash of its list item, for a step that goes on in the next item.
fn without_marker(line: &str) -> &str {
    let line = line.trim_start();
    let digits = line.len() - line.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let rest = line.get(digits..).unwrap_or_default();
    match (digits, rest.strip_prefix(['.', ')', '-', '*', '+'])) {
        (0, Some(text)) if rest.starts_with(['-', '*', '+']) && text.starts_with(' ') => text,
        (1.., Some(text)) if rest.starts_with(['.', ')']) && text.starts_with(' ') => text,
        _ => line,
    }
}
