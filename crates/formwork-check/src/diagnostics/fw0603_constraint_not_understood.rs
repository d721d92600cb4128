//! FW0603: a constraint that begins like one of the language and does not parse.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0603",
    severity: Severity::Warning,
    title: "a constraint that does not parse",
    page: include_str!("../pages/FW0603.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, text: &str, nearest: Option<&str>) -> Diagnostic {
    let help = nearest.map_or_else(
        || {
            "the language has `required`, `unique`, `default X`, `max 100 chars`, `matches /…/` and others"
                .to_owned()
        },
        |form| format!("it is written so: {form}"),
    );
    ENTRY.at(place.span, format!("{} is not a constraint that can be read", quoted(text))).help(help)
}

/// The finding for a rule of a table of SQL that the language cannot hold.
pub(crate) fn found_of_table(place: &Place, text: &str) -> Diagnostic {
    found(place, text, Some("**Constraint:** `EXPR` below the table"))
}
