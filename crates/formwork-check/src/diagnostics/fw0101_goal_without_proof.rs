//! FW0101: a goal that no target, flow or test speaks of.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words;
use rustc_hash::FxHashSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0101",
    severity: Severity::Hint,
    title: "a goal that nothing proves",
    page: include_str!("../pages/FW0101.md"),
    rule: Some(rule),
};

/// Words that stand in every goal.
const COMMON: [&str; 24] = [
    "with", "without", "that", "this", "from", "into", "every", "each", "than", "least", "most", "must",
    "never", "always", "make", "keep", "their", "them", "only", "over", "under", "within", "system", "user",
];

/// Finds it in a whole document that has targets, flows or tests at all.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !cx.whole {
        return Vec::new();
    }
    let testing = &cx.model.testing;
    let slos = cx.model.slos.iter().map(|slo| slo.span);
    let flows = cx.model.flows.iter().map(|flow| flow.span);
    let tests = [&testing.unit, &testing.quality, &testing.resilience, &testing.load];
    let tests = tests.into_iter().flatten().map(|test| test.span);
    let places: Vec<_> = slos.chain(flows).chain(tests).collect();
    if places.is_empty() {
        return Vec::new();
    }
    let goals: Vec<(&formwork_model::facts::Prose, Vec<String>)> =
        cx.model.goals.iter().map(|goal| (goal, content(&goal.value))).collect();
    let wanted: FxHashSet<&str> = goals.iter().flat_map(|(_, words)| words).map(String::as_str).collect();
    let said = words::spoken(places.iter().map(|place| place.slice(cx.source)), &wanted);
    goals
        .iter()
        .filter(|(_, words)| !words.is_empty() && !words.iter().any(|word| said.contains(word.as_str())))
        .map(|(goal, _)| {
            let goal_text = words::excerpt(cx.source, goal.span);
            ENTRY
                .at(goal.span, format!("no target, flow or test speaks of the goal {goal_text}"))
                .help("add an SLO, a flow or a test that shows that it is reached")
        })
        .collect()
}

fn content(text: &str) -> Vec<String> {
    let stems = words::stems(text).into_iter();
    stems.filter(|word| word.chars().count() > 3 && !COMMON.contains(&word.as_str())).collect()
}
