//! Section 9: authentication, authorisation, limits, audit, cost.

use crate::facts::{Outcome, Prose};
use formwork_syntax::{Span, Spanned};

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// What kind.
    pub kind: AuthenticationKind,
    /// As written.
    pub text: Prose,
}

/// The kinds of [`Authentication`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthenticationKind {
    /// `API keys in header X-API-Key`.
    ApiKey {
        /// The header; `X-API-Key` when none is named.
        header: String,
    },
    /// `Bearer JWT …`.
    BearerJwt,
    /// `HMAC-signed requests`, also for one operation.
    Hmac,
    /// `mTLS`.
    MutualTls,
    /// ``Idempotency-Key is required for …``.
    IdempotencyKey,
    /// Prose.
    Prose,
}

/// A grant: what a role may call.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role.
    pub role: Spanned<String>,
    /// The operations; empty when `all`.
    pub operations: Vec<Spanned<String>>,
    /// `all operations`
    pub all: bool,
    /// ``when `EXPR` ``
    pub condition: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// *Authorization*: whether the part exists, its grants, and prose.
#[derive(Clone, Debug, Default)]
pub struct Authorization {
    /// The label; absent when the document has no such part.
    pub span: Option<Span>,
    /// Its grants.
    pub grants: Vec<Grant>,
    /// What is not a grant.
    pub prose: Vec<Prose>,
}

/// A quota or rate limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What kind.
    pub kind: LimitKind,
    /// As written.
    pub text: Prose,
    /// `otherwise`
    pub otherwise: Option<Outcome>,
}

/// The kinds of [`Limit`].
#[derive(Clone, Debug, PartialEq)]
pub enum LimitKind {
    /// ``- `create_link`: 60 requests per minute per caller, burst 10``
    Rate {
        /// Operations; empty for all.
        operations: Vec<String>,
        /// How many.
        count: u64,
        /// In which window.
        window_seconds: u64,
        /// `caller`, `key`, `address`, a field, or absent for everybody together.
        per: Option<String>,
        /// Most at once.
        burst: Option<u64>,
    },
    /// ``- at most 10,000 `link` per `owner_id` ``
    Rows {
        /// The entity.
        entity: String,
        /// How many.
        count: u64,
        /// By which field.
        per: Option<String>,
    },
    /// `10 MB per request`
    RequestSize {
        /// Bytes.
        bytes: u64,
    },
    /// `at most 1 at a time per …`
    Concurrency {
        /// How many.
        count: u64,
        /// By what.
        per: Option<String>,
    },
    /// Prose.
    Prose,
}

/// A line of *Audit Trail*.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Entities or operations in code.
    pub subjects: Vec<Spanned<String>>,
    /// How long entries are kept, in days.
    pub kept_days: Option<f64>,
    /// As written.
    pub text: Prose,
}

/// A line of *Cost Controls*.
#[derive(Clone, Debug)]
pub struct Budget {
    /// What kind.
    pub kind: BudgetKind,
    /// As written.
    pub text: Prose,
}

/// The kinds of [`Budget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetKind {
    /// ``- each `create_link` costs `0.0001` USD``
    Cost {
        /// The operation.
        operation: String,
        /// The amount or expression as written.
        amount: String,
        /// ISO 4217.
        currency: String,
    },
    /// `- budget 5 USD per caller per month, …`
    Budget {
        /// Exact decimal.
        amount: String,
        /// ISO 4217.
        currency: String,
        /// `caller`, a field, or absent.
        per: Option<String>,
        /// `month`, `day`, …
        period: Option<String>,
        /// Percentages at which an alert is raised.
        alerts: Vec<String>,
        /// The refusal.
        refusal: Option<Outcome>,
    },
    /// Prose.
    Prose,
}
