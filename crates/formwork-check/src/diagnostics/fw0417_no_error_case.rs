//! FW0417: an operation of which the document says no error case.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0417",
    severity: Severity::Hint,
    title: "an operation without an error case",
    page: include_str!("../pages/FW0417.md"),
    rule: Some(rule),
};

/// Words of prose that speak of an error.
const ERRORS: [&str; 14] = [
    "fail",
    "error",
    "reject",
    "refus",
    "invalid",
    "not found",
    "unless",
    "denied",
    "forbid",
    "conflict",
    "missing",
    "otherwise",
    "exit",
    "exception",
];

/// Finds it in a whole document: an operation with input, none of whose steps or sentences speaks of an error.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !cx.whole {
        return Vec::new();
    }
    let operations = cx.model.operations.iter().zip(&cx.compiled.behaviours);
    operations
        .filter(|(operation, behaviour)| {
            let has_input = !operation.input.fields.is_empty() || operation.input.reference.is_some();
            let raises = behaviour.steps.iter().any(|step| !step.errors.is_empty());
            let is_silent = || {
                let text = operation.span.slice(cx.source).to_lowercase();
                !has_status(&text) && !ERRORS.iter().any(|word| text.contains(word))
            };
            // What runs checks its input by itself.
            !behaviour.mode.runs()
                && has_input
                && operation.behavior_span.is_some()
                && !raises
                && operation.errors.is_empty()
                && is_silent()
        })
        .map(|(operation, _)| {
            ENTRY
                .at(
                    operation.name.span,
                    format!("no error case of {} is described", quoted(&operation.name.value)),
                )
                .help("say what happens with wrong input, or when what it needs is not there")
        })
        .collect()
}

/// Whether a status from 400 to 599 stands in the text.
fn has_status(text: &str) -> bool {
    text.split(|it: char| !it.is_ascii_digit())
        .any(|digits| digits.len() == 3 && digits.starts_with(['4', '5']))
}
