//! FW2004: types that do not fit.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2004",
    severity: Severity::Error,
    title: "types that do not fit",
    page: include_str!("../pages/FW2004.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(
    cx: &Context<'_>,
    place: &Place,
    expected: &str,
    found: &str,
    context: &str,
) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("{} is {found}, but {context} wants {expected}", excerpt(cx.source, place.span)),
        )
        .related(place.related, "declared here")
        .help(match context.starts_with("`.") {
            true => "only a row or an object has members; a reference is the key alone: find the row first"
                .to_owned(),
            false => format!("give a value of type {expected}"),
        })
        .fix_of(place)
}
