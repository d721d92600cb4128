//! FW0411: a field that an update may not set.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0411",
    severity: Severity::Error,
    title: "a field that may not be set",
    page: include_str!("../pages/FW0411.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, entity: &str, field: &str, reason: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} of {} is {reason} and may not be set", quoted(field), quoted(entity)))
        .related(place.related, "declared here")
        .help(format!("leave it out of the step, or take `{reason}` from the field"))
        .fix_of(place)
}
