//! Shows what was found in a document, as text or as JSON; the words and shapes are `formwork-check`'s.

use formwork_check::{Analysis, Severity};

/// The findings of one document as text for people.
pub(crate) fn text(analysis: &Analysis, path: &str, colour: bool) -> String {
    let _ = colour;
    let mut lines = String::new();
    for finding in &analysis.diagnostics {
        let place = analysis.lines.position(&analysis.source, finding.span.start);
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "hint",
        };
        lines.push_str(&format!(
            "{path}:{}:{}: {severity}[{}]: {}\n",
            place.line, place.column, finding.code, finding.message
        ));
    }
    lines
}

/// How many findings there are of a severity.
pub(crate) fn count(analysis: &Analysis, severity: Severity) -> usize {
    analysis.diagnostics.iter().filter(|finding| finding.severity == severity).count()
}
