//! FW0914: a line that reads like a quota or rate limit and is not understood, so that nothing would enforce it.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0914",
    severity: Severity::Warning,
    title: "a limit that is not understood",
    page: include_str!("../pages/FW0914.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY.at(place.span, format!("limit not enforced: {subject}")).help(
        "write ``- `operation`: 60 requests per minute per caller``, ``- at most 100 `entity` per `field` ``, \
         ``- `operation`: at most 1 at a time per `input.x` `` or `- 1 MB per request`; or say it in other words \
         outside of *Quotas & Rate Limits*",
    )
}
