//! Section 10: metrics, trace spans, events.

use crate::facts::Prose;
use formwork_syntax::{Span, Spanned};

/// A metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is, if the document says so.
    pub kind: Option<MetricKind>,
    /// What it measures.
    pub description: Option<Prose>,
    /// The group: `system`, `infrastructure`, or another label.
    pub group: Option<String>,
    /// The whole item.
    pub span: Span,
}

/// The kinds of [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution.
    Histogram,
}

/// A chain of trace spans.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The spans' names, outermost first.
    pub spans: Vec<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: Spanned<String>,
    /// When it is emitted.
    pub when: Option<Prose>,
    /// The fields of its data.
    pub data: Vec<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}
