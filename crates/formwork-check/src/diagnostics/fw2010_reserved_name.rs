//! FW2010: a reserved name.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2010",
    severity: Severity::Error,
    title: "a reserved name",
    page: include_str!("../pages/FW2010.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is a reserved name", quoted(subject)))
        .help("choose another; reserved are `input`, `caller`, `request`, `response`, `event`, `true`, `false`, `null`, `in`")
        .fix_of(place)
}
