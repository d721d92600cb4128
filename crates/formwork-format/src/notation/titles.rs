//! Titles of operations: `` #### Operation: `name` — `METHOD /path` ``, and of internal endpoints.

use crate::written::Written;
use formwork_check::Edit;
use formwork_model::sections::interface::{Operation, Surface};
use formwork_syntax::Span;

/// The changes to titles.
pub(super) fn edits(written: &Written<'_>) -> Vec<Edit> {
    let model = &written.analysis.model;
    model
        .operations
        .iter()
        .chain(&model.endpoints)
        .filter_map(|operation| title(written, operation))
        .collect()
}

fn title(written: &Written<'_>, operation: &Operation) -> Option<Edit> {
    let part = written.headings.get(&operation.span.start)?;
    let source = written.source;
    let heading = Span::new(part.title.span.start, part.title.span.end);
    let route = match (&operation.method, &operation.path) {
        (Some(method), Some(path)) => Some((method, path)),
        (None, None) => None,
        _ => return None,
    };
    let route_span = route.map(|(method, path)| method.span.to(path.span));
    let is_unnamed = route
        .is_some_and(|(method, path)| operation.name.value == format!("{} {}", method.value, path.value));
    let name = operation.name.span;
    let mut places: Vec<Span> = route_span.filter(|span| heading.contains(*span)).into_iter().collect();
    let has_route = !places.is_empty();
    if !is_unnamed {
        places.push(name);
    }
    places.sort();
    if operation.command || places.is_empty() || !places.iter().all(|place| heading.contains(*place)) {
        return None;
    }
    let before = Span::new(heading.start, places[0].start).slice(source);
    let kind = kind(operation.surface, before)?;
    let mut gaps = places.windows(2).map(|pair| Span::new(pair[0].end, pair[1].start.max(pair[0].end)));
    let behind = Span::new(places[places.len() - 1].end, heading.end).slice(source);
    let is_plain = |gap: &str| gap.chars().all(|character| " `—–-:|()*".contains(character));
    if !gaps.all(|gap| is_plain(gap.slice(source))) || !is_plain(behind) {
        return None;
    }
    let route = route
        .map(|(method, path)| format!("`{} {}`", method.value, path_text(source, path.span, &path.value)));
    let canonical = match (is_unnamed, route.filter(|_| has_route)) {
        (true, Some(route)) => format!("{kind}: {route}"),
        (true, None) => return None,
        (false, Some(route)) => format!("{kind}: `{}` — {route}", operation.name.value),
        (false, None) => format!("{kind}: `{}`", operation.name.value),
    };
    (canonical != heading.slice(source)).then_some(Edit { span: heading, text: canonical })
}

/// The kind word that stands before the name, as the form writes it; none when another one stands there.
fn kind(surface: Surface, before: &str) -> Option<&'static str> {
    let is_mark = |character: char| " `*_:—–-".contains(character);
    match (before.trim_matches(is_mark).to_ascii_lowercase().as_str(), surface) {
        ("" | "operation", Surface::Public) => Some("Operation"),
        ("" | "api endpoint" | "endpoint", Surface::Internal) => Some("API Endpoint"),
        ("endpoint" | "api endpoint", Surface::Public) => Some("API Endpoint"),
        ("operation", Surface::Internal) => Some("Operation"),
        _ => None,
    }
}

/// A path as it is written, with `{slug}` for `:slug`.
fn path_text<'a>(source: &'a str, span: Span, value: &'a str) -> &'a str {
    let written = span.slice(source);
    if written.contains("/:") { value } else { written }
}
