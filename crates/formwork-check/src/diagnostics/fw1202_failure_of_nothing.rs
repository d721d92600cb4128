//! FW1202: a line about failures that names a component, operation or upstream that does not exist.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::names;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::collections::BTreeSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1202",
    severity: Severity::Warning,
    title: "a line about failures that names nothing",
    page: include_str!("../pages/FW1202.md"),
    rule: Some(rule),
};

/// Words beside a code span that say what it names.
const KINDS: [&str; 7] = ["component", "operation", "upstream", "endpoint", "service", "dependency", "calls"];

/// As many names are looked for in the rest of the document.
const MOST: usize = 50;

/// Finds it where the notation makes plain that it is a name: the column of a table, what stands before an arrow, and
/// code that is a method and path or stands beside a word for what it is.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let testing = &cx.model.testing;
    let subjects = testing.resilience_subjects.iter().map(|name| (name.value.as_str(), name.span));
    let coded = testing.resilience.iter().flat_map(|line| coded(cx.source, line.span));
    let mut told = BTreeSet::new();
    let unknown = subjects.chain(coded).filter(|(name, span)| !is_known(cx, name) && told.insert(span.start));
    unknown
        .take(MOST)
        .filter(|(name, span)| !stands_elsewhere(cx.source, name, *span))
        .map(|(name, span)| {
            let components = cx.model.components.iter().map(|component| component.name.value.as_str());
            let near = nearest(name, components.chain(names::operations(cx)));
            ENTRY.at(span, format!("there is no component or operation {}", quoted(name))).nearest(
                cx,
                name,
                near,
                "name a component of section 3 or an operation of section 4 or 5",
            )
        })
        .collect()
}

fn is_known(cx: &Context<'_>, name: &str) -> bool {
    let route = name.split_once(' ').filter(|(_, path)| path.starts_with('/'));
    route.is_some_and(|(method, path)| cx.lexicon.fits_route(method, path))
        || cx.lexicon.knows(name)
        || names::measured(cx).any(|metric| metric == name)
}

/// Whether the document speaks of it in another place: what it uses but does not build, such as a database's name.
fn stands_elsewhere(source: &str, name: &str, span: Span) -> bool {
    let (before, behind) = (source.get(..span.start as usize), source.get(span.end as usize..));
    [before, behind].into_iter().flatten().any(|text| text.contains(name))
}

/// The code spans of a line that are a method and path, or stand beside a word for what they name.
fn coded(source: &str, line: Span) -> Vec<(&str, Span)> {
    let pieces: Vec<&str> = source.get(line.range()).unwrap_or_default().split('`').collect();
    let mut found = Vec::new();
    let mut at = line.start;
    for (index, piece) in pieces.iter().enumerate() {
        let span = Span::new(at, at + piece.len() as u32);
        at = span.end + 1;
        if index % 2 == 0 || index + 1 == pieces.len() {
            continue;
        }
        let word = |text: &str| text.trim_matches(|it: char| !it.is_alphanumeric()).to_lowercase();
        let before = pieces[index - 1].split_whitespace().next_back().map(word).unwrap_or_default();
        let behind = pieces[index + 1].split_whitespace().next().map(word).unwrap_or_default();
        let is_name = piece.starts_with(|it: char| it.is_ascii_lowercase())
            && piece.chars().all(|it| it.is_alphanumeric() || it == '_');
        let is_named = is_name && (KINDS.contains(&&*before) || KINDS.contains(&&*behind));
        let is_route = piece.split_once(' ').is_some_and(|(method, path)| {
            ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.starts_with('/')
        });
        if is_named || is_route {
            found.push((*piece, span));
        }
    }
    found
}
