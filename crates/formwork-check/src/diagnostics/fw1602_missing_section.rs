//! FW1602: a section of the form that the document does not have.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::form::hold;
use crate::words::quoted;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1602",
    severity: Severity::Warning,
    title: "a section that is missing",
    page: include_str!("../pages/FW1602.md"),
    rule: Some(rule),
};

/// Finds it; neighbouring ones together.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    if !cx.whole {
        return Vec::new();
    }
    let mut missing: Vec<(Span, Vec<&str>)> = Vec::new();
    let mut before = hold::title_span(cx);
    for wanted in &cx.form.sections {
        if let Some(place) = hold::part(cx, wanted) {
            before = hold::heading(cx, wanted).unwrap_or(place.title.span);
            continue;
        }
        match missing.last_mut() {
            Some((span, titles)) if *span == before => titles.push(&wanted.title),
            _ => missing.push((before, vec![&wanted.title])),
        }
    }
    let finding = |(span, titles): (Span, Vec<&str>)| {
        let renamed = titles.iter().find_map(|title| hold::under_another_name(cx, title));
        let message = match titles.as_slice() {
            [one] => format!("the section {} is missing behind this", quoted(one)),
            many => format!("{} sections are missing behind this, from {} on", many.len(), quoted(many[0])),
        };
        let mut help = format!("add: {}", titles.join(", "));
        if let Some((title, _)) = renamed {
            help += &format!("; or give the title {} to the section that has its number", quoted(title));
        }
        ENTRY
            .at(span, message)
            .related(renamed.map(|(_, heading)| heading), "this has its number and is read as narrative")
            .help(help)
    };
    missing.into_iter().map(finding).collect()
}
