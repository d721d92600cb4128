//! FW0802: a cache layer that names something that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0802",
    severity: Severity::Warning,
    title: "a cache of something that does not exist",
    page: include_str!("../pages/FW0802.md"),
    rule: Some(rule),
};

/// Whether nothing has the name, and it is no header of a request.
pub(crate) fn is_unknown(cx: &Context<'_>, name: &str, span: Span) -> bool {
    let before = cx.source.get(..span.start as usize).unwrap_or_default().trim_end_matches(['`', ' ']);
    let behind = cx.source.get(span.end as usize..).unwrap_or_default().trim_start_matches(['`', ' ']);
    let is_header = before.ends_with("header") || behind.starts_with("header");
    !is_header && !name.starts_with('-') && !cx.lexicon.knows(name)
}

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let layers = cx.model.caches.iter();
    let prose = layers.flat_map(|layer| layer.what.iter().chain(&layer.invalidation));
    prose
        .flat_map(|prose| names::codes(cx, prose.span))
        .filter(|(name, span)| is_unknown(cx, name, *span))
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
