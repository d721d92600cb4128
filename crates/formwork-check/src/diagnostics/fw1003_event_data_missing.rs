//! FW1003: a datum of an event that nothing gives.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1003",
    severity: Severity::Error,
    title: "data of an event that nothing gives",
    page: include_str!("../pages/FW1003.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, event: &str, member: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("nothing gives {} of the event {}", quoted(member), quoted(event)))
        .related(place.related, "declared here")
        .help(format!("give it in the step: with `{} = …`", quoted(member).trim_matches('`')))
        .fix_of(place)
}
