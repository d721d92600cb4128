//! FW0614: a row at start without a key.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0614",
    severity: Severity::Error,
    title: "a row at start without a key",
    page: include_str!("../pages/FW0614.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("this row of {} has no key by which it is known again", quoted(subject)))
        .help("give its primary key, or all fields of a unique key, as plain values")
        .fix_of(place)
}
