//! FW2002: a field that the thing does not have.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2002",
    severity: Severity::Error,
    title: "a field that does not exist",
    page: include_str!("../pages/FW2002.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(
    cx: &Context<'_>,
    place: &Place,
    of: &str,
    field: &str,
    nearest: Option<&str>,
) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} has no field {}", quoted(of), quoted(field)))
        .nearest(cx, field, nearest, "declare the field, or correct its name")
        .fix_of(place)
}
