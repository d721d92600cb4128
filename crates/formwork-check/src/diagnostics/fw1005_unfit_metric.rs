//! FW1005: a metric of another kind.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1005",
    severity: Severity::Error,
    title: "a metric of another kind",
    page: include_str!("../pages/FW1005.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is a metric of another kind than this step fills", quoted(subject)))
        .help("*Counts* fills a counter, *Observes* a histogram: correct the step or section 10")
        .fix_of(place)
}
