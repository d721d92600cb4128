//! FW2009: a variable that is bound twice.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2009",
    severity: Severity::Error,
    title: "a variable that is bound twice",
    page: include_str!("../pages/FW2009.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, name: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("the variable {} is bound twice", quoted(name)))
        .related(place.related, "first bound here")
        .help("give one of them another name")
        .fix_of(place)
}
