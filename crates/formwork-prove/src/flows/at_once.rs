//! Calls at once: all connected before the first of them sends. N callers of one call, or the branches of a block.

use super::call::{Seen, compose};
use super::checked::{Checked, Trouble};
use super::expectation::{describe, meets, why};
use super::session::Session;
use crate::client::{Answer, Connection, Request};
use crate::report::StepReport;
use formwork_language::behaviour::{Actor, Expectation, FlowAction, FlowCall, FlowStep, flow_slots};
use formwork_language::program::Surface;
use formwork_language::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// How many of several calls must get what.
#[derive(Clone, Copy)]
pub(super) struct Tally<'s> {
    /// How many get which outcome.
    pub(super) exactly: &'s [(u32, Expectation)],
    /// What all others get.
    pub(super) others: Option<&'s Expectation>,
}

/// Sends the call of N callers at once and counts what came.
pub(super) async fn race(
    session: &mut Session<'_>,
    count: u32,
    call: &FlowCall,
    tally: Tally<'_>,
) -> Checked {
    let mut requests = Vec::new();
    if let Err(trouble) = gather(session, count, call, &mut requests).await {
        return Checked::troubled(tally.expected(), trouble);
    }
    let doings = requests.into_iter().map(|(surface, request)| Doing::Call(surface, request)).collect();
    match at_once(session, doings).await {
        Ok(done) => judged(session, tally, &done.iter().filter_map(Done::seen).collect::<Vec<_>>()),
        Err(trouble) => Checked::troubled(tally.expected(), trouble),
    }
}

