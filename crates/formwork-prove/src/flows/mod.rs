//! Carries flows out: each in a fresh system, its error cases each in one of their own.
//!
//! An error case runs "from the state that the happy path left": the happy path is carried out again in a fresh
//! system for each of them. Copying a running system's data would be faster and would test the copying too.
//! After a step that falls short the rest of the flow is not carried out, since it rests on that step.

mod admin;
mod at_once;
mod call;
mod command;
mod expectation;
mod host;
mod request;
mod session;
mod steps;

use crate::report::{FlowReport, Report, StepReport, Verdict};
use crate::{Launcher, ProveError};
use formwork_check::Analysis;
use formwork_language::behaviour::{Flow, FlowStep};
use formwork_model::Class;
use session::Session;
pub(crate) use steps::Checked;

/// What to carry out.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only the flow of this name.
    pub flow: Option<String>,
    /// Seed of the randomness that flow expressions ask for.
    pub seed: u64,
}

/// Carries out the flows of a document.
///
/// Errors: when no system can be started or there is no flow of the wanted name. What falls short is in the report.
pub async fn run_flows<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
    options: &Options,
) -> Result<Report, ProveError> {
    let mut report = Report { seed: options.seed, flows: Vec::new() };
    for flow in wanted(analysis, options)? {
        report.flows.push(run_flow(analysis, launcher, options, flow).await?);
    }
    Ok(report)
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

async fn run_flow<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
    options: &Options,
    flow: &Flow,
) -> Result<FlowReport, ProveError> {
    let mut report = FlowReport {
        name: flow.name.to_string(),
        place: StepReport::place(analysis, flow.span),
        steps: Vec::new(),
        errors: Vec::new(),
    };
    let executable = flow.steps.iter().chain(&flow.errors).any(|step| step.action.is_some());
    if !executable {
        report.steps = flow.steps.iter().map(|step| unexecuted(analysis, step)).collect();
        report.errors = flow.errors.iter().map(|step| unexecuted(analysis, step)).collect();
        return Ok(report);
    }
    let session = Session::start(analysis, launcher, options.seed).await?;
    let (steps, session) = run_path(analysis, flow, session).await;
    session.end().await;
    let held = steps.iter().all(|step| !step.verdict.falls_short());
    report.steps = steps;
    for case in &flow.errors {
        report.errors.push(run_case(analysis, launcher, options, flow, case, held).await?);
    }
    Ok(report)
}

/// The happy path; stops carrying out at the first step that falls short.
async fn run_path<'a>(
    analysis: &'a Analysis,
    flow: &Flow,
    mut session: Session<'a>,
) -> (Vec<StepReport>, Session<'a>) {
    let mut reports: Vec<StepReport> = Vec::new();
    let mut broken = false;
    for step in &flow.steps {
        let report = match &step.action {
            None => unexecuted(analysis, step),
            Some(_) if broken => StepReport::new(analysis, step, Verdict::Inconclusive)
                .got("not carried out: an earlier step fell short"),
            Some(action) => StepReport::checked(analysis, step, steps::carry_out(&mut session, action).await),
        };
        broken |= report.verdict == Verdict::Fail;
        reports.push(report);
    }
    (reports, session)
}

/// One error case, in a fresh system behind the happy path.
async fn run_case<L: Launcher>(
    analysis: &Analysis,
    launcher: &L,
    options: &Options,
    flow: &Flow,
    case: &FlowStep,
    held: bool,
) -> Result<StepReport, ProveError> {
    let Some(action) = &case.action else { return Ok(unexecuted(analysis, case)) };
    if !held {
        return Ok(StepReport::new(analysis, case, Verdict::Inconclusive)
            .got("not carried out: the flow itself fell short"));
    }
    let session = Session::start(analysis, launcher, options.seed).await?;
    let (path, mut session) = run_path(analysis, flow, session).await;
    let report = match path.iter().find(|step| step.verdict == Verdict::Fail) {
        Some(step) => StepReport::new(analysis, case, Verdict::Fail).got(&format!(
            "the flow's own steps, carried out again, fell short at line {}: {}",
            step.place.0.line,
            step.got.as_deref().unwrap_or_default()
        )),
        None => StepReport::checked(analysis, case, steps::carry_out(&mut session, action).await),
    };
    session.end().await;
    Ok(report)
}

/// A step without action. Prose is no fault; what was meant to be executable and is not understood proves nothing.
fn unexecuted(analysis: &Analysis, step: &FlowStep) -> StepReport {
    match step.class {
        Class::Narrative | Class::Understood => StepReport::new(analysis, step, Verdict::NotExecuted),
        _ => StepReport::new(analysis, step, Verdict::Inconclusive).got("not understood, so not carried out"),
    }
}
