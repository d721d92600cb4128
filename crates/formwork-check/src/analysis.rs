//! Source text to everything that is known about it.

use crate::diagnostic::{Diagnostic, Severity};
use formwork_language::behaviour::Compiled;
use formwork_model::Model;
use formwork_syntax::{Document, LineIndex};
use std::sync::Arc;

/// Everything that is known about a document. What stands above this room reads nothing else.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The text.
    pub source: Arc<str>,
    /// Its lines.
    pub lines: LineIndex,
    /// The labelled parts.
    pub document: Document,
    /// The typed facts.
    pub model: Model,
    /// Program, behaviours and flows.
    pub compiled: Compiled,
    /// Findings, by place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Analysis {
    /// Whether the document cannot run as written.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads, compiles and checks a document.
pub fn analyse(source: Arc<str>) -> Analysis {
    let lines = LineIndex::new(&source);
    let document = formwork_syntax::parse(&source, &|_| false);
    let model = Model::default();
    let compiled = formwork_language::compile(&source, &model);
    Analysis { source, lines, document, model, compiled, diagnostics: Vec::new() }
}
