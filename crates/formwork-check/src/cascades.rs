//! One mistake gives one diagnostic: which notes only follow from an earlier one in the same behaviour.
//!
//! A step that is not understood binds nothing and answers nothing, so that later steps miss its variables and the
//! behaviour seems not to answer. Such notes are left out until the first mistake is mended.

use crate::context::Context;
use formwork_language::notes::{Note, NoteKind};
use formwork_syntax::Span;
use std::collections::BTreeMap;

/// The notes of the language without those that follow from others, in the same order.
pub(crate) fn without<'a>(cx: &Context<'a>) -> Vec<&'a Note> {
    let regions = regions(cx);
    let region = |note: &Note| {
        let after = regions.partition_point(|region| region.start <= note.span.start);
        after
            .checked_sub(1)
            .map(|at| regions[at])
            .filter(|region| region.contains(note.span))
            .map(|found| found.start)
    };
    let mut first_mistake: BTreeMap<u32, u32> = BTreeMap::new();
    for note in cx.compiled.notes.iter().filter(|note| is_root(note)) {
        if let Some(region) = region(note) {
            let first = first_mistake.entry(region).or_insert(note.span.start);
            *first = (*first).min(note.span.start);
        }
    }
    let follows = |note: &&Note| {
        let first = region(note).and_then(|region| first_mistake.get(&region));
        match note.kind {
            NoteKind::NeverAnswers { .. } => first.is_some(),
            NoteKind::UnknownName { what: "variable", .. } => {
                first.is_some_and(|first| *first < note.span.start)
            }
            _ => false,
        }
    };
    cx.compiled.notes.iter().filter(|note| !follows(note)).collect()
}

/// Where the language notes something, sorted.
pub(crate) fn noted(cx: &Context<'_>) -> Vec<u32> {
    let mut starts: Vec<u32> = cx.compiled.notes.iter().map(|note| note.span.start).collect();
    starts.sort_unstable();
    starts
}

/// Whether one of the sorted places lies inside a span.
pub(crate) fn is_broken(noted: &[u32], place: Span) -> bool {
    noted.get(noted.partition_point(|start| *start < place.start)).is_some_and(|start| *start < place.end)
}

/// Whether a note can be the cause of others.
fn is_root(note: &Note) -> bool {
    !matches!(
        note.kind,
        NoteKind::NeverAnswers { .. }
            | NoteKind::Unreachable
            | NoteKind::EventNotDeclared { .. }
            | NoteKind::RouteCollision { .. }
            | NoteKind::Other { .. }
    )
}

/// Operations, endpoints, components and flows, by place: notes of one do not cause notes of another.
fn regions(cx: &Context<'_>) -> Vec<Span> {
    let operations = cx.model.operations.iter().chain(&cx.model.endpoints).map(|operation| operation.span);
    let components = cx.model.components.iter().map(|component| component.span);
    let flows = cx.model.flows.iter().map(|flow| flow.span);
    let mut regions: Vec<Span> = operations.chain(components).chain(flows).collect();
    regions.sort_by_key(|span| span.start);
    regions
}
