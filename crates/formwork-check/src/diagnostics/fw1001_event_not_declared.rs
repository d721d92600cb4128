//! FW1001: an event that a step emits and section 10 does not declare.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1001",
    severity: Severity::Warning,
    title: "an event that is not declared",
    page: include_str!("../pages/FW1001.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, event: &str, nearest: Option<&str>) -> Diagnostic {
    let name = quoted(event);
    let otherwise = format!("declare it under *Events*: - {name}: when …; data `id`");
    ENTRY
        .at(place.span, format!("{name} is not declared in section 10"))
        .nearest(cx, event, nearest, &otherwise)
        .fix_of(place)
}
