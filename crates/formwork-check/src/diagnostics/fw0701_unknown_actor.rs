//! FW0701: an actor of an executable flow step that is neither a role nor anonymous.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0701",
    severity: Severity::Error,
    title: "an actor without a key",
    page: include_str!("../pages/FW0701.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, actor: &str, nearest: Option<&str>) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is neither a role nor anonymous", quoted(actor)))
        .nearest(cx, actor, nearest, "write a role of section 9, or `visitor` for a call without a key")
        .fix_of(place)
}
