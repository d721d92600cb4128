//! FW0440: a call that follows a write without `Commits` between.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0440",
    severity: Severity::Error,
    title: "a call after a write that is not committed",
    page: include_str!("../pages/FW0440.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is called after a write that is not committed", quoted(subject)))
        .help("put `Commits.` before the call: no transaction is held open while another service answers")
        .fix_of(place)
}
