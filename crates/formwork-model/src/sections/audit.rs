//! The lines of *Audit Trail* in section 9: what is recorded, with what, and how long it is kept.
//!
//! ``- every write to `link`: who, when, before and after; kept 400 d``, ``- `delete_link`, `transfer`; kept 7 years``,
//! `all writes`, `denials`, `none`. A line that is none of these stays prose, and whoever enforces the trail says so.
//! Whether a name is that of an entity or an operation is decided where the program is made.

use crate::facts::Prose;
use crate::names::same_name;
use crate::reader::{Entry, Reader};
use crate::sections::performance::duration_at;
use crate::tokens::{Token, TokenKind};
use crate::values::parse_count;
use formwork_syntax::Spanned;

/// A line of *Audit Trail*.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Entities or operations that are named.
    pub subjects: Vec<Spanned<String>>,
    /// What it is about.
    pub scope: AuditScope,
    /// Whether refused calls are recorded as well.
    pub denials: bool,
    /// Whether the values before and after are recorded: not when a line lists what is, and they are not in the list.
    pub values: bool,
    /// Details that it asks for and no entry has.
    pub lacking: Vec<Spanned<String>>,
    /// How long entries are kept, in days; for ever when it is not said.
    pub kept_days: Option<f64>,
    /// As written.
    pub text: Prose,
}

/// What a line of *Audit Trail* is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditScope {
    /// The entities and operations that it names.
    Named,
    /// Every write.
    Writes,
    /// Every call.
    Calls,
    /// Refused calls alone.
    Denials,
    /// How long the entries of the other lines are kept.
    Retention,
    /// That there is no trail.
    Nothing,
    /// It is not understood.
    Prose,
}

const KEPT: [&str; 6] = ["kept", "retained", "retention", "keep", "retain", "stored"];
const ALL: [&str; 4] = ["all", "every", "each", "any"];
const WRITES: [&str; 8] =
    ["write", "writes", "change", "changes", "mutation", "mutations", "modification", "modifications"];
const CALLS: [&str; 6] = ["call", "calls", "request", "requests", "operation", "operations"];
const DENIALS: [&str; 10] = [
    "denial",
    "denials",
    "denied",
    "refused",
    "refusal",
    "refusals",
    "rejected",
    "rejections",
    "forbidden",
    "unauthorized",
];
const LISTED: [&str; 9] =
    ["who", "actor", "caller", "when", "time", "operation", "result", "status", "address"];
const VALUES: [&str; 10] =
    ["before", "after", "previous", "old", "new", "value", "values", "diff", "what", "content"];
const LACKING: [&str; 8] =
    ["why", "reason", "input", "inputs", "arguments", "parameters", "payload", "comment"];

fn is_one(token: &Token<'_>, words: &[&str]) -> bool {
    words.iter().any(|word| token.is_word(word))
}

/// Reads a line; gives whether it is understood.
pub(crate) fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let text = reader.prose(entry.text);
    let kept = tokens.iter().position(|token| is_one(token, &KEPT));
    let kept_days = kept.and_then(|at| days(tokens.get(at + 1..).unwrap_or_default()));
    let says_nothing = says_nothing(&tokens, &text.value);
    let subjects = if says_nothing { Vec::new() } else { subjects(reader, &tokens) };
    let denials = tokens.iter().any(|token| is_one(token, &DENIALS));
    let scope = if says_nothing {
        AuditScope::Nothing
    } else if !subjects.is_empty() {
        AuditScope::Named
    } else if says_all(&tokens, &WRITES) {
        AuditScope::Writes
    } else if says_all(&tokens, &CALLS) && !denials {
        AuditScope::Calls
    } else if denials {
        AuditScope::Denials
    } else if kept.is_some_and(|at| at <= 3) {
        AuditScope::Retention
    } else {
        AuditScope::Prose
    };
    // What an entry holds is listed behind the colon.
    let colon = tokens.iter().position(|token| token.is_mark(":"));
    let details = colon.and_then(|at| tokens.get(at + 1..)).unwrap_or_default();
    let is_listed = details.iter().any(|token| is_one(token, &LISTED));
    let values = !is_listed || details.iter().any(|token| is_one(token, &VALUES));
    let lacking = details.iter().filter(|token| is_one(token, &LACKING)).map(Token::spanned).collect();
    reader.model.audit.push(Audit { subjects, scope, denials, values, lacking, kept_days, text });
    scope != AuditScope::Prose
}

fn says_nothing(tokens: &[Token<'_>], text: &str) -> bool {
    let first = tokens.first();
    let bare = text.trim().trim_end_matches('.').to_lowercase();
    first.is_some_and(|first| is_one(first, &["none", "nothing", "no", "not"]))
        || ["", "-", "–", "—", "n/a", "free"].contains(&&*bare)
}

/// What is named in code; else the words that are names of operations, or of entities behind *write to*.
fn subjects(reader: &Reader<'_>, tokens: &[Token<'_>]) -> Vec<Spanned<String>> {
    let named = |token: &&Token<'_>| token.is_code() && duration_at(std::slice::from_ref(*token)).is_none();
    let coded: Vec<Spanned<String>> = tokens.iter().filter(named).map(Token::spanned).collect();
    if !coded.is_empty() {
        return coded;
    }
    let is_operation = |name: &str| reader.model.operations.iter().any(|own| own.name.value == name);
    let is_entity = |name: &str| reader.model.entities.iter().any(|own| same_name(&own.name.value, name));
    let written = tokens.iter().position(|token| is_one(token, &WRITES)).unwrap_or(tokens.len());
    let end = tokens.iter().position(|token| token.is_mark(":") || token.is_mark(";"));
    let words = tokens.iter().enumerate().take(end.unwrap_or(tokens.len()));
    let words = words.filter(|(_, token)| token.kind == TokenKind::Word);
    let named =
        words.filter(|(at, token)| is_operation(&token.text) || *at > written && is_entity(&token.text));
    named.map(|(_, token)| token.spanned()).collect()
}

/// `all writes`, `every change`: and not of something that is no entity.
fn says_all(tokens: &[Token<'_>], of: &[&str]) -> bool {
    let Some(at) = tokens.iter().position(|token| is_one(token, of)) else { return false };
    let quantified = at > 0 && is_one(&tokens[at - 1], &ALL);
    let goes_on = tokens.get(at + 1).is_some_and(|next| {
        next.kind == TokenKind::Word
            && !is_one(next, &["and", "with", "by", "is", "are", "kept", "retained", "who", "when"])
    });
    quantified && !goes_on
}

/// A length of time in days; a year has 365, a month 30.
fn days(tokens: &[Token<'_>]) -> Option<f64> {
    let is_glue = |token: &&Token<'_>| is_one(token, &["for", "at", "least"]) || token.is_mark(":");
    let rest = tokens.get(tokens.iter().take_while(is_glue).count()..)?;
    if let Some((micros, _)) = duration_at(rest) {
        return Some(micros as f64 / 86_400e6);
    }
    let [count, unit, ..] = rest else { return None };
    let unit = match &*unit.text.to_lowercase() {
        "year" | "years" => 365,
        "month" | "months" => 30,
        "week" | "weeks" => 7,
        "day" | "days" => 1,
        _ => return None,
    };
    Some((counted(&count.text)? * unit) as f64)
}

fn counted(text: &str) -> Option<u64> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let word = WORDS.iter().zip(1..).find(|(word, _)| word.eq_ignore_ascii_case(text));
    word.map(|(_, number)| number).or_else(|| parse_count(text))
}
