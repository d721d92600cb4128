//! FW0401: a sentence of an executed behaviour that is no step.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0401",
    severity: Severity::Error,
    title: "a sentence that would be skipped",
    page: include_str!("../pages/FW0401.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is no step and would be skipped", excerpt(cx.source, place.span)))
        .help("write it as a step of the language, or mark it as a remark: `Note: …`")
        .fix_of(place)
}
