//! What the prose of a behaviour and of its Output says beyond the plain deed. Words that could set a condition or
//! promise an effect keep an operation from being inferred: steps that left them out would break the promise.

use super::verbs::{Deed, Verb};
use super::{Facts, Reason, letters};
use crate::program::EntitySchema;
use crate::steps::{Reading, Sentences};
use formwork_model::facts::Outcome;
use formwork_model::sections::interface::OutputKind;
use formwork_model::values::{Type, parse_outcome};

/// What the behaviour's prose says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// The failures that it names.
    pub(super) outcomes: Vec<Outcome>,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Output says nothing of it.
    Open,
    /// A row.
    One,
    /// A list.
    Many,
    /// A page.
    Page,
    /// Nothing.
    Nothing,
}

/// Words that set conditions.
const CONDITIONS: [&str; 22] = [
    "if",
    "when",
    "whenever",
    "unless",
    "only",
    "except",
    "until",
    "while",
    "must",
    "cannot",
    "never",
    "not",
    "may",
    "allowed",
    "forbidden",
    "refused",
    "refuses",
    "rejected",
    "rejects",
    "fails",
    "otherwise",
    "once",
];

/// Stems of words that promise an effect beyond the row; an ending of [`ENDINGS`] may follow.
const EFFECTS: [&str; 59] = [
    "emit",
    "publish",
    "send",
    "notif",
    "enqueu",
    "queue",
    "schedul",
    "trigger",
    "charg",
    "refund",
    "invok",
    "call",
    "lock",
    "archiv",
    "soft",
    "retry",
    "retries",
    "cach",
    "mail",
    "hash",
    "encrypt",
    "comput",
    "calculat",
    "trunc",
    "async",
    "background",
    "increment",
    "decrement",
    "reserv",
    "releas",
    "approv",
    "dedup",
    "audit",
    "log",
    "webhook",
    "redirect",
    "stream",
    "upload",
    "download",
    "import",
    "export",
    "merge",
    "sign",
    "verif",
    "expir",
    "extend",
    "count",
    "aggregat",
    "search",
    "rank",
    "move",
    "mark",
    "sets",
    "become",
    "sort",
    "keyset",
    "oldest",
    "latest",
    "recent",
];

/// What may follow a stem: `send`, `sends`, `archives`, `notifies`, `calculation`; not `country` or `important`.
const ENDINGS: [&str; 19] = [
    "", "s", "e", "es", "ed", "d", "ing", "y", "ies", "ied", "ying", "ation", "ations", "ion", "ions", "al",
    "als", "ment", "led",
];

/// Reads the prose of a behaviour.
pub(super) fn said(
    facts: &Facts<'_>,
    table: &EntitySchema,
    sentences: &Sentences,
    verb: &Verb,
) -> Result<Said, Reason> {
    let source = facts.world.source;
    let mut said = Said::default();
    for read in sentences.flat() {
        let text = read.span.slice(source);
        match &read.reading {
            Reading::Remark => continue,
            Reading::Step(_) if read.says_who_may() => continue,
            Reading::Misread(..) | Reading::Unsupported(_) if text.contains('`') => {
                return Err("a sentence of it begins like a step and is none".to_owned());
            }
            Reading::Step(_) | Reading::Misread(..) | Reading::Unsupported(_) | Reading::Prose => {}
        }
        sentence(facts, table, verb, text, &mut said)?;
    }
    let listed = facts.operation.errors.iter().map(|error| &error.value);
    for outcome in said.outcomes.iter().chain(listed) {
        if !is_plain(outcome, table, verb) {
            return Err(format!("plain steps cannot fail with `{}`", shown(outcome)));
        }
    }
    Ok(said)
}

/// A failure as it is written in a step.
fn shown(outcome: &Outcome) -> String {
    match &outcome.code {
        Some(code) => format!("{} {code}", outcome.status),
        None => outcome.status.to_string(),
    }
}

/// Whether plain steps, or the edge before them, raise a failure.
fn is_plain(outcome: &Outcome, table: &EntitySchema, verb: &Verb) -> bool {
    let unique = !table.unique.is_empty() || !table.primary_key.is_empty();
    match outcome.status {
        100..=399 => true,
        400 | 413 | 415 | 429 | 401 => true,
        403 => outcome.code.as_deref().is_none_or(|code| code == "forbidden"),
        422 => outcome.code.as_deref().is_none_or(|code| code == "invalid"),
        404 => matches!(verb.deed, Deed::Read | Deed::Update | Deed::Delete),
        409 => matches!(verb.deed, Deed::Create | Deed::Update) && unique,
        _ => false,
    }
}

fn sentence(
    facts: &Facts<'_>,
    table: &EntitySchema,
    verb: &Verb,
    text: &str,
    said: &mut Said,
) -> Result<(), Reason> {
    let (words, codes) = words_and_codes(text);
    let mut outcomes: Vec<Outcome> = codes.iter().filter_map(|code| parse_outcome(code)).collect();
    let bare = words.iter().filter_map(|word| word.parse().ok().filter(|status| (400..600).contains(status)));
    outcomes.extend(bare.map(|status| Outcome { status, code: None }));
    for code in &codes {
        let known = parse_outcome(code).is_some()
            || letters(code) == letters(&table.name)
            || table.fields.iter().any(|field| *field.name == **code)
            || facts.input.fields.iter().any(|field| *field.name == **code);
        if !known {
            return Err(format!("its prose says more: `{code}`"));
        }
    }
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let absent = outcomes.iter().any(|outcome| outcome.status == 404)
        || has("not") && (has("found") || has("exist") || has("exists"))
        || has("unknown") && (has("if") || has("for"));
    let taken = outcomes.iter().any(|outcome| outcome.status == 409)
        || has("taken")
        || has("duplicate")
        || has("already") && (has("exists") || has("used"));
    let excused = absent && matches!(verb.deed, Deed::Read | Deed::Update | Deed::Delete)
        || taken && verb.deed == Deed::Create && !table.unique.is_empty();
    if has("newest") && !is_aged(table) {
        return Err(format!("no field of `{}` says which is the newest", table.name));
    }
    for word in &words {
        let effect =
            EFFECTS.iter().any(|stem| word.strip_prefix(stem).is_some_and(|end| ENDINGS.contains(&end)));
        let condition = CONDITIONS.contains(&word.as_str()) && !excused;
        if effect || condition {
            return Err(format!("its prose says more: “{word}”"));
        }
    }
    said.outcomes.append(&mut outcomes);
    Ok(())
}

