//! FW9007: a comment that allows a diagnostic that is not there.

use crate::catalogue::Entry;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9007",
    severity: Severity::Warning,
    title: "an allowance that allows nothing",
    page: include_str!("../pages/FW9007.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(comment: Span, code: &str) -> Diagnostic {
    ENTRY
        .at(comment, format!("there is no {} below this that it could allow", quoted(code)))
        .help("remove the comment: what it allowed is mended, or stands elsewhere")
}
