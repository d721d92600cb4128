//! FW0806: a cache layer of answers that may not be kept: the operation writes, counts, locks, or answers differently
//! each time.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;
use formwork_language::program::NotKept;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0806",
    severity: Severity::Error,
    title: "a cache of answers that cannot be kept",
    page: include_str!("../pages/FW0806.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, why: &NotKept) -> Option<Diagnostic> {
    let (message, help) = match why {
        NotKept::Writes(operation) => (
            format!("{} does more than read, and an answer from a cache would do nothing", quoted(operation)),
            "keep the answers of an operation that only reads",
        ),
        NotKept::Counts(operation) => (
            format!(
                "{} fills a metric with each call, and an answer from a cache fills none",
                quoted(operation)
            ),
            "leave out the step that counts: `http.server.request.duration` counts every request",
        ),
        NotKept::Locks(operation) => (
            format!("{} locks rows, and an answer from a cache locks none", quoted(operation)),
            "leave out `locking`, or leave the operation out of the layer",
        ),
        NotKept::Varies(operation, what) => (
            format!("every answer of {} is another one: it asks for {}", quoted(operation), quoted(what)),
            "leave the operation out of the layer",
        ),
        NotKept::Ages(operation, what) => (
            format!(
                "{} asks for {}, and no TTL says how old its answers may become",
                quoted(operation),
                quoted(what)
            ),
            "say it: **TTL:** 60 s",
        ),
        NotKept::NeverAnswers(operation) => (
            format!("{} never answers with a success, and nothing else is kept", quoted(operation)),
            "keep the answers of an operation that answers with 2xx",
        ),
        _ => return None,
    };
    Some(ENTRY.at(place.span, message).help(help))
}
