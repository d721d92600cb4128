//! FW1401: a deliverable that names something that the document does not describe.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1401",
    severity: Severity::Hint,
    title: "a deliverable that is described nowhere",
    page: include_str!("../pages/FW1401.md"),
    rule: Some(rule),
};

/// Finds it: a name with an underscore in code is one of an operation, entity or metric.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let deliverables = cx.model.roadmap.iter().flat_map(|phase| &phase.deliverables);
    deliverables
        .flat_map(|deliverable| names::codes(cx, deliverable.span))
        .filter(|(name, _)| name.contains('_') && !name.starts_with('-') && !cx.lexicon.knows(name))
        .map(|(name, span)| {
            let known = names::operations(cx).chain(names::entities(cx));
            ENTRY.at(span, format!("nothing in this document is called {}", quoted(name))).nearest(
                cx,
                name,
                nearest(name, known),
                "describe it in its section, or name what is there",
            )
        })
        .collect()
}
