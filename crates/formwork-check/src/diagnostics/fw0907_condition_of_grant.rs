//! FW0907: a condition of a grant that cannot be held.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0907",
    severity: Severity::Error,
    title: "a condition of a grant that cannot be held",
    page: include_str!("../pages/FW0907.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!("the condition of this grant cannot be held: {subject}"),
        )
        .help("name the `caller`, the `input`, and one row that the steps find, as in `link.owner_id == caller.id`")
        .fix_of(place)
}