/// Whether rows can be listed newest first.
pub(super) fn is_aged(table: &EntitySchema) -> bool {
    table.fields.iter().any(|field| field.on_create && field.ty == Type::Timestamp)
}

/// The words of a sentence in lower case, and what stands in backticks.
fn words_and_codes(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut words, mut codes) = (Vec::new(), Vec::new());
    for (at, piece) in text.split('`').enumerate() {
        if at % 2 == 1 {
            codes.push(piece.trim().to_owned());
            continue;
        }
        let split = piece.split(|letter: char| !letter.is_alphanumeric() && letter != '\'');
        words.extend(split.filter(|word| !word.is_empty()).map(str::to_lowercase));
    }
    (words, codes)
}

/// Words that say nothing more of an answer than what it is.
const ANSWER_GLUE: [&str; 52] = [
    "the",
    "a",
    "an",
    "new",
    "newly",
    "created",
    "updated",
    "changed",
    "modified",
    "stored",
    "requested",
    "matching",
    "full",
    "single",
    "one",
    "every",
    "all",
    "list",
    "array",
    "page",
    "pages",
    "paged",
    "paginated",
    "of",
    "with",
    "and",
    "as",
    "in",
    "its",
    "by",
    "for",
    "record",
    "records",
    "row",
    "rows",
    "resource",
    "details",
    "representation",
    "object",
    "objects",
    "json",
    "body",
    "no",
    "content",
    "empty",
    "nothing",
    "none",
    "ok",
    "success",
    "newest",
    "first",
    "response",
];

/// Reads Output: it may say nothing but the entity, in one of its shapes, or fields of it.
pub(super) fn output(facts: &Facts<'_>, table: &EntitySchema, verb: &Verb) -> Result<Shape, Reason> {
    let output = &facts.operation.output;
    let has_field = |name: &str| table.fields.iter().any(|field| *field.name == *name);
    if let Some(field) = output.fields.iter().find(|field| !has_field(&field.name.value)) {
        return Err(format!("`{}` of Output is no field of `{}`", field.name.value, table.name));
    }
    let mut said = (Vec::new(), Vec::new());
    if let Some(text) = &output.text {
        said = words_and_codes(text.span.slice(facts.world.source));
    }
    let (words, codes) = said;
    let own = letters(&table.name);
    let names = |word: &str| formwork_model::names::name_key(word) == formwork_model::names::name_key(&own);
    let parts: Vec<String> = table.name.split(['_', ' ', '-']).map(str::to_lowercase).collect();
    let is_part = |word: &str| parts.iter().any(|part| formwork_model::names::same_name(part, word));
    let is_status = |word: &str| word.parse().is_ok_and(|status: u16| (200..300).contains(&status));
    for word in words.iter().filter(|_| output.fields.is_empty()) {
        if !(ANSWER_GLUE.contains(&word.as_str()) || names(word) || is_part(word) || is_status(word)) {
            return Err(format!("its Output says more than the `{}`: “{word}”", table.name));
        }
    }
    for code in &codes {
        if !(names(&letters(code)) || is_status(code) || has_field(code)) {
            return Err(format!("its Output says more than the `{}`: `{code}`", table.name));
        }
    }
    if words.iter().any(|word| word == "newest") && !is_aged(table) {
        return Err(format!("no field of `{}` says which is the newest", table.name));
    }
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let plural =
        words.iter().chain(&codes).any(|word| names(&letters(word)) && super::verbs::is_plural(word));
    let shape = match &output.kind {
        OutputKind::Page(_) => Shape::Page,
        OutputKind::List(_) => Shape::Many,
        OutputKind::Row(_) | OutputKind::Fields => Shape::One,
        OutputKind::Nothing => Shape::Nothing,
        OutputKind::Missing => Shape::Open,
        OutputKind::Redirect => return Err("it redirects".to_owned()),
        OutputKind::Prose if has(&["page", "pages", "paged", "paginated"]) => Shape::Page,
        OutputKind::Prose if has(&["list", "array", "all", "every", "records", "rows"]) || plural => {
            Shape::Many
        }
        OutputKind::Prose if has(&["nothing", "none", "no", "empty"]) => Shape::Nothing,
        OutputKind::Prose if words.iter().chain(&codes).all(|word| is_status(word) || word == "ok") => {
            Shape::Open
        }
        OutputKind::Prose => Shape::One,
    };
    let fits = match verb.deed {
        Deed::List => matches!(shape, Shape::Open | Shape::Many | Shape::Page),
        Deed::Read => matches!(shape, Shape::Open | Shape::One),
        Deed::Create | Deed::Update => matches!(shape, Shape::Open | Shape::One | Shape::Nothing),
        Deed::Delete => matches!(shape, Shape::Open | Shape::Nothing),
    };
    if fits { Ok(shape) } else { Err("its Output is not what such an operation answers".to_owned()) }
}
