//! FW1606: a label that the form does not have at this place.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1606",
    severity: Severity::Warning,
    title: "a label that the form does not have",
    page: include_str!("../pages/FW1606.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, label: &str, nearest: Option<&str>) -> Diagnostic {
    ENTRY.at(place.span, format!("{} is not a label of the form here", quoted(label))).nearest(
        cx,
        label,
        nearest,
        "use a label of the form, or write it as a sentence",
    )
}
