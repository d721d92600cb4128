//! FW0415: an update that changes nothing.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0415",
    severity: Severity::Error,
    title: "an update that changes nothing",
    page: include_str!("../pages/FW0415.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("this update of {} sets no field", quoted(subject)))
        .help("name what changes: with `field = EXPR`, or `from the input`")
        .fix_of(place)
}
