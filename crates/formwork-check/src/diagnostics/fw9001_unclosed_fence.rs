//! FW9001: a code block that is never closed.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9001",
    severity: Severity::Warning,
    title: "a code block that is never closed",
    page: include_str!("../pages/FW9001.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place) -> Diagnostic {
    let line = cx.source.get(place.span.range()).and_then(|text| text.lines().next()).unwrap_or_default();
    ENTRY
        .at(
            place.span,
            format!(
                "the code block {} is never closed",
                quoted(&format!("fence {}", line.trim_matches(['`', '~'])))
            ),
        )
        .help("close it with the same marks on a line of their own")
}
