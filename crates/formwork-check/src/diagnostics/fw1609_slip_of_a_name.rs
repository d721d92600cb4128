//! FW1609: a name in prose that is one slip of the pen away from one that the document declares.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::{is_slip, name_key};
use formwork_syntax::Span;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1609",
    severity: Severity::Warning,
    title: "a slip in a name",
    page: include_str!("../pages/FW1609.md"),
    rule: Some(rule),
};

/// Shorter names are too often alike by chance.
const SHORTEST: usize = 6;

/// More findings of this kind than this tell nothing new.
const MOST: usize = 100;

/// Finds it in what is not executed: behaviours, flows, components, caches, limits, audit, cost, targets, traces, load,
/// resilience, deployment, deliverables and questions. The language tells the others.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    // Where every name is known, nobody asks which one was meant.
    let known = OnceCell::new();
    let mut found: Vec<Diagnostic> = Vec::new();
    for place in places(cx) {
        for (name, span) in names::codes(cx, place) {
            if found.len() >= MOST || cx.lexicon.knows(name) && !name.contains('.') {
                continue;
            }
            let Some(meant) = known.get_or_init(|| Known::of(cx)).slip(cx, name) else { continue };
            if found.iter().any(|own| own.span == span) {
                continue;
            }
            let message = format!("{} is nowhere declared, {} is", quoted(name), quoted(&meant));
            found.push(ENTRY.at(span, message).nearest(cx, name, Some(&meant), ""));
        }
    }
    found
}

/// Where prose names things.
fn places(cx: &Context<'_>) -> Vec<Span> {
    let model = cx.model;
    let operations = model.operations.iter().chain(&model.endpoints).map(|operation| operation.span);
    let flows = model.flows.iter().map(|flow| flow.span);
    let components = model.components.iter().map(|component| component.span);
    let narrated =
        operations.chain(flows).chain(components).filter(|place| !cx.strictness.is_executed(*place));
    let testing = &model.testing;
    let tests = [&testing.unit, &testing.quality, &testing.resilience, &testing.load];
    let deployment = &model.deployment.statements;
    let operated = deployment.iter().chain(&model.release.statements).chain(&model.recovery.statements);
    let prose = tests
        .into_iter()
        .flatten()
        .chain(operated)
        .chain(&model.optimizations)
        .chain(model.authorization.prose.iter())
        .chain(model.limits.iter().map(|limit| &limit.text))
        .chain(model.audit.iter().map(|audit| &audit.text))
        .chain(model.budgets.iter().map(|budget| &budget.text))
        .chain(model.roadmap.iter().flat_map(|phase| &phase.deliverables))
        .map(|prose| prose.span);
    let caches = model.caches.iter().map(|cache| cache.span);
    let slos = model.slos.iter().map(|slo| slo.span);
    let traces = model.traces.iter().map(|trace| trace.span);
    let events = model.events.iter().map(|event| event.span);
    let metrics = model.metrics.iter().map(|metric| metric.span);
    let questions = model.questions.iter().map(|question| question.span);
    let others = prose.chain(caches).chain(slos).chain(traces).chain(events).chain(metrics).chain(questions);
    narrated.chain(others).collect()
}

/// The names that can be meant, by their first and by their last letters: a slip leaves one of both.
struct Known<'a> {
    by_head: FxHashMap<u64, Vec<&'a str>>,
    by_tail: FxHashMap<u64, Vec<&'a str>>,
    /// The fields of each entity.
    fields: FxHashMap<String, Vec<&'a str>>,
}

impl<'a> Known<'a> {
    fn of(cx: &Context<'a>) -> Self {
        let mut known = Self {
            by_head: FxHashMap::default(),
            by_tail: FxHashMap::default(),
            fields: FxHashMap::default(),
        };
        let model = cx.model;
        let fields =
            model.entities.iter().flat_map(|entity| &entity.fields).map(|field| field.name.value.as_str());
        let metrics = model.metrics.iter().map(|metric| metric.name.value.as_str());
        let all = names::operations(cx)
            .chain(names::entities(cx))
            .chain(names::events(cx))
            .chain(fields)
            .chain(metrics);
        for name in all.filter(|name| name.chars().count() >= SHORTEST) {
            known.by_head.entry(head(name)).or_default().push(name);
            known.by_tail.entry(tail(name)).or_default().push(name);
        }
        for entity in &model.entities {
            let own = entity.fields.iter().map(|field| field.name.value.as_str());
            known.fields.entry(name_key(&entity.name.value)).or_default().extend(own);
        }
        known
    }

    /// The declared name that was meant by one that is not known.
    fn slip(&self, cx: &Context<'_>, name: &str) -> Option<String> {
        if let Some((of, member)) = name.split_once('.')
            && let Some(fields) = self.fields.get(&name_key(of))
        {
            // A metric or event may bear the entity's name, too.
            if cx.lexicon.is(crate::lexicon::Kinds::EVENT.and(crate::lexicon::Kinds::METRIC), name) {
                return None;
            }
            let is_field = fields.iter().any(|field| field.eq_ignore_ascii_case(member));
            let meant = fields.iter().find(|field| field.len() >= 4 && is_slip(field, member));
            return meant.filter(|_| !is_field).map(|field| format!("{of}.{field}"));
        }
        let is_name = name.chars().count() >= SHORTEST && (name.contains(['_', '.']) || is_mixed(name));
        let near = |names: Option<&Vec<&str>>| {
            names
                .into_iter()
                .flatten()
                .take(MOST)
                .find(|known| is_slip(known, name))
                .map(|known| (*known).to_owned())
        };
        let found = near(self.by_head.get(&head(name))).or_else(|| near(self.by_tail.get(&tail(name))));
        // A word without a mark of code in it is a name only beside one that is long.
        found.filter(|known| is_name || known.chars().count() > SHORTEST)
    }
}

fn is_mixed(name: &str) -> bool {
    name.chars().any(char::is_uppercase) && name.chars().any(char::is_lowercase)
}

/// How many letters of the beginning and of the end are looked up.
const LETTERS: usize = 3;

fn head(name: &str) -> u64 {
    packed(name.chars().take(LETTERS))
}

fn tail(name: &str) -> u64 {
    packed(name.chars().rev().take(LETTERS))
}

/// At most [`LETTERS`] letters in lower case as one number.
fn packed(letters: impl Iterator<Item = char>) -> u64 {
    let lower = |letter: char| letter.to_lowercase().next().unwrap_or(letter);
    letters.fold(1, |packed, letter| packed << 21 | u64::from(u32::from(lower(letter))))
}
