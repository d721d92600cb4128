//! Which names a document declares, and which of them its steps use: what the rules ask most.
//!
//! Names in prose match as the language has it: without case, separators and plural.

use crate::context::Context;
use crate::lexicon::Kinds;
use formwork_language::behaviour::{Behaviour, Touches};
use formwork_language::program::{AccessRule, Mode};
use formwork_model::names::same_name;
use formwork_model::sections::interface::Operation;
use formwork_syntax::Span;
use std::collections::BTreeSet;

/// What is measured of every operation and of all together.
pub(crate) const OPERATION_METRICS: [&str; 4] = ["latency", "availability", "error_rate", "throughput"];

fn declared<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Operation> {
    cx.model.operations.iter().chain(&cx.model.endpoints)
}

/// Names of the operations and endpoints.
pub(crate) fn operations<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a str> {
    declared(cx).map(|operation| operation.name.value.as_str())
}

/// Names of the entities.
pub(crate) fn entities<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a str> {
    cx.model.entities.iter().map(|entity| entity.name.value.as_str())
}

/// Names of the events.
pub(crate) fn events<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a str> {
    cx.model.events.iter().map(|event| event.name.value.as_str())
}

/// Whether an operation or endpoint has the name, or the method and path.
pub(crate) fn is_operation(cx: &Context<'_>, name: &str) -> bool {
    cx.lexicon.is(Kinds::OPERATION, name)
        || name.split_once(' ').is_some_and(|(method, path)| cx.lexicon.has_route(method, path.trim()))
}

/// Whether an entity has the name.
pub(crate) fn is_entity(cx: &Context<'_>, name: &str) -> bool {
    cx.lexicon.is(Kinds::ENTITY, name)
}

fn position(cx: &Context<'_>, name: &str) -> Option<usize> {
    cx.operations.find(name).or_else(|| {
        let (method, path) = name.split_once(' ')?;
        cx.routes.get(&format!("{method} {}", path.trim())).copied()
    })
}

/// The behaviour of an operation.
pub(crate) fn behaviour<'a>(cx: &Context<'a>, operation: &str) -> Option<&'a Behaviour> {
    cx.compiled.behaviours.get(position(cx, operation)?)
}

/// Where an operation is declared.
pub(crate) fn declaration(cx: &Context<'_>, operation: &str) -> Option<Span> {
    declared(cx).nth(position(cx, operation)?).map(|operation| operation.name.span)
}

/// Who may call an operation; absent for commands.
pub(crate) fn access<'a>(cx: &Context<'a>, behaviour: &Behaviour) -> Option<&'a AccessRule> {
    let operation = cx.compiled.program.operations.get(behaviour.program? as usize)?;
    Some(&operation.access)
}

/// Names of the metrics that something measures.
pub(crate) fn measured<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a str> {
    let own = cx.model.metrics.iter().map(|metric| metric.name.value.as_str());
    OPERATION_METRICS.into_iter().chain(["cache_hit_ratio"]).chain(own)
}

/// Whether every operation is executed and read without a note: only then is what no step uses used by nothing.
pub(crate) fn all_executed(cx: &Context<'_>) -> bool {
    let mut behaviours = cx.compiled.behaviours.iter();
    !cx.compiled.behaviours.is_empty()
        && cx.compiled.notes.is_empty()
        && behaviours.all(|behaviour| behaviour.mode == Mode::Executed)
}

fn touches<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Touches> {
    let behaviours = cx.compiled.behaviours.iter().map(|behaviour| &behaviour.touches);
    behaviours.chain(cx.compiled.standing.iter().map(|standing| &standing.touches))
}

/// Entities that some step reads or writes.
pub(crate) fn touched<'a>(cx: &Context<'a>) -> BTreeSet<&'a str> {
    touches(cx).flat_map(|touches| touches.reads.iter().chain(&touches.writes)).map(|name| &**name).collect()
}

/// Entities that some step writes.
pub(crate) fn written<'a>(cx: &Context<'a>) -> BTreeSet<&'a str> {
    touches(cx).flat_map(|touches| &touches.writes).map(|name| &**name).collect()
}

/// Whether two names mean the same.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one == other || same_name(one, other)
}

/// Events that some step emits.
pub(crate) fn emitted<'a>(cx: &Context<'a>) -> BTreeSet<&'a str> {
    touches(cx).flat_map(|touches| &touches.emits).map(|name| &**name).collect()
}

/// The code spans in a piece of prose that look like names, with their places.
pub(crate) fn codes<'a>(cx: &Context<'a>, span: Span) -> Vec<(&'a str, Span)> {
    let text = cx.source.get(span.range()).unwrap_or_default();
    let mut found = Vec::new();
    let mut at = span.start;
    for (index, piece) in text.split('`').enumerate() {
        let is_name = |piece: &str| {
            let mut letters = piece.chars();
            !piece.is_empty() && letters.all(|it| it.is_alphanumeric() || matches!(it, '_' | '.' | '-'))
        };
        if index % 2 == 1 && is_name(piece) {
            found.push((piece, Span::new(at, at + piece.len() as u32)));
        }
        at += piece.len() as u32 + 1;
    }
    found
}
