//! FW0803: a cache of what operations write that only time clears.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexicon::Kinds;
use crate::names;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0803",
    severity: Severity::Hint,
    title: "a cache that may be stale",
    page: include_str!("../pages/FW0803.md"),
    rule: Some(rule),
};

/// Finds it: *What* names an entity that steps write, or an operation that reads one, and *Invalidation* names none.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let written = names::written(cx);
    let mut found = Vec::new();
    for layer in &cx.model.caches {
        let (Some(what), Some(ttl)) = (&layer.what, &layer.ttl) else { continue };
        let is_cleared = layer.invalidation.as_ref().is_some_and(|invalidation| {
            let text = invalidation.value.to_lowercase();
            !(text.contains("ttl only")
                || text.trim() == "ttl"
                || text.starts_with("none")
                || text.contains("only ttl"))
        });
        if is_cleared {
            continue;
        }
        let stale = names::codes(cx, what.span).into_iter().find_map(|(name, _)| {
            if cx.lexicon.is(Kinds::ENTITY, name) {
                return written.iter().find(|entity| names::same(entity, name)).copied();
            }
            let read = names::behaviour(cx, name)?.touches.reads.iter();
            read.map(|entity| &**entity).find(|entity| written.contains(entity))
        });
        if let Some(entity) = stale {
            found.push(
                ENTRY
                    .at(
                        layer.name.span,
                        format!("only time clears this cache, and steps write {}", quoted(entity)),
                    )
                    .related(Some(ttl.span), "stale for so long")
                    .help(format!("**Invalidation:** on a write to {}", quoted(entity))),
            );
        }
    }
    found
}
