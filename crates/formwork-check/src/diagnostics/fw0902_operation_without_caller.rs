//! FW0902: an operation that no role may call.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0902",
    severity: Severity::Warning,
    title: "an operation that no role may call",
    page: include_str!("../pages/FW0902.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("no role may call {}", quoted(subject)))
        .related(place.related, "it is not granted here")
        .help("grant it in section 9, or write as its first step: Anyone may call this")
        .fix_of(place)
}
