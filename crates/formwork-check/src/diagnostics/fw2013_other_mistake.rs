//! FW2013: a mistake without words of its own.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2013",
    severity: Severity::Error,
    title: "a mistake without words of its own",
    page: include_str!("../pages/FW2013.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is not allowed here", quoted(subject)))
        .help("the language reference describes what may stand here")
        .fix_of(place)
}
