//! FW1402: an operation is said to go that does not exist, or in favour of one that does not, or at no known time.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_model::sections::edge::Deprecation;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1402",
    severity: Severity::Warning,
    title: "a deprecation of nothing",
    page: include_str!("../pages/FW1402.md"),
    rule: Some(rule),
};

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    cx.model.deprecations.iter().flat_map(|line| of_line(cx, line)).collect()
}

fn of_line(cx: &Context<'_>, line: &Deprecation) -> Vec<Diagnostic> {
    let unknown = |name: &&formwork_syntax::Spanned<String>| !names::is_operation(cx, &name.value);
    let mut found: Vec<Diagnostic> = [Some(&line.operation), line.instead.as_ref()]
        .into_iter()
        .flatten()
        .filter(unknown)
        .map(|name| {
            let near = nearest(&name.value, names::operations(cx));
            let message = format!("there is no operation {}", quoted(&name.value));
            ENTRY.at(name.span, message).nearest(cx, &name.value, near, "name an operation of section 4")
        })
        .collect();
    if line.since.is_none() {
        let message = format!("it is not said since when {} is deprecated", quoted(&line.operation.value));
        found.push(
            ENTRY.at(line.text.span, message).help("write `is deprecated since 2026-06-01, ends 2027-06-30`"),
        );
    } else if line.ends.as_ref().map(|day| day.seconds) <= line.since.as_ref().map(|day| day.seconds)
        && line.ends.is_some()
    {
        let message = format!("{} ends before it is deprecated", quoted(&line.operation.value));
        found.push(ENTRY.at(line.text.span, message).help("leave callers the time to move"));
    }
    found
}
