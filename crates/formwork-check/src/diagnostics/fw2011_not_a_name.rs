//! FW2011: a name with unfit characters.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2011",
    severity: Severity::Error,
    title: "a name with unfit characters",
    page: include_str!("../pages/FW2011.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} cannot be the name of a variable", quoted(subject)))
        .help("use letters, digits and `_`, and begin with a letter")
        .fix_of(place)
}
