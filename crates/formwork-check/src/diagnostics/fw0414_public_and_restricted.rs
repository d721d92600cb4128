//! FW0414: an operation both public and restricted.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0414",
    severity: Severity::Error,
    title: "an operation both public and restricted",
    page: include_str!("../pages/FW0414.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is open to anyone and restricted at once", quoted(subject)))
        .help("keep either *Anyone may call this* or *Requires …*")
        .fix_of(place)
}
