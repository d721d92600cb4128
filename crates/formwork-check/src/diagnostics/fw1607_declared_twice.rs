//! FW1607: a name that is declared twice, compared without case.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1607",
    severity: Severity::Error,
    title: "a thing that is declared twice",
    page: include_str!("../pages/FW1607.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, what: &str, name: &str) -> Diagnostic {
    let mut found = ENTRY
        .at(place.span, format!("the {what} {} is declared twice", quoted(name)))
        .related(place.related, "first declared here")
        .help("give one of them another name, or join them");
    if !matches!(what, "entity" | "field" | "operation" | "endpoint") {
        found.severity = Severity::Warning;
    }
    found
}
