//! What came out of a test: verdicts per flow and step, and their renderings.

mod as_json;
mod as_junit;
mod as_text;

use crate::flows::Checked;
use formwork_check::Analysis;
use formwork_language::behaviour::FlowStep;
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
    /// A flow without executable step: not a test.
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

    /// Whether it keeps a flow from having held.
    pub(crate) const fn falls_short(self) -> bool {
        matches!(self, Self::Fail | Self::Inconclusive)
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
        self.flows.iter().flat_map(FlowReport::all).filter(|step| step.verdict == verdict).count()
    }
}

impl FlowReport {
    /// Fails if a step or error case fails; not testable if none was carried out.
    pub fn verdict(&self) -> Verdict {
        let any = |wanted| self.all().any(|step| step.verdict == wanted);
        [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass]
            .into_iter()
            .find(|verdict| any(*verdict))
            .unwrap_or(Verdict::NotTestable)
    }

    fn all(&self) -> impl Iterator<Item = &StepReport> {
        self.steps.iter().chain(&self.errors)
    }
}

impl StepReport {
    /// A step that came out without being held against anything.
    pub(crate) fn new(analysis: &Analysis, step: &FlowStep, verdict: Verdict) -> Self {
        let place = Self::place(analysis, step.span);
        // The source itself, with its backticks, so that the report reads like the document.
        let words: Vec<&str> = step.span.slice(&analysis.source).split_whitespace().collect();
        let text = if words.is_empty() { step.text.clone() } else { words.join(" ") };
        Self { text, place, verdict, expected: None, got: None }
    }

    /// A step that was carried out.
    pub(crate) fn checked(analysis: &Analysis, step: &FlowStep, checked: Checked) -> Self {
        let verdict = if checked.held { Verdict::Pass } else { Verdict::Fail };
        let expected = Some(checked.expected);
        Self { expected, got: Some(checked.got), ..Self::new(analysis, step, verdict) }
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
