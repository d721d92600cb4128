//! FW2020: `secret("X")` where a value could be stored, answered or logged.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2020",
    severity: Severity::Error,
    title: "a secret outside of headers",
    page: include_str!("../pages/FW2020.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("{} stands only in headers of calls, with its name in quotes", quoted(subject)),
        )
        .help("write it in a header: `with header `Authorization` = `\"Bearer \" + secret(\"KEY\")``")
        .fix_of(place)
}
