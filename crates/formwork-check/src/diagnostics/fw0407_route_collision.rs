//! FW0407: two operations with one method and path.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0407",
    severity: Severity::Error,
    title: "two operations with one route",
    page: include_str!("../pages/FW0407.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, route: &str, other: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is already the route of {}", quoted(route), quoted(other)))
        .related(place.related, "the other operation")
        .help("give one of them another method or path")
        .fix_of(place)
}
