//! FW9005: a comment that allows a diagnostic and does not say why.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::suppress::suppressions;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW9005",
    severity: Severity::Warning,
    title: "an allowance without a reason",
    page: include_str!("../pages/FW9005.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let comments = suppressions(cx).into_iter();
    comments
        .filter(|comment| comment.reason.is_empty())
        .map(|comment| {
            let code = quoted(comment.code);
            ENTRY
                .at(comment.span, format!("this does not say why {code} is allowed, and allows nothing"))
                .help(format!(
                    "add the reason: <!-- formwork: allow {} because … -->",
                    code.trim_matches('`')
                ))
        })
        .collect()
}
