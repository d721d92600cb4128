//! FW1009: a handler changes the row that it was told of, which is a copy.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1009",
    severity: Severity::Error,
    title: "a copy that is changed",
    page: include_str!("../pages/FW1009.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    let help = "find the row again: Finds the `E` where `id == E.id` as `current`, or stops";
    ENTRY.at(place.span, format!("{} is a copy of the row as it was told", quoted(subject))).help(help)
}
