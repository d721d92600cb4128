//! FW2007: `E.f` of the searched entity in a condition.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2007",
    severity: Severity::Error,
    title: "a field of the searched entity behind its name",
    page: include_str!("../pages/FW2007.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, entity: &str, field: &str) -> Diagnostic {
    let field = quoted(field);
    ENTRY
        .at(place.span, format!("{} is what is searched: its field is just {field} here", quoted(entity)))
        .help(format!("write {field}"))
        .fix_of(place)
}
