//! FW0419: a write-only field that is sent.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0419",
    severity: Severity::Error,
    title: "a write-only field that is sent",
    page: include_str!("../pages/FW0419.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    let name = quoted(subject);
    ENTRY
        .at(place.span, format!("{name} is write-only: no answer, refusal or event may tell it"))
        .help(
            "leave it out, or send what does not tell it, such as `sha256(…)` or whether it is set: `has(…)`",
        )
        .fix_of(place)
}
