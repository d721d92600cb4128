//! FW1002: an event that section 10 declares and no step emits.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::sections::observability::Event;
use rustc_hash::FxHashSet;

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
        return unspoken(cx);
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

/// Where behaviours are prose that names events in code: listed ones that nothing names. An author who names none, or
/// only few, tells elsewhere when they are emitted.
fn unspoken(cx: &Context<'_>) -> Vec<Diagnostic> {
    let model = cx.model;
    if model.events.len() < 2 {
        return Vec::new();
    }
    let operations = model.operations.iter().chain(&model.endpoints).map(|operation| operation.span);
    let places = operations.chain(model.flows.iter().map(|flow| flow.span));
    let places = places.chain(model.components.iter().map(|component| component.span));
    let said: FxHashSet<&str> =
        places.flat_map(|place| names::codes(cx, place)).map(|(name, _)| name).collect();
    let (spoken, silent): (Vec<_>, Vec<_>) =
        model.events.iter().partition(|event| said.contains(event.name.value.as_str()));
    if spoken.len() < 2 || spoken.len() <= silent.len() {
        return Vec::new();
    }
    let finding = |event: &&Event| {
        let message = format!("nothing says what emits {}", quoted(&event.name.value));
        let found = ENTRY.at(event.name.span, message);
        Diagnostic { severity: Severity::Hint, ..found }
            .help("name it in the operation, flow or component that emits it")
    };
    let named_elsewhere = |event: &&Event| cx.source.matches(event.name.value.as_str()).nth(1).is_some();
    silent.iter().filter(|event| !named_elsewhere(event)).map(finding).collect()
}
