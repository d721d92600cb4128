//! FW0202: components that the diagram does not show.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::words;
use crate::words::quoted;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0202",
    severity: Severity::Hint,
    title: "components that are not drawn",
    page: include_str!("../pages/FW0202.md"),
    rule: Some(rule),
};

/// Finds it: one finding for all. A drawing that cannot be read shows nothing, and nothing is said.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let Some(diagram) = &cx.model.overview.diagram else { return Vec::new() };
    if diagram.nodes.is_empty() {
        return Vec::new();
    }
    // Labels may be broken over lines in a box; the words of the whole drawing decide.
    let drawn = words::stems(diagram.span.slice(cx.source));
    let joined = drawn.concat();
    let is_drawn = |name: &str| {
        let stems = words::stems(name);
        stems.iter().all(|stem| drawn.contains(stem)) || joined.contains(&stems.concat())
    };
    let missing: Vec<&str> = cx
        .model
        .components
        .iter()
        .map(|component| component.name.value.as_str())
        .filter(|name| !is_drawn(name))
        .collect();
    let Some(first) = missing.first() else { return Vec::new() };
    let others = match missing.len() {
        1 => "is".to_owned(),
        2 => "and another component are".to_owned(),
        many => format!("and {} other components are", many - 1),
    };
    let span = diagram.nodes.first().map_or(diagram.span, |node| node.span);
    vec![
        ENTRY
            .at(span, format!("{} {others} not in this diagram", quoted(first)))
            .help(format!("draw {}, or say that the diagram leaves them out", missing.join(", "))),
    ]
}
