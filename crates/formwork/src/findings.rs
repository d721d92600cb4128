//! Shows what keeps a document from being run or tested; the words are `formwork-check`'s.

use crate::documents::Source;
use crate::terminal::Terminal;
use formwork_check::{Analysis, CheckedFile, Severity, analyse, render_text};

/// Analyses a document that shall be carried out. One with errors is not: its findings go to standard error.
pub(crate) fn executable(source: Source, terminal: &Terminal) -> Option<Analysis> {
    let analysis = analyse(source.text);
    if analysis.has_errors() {
        let file = CheckedFile { path: &source.path, analysis: &analysis };
        terminal.must_say(&render_text(&[file], terminal.colour_on_error()));
        return None;
    }
    let warnings = count(&analysis, Severity::Warning);
    if warnings > 0 {
        let plural = if warnings == 1 { "" } else { "s" };
        terminal.remark(&format!("{warnings} warning{plural}; `formwork check {}` shows them", source.path));
    }
    Some(analysis)
}

/// How many findings there are of a severity.
pub(crate) fn count(analysis: &Analysis, severity: Severity) -> usize {
    analysis.diagnostics.iter().filter(|finding| finding.severity == severity).count()
}
