//! Diagnostics as workflow commands, which GitHub shows beside the lines of a change. One line for each finding; a
//! hint is a notice.

use super::CheckedFile;
use super::places::Places;
use crate::diagnostic::Severity;
use std::fmt::Write;

/// The findings of the files, a line for each, and nothing when there are none.
pub fn render_github(files: &[CheckedFile<'_>]) -> String {
    let mut lines = String::new();
    for file in files {
        let places = Places::new(&file.analysis.source, &file.analysis.lines);
        for found in &file.analysis.diagnostics {
            let (start, end) = (places.position(found.span.start), places.position(found.span.end));
            let command = match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Hint => "notice",
            };
            let help = found.help.iter().map(|help| format!("\n{help}")).collect::<String>();
            // Columns are shown only within one line.
            let columns = if start.line == end.line {
                format!(",col={},endColumn={}", start.column, end.column)
            } else {
                String::new()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                lines,
                "::{command} file={},line={},endLine={}{columns},title={}::{}",
                property(file.path),
                start.line,
                end.line,
                found.code,
                data(&format!("{}{help}", found.message)),
            );
        }
    }
    lines
}

/// Text after the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which ends at a comma or colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
