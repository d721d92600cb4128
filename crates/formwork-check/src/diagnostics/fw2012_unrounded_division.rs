//! FW2012: a division of decimals that is not rounded.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2012",
    severity: Severity::Error,
    title: "a division of decimals that is not rounded",
    page: include_str!("../pages/FW2012.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} of decimals has no exact result", quoted(subject)))
        .help("say to how many digits: `round(a / b, 2)` or `round_half_even(a / b, 2)`")
        .fix_of(place)
}
