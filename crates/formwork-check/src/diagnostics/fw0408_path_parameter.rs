//! FW0408: a path parameter that Input does not declare, or the other way round.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0408",
    severity: Severity::Error,
    title: "a path parameter that Input and path do not share",
    page: include_str!("../pages/FW0408.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, name: &str, path: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} stands only in one of Input and path {}", quoted(name), quoted(path)))
        .related(place.related, "the other side")
        .help(format!(
            "declare it in **Input:** and write it as {{{}}} in the path",
            quoted(name).trim_matches('`')
        ))
        .fix_of(place)
}
