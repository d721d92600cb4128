//! What a flow looks at behind the interface: rows, sums, events, metrics, and what external components were sent.

use super::checked::Checked;
use super::session::Session;
use crate::json;
use formwork_language::behaviour::{Amount, AmountComparison, RowCount, flow_slots};
use formwork_language::expression::Expression;
use formwork_language::value::text::{format_decimal, parse_decimal};
use formwork_language::value::{Decimal, Value};
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::sync::Arc;

/// A condition with its text.
type Condition = (Expression, String);

/// How many rows there are.
pub(super) async fn rows(
    session: &Session<'_>,
    entity: &str,
    wanted: RowCount,
    filter: Option<&str>,
    variables: &[(Arc<str>, u16)],
) -> Checked {
    let expected = format!("{} `{entity}`{}", shown(wanted), condition(filter));
    let counted = match session.control() {
        Ok(admin) => admin.count(entity, filter, session.known(variables)).await,
        Err(trouble) => return Checked::troubled(expected, trouble),
    };
    Checked::from_result(expected, counted.map(|count| (fits(wanted, count), count.to_string())))
}

/// How often an event was emitted.
pub(super) async fn event(
    session: &mut Session<'_>,
    event: &str,
    times: Option<u32>,
    with: Option<&Condition>,
) -> Checked {
    let condition = with.map(|(_, text)| format!(" with `{text}`")).unwrap_or_default();
    let number = times.map_or_else(|| "at least once".to_owned(), often);
    let expected = format!("`{event}` emitted {number}{condition}");
    let events = match session.control() {
        Ok(admin) => admin.events(event).await,
        Err(trouble) => return Checked::troubled(expected, trouble),
    };
    let counted = events.and_then(|events| {
        let fitting = count_fitting(session, &events, flow_slots::RESPONSE, with)?;
        let held = times.map_or(fitting > 0, |times| fitting == u64::from(times));
        Ok((held, format!("{}{}", often(fitting), of_all(&events, fitting))))
    });
    Checked::from_result(expected, counted)
}

/// How often an external component was called.
pub(super) fn partner(
    session: &mut Session<'_>,
    component: &str,
    (method, path): (Option<&str>, Option<&str>),
    wanted: RowCount,
    with: Option<&Condition>,
) -> Checked {
    let route = [method, path].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let route = if route.is_empty() { route } else { format!(" `{route}`") };
    let condition = with.map(|(_, text)| format!(" with `{text}`")).unwrap_or_default();
    let expected = format!("`{component}` called{route} {} times{condition}", shown(wanted));
    let requests = match session.partner(component) {
        Ok(partner) => partner.received(method, path),
        Err(trouble) => return Checked::troubled(expected, trouble),
    };
    let counted = count_fitting(session, &requests, flow_slots::REQUEST, with)
        .map(|fitting| (fits(wanted, fitting), format!("{}{}", often(fitting), of_all(&requests, fitting))));
    Checked::from_result(expected, counted)
}

/// `once`, `twice`, `7 times`
fn often(times: impl Into<u64>) -> String {
    match times.into() {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        times => format!("{times} times"),
    }
}

/// The last of those that do not fit, so that a reader sees what came instead.
fn of_all(all: &[Json], fitting: u64) -> String {
    const SHOWN: usize = 300;
    match all.last() {
        Some(last) if fitting < all.len() as u64 => {
            let text: String = last.to_string().chars().take(SHOWN).collect();
            format!("; {} in all, last with {text}", often(all.len() as u64))
        }
        _ => String::new(),
    }
}

fn count_fitting(
    session: &mut Session<'_>,
    all: &[Json],
    slot: u16,
    with: Option<&Condition>,
) -> Result<u64, String> {
    let Some((condition, _)) = with else { return Ok(all.len() as u64) };
    let mut fitting = 0;
    for one in all {
        session.bind(slot, json::to_value(one));
        fitting += u64::from(session.holds(condition)?);
    }
    Ok(fitting)
}

/// The sum of a field.
pub(super) async fn sum(
    session: &mut Session<'_>,
    (entity, field): (&str, &str),
    filter: Option<&str>,
    variables: &[(Arc<str>, u16)],
    amount: &Amount,
) -> Checked {
    let expected = format!("the sum of `{entity}.{field}`{} is {}", condition(filter), said(amount));
    let found = match session.control() {
        Ok(admin) => admin.sum((entity, field), filter, session.known(variables)).await,
        Err(trouble) => return Checked::troubled(expected, trouble),
    };
    Checked::from_result(expected, found.and_then(|found| compared(session, amount, &found)))
}

/// The value of a metric.
pub(super) async fn metric(session: &mut Session<'_>, metric: &str, amount: &Amount) -> Checked {
    let expected = format!("`{metric}` is {}", said(amount));
    let found = match session.control() {
        Ok(admin) => admin.metric(metric).await,
        Err(trouble) => return Checked::troubled(expected, trouble),
    };
    Checked::from_result(expected, found.and_then(|found| compared(session, amount, &found)))
}

fn said(amount: &Amount) -> String {
    let comparison = match amount.comparison {
        AmountComparison::Exactly => "",
        AmountComparison::AtLeast => "at least ",
        AmountComparison::AtMost => "at most ",
    };
    format!("{comparison}`{}`", amount.text)
}

/// Whether a number is as the step says, exactly; and the number.
fn compared(session: &mut Session<'_>, amount: &Amount, found: &Json) -> Result<(bool, String), String> {
    let wanted = session.evaluate(&amount.value)?;
    let wanted = number(&wanted).ok_or_else(|| format!("`{}` is no number", amount.text))?;
    let found = number(&json::to_value(found)).ok_or_else(|| format!("{found} is no number"))?;
    let held = match amount.comparison {
        AmountComparison::Exactly => found.compare(wanted) == Ordering::Equal,
        AmountComparison::AtLeast => found.compare(wanted) != Ordering::Less,
        AmountComparison::AtMost => found.compare(wanted) != Ordering::Greater,
    };
    Ok((held, format_decimal(found.trimmed())))
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(units) => Some(Decimal { units: i128::from(*units), scale: 0 }),
        Value::Unsigned(units) => Some(Decimal { units: i128::from(*units), scale: 0 }),
        Value::Decimal(decimal) => Some(*decimal),
        Value::Double(double) => Decimal::from_double(*double),
        Value::Text(text) => parse_decimal(text),
        _ => None,
    }
}

fn condition(filter: Option<&str>) -> String {
    filter.map(|filter| format!(" where `{filter}`")).unwrap_or_default()
}

fn shown(wanted: RowCount) -> String {
    match wanted {
        RowCount::Exactly(count) => count.to_string(),
        RowCount::AtLeast(count) => format!("at least {count}"),
        RowCount::AtMost(count) => format!("at most {count}"),
    }
}

fn fits(wanted: RowCount, count: u64) -> bool {
    match wanted {
        RowCount::Exactly(wanted) => count == wanted,
        RowCount::AtLeast(wanted) => count >= wanted,
        RowCount::AtMost(wanted) => count <= wanted,
    }
}
