//! Carries flows out: each in a fresh system, its error cases each in one of their own, several at a time.
//!
//! An error case runs "from the state that the happy path left": the happy path is carried out again in a fresh
//! system for each of them. Copying a running system's data would be faster and would test the copying too.
//! After a step that falls short the rest of the flow is not carried out, since it rests on that step. Against a
//! running system, where nothing is fresh, a flow and its error cases are carried out once, one after the other.

mod admin;
mod at_once;
mod blocks;
mod call;
mod checked;
mod command;
mod differs;
mod expectation;
mod host;
mod invariants;
mod looks;
mod partners;
mod problems;
mod puts;
mod request;
mod session;
mod steps;
mod together;

use crate::report::{FlowReport, Report, StepReport, Verdict};
use crate::target::Target;
use crate::{Launcher, ProveError};
pub(crate) use admin::Admin;
pub(crate) use checked::{Checked, Trouble};
use formwork_check::Analysis;
use formwork_language::behaviour::{Flow, FlowAction, FlowStep};
use formwork_model::Class;
use session::Session;
use std::cell::Cell;

/// What to carry out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only the flow of this name.
    pub flow: Option<String>,
    /// Seed of the randomness that flow expressions ask for.
    pub seed: u64,
    /// A running system instead of fresh ones.
    pub target: Option<Target>,
    /// How many systems run at a time; as many as the machine has cores when absent.
    pub at_a_time: Option<usize>,
}

/// How far the test is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs of a flow or error case that have ended.
    pub done: usize,
    /// All of them.
    pub of: usize,
}

/// Carries out the flows of a document.
///
/// Errors: when no system can be started or there is no flow of the wanted name. What falls short is in the report.
pub async fn run_flows<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
    options: &Options,
) -> Result<Report, ProveError> {
    run_flows_telling(analysis, launcher, options, &|_| {}).await
}

/// [`run_flows`], telling after every run how far it is.
pub async fn run_flows_telling<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
    options: &Options,
    tell: &dyn Fn(Progress),
) -> Result<Report, ProveError> {
    let flows = wanted(analysis, options)?;
    let runs = flows.iter().filter(|flow| is_test(flow));
    let of = runs.map(|flow| 1 + flow.errors.iter().filter(|case| case.action.is_some()).count()).sum();
    let done = Cell::new(0);
    let one_more = || {
        done.set(done.get() + 1);
        tell(Progress { done: done.get(), of });
    };
    let test = Test { analysis, launcher, options, one_more: &one_more };
    let at_a_time = match (&options.target, options.at_a_time) {
        // Flows in one system would see one another's rows.
        (Some(_), _) => 1,
        (None, Some(wanted)) => wanted.max(1),
        (None, None) => std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8)),
    };
    // The happy paths first: an error case is carried out only behind one that holds.
    let paths = flows.iter().map(|flow| test.path(flow)).collect();
    let (mut reports, mut held) = (Vec::new(), Vec::new());
    for path in together::few_at_a_time(paths, at_a_time).await {
        let (report, holds) = path?;
        reports.push(report);
        held.push(holds);
    }
    let places: Vec<(usize, &FlowStep)> = flows
        .iter()
        .enumerate()
        .filter(|(at, _)| reports[*at].errors.is_empty())
        .flat_map(|(at, flow)| flow.errors.iter().map(move |case| (at, case)))
        .collect();
    let cases = places.iter().map(|(at, case)| test.case(flows[*at], case, held[*at])).collect();
    let cases = together::few_at_a_time(cases, at_a_time).await;
    for ((at, _), report) in places.iter().zip(cases) {
        reports[*at].errors.push(report?);
    }
    Ok(Report { seed: options.seed, flows: reports })
}

fn wanted<'a>(analysis: &'a Analysis, options: &Options) -> Result<Vec<&'a Flow>, ProveError> {
    let flows = &analysis.compiled.flows;
    let Some(name) = &options.flow else { return Ok(flows.iter().collect()) };
    let plain = |text: &str| text.trim().to_lowercase();
    let found: Vec<&Flow> = flows.iter().filter(|flow| plain(&flow.name) == plain(name)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let nearest = flows
        .iter()
        .find(|flow| plain(&flow.name).contains(&plain(name)))
        .or_else(|| flows.first())
        .map(|flow| flow.name.to_string());
    Err(ProveError::UnknownFlow { name: name.clone(), nearest })
}

/// Whether a flow has a step that can be carried out.
fn is_test(flow: &Flow) -> bool {
    flow.steps.iter().chain(&flow.errors).any(|step| step.action.is_some())
}

/// What all runs share.
struct Test<'a, L> {
    analysis: &'a Analysis,
    launcher: &'a L,
    options: &'a Options,
    one_more: &'a dyn Fn(),
}

