//! FW0943: a cost that is known only after calls to others, without a bound to keep back before.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0943",
    severity: Severity::Error,
    title: "a cost without a bound",
    page: include_str!("../pages/FW0943.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    ENTRY
        .at(
            place.span,
            format!(
                "what {} costs is known only behind its calls, and nothing is kept back",
                quoted(subject)
            ),
        )
        .help("say what it costs at most: ``…, at most `input.max_tokens * 0.00002` USD``")
}
