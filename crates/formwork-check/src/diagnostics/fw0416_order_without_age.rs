//! FW0416: an order by age without a time of creation.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0416",
    severity: Severity::Error,
    title: "an order by age without a time of creation",
    page: include_str!("../pages/FW0416.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} has no time of creation to sort by", quoted(subject)))
        .help("give it a field `created_at` (timestamp) | when it was made | set to now on create; or write `sorted by`")
        .fix_of(place)
}
