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
    let text = cx.source.get(place.span.range()).unwrap_or_default();
    let first = text.lines().nth(1).filter(|line| !line.trim().is_empty());
    let message = match first {
        Some(line) => format!("the code block that begins with {} is never closed", quoted(line)),
        None => "this code block is never closed: all below it is `code`".to_owned(),
    };
    ENTRY.at(place.span, message).help("close it with the same marks on a line of their own")
}
