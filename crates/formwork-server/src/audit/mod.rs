//! The audit trail at the edge: what is recorded of calls that have no transaction of their own (refused ones, and
//! those that only read), the sequencer that chains what is committed, and the removal of what is kept no longer.
//!
//! What a call writes is recorded by the engine, in the transaction of the write. Source: docs/reference/audit.md.

mod sequencer;

pub(crate) use sequencer::{keep_chain, keep_up};

use crate::auth::Caller;
use crate::log;
use crate::problems::Problem;
use crate::respond::Reply;
use crate::serve::Entrance;
use crate::shared::{ReadsRequest, Shared};
use crate::unkept::{Means, Unkept};
use formwork_check::Analysis;
use formwork_engine::AuditEntry;
use formwork_language::program::Program;
use formwork_language::value::Value;
use http::request::Parts as Head;
use http::{HeaderValue, Method};
use std::sync::{Arc, OnceLock};

/// The lines of the audit trail that are not understood, or ask for what is not recorded.
pub(crate) fn unkept(analysis: &Analysis, _: Means<'_>) -> Vec<Unkept> {
    let way = "name entities or operations in code, write `all writes`, `denials` or `None`, or leave it out";
    let open = analysis.compiled.program.audit.open.iter();
    open.map(|(span, why)| Unkept::at(analysis, *span, format!("audit trail: {why}; {way}"))).collect()
}

/// Who called, once that is known.
#[derive(Default)]
pub(crate) struct Noted(OnceLock<(Option<String>, Vec<String>)>);

impl Noted {
    /// Notes who calls.
    pub(crate) fn caller(&self, caller: &Caller) {
        let id = match &caller.id {
            Value::Text(id) => Some(id.to_string()),
            _ => None,
        };
        let roles = match &caller.roles {
            Value::List(roles) => roles.iter().map(Value::to_plain).collect(),
            _ => Vec::new(),
        };
        // It is known once.
        let _ = self.0.set((id, roles));
    }
}

/// What an operation's slots must hold so that its entries can be written.
pub(crate) fn reads(program: &Program, operation: u32, reads: ReadsRequest) -> ReadsRequest {
    let index = operation as usize;
    let writes = program.operations.get(index).is_some_and(|operation| operation.writes);
    let is_recorded = writes && program.audit.records() || program.audit.operation(index).is_some();
    ReadsRequest { id: reads.id || is_recorded, ip: reads.ip || is_recorded, ..reads }
}

/// Records what became of a call, when no transaction has. The entry is on disk before the answer leaves.
pub(crate) async fn after(
    shared: &Arc<Shared>,
    operation: Option<usize>,
    (entrance, head, request_id, noted): (&Entrance, &Head, &HeaderValue, &Noted),
    result: &Result<Reply, Problem>,
) {
    let rules = &shared.program.audit;
    let Some(index) = operation.filter(|_| rules.records()) else { return };
    let Some(operation) = shared.program.operations.get(index) else { return };
    let (action, status, code, recorded) = match result {
        Err(problem) => {
            let status = problem.status.as_u16();
            ("refused", status, Some(problem.code().to_owned()), rules.refused(index, status))
        }
        Ok(reply) => {
            let is_rehearsal = head.method == Method::HEAD;
            let by_itself = operation.writes && operation.mode.runs() && !is_rehearsal;
            ("called", reply.status.as_u16(), None, rules.operation(index).filter(|_| !by_itself))
        }
    };
    // What is turned away for want of time has none for a write either.
    let recorded = recorded.filter(|_| code.as_deref() != Some("overloaded"));
    let Some(recorded) = recorded else { return };
    let time = shared.clock.now();
    let (actor, roles) = noted.0.get().cloned().unwrap_or_default();
    let kind = match &actor {
        Some(_) => "caller",
        None if roles.iter().any(|role| role == "internal") => "internal",
        None => "anonymous",
    };
    let entry = AuditEntry {
        time,
        actor,
        kind: kind.into(),
        roles,
        action: action.into(),
        operation: operation.name.to_string(),
        request: request_id.to_str().ok().map(str::to_owned),
        address: Some(entrance.peer.ip().to_string()),
        status: Some(status),
        code,
        until: recorded.kept.map(|kept| time.saturating_add(kept)),
        ..AuditEntry::default()
    };
    let request = entry.request.clone().unwrap_or_default();
    let store = shared.store.clone();
    // Whoever hangs up meanwhile is recorded all the same.
    let written = tokio::spawn(async move { store.append_audit(entry).await }).await;
    if !matches!(written, Ok(Ok(()))) {
        log::fault("audit_entry_lost", &request, &operation.name, &format!("{action} with {status}"));
    }
}
