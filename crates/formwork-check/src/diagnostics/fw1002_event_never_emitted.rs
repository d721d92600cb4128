//! FW1002: an event that section 10 declares and no step emits.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1002",
    severity: Severity::Warning,
    title: "an event that is never emitted",
    page: include_str!("../pages/FW1002.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !names::all_executed(cx) {
        return Vec::new();
    }
    let emitted = names::emitted(cx);
    let silent = cx.model.events.iter().filter(|event| !emitted.contains(event.name.value.as_str()));
    silent
        .map(|event| {
            let name = quoted(&event.name.value);
            ENTRY
                .at(event.name.span, format!("no step emits {name}"))
                .help(format!("add a step: Emits {name}. Or leave the event out"))
        })
        .collect()
}
