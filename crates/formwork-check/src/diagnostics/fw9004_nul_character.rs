//! FW9004: a NUL character.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9004",
    severity: Severity::Warning,
    title: "a NUL character",
    page: include_str!("../pages/FW9004.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place) -> Diagnostic {
    ENTRY
        .at(place.span, "no Markdown reader keeps the character `U+0000`".to_owned())
        .help("remove it; was the file saved as UTF-16?")
        .fix("remove it", place.span, "")
}
