//! FW0404: a `Finds` that does not pin a primary or unique key.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0404",
    severity: Severity::Error,
    title: "a search for one row that may find many",
    page: include_str!("../pages/FW0404.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, entity: &str) -> Diagnostic {
    let entity = quoted(entity);
    ENTRY
        .at(place.span, format!("this may find more than one {entity}: no key is fixed"))
        .help(format!("fix a primary or unique key, or write: Finds the first {entity} where …, sorted by …"))
        .fix_of(place)
}
