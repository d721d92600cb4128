//! FW0409: a status that HTTP does not have or the step does not allow.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0409",
    severity: Severity::Error,
    title: "a status that does not fit",
    page: include_str!("../pages/FW0409.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, status: &str, allowed: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is no status that fits here", quoted(status)))
        .help(format!("allowed is {allowed}"))
        .fix_of(place)
}
