//! FW1601: a placeholder or stand-in of the form.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words::{clause, quoted};

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
