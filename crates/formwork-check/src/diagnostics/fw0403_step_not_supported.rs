//! FW0403: a form of the language that this version does not run.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0403",
    severity: Severity::Error,
    title: "a step that this version does not run",
    page: include_str!("../pages/FW0403.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, form: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is a step that this version does not run", quoted(form)))
        .help("leave it out, or mark it as a remark: `Note: …`")
        .fix_of(place)
}
