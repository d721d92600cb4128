//! FW0802: a cache layer that names something that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0802",
    severity: Severity::Warning,
    title: "a cache of something that does not exist",
    page: include_str!("../pages/FW0802.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let layers = cx.model.caches.iter();
    let prose = layers.flat_map(|layer| layer.what.iter().chain(&layer.invalidation));
    prose
        .flat_map(|prose| names::codes(cx, prose.span))
        .filter(|(name, _)| !name.starts_with('-') && !cx.lexicon.knows(name))
        .filter_map(|(name, span)| {
            let known = names::operations(cx).chain(names::entities(cx)).chain(names::events(cx));
            let near = nearest(name, known);
            // What caches a document in prose names need not be declared in it.
            if near.is_none() && !cx.strictness.speaks() {
                return None;
            }
            let found = ENTRY.at(span, format!("{} is no operation, entity or event", quoted(name))).nearest(
                cx,
                name,
                near,
                "name an operation whose answers are kept, or an entity that is read",
            );
            Some(found)
        })
        .collect()
}
