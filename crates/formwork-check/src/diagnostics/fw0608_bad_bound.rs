//! FW0608: a bound that is no number.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0608",
    severity: Severity::Error,
    title: "a bound that is no number",
    page: include_str!("../pages/FW0608.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is no number that can be a bound", quoted(subject)))
        .help("write digits, with a point for fractions: `≥ 0.5`")
        .fix_of(place)
}
