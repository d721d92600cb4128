//! FW0602: a field without a type.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0602",
    severity: Severity::Warning,
    title: "a field without a type",
    page: include_str!("../pages/FW0602.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, field: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} has no type", quoted(field)))
        .help(format!("write it behind the name: {} (string)", quoted(field)))
}
