//! FW9003: blocks that are nested too deeply to be read.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9003",
    severity: Severity::Warning,
    title: "blocks that are nested too deeply",
    page: include_str!("../pages/FW9003.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("{} is nested too deeply and read as plain text", excerpt(cx.source, place.span)),
        )
        .help(format!("nest at most {} levels", formwork_syntax::MAX_DEPTH))
}
