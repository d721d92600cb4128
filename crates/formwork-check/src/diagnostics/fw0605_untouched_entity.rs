//! FW0605: an entity that no step reads or writes, and of which nothing speaks where behaviours are prose.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexicon::Kinds;
use crate::names;
use crate::words::{self, quoted};
use formwork_model::names::name_key;
use formwork_syntax::{Span, Spanned};
use rustc_hash::FxHashSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0605",
    severity: Severity::Hint,
    title: "an entity that no step touches",
    page: include_str!("../pages/FW0605.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !names::all_executed(cx) {
        return unspoken(cx);
    }
    let used = names::touched(cx);
    let untouched = cx.model.entities.iter().filter(|entity| !used.contains(entity.name.value.as_str()));
    untouched
        .map(|entity| {
            ENTRY
                .at(entity.name.span, format!("no step reads or writes {}", quoted(&entity.name.value)))
                .help("add an operation that uses it, or leave it out until one does")
        })
        .collect()
}

/// Where behaviours are prose: entities of which nothing outside the data model speaks, in any spelling.
fn unspoken(cx: &Context<'_>) -> Vec<Diagnostic> {
    let entities = &cx.model.entities;
    if entities.is_empty() || cx.model.operations.is_empty() {
        return Vec::new();
    }
    let named: Vec<(Vec<String>, &Spanned<String>)> =
        entities.iter().map(|entity| (words::stems(&entity.name.value), &entity.name)).collect();
    let whole: Vec<String> = entities.iter().map(|entity| name_key(&entity.name.value)).collect();
    let stems = named.iter().flat_map(|(stems, _)| stems);
    let wanted: FxHashSet<&str> = stems.chain(&whole).map(String::as_str).collect();
    let mut own: Vec<Span> = entities.iter().map(|entity| entity.span).collect();
    own.extend(cx.model.relationships.iter().map(|relationship| relationship.span));
    own.sort();
    let said = words::spoken(outside(cx.source, &own), &wanted);
    named
        .iter()
        .filter(|(_, name)| !said.contains(name_key(&name.value).as_str()))
        .filter(|(stems, _)| !stems.is_empty() && !stems.iter().all(|stem| said.contains(stem.as_str())))
        .filter(|(_, name)| !cx.lexicon.is(Kinds::OTHER.and(Kinds::COMPONENT), &name.value))
        .map(|(_, name)| {
            ENTRY
                .at(name.span, format!("nothing outside the data model speaks of {}", quoted(&name.value)))
                .help("say which operation uses it, or leave it out until one does")
        })
        .collect()
}

/// The pieces of a text between sorted places.
fn outside<'s>(source: &'s str, places: &[Span]) -> impl Iterator<Item = &'s str> {
    let mut found = Vec::with_capacity(places.len() + 1);
    let mut at = 0;
    for place in places {
        found.extend(source.get(at as usize..place.start.max(at) as usize));
        at = at.max(place.end);
    }
    found.extend(source.get(at as usize..));
    found.into_iter()
}
