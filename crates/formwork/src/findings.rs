//! Shows what keeps a document from being run or tested; the words are `formwork-check`'s.

use crate::documents::Source;
use crate::terminal::Terminal;
use formwork_check::{Analysis, CheckedFile, Severity, analyse, render_text};

/// Analyses a document that shall be carried out. One with errors is not: they go to standard error.
pub(crate) fn executable(source: Source, terminal: &Terminal) -> Option<Analysis> {
    let mut analysis = analyse(source.text);
    let warnings = count(&analysis, Severity::Warning);
    let has_errors = analysis.has_errors();
    if has_errors {
        // What does not keep it from being carried out would only hide what does.
        analysis.diagnostics.retain(|finding| finding.severity == Severity::Error);
        let file = CheckedFile { path: &source.path, analysis: &analysis };
        terminal.must_say(&render_text(&[file], terminal.colour_on_error()));
    }
    if warnings > 0 {
        let plural = if warnings == 1 { "" } else { "s" };
        terminal.remark(&format!("{warnings} warning{plural}; `formwork check {}` shows them", source.path));
    }
    (!has_errors).then_some(analysis)
}

/// How many findings there are of a severity.
pub(crate) fn count(analysis: &Analysis, severity: Severity) -> usize {
    analysis.diagnostics.iter().filter(|finding| finding.severity == severity).count()
}
