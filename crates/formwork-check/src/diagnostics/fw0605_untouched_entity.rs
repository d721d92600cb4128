//! FW0605: an entity that no step reads or writes.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0605",
    severity: Severity::Hint,
    title: "an entity that no step touches",
    page: include_str!("../pages/FW0605.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !names::all_executed(cx) {
        return Vec::new();
    }
    let used = names::touched(cx);
    let untouched = cx.model.entities.iter().filter(|entity| !used.contains(entity.name.value.as_str()));
    untouched
        .map(|entity| {
            ENTRY
                .at(entity.name.span, format!("no step reads or writes {}", quoted(&entity.name.value)))
                .help("add an operation that uses it, or leave it out until one does")
        })
        .collect()
}
