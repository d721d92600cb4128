//! FW0611: a rule that changes by itself.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0611",
    severity: Severity::Error,
    title: "a rule that changes by itself",
    page: include_str!("../pages/FW0611.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} changes by itself, and a rule must not", quoted(subject)))
        .help("test it in the step that writes: *Fails with …* when the condition does not hold")
        .fix_of(place)
}
