//! FW0406: a behaviour without an answer whose Output names none.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0406",
    severity: Severity::Error,
    title: "a behaviour that answers nothing",
    page: include_str!("../pages/FW0406.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, operation: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} never says what it answers", quoted(operation)))
        .related(place.related, "this does not say it either")
        .help("end the behaviour with `Returns …`, or name the answer in **Output:**, as in: the `link`")
        .fix_of(place)
}
