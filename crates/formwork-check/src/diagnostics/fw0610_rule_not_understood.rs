//! FW0610: a rule that is not understood.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0610",
    severity: Severity::Error,
    title: "a rule that is not understood",
    page: include_str!("../pages/FW0610.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("this rule is not understood: expected {}", quoted(subject)))
        .help(format!(
            "write {}; or write the rule as prose, without the label",
            subject.trim_start_matches("expected ")
        ))
        .fix_of(place)
}
