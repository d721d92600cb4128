//! FW9002: a tab in the indentation of a list.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9002",
    severity: Severity::Warning,
    title: "a tab that indents a list",
    page: include_str!("../pages/FW9002.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place) -> Diagnostic {
    ENTRY
        .at(place.span, "a tab (`U+0009`) indents this list: readers disagree about its level".to_owned())
        .help("indent with blanks, two for each level")
}
