//! FW0201: a box of the diagram that is no component.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexicon::Kinds;
use crate::words::{self, quoted};
use formwork_model::names::nearest;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0201",
    severity: Severity::Hint,
    title: "a box that is no component",
    page: include_str!("../pages/FW0201.md"),
    rule: Some(rule),
};

/// Finds it. Bare words and names in lower case are actors; what a component's text or the text below the diagram
/// names is described.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let Some(diagram) = &cx.model.overview.diagram else { return Vec::new() };
    if cx.model.components.is_empty() {
        return Vec::new();
    }
    let planes = [&cx.model.overview.control_plane, &cx.model.overview.data_plane].into_iter().flatten();
    let components = cx.model.components.iter().map(|component| component.span.slice(cx.source));
    let said: Vec<String> =
        planes.map(|prose| prose.value.as_str()).chain(components).map(str::to_lowercase).collect();
    let is_described = |name: &str| {
        let name = name.to_lowercase();
        said.iter().any(|text| text.contains(&name)) || name.contains("external")
    };
    diagram
        .nodes
        .iter()
        .filter(|node| node.name.chars().next().is_some_and(char::is_uppercase))
        .filter(|node| !is_component(cx, &node.name) && !is_described(&node.name))
        .map(|node| {
            let components = cx.model.components.iter().map(|component| component.name.value.as_str());
            ENTRY.at(node.span, format!("the box {} is no component", quoted(&node.name))).nearest(
                cx,
                &node.name,
                nearest(&node.name, components),
                "describe it in section 3, or say there that it is external",
            )
        })
        .collect()
}

/// Whether a component is called so, or so with further words: `Claim Engine (library)`.
pub(crate) fn is_component(cx: &Context<'_>, name: &str) -> bool {
    let wanted = words::stems(name);
    cx.lexicon.is(Kinds::COMPONENT, name)
        || cx.model.components.iter().any(|component| {
            let known = words::stems(&component.name.value);
            !known.is_empty() && known.iter().all(|word| wanted.contains(word))
        })
}
