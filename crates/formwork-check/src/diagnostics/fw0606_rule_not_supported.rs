//! FW0606: a rule that is not enforced.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0606",
    severity: Severity::Error,
    title: "a rule that is not enforced",
    page: include_str!("../pages/FW0606.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("the rule {} is not enforced by this version", quoted(subject)))
        .help("only texts are kept as digests: make it a `string`, or take `secret` out")
        .fix_of(place)
}
