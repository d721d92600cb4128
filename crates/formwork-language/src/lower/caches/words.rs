//! The words of *What* and *Invalidation*: names, and a fixed list of words without meaning of their own. Any other word
//! makes the line not understood, since skipping `except` would keep what must not be kept.

use super::Names;
use crate::program::{EntityId, NotKept};
use formwork_syntax::Span;
use std::sync::Arc;

/// What a layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The answers of an operation.
    Operation(u32),
    /// The reads of an entity.
    Entity(EntityId),
}

/// What clears a layer.
#[derive(Debug, Default)]
pub(super) struct Clearing {
    /// A write to one of these.
    pub(super) entities: Vec<EntityId>,
    /// A write to whatever is read.
    pub(super) any_write: bool,
    /// What one of these operations writes.
    pub(super) operations: Vec<u32>,
    /// One of these events.
    pub(super) events: Vec<u16>,
    /// One of these headers of a request, in lower case.
    pub(super) headers: Vec<Arc<str>>,
}

impl Clearing {
    pub(super) fn is_nothing(&self) -> bool {
        self.entities.is_empty()
            && !self.any_write
            && self.operations.is_empty()
            && self.events.is_empty()
            && self.headers.is_empty()
    }
}

/// Words of *What* beside names.
const OF_WHAT: &[&str] = &[
    "a",
    "all",
    "an",
    "and",
    "answer",
    "answers",
    "any",
    "body",
    "by",
    "cached",
    "call",
    "calls",
    "each",
    "endpoint",
    "endpoints",
    "entity",
    "every",
    "for",
    "from",
    "full",
    "get",
    "http",
    "id",
    "json",
    "key",
    "lookup",
    "lookups",
    "of",
    "operation",
    "operations",
    "or",
    "output",
    "outputs",
    "queries",
    "query",
    "read",
    "reads",
    "record",
    "records",
    "replies",
    "reply",
    "request",
    "requests",
    "response",
    "responses",
    "result",
    "results",
    "row",
    "rows",
    "successful",
    "table",
    "the",
    "to",
    "whole",
];

/// Words of *Invalidation* beside names.
const OF_CLEARING: &[&str] = &[
    "a",
    "after",
    "alone",
    "an",
    "and",
    "any",
    "as",
    "at",
    "bears",
    "by",
    "cache",
    "caches",
    "call",
    "called",
    "calls",
    "carries",
    "change",
    "changed",
    "changes",
    "clear",
    "cleared",
    "clears",
    "create",
    "created",
    "creates",
    "creation",
    "delete",
    "deleted",
    "deletes",
    "deletion",
    "drop",
    "dropped",
    "drops",
    "each",
    "early",
    "emitted",
    "entity",
    "entries",
    "entry",
    "event",
    "events",
    "every",
    "evict",
    "evicted",
    "expire",
    "expires",
    "expiry",
    "explicit",
    "has",
    "header",
    "immediately",
    "in",
    "insert",
    "inserted",
    "inserts",
    "invalidate",
    "invalidated",
    "invalidates",
    "is",
    "it",
    "its",
    "layer",
    "modification",
    "modified",
    "never",
    "no",
    "none",
    "of",
    "on",
    "once",
    "only",
    "operation",
    "or",
    "purge",
    "purged",
    "purges",
    "request",
    "row",
    "rows",
    "sends",
    "soon",
    "succeeds",
    "table",
    "the",
    "them",
    "time",
    "timeout",
    "to",
    "ttl",
    "update",
    "updated",
    "updates",
    "upon",
    "when",
    "whenever",
    "with",
    "write",
    "writes",
    "writing",
    "written",
];

/// Words that say that a write clears, without saying of what.
const WRITES: &[&str] =
    &["write", "writes", "written", "change", "changes", "changed", "update", "updates", "updated"];

/// Words that say that nothing but time clears.
const BY_TIME: &[&str] = &["ttl", "none", "never", "time", "timeout", "expiry", "expires", "expire"];

/// A word or a code span of a line.
struct Word<'s> {
    text: &'s str,
    span: Span,
    is_code: bool,
}

/// Whether a value says that there is none.
pub(super) fn is_none(text: &str) -> bool {
    let text = text.trim().trim_end_matches('.').to_lowercase();
    matches!(
        &*text,
        "" | "none"
            | "no"
            | "no ttl"
            | "never"
            | "n/a"
            | "-"
            | "—"
            | "–"
            | "∞"
            | "unlimited"
            | "until cleared"
            | "until invalidated"
            | "no cache"
            | "for ever"
            | "forever"
    )
}

