//! FW0410: a created row whose required field nothing sets.

use crate::catalogue::Entry;
use crate::context::Place;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0410",
    severity: Severity::Error,
    title: "a required field that nothing sets",
    page: include_str!("../pages/FW0410.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(place: &Place, entity: &str, field: &str) -> Diagnostic {
    let field = quoted(field);
    ENTRY
        .at(place.span, format!("this {} is created without its required {field}", quoted(entity)))
        .related(place.related, "declared here")
        .help(format!(
            "set it in the step: with `{} = …`; or give the field a default",
            field.trim_matches('`')
        ))
        .fix_of(place)
}
