//! FW0907: a grant with a condition that is not enforced.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0907",
    severity: Severity::Error,
    title: "a grant with a condition that is not enforced",
    page: include_str!("../pages/FW0907.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("the condition of the grant to {} is not enforced by this version", quoted(subject)),
        )
        .help("grant without it, and check it in a step: Requires `EXPR`")
        .fix_of(place)
}