impl<'a, L: Launcher> Test<'a, L> {
    /// The happy path of a flow, and whether error cases may begin behind it. Against a running system those as well.
    async fn path(&self, flow: &Flow) -> Result<(FlowReport, bool), ProveError> {
        let mut report = FlowReport {
            name: flow.name.to_string(),
            place: StepReport::place(self.analysis, flow.span),
            steps: Vec::new(),
            invariants: None,
            errors: Vec::new(),
        };
        if !is_test(flow) {
            report.steps = flow.steps.iter().map(|step| unexecuted(self.analysis, step)).collect();
            report.errors = flow.errors.iter().map(|step| unexecuted(self.analysis, step)).collect();
            return Ok((report, false));
        }
        let mut session = Session::start(self.analysis, self.launcher, self.options, flow).await?;
        let (steps, held) = run_steps(&mut session, &flow.steps).await;
        report.steps = steps;
        report.invariants = invariants::test(&mut session)
            .await
            .map(|checked| StepReport::about(self.analysis, flow, "Invariants", checked));
        (self.one_more)();
        if session.is_elsewhere() {
            for case in &flow.errors {
                report.errors.push(match (&case.action, held) {
                    (Some(action), true) => self.held_against(&mut session, case, action).await,
                    _ => self.left_out(case),
                });
                (self.one_more)();
            }
        }
        session.end().await;
        Ok((report, held))
    }

    /// One error case, in a fresh system behind the happy path.
    async fn case(&self, flow: &Flow, case: &FlowStep, held: bool) -> Result<StepReport, ProveError> {
        let (Some(action), true) = (&case.action, held) else {
            return Ok(self.left_out(case));
        };
        let mut session = Session::start(self.analysis, self.launcher, self.options, flow).await?;
        let (path, _) = run_steps(&mut session, &flow.steps).await;
        let report = match path.iter().flat_map(StepReport::leaves).find(|it| it.verdict == Verdict::Fail) {
            Some(step) => StepReport::new(self.analysis, case, Verdict::Fail).got(&format!(
                "the flow's own steps, carried out again, fell short at line {}: {}",
                step.place.0.line,
                step.got.as_deref().unwrap_or_default()
            )),
            None => {
                let report = self.held_against(&mut session, case, action).await;
                invariants::behind(report, invariants::test(&mut session).await)
            }
        };
        session.end().await;
        (self.one_more)();
        Ok(report)
    }

    async fn held_against(
        &self,
        session: &mut Session<'_>,
        case: &FlowStep,
        action: &FlowAction,
    ) -> StepReport {
        StepReport::checked(self.analysis, case, steps::carry_out(session, action).await)
    }

    fn left_out(&self, case: &FlowStep) -> StepReport {
        match case.action {
            None => unexecuted(self.analysis, case),
            Some(_) => StepReport::new(self.analysis, case, Verdict::Inconclusive)
                .got("not carried out: the flow itself fell short"),
        }
    }
}

/// Carries steps out, one after the other, up to the first that falls short; gives whether none did.
async fn run_steps(session: &mut Session<'_>, steps: &[FlowStep]) -> (Vec<StepReport>, bool) {
    let analysis = session.analysis;
    let mut reports: Vec<StepReport> = Vec::new();
    let mut ended: Option<Verdict> = None;
    for step in steps {
        let report = match (&step.action, ended) {
            (None, _) => unexecuted(analysis, step),
            (Some(_), Some(Verdict::NotTestable)) => StepReport::new(analysis, step, Verdict::NotTestable)
                .got("not carried out: it rests on a step that cannot be carried out here"),
            (Some(_), Some(_)) => StepReport::new(analysis, step, Verdict::Inconclusive)
                .got("not carried out: an earlier step fell short"),
            (Some(action), None) => {
                StepReport::checked(analysis, step, steps::carry_out(session, action).await)
            }
        };
        // A step that only looks leaves the next ones what they rest on.
        let only_looks = step.action.as_ref().is_some_and(looks_only);
        if ended.is_none() && report.verdict.ends_the_flow() {
            let rests = report.verdict == Verdict::NotTestable && only_looks;
            ended = (!rests).then_some(report.verdict);
        }
        reports.push(report);
    }
    (reports, ended.is_none())
}

/// Whether a step changes nothing.
fn looks_only(action: &FlowAction) -> bool {
    matches!(
        action,
        FlowAction::CountRows { .. }
            | FlowAction::EventEmitted { .. }
            | FlowAction::Sum { .. }
            | FlowAction::Metric { .. }
            | FlowAction::PartnerCalled { .. }
    )
}

/// A step without action. Prose is no fault; what was meant to be executable and is not understood proves nothing.
fn unexecuted(analysis: &Analysis, step: &FlowStep) -> StepReport {
    match step.class {
        Class::Narrative | Class::Understood => StepReport::new(analysis, step, Verdict::NotExecuted),
        _ => StepReport::new(analysis, step, Verdict::Inconclusive).got("not understood, so not carried out"),
    }
}
