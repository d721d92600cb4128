//! FW2003: an expression that does not parse.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::corrections;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::{clause, excerpt};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2003",
    severity: Severity::Error,
    title: "an expression that does not parse",
    page: include_str!("../pages/FW2003.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(cx: &Context<'_>, place: &Place, problem: &str) -> Diagnostic {
    ENTRY
        .at(place.span, format!("{} is no expression: {}", excerpt(cx.source, place.span), clause(problem)))
        .help("expressions are written as in CEL: `a == b && c < 3`, `\"x\" in list`, `a ?? b`")
        .fix_of(place)
        .mended_by(corrections::of_expression(cx.source, place.span))
}
