//! FW0441: a row of an earlier part that is written without being found again.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0441",
    severity: Severity::Error,
    title: "a write to a copy of an earlier part",
    page: include_str!("../pages/FW0441.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is a copy from before the transaction ended", quoted(subject)))
        .help("find it again after `Commits`, `Calls` or `Waits`: others may have changed the row since")
        .fix_of(place)
}
