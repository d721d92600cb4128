//! FW0418: an answer without what Output declares.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0418",
    severity: Severity::Error,
    title: "an answer without what Output declares",
    page: include_str!("../pages/FW0418.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    let name = quoted(subject);
    ENTRY
        .at(place.span, format!("Output declares {name}, and this answer does not have it"))
        .help(format!("give {name} a value here, or mark it `optional` in Output"))
        .fix_of(place)
}
