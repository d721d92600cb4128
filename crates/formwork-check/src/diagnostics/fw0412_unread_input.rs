//! FW0412: a field of the input that no step reads.

use crate::cascades;
use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::quoted;
use formwork_language::program::Mode;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0412",
    severity: Severity::Hint,
    title: "an input that no step reads",
    page: include_str!("../pages/FW0412.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let noted = cascades::noted(cx);
    let operations = cx.model.operations.iter().chain(&cx.model.endpoints);
    let executed = operations.zip(&cx.compiled.behaviours).filter(|(operation, behaviour)| {
        behaviour.mode == Mode::Executed && !cascades::is_broken(&noted, operation.span)
    });
    executed
        .flat_map(|(operation, behaviour)| {
            let read = |name: &str| behaviour.touches.inputs.iter().any(|input| &**input == name);
            operation.input.fields.iter().filter(move |field| !read(&field.name.value))
        })
        .map(|field| {
            ENTRY
                .at(field.name.span, format!("no step reads the input {}", quoted(&field.name.value)))
                .help("use it in a step, or take it from the input")
        })
        .collect()
}
