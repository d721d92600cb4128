//! FW0430: a behaviour without steps, whose steps the rest of the operation determines.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Edit, Fix, Severity};
use crate::words::quoted;
use formwork_language::behaviour::Inference;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0430",
    severity: Severity::Hint,
    title: "a behaviour whose steps are inferred",
    page: include_str!("../pages/FW0430.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let operations = cx.model.operations.iter().chain(&cx.model.endpoints);
    let inferred = operations.zip(&cx.compiled.behaviours).filter_map(|(operation, behaviour)| {
        let Inference::Steps(inferred) = &behaviour.inference else { return None };
        let message =
            format!("{} runs with inferred steps: it {}", quoted(&operation.name.value), inferred.summary);
        let place = operation.behavior_span.or(operation.path.as_ref().map(|path| path.span));
        let found = ENTRY.at(place.unwrap_or(operation.name.span), message);
        let mut found = found
            .help(format!("these steps run until the behaviour has its own: {}", inferred.steps.join(" ")));
        if !inferred.edits.is_empty() {
            let edit =
                |(span, text): &(formwork_syntax::Span, String)| Edit { span: *span, text: text.clone() };
            let edits = inferred.edits.iter().map(edit).collect();
            found.fix = Some(Fix { title: "write the inferred steps into the behaviour".to_owned(), edits });
        }
        Some(found)
    });
    inferred.collect()
}
