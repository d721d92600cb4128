//! FW1008: a handler that brings about what it is told of.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1008",
    severity: Severity::Error,
    title: "a cycle of events",
    page: include_str!("../pages/FW1008.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("`{subject}` sets itself going again and again"))
        .help("put the step under a condition that ends: If `EXPR`, …, or `Stops when …` before it")
        .related(place.related, "the handler that is told of it again")
}
