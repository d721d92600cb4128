//! FW0613: a change of rows that are append only.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0613",
    severity: Severity::Error,
    title: "a change of rows that are append only",
    page: include_str!("../pages/FW0613.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("rows of {} are append only: they are never changed or deleted", quoted(subject)),
        )
        .help("create a row that corrects the other, or take *Append only* out")
        .fix_of(place)
}
