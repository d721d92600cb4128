//! A finding, ready to be shown.

use formwork_syntax::Span;

/// A finding about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// `FW` and four digits.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Names the thing; one line without a full stop.
    pub message: String,
    /// The exact place.
    pub span: Span,
    /// Other places that matter.
    pub related: Vec<Related>,
    /// What to do, with the corrected text where that is known.
    pub help: Option<String>,
    /// A mechanical correction.
    pub fix: Option<Fix>,
}

/// Another place of a [`Diagnostic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// A mechanical correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative.
    pub title: String,
    /// What to put where.
    pub edits: Vec<Edit>,
}

/// One replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Could be better.
    Hint,
    /// Likely wrong or unfinished.
    Warning,
    /// Cannot run as written.
    Error,
}
