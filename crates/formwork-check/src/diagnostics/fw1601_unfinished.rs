//! FW1601: a placeholder or stand-in of the form.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::{self, clause, quoted};
use formwork_model::Unfinished;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1601",
    severity: Severity::Warning,
    title: "a place that is still to be written",
    page: include_str!("../pages/FW1601.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let unfinished = cx.model.unfinished.iter();
    unfinished
        .filter(|place| !heads_what_follows(cx, place))
        .map(|place| {
            let prompt = place.text.trim_matches(['*', ' ']);
            let asked = prompt.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let help = match asked {
                Some(asked) => format!("expected here: {}", clause(asked)),
                None => "say it, or ask it in section 15 until it is decided".to_owned(),
            };
            ENTRY.at(place.span, format!("{} is still to be written", quoted(&place.text))).help(help)
        })
        .collect()
}

/// Whether an empty label is the heading of labels that follow it, as *Caching:* above its *Layer:*.
fn heads_what_follows(cx: &Context<'_>, place: &Unfinished) -> bool {
    let label = place.text.trim_matches(['*', '_', ' ']).trim_end_matches(':').trim_matches(['*', '_', ' ']);
    let stems = words::stems(label);
    let is = |words: &[&str]| stems.iter().any(|stem| words.contains(&stem.as_str()));
    let below = cx.source.get(place.span.end as usize..).unwrap_or_default().trim_start();
    let next_is_label = below.starts_with(['*', '_', '#']);
    let model = cx.model;
    next_is_label
        && place.text.ends_with([':', '*'])
        && ((is(&["caching", "cache"]) && !model.caches.is_empty())
            || (is(&["metric"]) && !model.metrics.is_empty())
            || (is(&["slo", "target"]) && !model.slos.is_empty()))
}
