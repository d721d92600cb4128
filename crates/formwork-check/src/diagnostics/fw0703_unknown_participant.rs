//! FW0703: a flow in which a component takes part that the document does not have.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexicon::Kinds;
use crate::prose::{self, Sentence};
use crate::words::{self, quoted};
use formwork_model::facts::StepItem;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::cell::OnceCell;
use std::collections::BTreeSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0703",
    severity: Severity::Warning,
    title: "a component in a flow that does not exist",
    page: include_str!("../pages/FW0703.md"),
    rule: Some(rule),
};

/// What components are called by their last word.
const KINDS: [&str; 38] = [
    "adapter",
    "aggregator",
    "api",
    "balancer",
    "broker",
    "builder",
    "bus",
    "cache",
    "collector",
    "controller",
    "dispatcher",
    "engine",
    "filter",
    "gateway",
    "guard",
    "handler",
    "indexer",
    "job",
    "loader",
    "manager",
    "monitor",
    "orchestrator",
    "pipeline",
    "processor",
    "proxy",
    "queue",
    "registry",
    "relay",
    "router",
    "scheduler",
    "server",
    "service",
    "store",
    "sweeper",
    "validator",
    "worker",
    "writer",
    "module",
];

/// More names than this are not components that were forgotten.
const MOST: usize = 50;

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if cx.model.components.is_empty() {
        return Vec::new();
    }
    let flows = cx.model.flows.iter().map(|flow| flow.span).reduce(Span::to).unwrap_or_default();
    let outside = OnceCell::new();
    let outside = || {
        outside.get_or_init(|| {
            let text = |text: Option<&str>| text.unwrap_or_default().to_lowercase();
            text(cx.source.get(..flows.start as usize)) + "\n" + &text(cx.source.get(flows.end as usize..))
        })
    };
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for flow in &cx.model.flows {
        for (name, span) in participants(cx.source, flow.steps.iter().chain(&flow.errors)) {
            if told.len() > MOST
                || !told.insert(name)
                || is_known(cx, name)
                || outside().contains(&name.to_lowercase())
            {
                continue;
            }
            let components = cx.model.components.iter().map(|component| component.name.value.as_str());
            found.push(ENTRY.at(span, format!("there is no component {}", quoted(name))).nearest(
                cx,
                name,
                nearest(name, components),
                "add it to section 3, or name one of its components",
            ));
        }
    }
    found
}

/// Names in title case that are written as a component's: the subject of a sentence, or within it when the last
/// word says what it is (`… to the Notification Service`).
fn participants<'a, 'i>(source: &'a str, items: impl Iterator<Item = &'i StepItem>) -> Vec<(&'a str, Span)> {
    let mut found = Vec::new();
    let mut open: Vec<&StepItem> = items.collect();
    open.reverse();
    while let Some(item) = open.pop() {
        for sentence in prose::sentences(source, item.text.span) {
            found.extend(names(sentence));
        }
        open.extend(item.nested.iter().rev());
    }
    found
}

/// Runs of two to four capitalised words in a sentence, of which the last is one of [`KINDS`].
fn names(sentence: Sentence<'_>) -> Vec<(&str, Span)> {
    let mut found = Vec::new();
    let mut run: Vec<(usize, usize)> = Vec::new();
    let mut finish = |run: &mut Vec<(usize, usize)>| {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let text = &sentence.text[first.0..last.1];
            let kind = sentence.text[last.0..last.1].to_lowercase();
            if (2..=4).contains(&run.len()) && KINDS.contains(&kind.as_str()) {
                let start = sentence.span.start + first.0 as u32;
                found.push((text, Span::new(start, start + text.len() as u32)));
            }
        }
        run.clear();
    };
    let mut at = 0;
    let mut in_code = false;
    for piece in sentence.text.split_inclusive(char::is_whitespace) {
        let was_code = in_code;
        in_code ^= piece.bytes().filter(|byte| *byte == b'`').count() % 2 == 1;
        // Most words are in lower case, and say nothing where no name has begun.
        if run.is_empty() && piece.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            at += piece.len();
            continue;
        }
        let word = piece.trim();
        let core = word.trim_matches(|it: char| !it.is_alphanumeric());
        let lead = word.len() - word.trim_start_matches(|it: char| !it.is_alphanumeric()).len();
        let is_name = core.chars().next().is_some_and(char::is_uppercase)
            && core.chars().all(|it| it.is_alphanumeric() || it == '-')
            && core.len() > 1
            && !(was_code || word.contains('`'));
        let is_article =
            matches!(core, "The" | "A" | "An" | "If" | "When" | "Then" | "Our" | "Each" | "Every");
        if !is_name || is_article || lead > 0 {
            finish(&mut run);
        }
        if is_name && !is_article {
            run.push((at + lead, at + lead + core.len()));
            if lead + core.len() < word.len() {
                finish(&mut run);
            }
        }
        at += piece.len();
    }
    finish(&mut run);
    found
}

/// Whether a component, box, group or other thing has the name or part of it.
fn is_known(cx: &Context<'_>, name: &str) -> bool {
    let kinds = Kinds::COMPONENT.and(Kinds::OTHER).and(Kinds::ENTITY).and(Kinds::ROLE);
    if cx.lexicon.is(kinds, name) {
        return true;
    }
    let wanted = words::stems(name);
    cx.model.components.iter().any(|component| {
        let known = words::stems(&component.name.value);
        known.iter().all(|word| wanted.contains(word)) || wanted.iter().all(|word| known.contains(word))
    })
}
