//! FW9006: a comment that allows a code that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::suppress::suppressions;
use crate::words::quoted;
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9006",
    severity: Severity::Warning,
    title: "an allowance of a code that does not exist",
    page: include_str!("../pages/FW9006.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let comments = suppressions(cx).into_iter();
    comments
        .filter(|comment| crate::catalogue::entry(comment.code).is_none() && !comment.reason.is_empty())
        .map(|comment| {
            let codes = crate::catalogue::CATALOGUE.iter().map(|entry| entry.code);
            ENTRY.at(comment.span, format!("there is no diagnostic {}", quoted(comment.code))).nearest(
                cx,
                comment.code,
                nearest(comment.code, codes),
                "the reference lists all codes",
            )
        })
        .collect()
}
