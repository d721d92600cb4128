//! FW0704: a flow that calls an operation or endpoint that the document does not have.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::prose;
use crate::words::quoted;
use formwork_model::facts::StepItem;
use formwork_model::names::nearest;
use formwork_syntax::Span;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0704",
    severity: Severity::Warning,
    title: "a call of something that does not exist",
    page: include_str!("../pages/FW0704.md"),
    rule: Some(rule),
};

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Finds it. What a flow that is carried out calls is the language's business: it may call what is not there.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let operations = cx.model.operations.iter().chain(&cx.model.endpoints);
    let routes: Vec<String> = operations
        .filter_map(|it| Some(format!("{} {}", it.method.as_ref()?.value, it.path.as_ref()?.value)))
        .collect();
    let mut found = Vec::new();
    for flow in cx.model.flows.iter().filter(|flow| !cx.strictness.is_executed(flow.name.span)) {
        let mut open: Vec<&StepItem> = flow.steps.iter().chain(&flow.errors).rev().collect();
        while let Some(item) = open.pop() {
            let sentences = prose::sentences(cx.source, item.text.span);
            found.extend(
                sentences.into_iter().flat_map(|sentence| calls(cx, &routes, sentence.text, sentence.span)),
            );
            open.extend(item.nested.iter().rev());
        }
    }
    found
}

/// The calls of a sentence that reach nothing.
fn calls(cx: &Context<'_>, routes: &[String], text: &str, place: Span) -> Vec<Diagnostic> {
    if is_elsewhere(cx, text) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut at = place.start;
    let mut before = "";
    for (index, piece) in text.split('`').enumerate() {
        let span = Span::new(at, at + piece.len() as u32);
        at = span.end + 1;
        if index % 2 == 0 {
            before = piece;
            continue;
        }
        let route =
            piece.split_once(' ').filter(|(method, path)| METHODS.contains(method) && path.starts_with('/'));
        match route {
            Some((method, path))
                if cx.lexicon.has_routes() && !cx.lexicon.fits_route(method, path.trim()) =>
            {
                found.push(no_route(cx, routes, piece, span));
            }
            None if is_called(before) && is_name(piece) && !cx.lexicon.knows(piece) => {
                let near = nearest(piece, names::operations(cx));
                let message = format!("there is no operation {}", quoted(piece));
                found.push(ENTRY.at(span, message).nearest(
                    cx,
                    piece,
                    near,
                    "declare it in section 4 or 5, or name one that is there",
                ));
            }
            _ => {}
        }
    }
    found
}

fn no_route(cx: &Context<'_>, routes: &[String], route: &str, span: Span) -> Diagnostic {
    let near = nearest(route, routes.iter().map(String::as_str));
    ENTRY.at(span, format!("no operation or endpoint is {}", quoted(route))).nearest(
        cx,
        route,
        near,
        "declare it in section 4 or 5, or call one that is there",
    )
}

/// Whether the words before a name say that it is called.
fn is_called(before: &str) -> bool {
    let last = before.trim().rsplit(char::is_whitespace).next().unwrap_or_default();
    matches!(last.to_lowercase().as_str(), "call" | "calls" | "calling" | "invokes" | "invoke")
}

/// Whether it is written like the name of an operation: no command line, no path, no value.
fn is_name(piece: &str) -> bool {
    piece.len() > 2
        && piece.chars().all(|it| it.is_alphanumeric() || it == '_')
        && piece.chars().next().is_some_and(char::is_lowercase)
        && (piece.contains('_') || piece.chars().any(char::is_uppercase))
}

/// Whether the sentence speaks of a system of others, whose endpoints stand in no section.
fn is_elsewhere(cx: &Context<'_>, text: &str) -> bool {
    let lower = text.to_lowercase();
    let external = cx.model.components.iter().filter(|component| component.external);
    ["provider", "third-party", "third party", "external", "partner", "upstream", "vendor", "://"]
        .iter()
        .any(|word| lower.contains(word))
        || external.into_iter().any(|component| lower.contains(&component.name.value.to_lowercase()))
}
