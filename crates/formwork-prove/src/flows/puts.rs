//! What a flow puts in place: rows, faults of components, and what external components answer.

use super::checked::{Checked, Trouble};
use super::partners::{self, Ready};
use super::session::Session;
use super::steps::done;
use crate::json;
use formwork_language::behaviour::{Fault, Given, PartnerAnswer, flow_slots};
use formwork_language::value::Value;
use formwork_language::value::text::format_duration;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

/// Puts rows in place, all or none.
pub(super) async fn given(session: &mut Session<'_>, given: &Given) -> Checked {
    let schema = session.program.schema.entities.get(usize::from(given.entity));
    let name = schema.map_or("", |entity| &*entity.name);
    let expected = format!("{} `{name}` put in place", given.count);
    let made = put(session, given).await;
    done(expected, made.map(|count| format!("{count} put in place")))
}

async fn put(session: &mut Session<'_>, given: &Given) -> Result<usize, Trouble> {
    session.control()?;
    let program = session.program;
    let Some(entity) = program.schema.entities.get(usize::from(given.entity)) else {
        return Err("there is no such entity".to_owned().into());
    };
    let around = session.variable(flow_slots::N).clone();
    let mut rows = Vec::new();
    for number in 1..=given.count {
        if given.many {
            session.bind(flow_slots::N, Value::Integer(i64::from(number)));
        }
        let mut row = Map::new();
        for (field, value) in &given.assignments {
            let declared = entity.fields.iter().find(|declared| declared.name == *field);
            let value = session.evaluate(value)?;
            if let Some(value) = json::to_json(&value, declared.map(|declared| &declared.ty)) {
                row.insert(field.to_string(), value);
            }
        }
        rows.push(Json::Object(row));
    }
    session.bind(flow_slots::N, around);
    let made = session.control()?.put(&entity.name, rows).await?;
    if let Some(variable) = given.variable {
        let value = match (given.many, made.as_slice()) {
            (false, [row]) => json::to_value(row),
            (_, rows) => Value::List(rows.iter().map(json::to_value).collect()),
        };
        session.bind(variable, value);
    }
    Ok(made.len())
}

/// Makes a component fail, or work again.
pub(super) async fn fault(
    session: &mut Session<'_>,
    component: &str,
    external: bool,
    fault: &Fault,
) -> Checked {
    let expected = match fault {
        Fault::Unavailable => format!("`{component}` is unavailable"),
        Fault::Slow(by) => format!("`{component}` is slow by {}", format_duration(*by)),
        Fault::Answers { status, .. } => format!("`{component}` answers {status}"),
        Fault::Back => format!("`{component}` is back"),
    };
    let result = match external {
        true => partner_fault(session, component, fault),
        false => own_fault(session, component, fault).await,
    };
    done(expected, result.map(|()| "it is so".to_owned()))
}

fn partner_fault(session: &mut Session<'_>, component: &str, fault: &Fault) -> Result<(), Trouble> {
    let trouble = match fault {
        Fault::Unavailable => Some(partners::Trouble::Unavailable),
        Fault::Slow(by) => Some(partners::Trouble::Slow(*by)),
        Fault::Answers { status, body } => {
            let answer = PartnerAnswer { status: *status, body: body.clone(), headers: Vec::new(), after: 0 };
            Some(partners::Trouble::Answers(ready(session, &answer)?))
        }
        Fault::Back => None,
    };
    session.partner(component)?.trouble(trouble);
    Ok(())
}

async fn own_fault(session: &mut Session<'_>, component: &str, fault: &Fault) -> Result<(), Trouble> {
    session.control()?;
    let body = match fault {
        Fault::Unavailable => json!({"component": component, "available": false}),
        Fault::Back => json!({"component": component, "available": true}),
        Fault::Slow(by) => json!({"component": component, "slow": format_duration(*by)}),
        Fault::Answers { status, body } => {
            let body = body.as_ref().map(|body| session.evaluate(body)).transpose()?;
            let body = body.and_then(|body| json::to_json(&body, None));
            json!({"component": component, "answers": status, "body": body})
        }
    };
    session.fault(component, matches!(fault, Fault::Back), body).await
}

/// Says what an external component answers from now on.
pub(super) fn partner(
    session: &mut Session<'_>,
    component: &str,
    (method, path): (&Arc<str>, &Arc<str>),
    answer: Option<&PartnerAnswer>,
    times: Option<u32>,
) -> Checked {
    let expected = match answer {
        Some(answer) => format!("`{component}` answers `{method} {path}` with {}", answer.status),
        None => format!("`{component}` does not answer `{method} {path}`"),
    };
    let scripted = answer.map(|answer| ready(session, answer)).transpose().and_then(|ready| {
        session.partner(component)?.script(method, path, ready, times);
        Ok("it does".to_owned())
    });
    done(expected, scripted)
}

fn ready(session: &mut Session<'_>, answer: &PartnerAnswer) -> Result<Ready, Trouble> {
    let mut headers = Vec::new();
    for (name, value) in &answer.headers {
        let value = session.evaluate(value)?;
        if let Some(value) = json::to_json(&value, None) {
            headers.push((name.to_string(), json::to_plain(&value)));
        }
    }
    Ok(Ready {
        status: answer.status,
        body: answer.body.clone(),
        headers,
        after: answer.after,
        slots: session.slots(),
        now: session.now(),
        seed: session.seed(),
    })
}
