//! What section 9 says of how often, how many at a time and how large, by operation. That a line names an operation
//! that does not exist is found by `formwork-check`; what it counts by is found here.

use crate::notes::{Note, NoteKind};
use crate::program::{CountedBy, LimitRule, Limited, Operation, PathPart, Surface};
use formwork_model::Model;
use formwork_model::names::NameIndex;
use formwork_model::sections::limits::{Limit, LimitKind, Per};
use formwork_syntax::Span;
use std::sync::Arc;

/// How large a body may be allowed to be: 64 MiB. Requests are held in memory.
const LARGEST: u64 = 64 * 1024 * 1024;
/// The longest window, in seconds: a year.
const LONGEST: u64 = 366 * 86_400;
/// The highest number of a rate.
const MOST: u64 = 1_000_000_000;
/// Claims that a plain word may stand for.
const CLAIMS: [&str; 7] = ["tenant", "team", "organisation", "organization", "org", "workspace", "account"];

/// The limits that are understood, in the order of the document; notes down the others.
pub(super) fn rules(model: &Model, operations: &[Operation], notes: &mut Vec<Note>) -> Vec<LimitRule> {
    let names = NameIndex::new(operations.iter().map(|operation| &*operation.name));
    let mut rules = Vec::new();
    for limit in &model.limits {
        match rule(limit, &names, operations) {
            Ok(found) => rules.extend(found),
            Err((subject, span)) => {
                let kind = NoteKind::Other { entry: "limit_not_understood", subject };
                notes.push(Note { kind, span, related: None, fix: None });
            }
        }
    }
    rules
}

type Misread = (String, Span);

fn rule(limit: &Limit, names: &NameIndex, operations: &[Operation]) -> Result<Option<LimitRule>, Misread> {
    let whole = |subject: &str| Err((format!("`{}` {subject}", excerpt(&limit.text.value)), limit.text.span));
    let named = named(limit, names, operations);
    let kind = match &limit.kind {
        LimitKind::Prose | LimitKind::Rows { .. } => return Ok(None),
        LimitKind::NotUnderstood => {
            return whole("is not understood");
        }
        LimitKind::Rate { count, window_seconds, per, burst, role } => {
            if !(1..=MOST).contains(count) || !(1..=LONGEST).contains(window_seconds) {
                return whole("is not from 1 to 10^9 in 1 s to 366 d");
            }
            if *burst == Some(0) {
                return whole("lets nothing through");
            }
            let window = i64::try_from(*window_seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
            Limited::Rate {
                count: *count,
                window,
                // A larger one says nothing more.
                burst: burst.filter(|burst| burst < count),
                per: counted_by(per, &named, operations)?,
                role: role.as_ref().map(|role| role.value.as_str().into()),
            }
        }
        LimitKind::Concurrency { count, per } => {
            if !(1..=MOST).contains(count) {
                return whole("lets nothing through");
            }
            Limited::InProgress { count: *count, per: counted_by(per, &named, operations)? }
        }
        LimitKind::RequestSize { bytes } => {
            if !(1..=LARGEST).contains(bytes) {
                return whole("is not from 1 byte to 64 MiB");
            }
            Limited::Size(*bytes)
        }
    };
    Ok(Some(LimitRule {
        text: limit.text.value.split_whitespace().collect::<Vec<_>>().join(" ").into(),
        span: limit.text.span,
        operations: named.into_iter().filter_map(|at| u32::try_from(at).ok()).collect(),
        is_named: !limit.operations.is_empty(),
        kind,
        otherwise: limit.otherwise.clone(),
    }))
}

/// The beginning of a line, without what would end a name in code.
fn excerpt(text: &str) -> String {
    let plain = text.replace('`', "");
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.chars().count() {
        ..=32 => words,
        _ => words.chars().take(31).chain(['…']).collect(),
    }
}

/// The operations of a line: those that it names, else all of section 4.
fn named(limit: &Limit, names: &NameIndex, operations: &[Operation]) -> Vec<usize> {
    if limit.operations.is_empty() {
        let public = |at: &usize| operations[*at].surface == Surface::Public;
        return (0..operations.len()).filter(public).collect();
    }
    let by_route = |name: &str| operations.iter().position(|operation| route(operation) == name);
    let found =
        limit.operations.iter().filter_map(|name| names.find(&name.value).or_else(|| by_route(&name.value)));
    let mut found: Vec<usize> = found.collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `GET /links/{slug}`
fn route(operation: &Operation) -> String {
    let mut text = format!("{} ", operation.method);
    for part in &operation.path {
        match part {
            PathPart::Fixed(fixed) => text.push_str(&format!("/{fixed}")),
            PathPart::Parameter(name) => text.push_str(&format!("/{{{name}}}")),
        }
    }
    text
}

fn counted_by(per: &Per, named: &[usize], operations: &[Operation]) -> Result<CountedBy, Misread> {
    Ok(match per {
        Per::Everybody => CountedBy::Everybody,
        Per::Caller => CountedBy::Caller,
        Per::Key => CountedBy::Key,
        Per::Address => CountedBy::Address,
        Per::Word(word) if CLAIMS.contains(&word.value.to_lowercase().as_str()) => {
            CountedBy::Claim([Arc::from(word.value.to_lowercase())].into())
        }
        Per::Word(name) | Per::Value(name) => {
            let text = name.value.trim();
            if let Some(path) = text.strip_prefix("caller.claims.") {
                return Ok(CountedBy::Claim(path.split('.').map(Arc::from).collect()));
            }
            let input = text.strip_prefix("input.").unwrap_or(text);
            let takes = |at: &usize| operations[*at].input.fields.iter().any(|field| *field.name == *input);
            if !named.is_empty() && named.iter().all(takes) {
                CountedBy::Input(input.into())
            } else if named.is_empty() {
                // What names no operation limits nothing, and that is told elsewhere.
                CountedBy::Everybody
            } else {
                let lacking = named.iter().find(|at| !takes(at)).map_or("", |at| &operations[*at].name);
                let subject = format!("`{}` is no input of `{}`", excerpt(text), excerpt(lacking));
                return Err((subject, name.span));
            }
        }
    })
}
