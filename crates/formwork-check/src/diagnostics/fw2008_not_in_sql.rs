//! FW2008: a condition over fields that SQL cannot decide.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::clause;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2008",
    severity: Severity::Error,
    title: "a condition that the database cannot decide",
    page: include_str!("../pages/FW2008.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, what: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} cannot be decided over fields by the database", clause(what)))
        .help("compute it before with `Lets`, or compare the field by `==`, `<`, `in`, `startsWith`, …")
        .fix_of(place)
}
