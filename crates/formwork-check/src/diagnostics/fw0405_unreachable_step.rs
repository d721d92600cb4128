//! FW0405: a step behind one that always ends the behaviour.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::excerpt;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0405",
    severity: Severity::Warning,
    title: "a step that is never reached",
    page: include_str!("../pages/FW0405.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is never reached", excerpt(cx.source, place.span)))
        .related(place.related, "the behaviour always ends here")
        .help("remove it, or put it before the step that ends the behaviour")
        .fix_of(place)
}
