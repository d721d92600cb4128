//! FW1610: a line directly below a list that Markdown takes for part of the last item.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1610",
    severity: Severity::Hint,
    title: "a line that Markdown takes for part of the item above",
    page: include_str!("../pages/FW1610.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place) -> Diagnostic {
    let start = Span::new(place.span.start, place.span.start);
    let line = place.span.slice(cx.source).lines().next().unwrap_or_default();
    ENTRY
        .at(place.span, format!("Markdown takes {} for part of the item above", quoted(line)))
        .related(place.related, "the item")
        .help("it is read as a paragraph: put a blank line before it, or indent it if it belongs to the item")
        .fix("put a blank line before it", start, "\n")
}
