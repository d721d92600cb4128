//! FW0604: a relationship with an entity that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0604",
    severity: Severity::Warning,
    title: "a relationship with an entity that does not exist",
    page: include_str!("../pages/FW0604.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let relationships = cx.model.relationships.iter();
    relationships
        .flat_map(|relationship| [&relationship.from, &relationship.to])
        .filter(|name| !names::is_entity(cx, &name.value))
        .map(|name| {
            ENTRY.at(name.span, format!("there is no entity {}", quoted(&name.value))).nearest(
                cx,
                &name.value,
                nearest(&name.value, names::entities(cx)),
                "declare the entity, or leave the relationship out",
            )
        })
        .collect()
}
