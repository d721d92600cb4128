//! One executable step of a flow: carried out and held against what it says.

use super::at_once::{self, Race};
use super::call;
use super::command;
use super::expectation::{describe, meets};
use super::session::Session;
use crate::json;
use formwork_language::behaviour::{Expectation, FlowAction, FlowCall, RowCount, flow_slots};
use formwork_language::expression::Expression;
use formwork_language::value::text::{format_duration, format_timestamp};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// How a step came out.
pub(crate) struct Checked {
    /// Whether it is as the step says.
    pub(crate) held: bool,
    /// What the step says.
    pub(crate) expected: String,
    /// What came.
    pub(crate) got: String,
}

impl Checked {
    /// As the step says.
    pub(super) const fn held(expected: String, got: String) -> Self {
        Self { held: true, expected, got }
    }

    /// Not as the step says.
    pub(super) const fn fell(expected: String, got: String) -> Self {
        Self { held: false, expected, got }
    }

    fn from_result(expected: String, result: Result<(bool, String), String>) -> Self {
        match result {
            Ok((held, got)) => Self { held, expected, got },
            Err(cause) => Self::fell(expected, cause),
        }
    }
}

/// Carries a step out.
pub(super) async fn carry_out(session: &mut Session<'_>, action: &FlowAction) -> Checked {
    match action {
        FlowAction::Call { call, expect } => make_call(session, call, expect.as_ref()).await,
        FlowAction::AtOnce { count, call, exactly, others } => {
            let race = Race { count: *count, call, exactly, others: others.as_ref() };
            at_once::carry_out(session, &race).await
        }
        FlowAction::CountRows { entity, count, filter, variables } => {
            count_rows(session, entity, *count, filter.as_deref(), variables).await
        }
        FlowAction::EventEmitted { event, times, with } => {
            event_emitted(session, event, *times, with.as_ref()).await
        }
        FlowAction::Advance(micros) => advance(session, *micros).await,
        FlowAction::RunCommand { arguments, exit, checks } => {
            command::carry_out(session, arguments, *exit, checks).await
        }
        FlowAction::RunComponent(component) => {
            let ran = session.admin.run_component(component).await;
            Checked::from_result(format!("`{component}` runs"), ran.map(|()| (true, "it ran".to_owned())))
        }
    }
}

/// A call whose step says nothing of the answer must simply succeed.
async fn make_call(session: &mut Session<'_>, call: &FlowCall, expect: Option<&Expectation>) -> Checked {
    let expected = expect.map_or_else(|| "an answer without error".to_owned(), describe);
    let seen = match call::make(session, call).await {
        Ok(seen) => seen,
        Err(cause) => return Checked::fell(expected, cause),
    };
    let held = match expect {
        Some(expectation) => meets(session, expectation, &seen),
        None => Ok(seen.status < 400),
    };
    match held {
        Ok(held) => Checked { held, expected, got: seen.shown() },
        Err(cause) => Checked::fell(expected, format!("{}; {cause}", seen.shown())),
    }
}

async fn count_rows(
    session: &Session<'_>,
    entity: &str,
    wanted: RowCount,
    filter: Option<&str>,
    variables: &[(Arc<str>, u16)],
) -> Checked {
    let mut known = Map::new();
    for (name, slot) in variables {
        if let Some(value) = json::to_json(session.variable(*slot), None) {
            known.insert(name.to_string(), value);
        }
    }
    let counted = session.admin.count(entity, filter, Json::Object(known)).await;
    let number = match wanted {
        RowCount::Exactly(count) => count.to_string(),
        RowCount::AtLeast(count) => format!("at least {count}"),
    };
    let condition = filter.map(|filter| format!(" where `{filter}`")).unwrap_or_default();
    let holds = |count: u64| match wanted {
        RowCount::Exactly(wanted) => count == wanted,
        RowCount::AtLeast(wanted) => count >= wanted,
    };
    Checked::from_result(
        format!("{number} `{entity}`{condition}"),
        counted.map(|count| (holds(count), count.to_string())),
    )
}

async fn event_emitted(
    session: &mut Session<'_>,
    event: &str,
    times: Option<u32>,
    with: Option<&(Expression, String)>,
) -> Checked {
    let condition = with.map(|(_, text)| format!(" with `{text}`")).unwrap_or_default();
    let number = times.map_or_else(|| "at least once".to_owned(), |times| format!("{times} times"));
    let expected = format!("`{event}` emitted {number}{condition}");
    let counted = match session.admin.events(event).await {
        Ok(events) => count_fitting(session, &events, with).map(|fitting| {
            let held = times.map_or(fitting > 0, |times| fitting == u64::from(times));
            (held, format!("{fitting} times ({} of that name)", events.len()))
        }),
        Err(cause) => Err(cause),
    };
    Checked::from_result(expected, counted)
}

fn count_fitting(
    session: &mut Session<'_>,
    events: &[Json],
    with: Option<&(Expression, String)>,
) -> Result<u64, String> {
    let Some((condition, _)) = with else { return Ok(events.len() as u64) };
    let mut fitting = 0;
    for data in events {
        session.bind(flow_slots::RESPONSE, json::to_value(data));
        fitting += u64::from(session.holds(condition)?);
    }
    Ok(fitting)
}

async fn advance(session: &mut Session<'_>, micros: i64) -> Checked {
    let moved = session.advance(micros).await;
    Checked::from_result(
        format!("the clock advances by {}", format_duration(micros)),
        moved.map(|now| (true, format_timestamp(now))),
    )
}
