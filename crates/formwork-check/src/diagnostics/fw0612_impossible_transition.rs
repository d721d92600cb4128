//! FW0612: a state that no way leads to.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0612",
    severity: Severity::Error,
    title: "a state that no way leads to",
    page: include_str!("../pages/FW0612.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("no way of *Transitions* leads to {}", quoted(subject)))
        .help("add the way to *Transitions*, or set another state")
        .fix_of(place)
}

/// The finding about a new row.
pub(crate) fn found_at_start(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("no row begins with {}", quoted(subject)))
        .help("begin in the first state of *Transitions*, or name others: `starts `a` or `b``")
        .fix_of(place)
}
