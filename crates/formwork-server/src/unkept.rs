//! What a document promises and this system would not keep: `run` refuses to begin with any of it, since silence would
//! be a promise. Each room says what it leaves open; this file knows all of them. Source: language reference, *AuthN*.

use crate::config::{Secrets, TokenSource};
use crate::{audit, auth, cache, edge, limits};
use formwork_check::{Analysis, Diagnostic};
use formwork_syntax::Span;
use std::fmt;

/// A line of the document that would not be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkept {
    /// The number of the line, from 1.
    pub line: u32,
    /// What is not kept, and the way out: one sentence.
    pub why: String,
}

/// What there is besides the document to keep its promises with.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// Where tokens come from.
    pub tokens: &'a TokenSource,
    /// Where secrets come from.
    pub secrets: Secrets,
}

/// The rooms that leave something open. A room that enforces something adds its line.
const ROOMS: [fn(&Analysis, Means<'_>) -> Vec<Unkept>; 5] =
    [auth::unkept, edge::unkept, limits::unkept, cache::unkept, audit::unkept];

/// All that would not be kept, in the order of the document; empty when it may run.
pub fn unkept(analysis: &Analysis, means: Means<'_>) -> Vec<Unkept> {
    let mut all: Vec<Unkept> = ROOMS.iter().flat_map(|room| room(analysis, means)).collect();
    all.sort_by_key(|unkept| unkept.line);
    all.dedup();
    all
}

impl Unkept {
    /// What stands at a place.
    pub(crate) fn at(analysis: &Analysis, place: Span, why: impl Into<String>) -> Self {
        let line = analysis.lines.position(&analysis.source, place.start).line;
        Self { line, why: why.into() }
    }

    /// What a finding of `check` says: its own help is the way out.
    pub(crate) fn found(analysis: &Analysis, found: &Diagnostic) -> Self {
        let help = found.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        let why = format!("{}{help} (`formwork explain {}`)", found.message, found.code);
        Self::at(analysis, found.span, why)
    }
}

impl fmt::Display for Unkept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.why)
    }
}

/// What is said of one line of the section about security; for the tests of the rooms.
#[cfg(test)]
pub(crate) fn said(title: &str, line: &str, tokens: &TokenSource) -> Vec<String> {
    let text = format!("## 9) Security\n\n### {title}\n\n- {line}\n");
    let analysis = formwork_check::analyse_fragment(text.into());
    let all = unkept(&analysis, Means { tokens, secrets: Secrets::Test });
    all.iter().map(ToString::to_string).collect()
}
