//! Limits on requests: how often, how many at a time, how large. Limits on rows are rules of the schema.

use formwork_model::facts::Outcome;
use formwork_syntax::Span;
use std::sync::Arc;

/// A limit on requests.
#[derive(Clone, Debug)]
pub struct LimitRule {
    /// As written.
    pub text: Arc<str>,
    /// Where it is written.
    pub span: Span,
    /// The operations that share it, as indexes into [`Program::operations`](super::Program::operations).
    pub operations: Vec<u32>,
    /// Whether the document names them; else it is a limit on all operations of section 4.
    pub is_named: bool,
    /// What it limits.
    pub kind: Limited,
    /// How it is refused; else `429 rate_limited`, and `413 content_too_large` for a size.
    pub otherwise: Option<Outcome>,
}

/// What a [`LimitRule`] limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limited {
    /// How often: at most `count` in every `window`.
    Rate {
        /// How many; at least 1.
        count: u64,
        /// In microseconds.
        window: i64,
        /// At most so many in every `burst · window / count`; less than `count`.
        burst: Option<u64>,
        /// What is counted together.
        per: CountedBy,
        /// Of callers with this role alone.
        role: Option<Arc<str>>,
    },
    /// How many at a time.
    InProgress {
        /// How many; at least 1.
        count: u64,
        /// What is counted together.
        per: CountedBy,
    },
    /// How large a request's body may be, in bytes.
    Size(u64),
}

/// Which requests a limit counts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountedBy {
    /// All of them.
    Everybody,
    /// Those of a caller; of callers without a name those from one address.
    Caller,
    /// Those with a key; of callers without one as [`CountedBy::Caller`].
    Key,
    /// Those from an address.
    Address,
    /// Those whose caller has the same value at this path of its claims.
    Claim(Arc<[Arc<str>]>),
    /// Those with the same value of this input.
    Input(Arc<str>),
}
