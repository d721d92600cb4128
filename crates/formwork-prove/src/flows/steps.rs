//! One executable step of a flow: carried out and held against what it says.

use super::at_once::{self, Tally};
use super::blocks;
use super::call;
use super::checked::{Checked, Trouble};
use super::command;
use super::expectation::{describe, meets, why};
use super::looks;
use super::puts;
use super::session::Session;
use formwork_language::behaviour::{Expectation, FlowAction, FlowCall};
use formwork_language::value::Value;
use formwork_language::value::text::{format_duration, format_timestamp};
use std::pin::Pin;

/// Carries a step out; when it is done, all that it set going is done too.
pub(super) fn carry_out<'s>(
    session: &'s mut Session<'_>,
    action: &'s FlowAction,
) -> Pin<Box<dyn Future<Output = Checked> + 's>> {
    // Blocks hold steps, so the future is boxed.
    Box::pin(async move {
        let checked = act(session, action).await;
        if !sets_going(action) {
            return checked;
        }
        match session.advance(0).await {
            Ok(_) => checked,
            Err(trouble) => {
                let expected = checked.expected.unwrap_or_default();
                Checked::troubled(format!("{expected}, then quiet"), trouble)
            }
        }
    })
}

/// Whether a step may set something going that must be done before the next one begins.
fn sets_going(action: &FlowAction) -> bool {
    matches!(
        action,
        FlowAction::Call { .. }
            | FlowAction::AtOnce { .. }
            | FlowAction::Together { .. }
            | FlowAction::Given(_)
            | FlowAction::Fault { .. }
            | FlowAction::RunComponent(_)
    )
}

async fn act(session: &mut Session<'_>, action: &FlowAction) -> Checked {
    match action {
        FlowAction::Call { call, expect } => make_call(session, call, expect.as_ref()).await,
        FlowAction::AtOnce { count, call, exactly, others } => {
            at_once::race(session, *count, call, Tally { exactly, others: others.as_ref() }).await
        }
        FlowAction::Together { branches } => at_once::together(session, branches).await,
        FlowAction::Repeat { times, steps } => blocks::repeat(session, *times, steps).await,
        FlowAction::Steps(steps) => blocks::steps(session, steps).await,
        FlowAction::Begins { flow, steps } => blocks::begins(session, flow, steps).await,
        // A tally is judged by the block that it belongs to.
        FlowAction::Tally { .. } => Checked::not_testable("nothing is called at once here"),
        FlowAction::CountRows { entity, count, filter, variables } => {
            looks::rows(session, entity, *count, filter.as_deref(), variables).await
        }
        FlowAction::EventEmitted { event, times, with } => {
            looks::event(session, event, *times, with.as_ref()).await
        }
        FlowAction::Sum { entity, field, filter, variables, amount } => {
            looks::sum(session, (entity, field), filter.as_deref(), variables, amount).await
        }
        FlowAction::Metric { metric, amount } => looks::metric(session, metric, amount).await,
        FlowAction::PartnerCalled { component, method, path, count, with } => {
            looks::partner(session, component, (method.as_deref(), path.as_deref()), *count, with.as_ref())
        }
        FlowAction::Advance(micros) => {
            let expected = format!("the clock advances by {}", format_duration(*micros));
            moved(expected, session.advance(*micros).await)
        }
        FlowAction::ClockStands { value, text, .. } => {
            let expected = format!("the clock stands at {text}");
            let stood = stand(session, value).await;
            moved(expected, stood)
        }
        FlowAction::RunCommand { arguments, exit, checks } => {
            command::carry_out(session, arguments, *exit, checks).await
        }
        FlowAction::RunComponent(component) => {
            let ran = match session.control() {
                Ok(admin) => admin.run_component(component).await.map_err(Trouble::from),
                Err(trouble) => Err(trouble),
            };
            done(format!("`{component}` runs"), ran.map(|()| "it ran".to_owned()))
        }
        FlowAction::Given(given) => puts::given(session, given).await,
        FlowAction::Fault { component, external, fault } => {
            puts::fault(session, component, *external, fault).await
        }
        FlowAction::PartnerAnswers { component, method, path, answer, times } => {
            puts::partner(session, component, (method, path), answer.as_ref(), *times)
        }
    }
}

/// A step that only does something.
pub(super) fn done(expected: String, result: Result<String, Trouble>) -> Checked {
    match result {
        Ok(got) => Checked::of(true, expected, got),
        Err(trouble) => Checked::troubled(expected, trouble),
    }
}

fn moved(expected: String, moved: Result<i64, Trouble>) -> Checked {
    done(expected, moved.map(format_timestamp))
}

/// Moves the clock to an instant; it never goes back but where the flow begins.
async fn stand(
    session: &mut Session<'_>,
    value: &formwork_language::expression::Expression,
) -> Result<i64, Trouble> {
    session.control()?;
    let at = match session.evaluate(value)? {
        Value::Timestamp(at) => at,
        Value::Text(text) => formwork_language::value::text::parse_timestamp(&text)
            .ok_or_else(|| format!("`{text}` is no instant"))?,
        _ => return Err("it is no instant".to_owned().into()),
    };
    let now = session.now();
    if at < now {
        let said =
            format!("it stands at {} already, and goes back only as the first step", format_timestamp(now));
        return Err(said.into());
    }
    session.advance(at - now).await
}

/// A call whose step says nothing of the answer must simply succeed.
async fn make_call(session: &mut Session<'_>, call: &FlowCall, expect: Option<&Expectation>) -> Checked {
    let expected = expect.map_or_else(|| "an answer without error".to_owned(), describe);
    let seen = match call::make(session, call).await {
        Ok(seen) => seen,
        Err(trouble) => return Checked::troubled(expected, trouble),
    };
    let held = match expect {
        Some(expectation) => meets(session, expectation, &seen),
        None => Ok(seen.status < 400),
    };
    let because = match (&held, expect) {
        (Ok(false), Some(expectation)) => why(session, expectation, &seen),
        _ => None,
    };
    let mut got = seen.shown();
    if let (Ok(false), Some(call)) = (&held, session.take_unscripted()) {
        got = format!("{got}; {call}, and no step says what it answers");
    }
    let result = match held {
        Ok(held) => Ok((held, got)),
        Err(cause) => Err(format!("{got}; {cause}")),
    };
    Checked::from_result(expected, result).because(because).by_request(seen.request)
}
