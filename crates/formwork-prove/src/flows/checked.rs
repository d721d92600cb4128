//! How a step came out, before the report places it in the document.

use crate::report::{StepReport, Verdict};

/// How a step came out.
pub(crate) struct Checked {
    /// Whether it is as the step says.
    pub(crate) verdict: Verdict,
    /// What the step says.
    pub(crate) expected: Option<String>,
    /// What came.
    pub(crate) got: Option<String>,
    /// Why it is not as the step says, where that is not plain.
    pub(crate) differs: Option<String>,
    /// The id of the request that shows it.
    pub(crate) request: Option<String>,
    /// The steps nested below it.
    pub(crate) steps: Vec<StepReport>,
}

/// Why a step could not be held against anything.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It fell short.
    Failed(String),
    /// It cannot be carried out against this system.
    NotTestable(String),
}

impl From<String> for Trouble {
    fn from(cause: String) -> Self {
        Self::Failed(cause)
    }
}

impl Checked {
    /// As the step says, or not.
    pub(super) fn of(held: bool, expected: String, got: String) -> Self {
        let verdict = if held { Verdict::Pass } else { Verdict::Fail };
        Self {
            verdict,
            expected: Some(expected),
            got: Some(got),
            differs: None,
            request: None,
            steps: Vec::new(),
        }
    }

    /// Not as the step says.
    pub(super) fn fell(expected: String, got: String) -> Self {
        Self::of(false, expected, got)
    }

    /// Nothing came to be held against the step.
    pub(super) fn troubled(expected: String, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(got) => Self::fell(expected, got),
            Trouble::NotTestable(why) => Self::not_testable(&why),
        }
    }

    /// It cannot be carried out against this system.
    pub(super) fn not_testable(why: &str) -> Self {
        Self {
            verdict: Verdict::NotTestable,
            expected: None,
            got: Some(why.to_owned()),
            differs: None,
            request: None,
            steps: Vec::new(),
        }
    }

    /// Whether it held and what came, or why nothing came.
    pub(super) fn from_result(expected: String, result: Result<(bool, String), String>) -> Self {
        match result {
            Ok((held, got)) => Self::of(held, expected, got),
            Err(cause) => Self::fell(expected, cause),
        }
    }

    /// A step of which the nested ones say how it came out: as the worst of them.
    pub(super) fn nested(steps: Vec<StepReport>) -> Self {
        let any = |wanted| steps.iter().any(|step| step.verdict == wanted);
        let verdict = [Verdict::Fail, Verdict::Inconclusive, Verdict::NotTestable, Verdict::Pass]
            .into_iter()
            .find(|verdict| any(*verdict))
            .unwrap_or(Verdict::NotExecuted);
        Self { verdict, expected: None, got: None, differs: None, request: None, steps }
    }

    /// With why it is not as the step says.
    pub(super) fn because(mut self, differs: Option<String>) -> Self {
        self.differs = differs;
        self
    }

    /// With the request that shows it.
    pub(super) fn by_request(mut self, request: Option<String>) -> Self {
        self.request = request;
        self
    }
}
