//! FW0616: a secret that is read.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0616",
    severity: Severity::Error,
    title: "a secret that is read",
    page: include_str!("../pages/FW0616.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("{} is secret: it can be compared, and is read in no other way", quoted(subject)),
        )
        .help("compare it with `==`, or take another field")
        .fix_of(place)
}
