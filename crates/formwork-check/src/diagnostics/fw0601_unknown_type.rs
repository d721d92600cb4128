//! FW0601: a type that the language does not know.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0601",
    severity: Severity::Warning,
    title: "an unknown type",
    page: include_str!("../pages/FW0601.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, name: &str, nearest: Option<&str>) -> Diagnostic {
    ENTRY.at(place.span, format!("{} is not a type", quoted(name))).nearest(
        cx,
        name,
        nearest,
        "write a type of the language (`string`, `integer`, …) or an entity; until then it is kept as `json`",
    )
}
