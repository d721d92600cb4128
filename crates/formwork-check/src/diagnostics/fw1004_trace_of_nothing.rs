//! FW1004: a trace that begins with a misspelt operation.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1004",
    severity: Severity::Warning,
    title: "a trace of an operation that does not exist",
    page: include_str!("../pages/FW1004.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let traces = cx.model.traces.iter();
    traces
        .filter_map(|trace| trace.spans.first())
        .filter(|name| !names::is_operation(cx, &name.value))
        .filter_map(|name| {
            let near = nearest(&name.value, names::operations(cx))?;
            let found = ENTRY.at(name.span, format!("there is no operation {}", quoted(&name.value)));
            Some(found.nearest(cx, &name.value, Some(near), ""))
        })
        .collect()
}
