//! FW2001: a name that nothing has.

use crate::catalogue::Entry;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW2001",
    severity: Severity::Error,
    title: "a name that nothing has",
    page: include_str!("../pages/FW2001.md"),
    rule: None,
};

/// The finding.
pub(crate) fn found(
    cx: &Context<'_>,
    place: &Place,
    what: &str,
    name: &str,
    nearest: Option<&str>,
) -> Diagnostic {
    let otherwise = match what {
        "variable" if is_in_flow(cx, place) => {
            "write `response.…` for a field of the answer, or remember it before, as in: ; remembers `x` = `response.…`"
        }
        "variable" => "bind it before, as in: Lets `x` be `…`; or write `input.…` for a field of the input",
        "row" => "write a number, or a field of the row that *per* refers to, as in `payment.captured`",
        "function" => "the language reference lists all functions",
        _ => "declare it, or correct the name",
    };
    ENTRY
        .at(place.span, format!("there is no {what} {}", quoted(name)))
        .nearest(cx, name, nearest, otherwise)
        .fix_of(place)
}

/// Whether it stands in a flow. Flows stand in the order of the text.
fn is_in_flow(cx: &Context<'_>, place: &Place) -> bool {
    let after = cx.model.flows.partition_point(|flow| flow.span.start <= place.span.start);
    let before = after.checked_sub(1).and_then(|at| cx.model.flows.get(at));
    before.is_some_and(|flow| flow.span.contains(place.span))
}
