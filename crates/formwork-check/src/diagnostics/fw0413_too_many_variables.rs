//! FW0413: a behaviour with too many variables.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0413",
    severity: Severity::Error,
    title: "a behaviour with too many variables",
    page: include_str!("../pages/FW0413.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("this behaviour needs {} variables", quoted(subject)))
        .help("divide it, or compute several values in one expression")
        .fix_of(place)
}
