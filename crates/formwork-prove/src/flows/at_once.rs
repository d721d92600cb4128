//! N callers at once: all connected before the first of them sends.

use super::call::{Seen, compose};
use super::expectation::{describe, meets};
use super::session::Session;
use super::steps::Checked;
use crate::client::{Answer, ClientError, Connection};
use formwork_language::behaviour::{Actor, Expectation, FlowCall};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// What N callers at once must get.
pub(super) struct Race<'s> {
    /// How many.
    pub(super) count: u32,
    /// The call of each.
    pub(super) call: &'s FlowCall,
    /// How many get which outcome.
    pub(super) exactly: &'s [(u32, Expectation)],
    /// What all others get.
    pub(super) others: Option<&'s Expectation>,
}

/// Sends all calls at once and counts what came.
pub(super) async fn carry_out(session: &mut Session<'_>, race: &Race<'_>) -> Checked {
    let expected = expected(race);
    let seen = match answers(session, race).await {
        Ok(answers) => answers.iter().map(Seen::new).collect::<Vec<_>>(),
        Err(cause) => return Checked::fell(expected, cause),
    };
    let got = tally(&seen);
    match judge(session, race, &seen) {
        Ok(true) => Checked::held(expected, got),
        Ok(false) => Checked::fell(expected, got),
        Err(cause) => Checked::fell(expected, format!("{got}; {cause}")),
    }
}

/// Every caller is one of its own: `member-1`, `member-2`, …
fn caller(actor: &Actor, number: u32) -> Actor {
    match actor {
        Actor::Anonymous => Actor::Anonymous,
        Actor::Role { role, id } => {
            Actor::Role { role: role.clone(), id: Arc::from(format!("{id}-{number}")) }
        }
    }
}

async fn answers(session: &mut Session<'_>, race: &Race<'_>) -> Result<Vec<Answer>, String> {
    let start = Arc::new(Barrier::new(race.count as usize));
    let mut ready = Vec::new();
    for number in 1..=race.count {
        let (surface, request) = compose(session, race.call, &caller(&race.call.actor, number)).await?;
        let connection =
            Connection::open(session.address(surface)).await.map_err(|error| error.to_string())?;
        ready.push((connection, request));
    }
    let mut calls: JoinSet<Result<Answer, ClientError>> = JoinSet::new();
    for (connection, request) in ready {
        let start = Arc::clone(&start);
        calls.spawn(async move {
            start.wait().await;
            connection.send(&request).await
        });
    }
    let mut answers = Vec::new();
    while let Some(ended) = calls.join_next().await {
        let answer = ended.map_err(|error| error.to_string())?;
        answers.push(answer.map_err(|error| format!("no answer: {error}"))?);
    }
    Ok(answers)
}

/// Each answer counts for the first outcome that it fits; without *the others get* the rest may be anything that
/// is no fault of the server.
fn judge(session: &mut Session<'_>, race: &Race<'_>, all: &[Seen]) -> Result<bool, String> {
    let mut counts = vec![0; race.exactly.len()];
    for seen in all {
        seen.bind(session);
        let mut fitting = None;
        for (at, (_, expectation)) in race.exactly.iter().enumerate() {
            if meets(session, expectation, seen)? {
                fitting = Some(at);
                break;
            }
        }
        let well = match (fitting, race.others) {
            (Some(at), _) => {
                counts[at] += 1;
                true
            }
            (None, Some(others)) => meets(session, others, seen)?,
            (None, None) => seen.status < 500,
        };
        if !well {
            return Ok(false);
        }
    }
    Ok(race.exactly.iter().zip(counts).all(|((wanted, _), count)| *wanted == count))
}

fn expected(race: &Race<'_>) -> String {
    let mut parts: Vec<String> = race
        .exactly
        .iter()
        .map(|(count, expectation)| format!("{count} × {}", describe(expectation)))
        .collect();
    parts.extend(race.others.map(|others| format!("all others {}", describe(others))));
    parts.join(", ")
}

fn tally(all: &[Seen]) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for seen in all {
        *counts.entry(seen.outcome()).or_default() += 1;
    }
    counts.iter().map(|(outcome, count)| format!("{count} × {outcome}")).collect::<Vec<_>>().join(", ")
}
