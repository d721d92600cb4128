//! FW1006: data that the event does not declare.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1006",
    severity: Severity::Warning,
    title: "data that the event does not declare",
    page: include_str!("../pages/FW1006.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is given, and section 10 does not declare it", quoted(subject)))
        .help("add the member to the data of the event, or leave it out")
        .fix_of(place)
}
