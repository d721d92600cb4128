//! FW2006: a variable with the name of a field of the searched entity.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2006",
    severity: Severity::Error,
    title: "a variable that hides a field",
    page: include_str!("../pages/FW2006.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, name: &str, entity: &str) -> Diagnostic {
    let name = quoted(name);
    ENTRY
        .at(place.span, format!("{name} is both a variable and a field of {}", quoted(entity)))
        .related(place.related, "the variable is bound here")
        .help(format!("give the variable another name, such as `the_{}`", name.trim_matches('`')))
        .fix_of(place)
}
