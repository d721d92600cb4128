//! FW0615: computed fields that depend on each other.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0615",
    severity: Severity::Error,
    title: "computed fields that depend on each other",
    page: include_str!("../pages/FW0615.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} cannot be computed: each needs the other", quoted(subject)))
        .help("compute them from fields that are set")
        .fix_of(place)
}
