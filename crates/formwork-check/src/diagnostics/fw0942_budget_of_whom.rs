//! FW0942: a budget of which it is not known for whom an operation spends it.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0942",
    severity: Severity::Error,
    title: "a budget of whom is not known",
    page: include_str!("../pages/FW0942.md"),
    rule: None,
};

/// The finding; the subject is what stands behind *per* and the operation.
pub(crate) fn found(place: &Place, subject: &str) -> Diagnostic {
    let (per, operation) = subject.split_once('\n').unwrap_or((subject, ""));
    ENTRY
        .at(place.span, format!("{} is not known in {} before it does anything", quoted(per), quoted(operation)))
        .help(format!(
            "make it an input or a field of the one row that its first steps find, or write what it is, as in \
             ``per `caller.claims.{}` ``",
            per.rsplit('.').next().unwrap_or(per)
        ))
}
