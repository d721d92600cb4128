//! FW0905: a line of the audit trail that names something that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0905",
    severity: Severity::Warning,
    title: "an audit of something that does not exist",
    page: include_str!("../pages/FW0905.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let audits = cx.model.audit.iter();
    audits
        .flat_map(|audit| &audit.subjects)
        .filter(|name| !name.value.starts_with('-') && !cx.lexicon.knows(&name.value))
        .filter_map(|name| {
            let known = names::entities(cx).chain(names::operations(cx)).chain(names::events(cx));
            let near = nearest(&name.value, known);
            if near.is_none() && !cx.strictness.speaks() {
                return None;
            }
            let found = ENTRY
                .at(name.span, format!("{} is no entity, operation or event", quoted(&name.value)))
                .nearest(cx, &name.value, near, "name an entity or an operation");
            Some(found)
        })
        .collect()
}
