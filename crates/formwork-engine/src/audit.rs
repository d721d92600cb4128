//! What an entry of the audit trail says, as the engine and the edge write it and a store keeps it.

use std::sync::Arc;

/// An entry of the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, in microseconds since the epoch: the `now()` of the transaction.
    pub time: i64,
    /// `caller.id`; absent for an anonymous caller.
    pub actor: Option<String>,
    /// `caller`, `anonymous`, `internal` or `system`.
    pub kind: Arc<str>,
    /// The roles of the actor.
    pub roles: Vec<String>,
    /// `created`, `updated`, `deleted`, `called`, `refused` or `removed`.
    pub action: Arc<str>,
    /// The operation, or the standing step.
    pub operation: String,
    /// The row: entity, and primary key as text.
    pub object: Option<(String, String)>,
    /// The row before, as a JSON object; what is personal, secret or write-only masked.
    pub before: Option<String>,
    /// The row after; of `removed`, what was.
    pub after: Option<String>,
    /// The request.
    pub request: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    /// The status that the call was answered with; absent while it goes on, and where there is no call.
    pub status: Option<u16>,
    /// The code of a refusal.
    pub code: Option<String>,
    /// Until when it is kept, in microseconds since the epoch; absent: for ever.
    pub until: Option<i64>,
}
