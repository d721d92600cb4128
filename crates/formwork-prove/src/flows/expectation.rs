//! Whether an answer is what a step expects.

use super::call::Seen;
use super::differs::differs;
use super::session::Session;
use formwork_language::behaviour::Expectation;
use formwork_model::facts::Outcome;

/// An expectation as a report shows it: ``201 with `response.visit_count == 2` ``.
pub(super) fn describe(expectation: &Expectation) -> String {
    let outcome = |outcome: &Outcome| match &outcome.code {
        Some(code) => format!("{} {code}", outcome.status),
        None => outcome.status.to_string(),
    };
    let outcomes = expectation.outcomes.iter().map(outcome).collect::<Vec<_>>().join(" or ");
    match &expectation.with {
        Some((_, text)) => format!("{outcomes} with `{text}`").trim_start().to_owned(),
        None => outcomes,
    }
}

/// Why an answer that is bound to the slots does not meet an expectation, when its outcome does.
pub(super) fn why(session: &mut Session<'_>, expectation: &Expectation, seen: &Seen) -> Option<String> {
    let fits = expectation.outcomes.is_empty() || expectation.outcomes.iter().any(|it| is_of(seen, it));
    let (condition, text) = expectation.with.as_ref().filter(|_| fits)?;
    differs(session, condition, text)
}

fn is_of(seen: &Seen, outcome: &Outcome) -> bool {
    outcome.status == seen.status && (outcome.code.is_none() || outcome.code == seen.code)
}

/// Whether an answer, already bound to the slots, meets an expectation. Binds what the step remembers if so.
pub(super) fn meets(
    session: &mut Session<'_>,
    expectation: &Expectation,
    seen: &Seen,
) -> Result<bool, String> {
    if !expectation.outcomes.is_empty() && !expectation.outcomes.iter().any(|outcome| is_of(seen, outcome)) {
        return Ok(false);
    }
    if let Some((condition, _)) = &expectation.with
        && !session.holds(condition)?
    {
        return Ok(false);
    }
    for (slot, value) in &expectation.remembers {
        let value = session.evaluate(value)?;
        session.bind(*slot, value);
    }
    Ok(true)
}