/// Carries the branches of `At once:` out.
pub(super) async fn together(session: &mut Session<'_>, branches: &[FlowStep]) -> Checked {
    let mut doings = Vec::new();
    let mut parts = Vec::new();
    for branch in branches {
        let begun = doings.len();
        let mut requests = Vec::new();
        let gathered = match &branch.action {
            Some(FlowAction::Call { call, .. }) => {
                compose(session, call, &call.actor).await.map(|request| requests.push(request))
            }
            Some(FlowAction::AtOnce { count, call, .. }) => {
                gather(session, *count, call, &mut requests).await
            }
            Some(FlowAction::RunComponent(component)) => {
                doings.push(Doing::Run(component.to_string()));
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(trouble) = gathered {
            return Checked::troubled("all at once".to_owned(), trouble);
        }
        doings.extend(requests.into_iter().map(|(surface, request)| Doing::Call(surface, request)));
        parts.push(begun..doings.len());
    }
    let done = match at_once(session, doings).await {
        Ok(done) => done,
        Err(trouble) => return Checked::troubled("all at once".to_owned(), trouble),
    };
    let all: Vec<&Seen> = done.iter().filter_map(Done::seen).collect();
    let mut reports = Vec::new();
    for (branch, part) in branches.iter().zip(parts) {
        let report = match &branch.action {
            None => super::unexecuted(session.analysis, branch),
            Some(FlowAction::Tally { exactly, others }) => {
                let checked = judged(session, Tally { exactly, others: others.as_ref() }, &all);
                StepReport::checked(session.analysis, branch, checked)
            }
            Some(action) => {
                let checked = one(session, action, &done[part]);
                StepReport::checked(session.analysis, branch, checked)
            }
        };
        reports.push(report);
    }
    Checked::nested(reports)
}

/// How one branch came out.
fn one(session: &mut Session<'_>, action: &FlowAction, done: &[Done]) -> Checked {
    let seen: Vec<&Seen> = done.iter().filter_map(Done::seen).collect();
    match (action, seen.as_slice()) {
        (FlowAction::Call { expect: Some(expectation), .. }, [seen]) => {
            seen.bind(session);
            let held = meets(session, expectation, seen);
            let because = match held {
                Ok(false) => why(session, expectation, seen),
                _ => None,
            };
            let got = seen.shown();
            Checked::from_result(describe(expectation), held.map(|held| (held, got)))
                .because(because)
                .by_request(seen.request.clone())
        }
        // Which of the calls wins is said by the tally, or by nobody.
        (FlowAction::Call { .. }, [seen]) => Checked::of(
            seen.status < 500,
            "an answer that is no fault of the system".to_owned(),
            seen.shown(),
        )
        .by_request(seen.request.clone()),
        (FlowAction::AtOnce { exactly, others, .. }, seen) => {
            judged(session, Tally { exactly, others: others.as_ref() }, seen)
        }
        _ => Checked::of(true, "it runs".to_owned(), "it ran".to_owned()),
    }
}

/// Every caller is one of its own: `member-1`, `member-2`, …
fn caller(actor: &Actor, number: u32) -> Actor {
    match actor {
        Actor::Role { role, id, scopes, claims } => Actor::Role {
            role: role.clone(),
            id: Arc::from(format!("{id}-{number}")),
            scopes: scopes.clone(),
            claims: claims.clone(),
        },
        other => other.clone(),
    }
}

/// The requests of N callers, each with its number as `n`.
async fn gather(
    session: &mut Session<'_>,
    count: u32,
    call: &FlowCall,
    requests: &mut Vec<(Surface, Request)>,
) -> Result<(), Trouble> {
    let around = session.variable(flow_slots::N).clone();
    for number in 1..=count {
        session.bind(flow_slots::N, Value::Integer(i64::from(number)));
        requests.push(compose(session, call, &caller(&call.actor, number)).await?);
    }
    session.bind(flow_slots::N, around);
    Ok(())
}

/// What is done beside other things.
enum Doing {
    Call(Surface, Request),
    Run(String),
}

/// What came of it.
enum Done {
    Seen(Box<Seen>),
    Ran,
}

impl Done {
    fn seen(&self) -> Option<&Seen> {
        match self {
            Self::Seen(seen) => Some(seen),
            Self::Ran => None,
        }
    }
}

async fn at_once(session: &Session<'_>, doings: Vec<Doing>) -> Result<Vec<Done>, Trouble> {
    let start = Arc::new(Barrier::new(doings.len()));
    let mut tasks: JoinSet<(usize, Result<Option<Answer>, String>)> = JoinSet::new();
    for (at, doing) in doings.into_iter().enumerate() {
        let start = Arc::clone(&start);
        match doing {
            Doing::Call(surface, request) => {
                let connection = Connection::open(session.address(surface)?).await;
                let connection = connection.map_err(|error| error.to_string())?;
                tasks.spawn(async move {
                    start.wait().await;
                    (at, connection.send(&request).await.map(Some).map_err(|error| error.to_string()))
                });
            }
            Doing::Run(component) => {
                let admin = session.control()?.clone();
                tasks.spawn(async move {
                    start.wait().await;
                    (at, admin.run_component(&component).await.map(|()| None))
                });
            }
        }
    }
    let mut ended: BTreeMap<usize, Done> = BTreeMap::new();
    while let Some(joined) = tasks.join_next().await {
        let (at, result) = joined.map_err(|error| error.to_string())?;
        let answer = result.map_err(|error| format!("no answer: {error}"))?;
        let done = answer.map_or(Done::Ran, |answer| Done::Seen(Box::new(Seen::new(&answer))));
        ended.insert(at, done);
    }
    Ok(ended.into_values().collect())
}

fn judged(session: &mut Session<'_>, tally: Tally<'_>, seen: &[&Seen]) -> Checked {
    let (expected, got) = (tally.expected(), counted(seen));
    match judge(session, tally, seen) {
        Ok(None) => Checked::of(true, expected, got),
        Ok(Some(odd)) => {
            let got = match odd {
                Some(odd) => format!("{got}; one of them: {}", odd.shown()),
                None => got,
            };
            Checked::of(false, expected, got).by_request(odd.and_then(|odd| odd.request.clone()))
        }
        Err(cause) => Checked::fell(expected, format!("{got}; {cause}")),
    }
}

/// Nothing when it is as the tally says; otherwise the answer that nobody expected, if it is one.
///
/// Each answer counts for the first outcome that it fits; without *the others get* the rest may be anything that
/// is no fault of the server.
fn judge<'s>(
    session: &mut Session<'_>,
    tally: Tally<'_>,
    all: &[&'s Seen],
) -> Result<Option<Option<&'s Seen>>, String> {
    let mut counts = vec![0; tally.exactly.len()];
    for seen in all {
        seen.bind(session);
        let mut fitting = None;
        for (at, (_, expectation)) in tally.exactly.iter().enumerate() {
            if meets(session, expectation, seen)? {
                fitting = Some(at);
                break;
            }
        }
        let well = match (fitting, tally.others) {
            (Some(at), _) => {
                counts[at] += 1;
                true
            }
            (None, Some(others)) => meets(session, others, seen)?,
            (None, None) => seen.status < 500,
        };
        if !well {
            return Ok(Some(Some(seen)));
        }
    }
    let held = tally.exactly.iter().zip(counts).all(|((wanted, _), count)| *wanted == count);
    Ok(if held { None } else { Some(None) })
}

impl Tally<'_> {
    fn expected(&self) -> String {
        let mut parts: Vec<String> = self
            .exactly
            .iter()
            .map(|(count, expectation)| format!("{count} × {}", describe(expectation)))
            .collect();
        parts.extend(self.others.map(|others| format!("all others {}", describe(others))));
        if parts.is_empty() { "answers that are no fault of the system".to_owned() } else { parts.join(", ") }
    }
}

fn counted(all: &[&Seen]) -> String {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for seen in all {
        *counts.entry(seen.outcome()).or_default() += 1;
    }
    counts.iter().map(|(outcome, count)| format!("{count} × {outcome}")).collect::<Vec<_>>().join(", ")
}