/// Cuts a line into words; the names in code are one each, with the blanks in them.
fn words(source: &str, span: Span) -> Vec<Word<'_>> {
    let text = source.get(span.range()).unwrap_or_default();
    let mut found = Vec::new();
    let mut at = span.start;
    for (index, piece) in text.split('`').enumerate() {
        let start = at;
        at += piece.len() as u32 + 1;
        if index % 2 == 1 {
            let span = Span::new(start, start + piece.len() as u32);
            found.push(Word { text: piece.trim(), span, is_code: true });
            continue;
        }
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-' | '\'');
        let mut begun = None;
        for (offset, letter) in piece.char_indices().chain([(piece.len(), ' ')]) {
            match (begun, is_part(letter)) {
                (None, true) => begun = Some(offset),
                (Some(from), false) => {
                    let word = piece[from..offset].trim_matches(|edge| matches!(edge, '.' | '-' | '\''));
                    let span = Span::new(start + from as u32, start + offset as u32);
                    if !word.is_empty() {
                        found.push(Word { text: word, span, is_code: false });
                    }
                    begun = None;
                }
                _ => {}
            }
        }
    }
    found
}

fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.iter().any(|other| other.eq_ignore_ascii_case(word))
}

/// The subjects of a layer, each once, with their places.
pub(super) fn what(source: &str, span: Span, names: &Names<'_>) -> Result<Vec<(Said, Span)>, NotKept> {
    let words = words(source, span);
    let has_code = words.iter().any(|word| word.is_code);
    let (mut found, mut unknown): (Vec<(Said, Span)>, Option<&str>) = (Vec::new(), None);
    for (at, word) in words.iter().enumerate() {
        let is_glue = !word.is_code && is_one_of(word.text, OF_WHAT);
        let named = (word.is_code || !is_glue).then(|| {
            let operation = names.operation(word.text).map(Said::Operation);
            operation.or_else(|| names.entity(word.text).map(Said::Entity))
        });
        match named.flatten() {
            // What follows `by` tells answers apart, which the key does by itself.
            _ if at > 0 && words[at - 1].text.eq_ignore_ascii_case("by") => {}
            // `responses of get_link for link pages`: with a name in code, words beside it are prose.
            Some(_) if has_code && !word.is_code => {}
            Some(subject) if found.iter().all(|(other, _)| *other != subject) => {
                found.push((subject, word.span));
            }
            Some(_) => {}
            None if is_glue => {}
            None => unknown = unknown.or(Some(word.text)),
        }
    }
    match (found.is_empty(), unknown) {
        (true, _) => Err(NotKept::What),
        (false, Some(word)) => Err(NotKept::Restricted(word.to_owned())),
        (false, None) => Ok(found),
    }
}

/// What clears a layer.
pub(super) fn clearing(source: &str, span: Span, names: &Names<'_>) -> Result<Clearing, NotKept> {
    let words = words(source, span);
    let has_code = words.iter().any(|word| word.is_code);
    let mut found = Clearing::default();
    let (mut unknown, mut writes, mut by_time) = (None, false, false);
    for (at, word) in words.iter().enumerate() {
        if !word.is_code {
            writes |= is_one_of(word.text, WRITES);
            by_time |= is_one_of(word.text, BY_TIME);
            if is_one_of(word.text, OF_CLEARING) {
                continue;
            }
            if has_code && (names.entity(word.text).is_some() || names.operation(word.text).is_some()) {
                continue;
            }
        }
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten().filter_map(|at| words.get(at));
        let is_header =
            word.is_code && beside.into_iter().any(|word| word.text.eq_ignore_ascii_case("header"));
        let name = word.text;
        if is_header {
            let name = name.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
            found.headers.push(name.into());
        } else if let Some(event) = names.event(name) {
            found.events.push(event);
        } else if let Some(entity) = names.entity(name) {
            found.entities.push(entity);
        } else if let Some(operation) = names.operation(name) {
            found.operations.push(operation);
        } else {
            unknown = unknown.or(Some(name));
        }
    }
    if let Some(word) = unknown {
        return Err(NotKept::Restricted(word.to_owned()));
    }
    found.any_write = writes && found.is_nothing();
    if found.is_nothing() && !by_time && !words.is_empty() {
        return Err(NotKept::Invalidation);
    }
    Ok(found)
}
