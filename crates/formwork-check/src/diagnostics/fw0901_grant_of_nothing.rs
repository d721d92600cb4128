//! FW0901: a grant of an operation that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0901",
    severity: Severity::Warning,
    title: "a grant of an operation that does not exist",
    page: include_str!("../pages/FW0901.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let grants = cx.model.authorization.grants.iter().chain(&cx.model.authorization.scoped);
    grants
        .flat_map(|grant| &grant.operations)
        .filter(|name| !names::is_operation(cx, &name.value))
        .filter_map(|name| {
            // `orders:write` is a scope, and a line of prose may name entities, fields or tables.
            if name.value.contains(':') || cx.lexicon.knows(&name.value) {
                return None;
            }
            let near = nearest(&name.value, names::operations(cx));
            let found = ENTRY
                .at(name.span, format!("there is no operation {}", quoted(&name.value)))
                .nearest(cx, &name.value, near, "name an operation of section 4 or 5");
            Some(
                cx.strictness.at_most(if near.is_some() { Severity::Warning } else { Severity::Hint }, found),
            )
        })
        .collect()
}
