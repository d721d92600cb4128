//! FW0617: a format that is not known.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0617",
    severity: Severity::Error,
    title: "a format that is not known",
    page: include_str!("../pages/FW0617.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("no format is called {}", quoted(subject)))
        .help("one of `email`, `uri`, `uuid`, `date`, `time`, `date-time`, `ip`, `ipv4`, `ipv6`, `hostname`; or `matches /…/`")
        .fix_of(place)
}
