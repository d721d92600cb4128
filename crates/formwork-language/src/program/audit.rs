//! What the audit trail records: for each entity and each operation, with what and how long.

use super::EntityId;
use formwork_syntax::Span;

/// What is recorded of the writes to an entity or the calls of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Whether the values before and after are.
    pub values: bool,
    /// How long an entry is kept, in microseconds; absent: for ever.
    pub kept: Option<i64>,
}

impl Recorded {
    /// What two lines about the same thing ask for together: the more, and the longer.
    pub fn with(self, other: Self) -> Self {
        Self { values: self.values || other.values, kept: self.kept.zip(other.kept).map(|(a, b)| a.max(b)) }
    }
}

/// The audit trail of section 9.
#[derive(Clone, Debug, Default)]
pub struct AuditRules {
    /// By entity: its writes, whoever makes them.
    pub entities: Vec<Option<Recorded>>,
    /// By operation: its calls, and what they write.
    pub operations: Vec<Option<Recorded>>,
    /// By operation: the calls of it that are refused for who asks or how often.
    pub denials: Vec<Option<Recorded>>,
    /// What reads like a line of the trail and is not recorded, with the reason.
    pub open: Vec<(Span, String)>,
}

impl AuditRules {
    /// What is recorded of the writes to an entity.
    pub fn entity(&self, entity: EntityId) -> Option<Recorded> {
        self.entities.get(usize::from(entity)).copied().flatten()
    }

    /// What is recorded of the calls of an operation.
    pub fn operation(&self, operation: usize) -> Option<Recorded> {
        self.operations.get(operation).copied().flatten()
    }

    /// What is recorded of an operation's calls that were refused with this status.
    pub fn refused(&self, operation: usize, status: u16) -> Option<Recorded> {
        let denied = matches!(status, 401 | 403 | 429);
        let denial = self.denials.get(operation).copied().flatten().filter(|_| denied);
        match (self.operation(operation), denial) {
            (Some(one), Some(other)) => Some(one.with(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether anything is recorded.
    pub fn records(&self) -> bool {
        let any = |rules: &[Option<Recorded>]| rules.iter().any(Option::is_some);
        any(&self.entities) || any(&self.operations) || any(&self.denials)
    }
}
