//! FW0607: a pattern that is no regular expression.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0607",
    severity: Severity::Error,
    title: "a pattern that is no regular expression",
    page: include_str!("../pages/FW0607.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("this is no regular expression: {}", quoted(subject)))
        .help("patterns are regular expressions without look-around and back-references: `/^[a-z]+$/`")
        .fix_of(place)
}
