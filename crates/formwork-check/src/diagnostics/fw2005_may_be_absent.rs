//! FW2005: an optional value where a required one is needed.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2005",
    severity: Severity::Error,
    title: "a value that may be absent where one is needed",
    page: include_str!("../pages/FW2005.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, context: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("{} may be absent, but {context} needs a value", excerpt(cx.source, place.span)),
        )
        .related(place.related, "declared here")
        .help("give a fallback (`a ?? b`), or end before: Fails with `422 missing` when `a == null`")
        .fix_of(place)
}
