//! FW1608: a thing that is named in another spelling than it is declared.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::name_key;
use formwork_syntax::{Span, Spanned};
use rustc_hash::FxHashMap;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1608",
    severity: Severity::Hint,
    title: "a name in two spellings",
    page: include_str!("../pages/FW1608.md"),
    rule: Some(rule),
};

/// Finds it in grants, targets, audits and relationships; in caches, flows and deliverables only when more than a plural differs.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let model = cx.model;
    let mut declared: FxHashMap<String, Vec<&Spanned<String>>> = FxHashMap::default();
    let operations = model.operations.iter().chain(&model.endpoints).map(|operation| &operation.name);
    let entities = model.entities.iter().map(|entity| &entity.name);
    let events = model.events.iter().map(|event| &event.name);
    for name in operations.chain(entities).chain(events) {
        declared.entry(name_key(&name.value)).or_default().push(name);
    }
    let granted = model.authorization.grants.iter().flat_map(|grant| &grant.operations);
    let targets = model.slos.iter().filter_map(|slo| slo.operation.as_ref());
    let audited = model.audit.iter().flat_map(|audit| &audit.subjects);
    let related = model.relationships.iter().flat_map(|it| [&it.from, &it.to]);
    let formal = granted.chain(targets).map(|name| (name.value.as_str(), name.span, true));
    let formal = formal.chain(audited.chain(related).map(|name| (name.value.as_str(), name.span, false)));
    let caches = model.caches.iter().flat_map(|layer| layer.what.iter().chain(&layer.invalidation));
    let deliverables = model.roadmap.iter().flat_map(|phase| &phase.deliverables);
    let codes = caches.chain(deliverables).flat_map(|prose| names::codes(cx, prose.span));
    let mut found = Vec::new();
    for (name, span, plural_counts) in formal.chain(codes.map(|(name, span)| (name, span, false))) {
        let Some(known) = declared.get(&name_key(name)) else { continue };
        let differs = |known: &&Spanned<String>| {
            known.value == name || (!plural_counts && is_plural_only(&known.value, name))
        };
        if let (false, Some(first)) = (known.iter().any(differs), known.first()) {
            found.push(finding(cx, name, span, first));
        }
    }
    found
}

fn finding(cx: &Context<'_>, name: &str, span: Span, declared: &Spanned<String>) -> Diagnostic {
    ENTRY
        .at(span, format!("{} is declared as {}", quoted(name), quoted(&declared.value)))
        .related(Some(declared.span), "declared here")
        .nearest(cx, name, Some(&declared.value), "")
}

/// Whether two names differ by the plural alone: `links` in a sentence about `link`.
fn is_plural_only(one: &str, other: &str) -> bool {
    one.starts_with(other)
        || other.starts_with(one)
        || one.trim_end_matches('y') == other.trim_end_matches("ies")
}
