//! Section 8: SLOs, cache layers, optimisations.

use crate::facts::Prose;
use formwork_syntax::{Span, Spanned};

/// A service level objective.
#[derive(Clone, Debug)]
pub struct Slo {
    /// The metric, as written (`follow_link.latency`).
    pub metric: Spanned<String>,
    /// `<=`, `<`, `>=`, `>` or `=`.
    pub comparator: &'static str,
    /// The target, as an exact decimal without grouping.
    pub value: String,
    /// Its unit (`ms`, `%`, `requests/s`), absent when none is written.
    pub unit: Option<String>,
    /// `p99`, `p99.9`, `median` becomes `p50`; absent when none is written.
    pub percentile: Option<String>,
    /// `30 d`, in seconds.
    pub window_seconds: Option<u64>,
    /// The operation that it is about, when it names one.
    pub operation: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// A cache layer.
#[derive(Clone, Debug)]
pub struct CacheLayer {
    /// Its name.
    pub name: Spanned<String>,
    /// *What*.
    pub what: Option<Prose>,
    /// *TTL*, as written.
    pub ttl: Option<Prose>,
    /// *TTL* in seconds, when it is a duration.
    pub ttl_seconds: Option<f64>,
    /// *Invalidation*.
    pub invalidation: Option<Prose>,
    /// Label to last line.
    pub span: Span,
}
