//! FW0909: a role that is named and that no grant of section 9 knows.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexicon::Kinds;
use crate::words::quoted;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::collections::BTreeSet;

pub(crate) static ENTRY: Entry = Entry {
    code: "FW0909",
    severity: Severity::Warning,
    title: "a role that does not exist",
    page: include_str!("../pages/FW0909.md"),
    rule: Some(rule),
};

/// Roles that need no grant.
const GENERAL: [&str; 2] = ["internal", "system"];

/// Finds it where words say that the code beside them is a role: ``role `x` ``, ``the `x` role``; and in a line on access
/// that a role begins, where it is near to one that is granted something.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let grants = &cx.model.authorization.grants;
    if grants.is_empty() {
        return Vec::new();
    }
    let model = cx.model;
    let operations = model.operations.iter().chain(&model.endpoints).map(|operation| operation.span);
    let components = model.components.iter().map(|component| component.span);
    let flows = model.flows.iter().map(|flow| flow.span);
    let limits = model.limits.iter().map(|limit| limit.text.span);
    let audits = model.audit.iter().map(|audit| audit.text.span);
    let prose = model.authorization.prose.iter().map(|prose| prose.span);
    let places = operations.chain(components).chain(flows).chain(limits).chain(audits).chain(prose);
    let access = model.authorization.prose.iter().flat_map(|prose| callers(cx.source, prose.span));
    // Such a line may be all that is said of a role; it is a mistake only where another role is meant.
    let known = || grants.iter().map(|grant| grant.role.value.as_str());
    let access = access.filter(|(name, _)| nearest(name, known()).is_some());
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for (name, span) in places.flat_map(|place| roles(cx.source, place)).chain(access) {
        let is_known = cx.lexicon.is(Kinds::ROLE, name) || GENERAL.contains(&name) || cx.lexicon.knows(name);
        if is_known || !told.insert(span.start) {
            continue;
        }
        let near = nearest(name, grants.iter().map(|grant| grant.role.value.as_str()));
        found.push(ENTRY.at(span, format!("no grant knows the role {}", quoted(name))).nearest(
            cx,
            name,
            near,
            "say in section 9 what it may do, or name a role that is there",
        ));
    }
    found
}

/// The code spans beside the word *role* in a place.
fn roles(source: &str, place: Span) -> Vec<(&str, Span)> {
    let text = source.get(place.range()).unwrap_or_default();
    if !speaks_of_roles(text) {
        return Vec::new();
    }
    let pieces: Vec<&str> = text.split('`').collect();
    let mut found = Vec::new();
    let mut at = place.start;
    for (index, piece) in pieces.iter().enumerate() {
        let span = Span::new(at, at + piece.len() as u32);
        at = span.end + 1;
        let is_name =
            !piece.is_empty() && piece.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'));
        if index % 2 == 0 || !is_name || index + 1 == pieces.len() {
            continue;
        }
        let is_role = |text: &str| {
            let word = text.trim_matches(|it: char| !it.is_alphanumeric());
            word.eq_ignore_ascii_case("role") || word.eq_ignore_ascii_case("roles")
        };
        let before = pieces[index - 1];
        let follows = before.ends_with(' ') && before.split_whitespace().next_back().is_some_and(is_role);
        let after = pieces.get(index + 1).and_then(|text| text.split_whitespace().next());
        if follows || after.is_some_and(is_role) {
            found.push((*piece, span));
        }
    }
    found
}

/// Whether the word *role* stands in a text in any case: most texts do not have it, and need not be cut into words.
fn speaks_of_roles(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Of four bytes that follow each other one is looked at: it is one of the word's, or the word is not there.
    bytes.iter().enumerate().skip(3).step_by(4).any(|(at, byte)| {
        let before = match byte | 0x20 {
            b'r' => 0,
            b'o' => 1,
            b'l' => 2,
            b'e' => 3,
            _ => return false,
        };
        let start = at - before;
        bytes.get(start..start + 4).is_some_and(|word| word.eq_ignore_ascii_case(b"role"))
    })
}

/// What a line on access speaks of as a role without the word: code that begins it before a colon, or that may, can or
/// must do something.
fn callers(source: &str, place: Span) -> Vec<(&str, Span)> {
    let text = source.get(place.range()).unwrap_or_default();
    let mut found = Vec::new();
    let pieces: Vec<&str> = text.split('`').collect();
    let mut at = place.start;
    for (index, piece) in pieces.iter().enumerate() {
        let span = Span::new(at, at + piece.len() as u32);
        at = span.end + 1;
        let is_name = !piece.is_empty()
            && piece.chars().all(|it| it.is_lowercase() || it.is_ascii_digit() || matches!(it, '_' | '-'));
        if index % 2 == 0 || !is_name || index + 1 == pieces.len() {
            continue;
        }
        let behind = pieces[index + 1].trim_start_matches(['*', '_', ' ']);
        let speaks = ["may ", "can ", "must ", "cannot "].iter().any(|verb| behind.starts_with(verb));
        let begins =
            index == 1 && pieces[0].trim_matches(['*', '_', ' ']).is_empty() && behind.starts_with(':');
        if speaks || begins {
            found.push((*piece, span));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_found_wherever_it_stands() {
        for (before, after) in (0..9).flat_map(|before| (0..9).map(move |after| (before, after))) {
            for (word, speaks) in
                [("role", true), ("Roles", true), ("RoLe", true), ("rol", false), ("orle", false)]
            {
                let text = format!("{}{word}{}", "l".repeat(before), " ".repeat(after));
                assert_eq!(speaks_of_roles(&text), speaks, "{text:?}");
            }
        }
    }
}
