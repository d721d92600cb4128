//! FW1007: an event that prose emits and section 10 does not list.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexicon::Kinds;
use crate::names;
use crate::prose;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::collections::BTreeSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1007",
    severity: Severity::Warning,
    title: "an event that is not listed",
    page: include_str!("../pages/FW1007.md"),
    rule: Some(rule),
};

/// More names than this are not events that were forgotten.
const MOST: usize = 200;

/// Finds it in sentences of behaviours, flows and components that are not executed: the language tells the others.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if cx.model.events.is_empty() {
        return Vec::new();
    }
    let operations = cx.model.operations.iter().chain(&cx.model.endpoints).map(|operation| operation.span);
    let flows = cx.model.flows.iter().map(|flow| flow.span);
    let components = cx.model.components.iter().map(|component| component.span);
    let places = operations.chain(flows).chain(components).filter(|place| !cx.strictness.is_executed(*place));
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for sentence in places.flat_map(|place| prose::sentences(cx.source, place)) {
        let lower = sentence.text.to_lowercase();
        if !["emit", "publish", "event"].iter().any(|word| lower.contains(word)) {
            continue;
        }
        for (name, span) in names::codes(cx, sentence.span) {
            if is_event_name(name) && told.len() < MOST && told.insert(name) && !is_known(cx, name) {
                found.push(finding(cx, name, span));
            }
        }
    }
    found
}

fn finding(cx: &Context<'_>, name: &str, span: Span) -> Diagnostic {
    let near = nearest(name, names::events(cx));
    ENTRY.at(span, format!("{} is not among the events of section 10", quoted(name))).nearest(
        cx,
        name,
        near,
        "list it under *Events*, or name one that is listed",
    )
}

/// `order.shipped`: words in lower case joined by points.
fn is_event_name(name: &str) -> bool {
    let mut pieces = name.split('.');
    let is_word = |word: &str| {
        word.len() > 1 && word.chars().all(|it| it.is_ascii_lowercase() || it == '_' || it == '-')
    };
    name.contains('.') && pieces.all(is_word)
}

/// Whether it is listed, or a field, topic or metric of something that is: `order.version`.
fn is_known(cx: &Context<'_>, name: &str) -> bool {
    let (of, member) = name.split_once('.').unwrap_or((name, ""));
    cx.lexicon.is(Kinds::EVENT.and(Kinds::METRIC), name)
        || (cx.lexicon.is(Kinds::ENTITY, of) && cx.lexicon.is(Kinds::FIELD, member))
        || cx.source.matches(name).nth(1).is_some()
            && !names::events(cx).any(|event| shares_stem(event, name))
}

/// Whether two names begin with the same word.
fn shares_stem(one: &str, other: &str) -> bool {
    one.split('.').next() == other.split('.').next()
}
