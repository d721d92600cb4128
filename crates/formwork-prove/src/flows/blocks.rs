//! Steps that hold steps: several times over, the steps of an error case, and those of the flow before this one.

use super::checked::Checked;
use super::session::Session;
use super::{run_steps, unexecuted};
use crate::report::{StepReport, Verdict};
use formwork_language::behaviour::{FlowStep, flow_slots};
use formwork_language::value::Value;

/// `N times:`; in the report each step stands once, as it came out last.
pub(super) async fn repeat(session: &mut Session<'_>, times: u32, steps: &[FlowStep]) -> Checked {
    let around = session.variable(flow_slots::N).clone();
    let mut last = steps.iter().map(|step| unexecuted(session.analysis, step)).collect::<Vec<_>>();
    for round in 1..=times {
        session.bind(flow_slots::N, Value::Integer(i64::from(round)));
        let (reports, held) = run_steps(session, steps).await;
        last = reports;
        if !held {
            for step in last.iter_mut().filter(|step| step.verdict == Verdict::Fail) {
                step.got = step.got.take().map(|got| format!("{got} (in round {round} of {times})"));
            }
            break;
        }
    }
    session.bind(flow_slots::N, around);
    Checked::nested(last)
}

/// The steps of an error case.
pub(super) async fn steps(session: &mut Session<'_>, steps: &[FlowStep]) -> Checked {
    let (reports, _) = run_steps(session, steps).await;
    Checked::nested(reports)
}

/// The steps of the flow before this one; only what falls short is shown.
pub(super) async fn begins(session: &mut Session<'_>, flow: &str, steps: &[FlowStep]) -> Checked {
    let expected = format!("flow `{flow}` carried out");
    let (reports, _) = run_steps(session, steps).await;
    let leaves = || reports.iter().flat_map(StepReport::leaves);
    if let Some(step) = leaves().find(|step| step.verdict == Verdict::Fail) {
        let got = format!(
            "it fell short at line {}: expected {}, got {}",
            step.place.0.line,
            step.expected.as_deref().unwrap_or_default(),
            step.got.as_deref().unwrap_or_default()
        );
        return Checked::fell(expected, got).because(step.differs.clone()).by_request(step.request.clone());
    }
    if let Some(step) = leaves().find(|step| step.verdict == Verdict::NotTestable) {
        return Checked::not_testable(step.got.as_deref().unwrap_or_default());
    }
    let carried_out = leaves().filter(|step| step.verdict == Verdict::Pass).count();
    Checked::of(true, expected, format!("{carried_out} steps held"))
}
