//! FW0442: a call of what is no external component with an address.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0442",
    severity: Severity::Error,
    title: "a call of nobody outside",
    page: include_str!("../pages/FW0442.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is no external component with an address", quoted(subject)))
        .help("name a component of section 3 with `of`, and give it `**Upstream:** `https://…``")
        .fix_of(place)
}
