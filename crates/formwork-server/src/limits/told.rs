//! What a caller is told of its limits: `RateLimit-Policy` and `RateLimit` on every answer, and the refusal.
//!
//! Source: IETF httpapi, *RateLimit header fields for HTTP*, draft 11; conventions *HTTP core*.

use super::decision::State;
use crate::problems::Problem;
use formwork_model::facts::Outcome;
use http::header::HeaderName;
use http::{HeaderValue, StatusCode};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// A limit as a caller knows it.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Its name, of letters, digits and signs that need no escape.
    pub(super) name: String,
    /// How many.
    pub(super) quota: u64,
    /// In how many microseconds; absent for calls in progress.
    pub(super) window: Option<i64>,
    /// How it is refused, when not as `429 rate_limited`.
    pub(super) otherwise: Option<Outcome>,
}

/// Microseconds as seconds, rounded up, at least 1.
fn seconds(micros: i64) -> i64 {
    micros.saturating_add(999_999).div_euclid(1_000_000).max(1)
}

/// The headers of an answer. `states` are those of the first policies; the others have none.
pub(super) fn headers(policies: &[&Policy], states: &[State]) -> Vec<(HeaderName, HeaderValue)> {
    let policy = policies.iter().map(|policy| match policy.window {
        Some(window) => format!("\"{}\";q={};w={}", policy.name, policy.quota, seconds(window)),
        None => format!("\"{}\";q={};qu=\"concurrent-requests\"", policy.name, policy.quota),
    });
    let limit = policies.iter().zip(states).map(|(policy, state)| {
        format!(
            "\"{}\";r={};t={}",
            policy.name,
            state.remaining,
            seconds(state.wait.unwrap_or(state.more_in))
        )
    });
    let texts = [(POLICY, policy.collect::<Vec<_>>()), (LIMIT, limit.collect())];
    let texts = texts.into_iter().filter(|(_, items)| !items.is_empty());
    texts.filter_map(|(name, items)| Some((name, HeaderValue::from_str(&items.join(", ")).ok()?))).collect()
}

/// The refusal of a request that some policies do not let through; the longest wait counts.
pub(super) fn refusal(policies: &[&Policy], states: &[State]) -> Problem {
    let violated: Vec<(&Policy, i64)> =
        policies.iter().zip(states).filter_map(|(policy, state)| Some((*policy, state.wait?))).collect();
    let wait = violated.iter().map(|(_, wait)| seconds(*wait)).max().unwrap_or(1);
    let names: Vec<&str> = violated.iter().map(|(policy, _)| policy.name.as_str()).collect();
    let otherwise = violated.iter().find_map(|(policy, _)| policy.otherwise.as_ref());
    let said: Vec<String> = violated
        .iter()
        .map(|(policy, _)| {
            format!("at most {} in {} s", policy.quota, seconds(policy.window.unwrap_or_default()))
        })
        .collect();
    let detail = format!("Let through are {}. The next may come in {wait} s.", said.join(" and "));
    Problem::limited(otherwise, detail, &names, wait)
}

/// The refusal of a request while as many as may be are in progress.
pub(super) fn in_progress(policy: &Policy) -> Problem {
    let detail = format!("At most {} may be in progress at a time.", policy.quota);
    Problem::limited(policy.otherwise.as_ref(), detail, &[&policy.name], 1)
}

/// The refusal of a body that is larger than the document allows.
pub(super) fn too_large(outcome: Option<&Outcome>, problem: Problem) -> Problem {
    match outcome {
        Some(outcome) if problem.status == StatusCode::PAYLOAD_TOO_LARGE => problem.answered_as(outcome),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, window: Option<i64>) -> Policy {
        Policy { name: name.to_owned(), quota: 60, window, otherwise: None }
    }

    #[test]
    fn headers_are_lists_of_structured_fields() {
        let (minute, progress) = (policy("add-caller", Some(60_000_000)), policy("add-once", None));
        let state = State { remaining: 3, more_in: 1_500_000, wait: None };
        let told = headers(&[&minute, &progress], &[state]);
        let texts: Vec<&str> = told.iter().map(|(_, value)| value.to_str().expect("ASCII")).collect();
        assert_eq!(
            texts,
            [
                r#""add-caller";q=60;w=60, "add-once";q=60;qu="concurrent-requests""#,
                r#""add-caller";r=3;t=2"#
            ]
        );
        assert!(headers(&[], &[]).is_empty());
    }

    #[test]
    fn a_refusal_waits_for_all_that_it_violates() {
        let (short, long) = (policy("short", Some(1_000_000)), policy("long", Some(60_000_000)));
        let waits = |wait| State { remaining: 0, more_in: 0, wait };
        let problem = refusal(&[&short, &long], &[waits(Some(1)), waits(Some(2_000_001))]);
        let body = String::from_utf8(problem.body("/add", None)).expect("UTF-8");
        assert!(body.contains(r#""violated-policies":["short","long"]"#), "{body}");
        assert!(
            body.contains(r##""type":"https://iana.org/assignments/http-problem-types#quota-exceeded""##)
        );
        let told: Vec<_> =
            problem.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().ok())).collect();
        assert_eq!((problem.status.as_u16(), told), (429, vec![("retry-after", Some("3"))]));
    }
}
