//! *Quotas & Rate Limits* of section 9: how often, how many, how large, how many at a time.
//!
//! People write limits in many ways (`100 req/s per API key`, `rate limit: 1000/hour per user`, `each caller: 60
//! requests a minute`); what reads like one and is not understood is kept as such, so that it can be told. Source:
//! language reference, *Promises, protection, operation*.

use super::security::{before_colon, codes, operations};
use crate::facts::{Outcome, Prose};
use crate::names::same_name;
use crate::reader::{Entry, Reader};
use crate::tokens::{Token, TokenKind, find_words, outer, split};
use crate::values::{Rate, parse_count, parse_outcome, parse_rate, parse_size};
use formwork_syntax::{Span, Spanned, Text};

/// A quota or rate limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// What kind.
    pub kind: LimitKind,
    /// The operations that it names; empty for all. Of a limit on rows always empty.
    pub operations: Vec<Spanned<String>>,
    /// As written.
    pub text: Prose,
    /// The text itself, for what is read further in it.
    pub written: Text,
    /// `otherwise`
    pub otherwise: Option<Outcome>,
}

/// The kinds of [`Limit`].
#[derive(Clone, Debug, PartialEq)]
pub enum LimitKind {
    /// ``- `create_link`: 60 requests per minute per caller, burst 10``
    Rate {
        /// How many.
        count: u64,
        /// In which window.
        window_seconds: u64,
        /// Counted together.
        per: Per,
        /// Most at once.
        burst: Option<u64>,
        /// ``for role `shopper` ``: of callers that have it alone.
        role: Option<Spanned<String>>,
    },
    /// ``- at most 10,000 `link` per `owner_id` ``
    Rows {
        /// The entity.
        entity: Spanned<String>,
        /// How many.
        count: u64,
        /// By which fields; none for all rows together.
        per: Vec<Spanned<String>>,
        /// Where the condition behind `where` begins, if there is one.
        filter: Option<Span>,
    },
    /// `10 MB per request`
    RequestSize {
        /// Bytes.
        bytes: u64,
    },
    /// `at most 1 at a time per …`
    Concurrency {
        /// How many.
        count: u64,
        /// Counted together.
        per: Per,
    },
    /// Reads like a limit, and is none that is understood.
    NotUnderstood,
    /// Prose.
    Prose,
}

/// Which requests a limit counts together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Per {
    /// All of them.
    Everybody,
    /// Those of a caller.
    Caller,
    /// Those with a key.
    Key,
    /// Those from an address.
    Address,
    /// Those with a value, which is named in code: `input.worker_id`, `caller.claims.tenant`.
    Value(Spanned<String>),
    /// What a word names that means none of these: `per tenant`.
    Word(Spanned<String>),
}

impl Per {
    /// As it is shown: `caller`, `key`, `address`, what is named, or nothing.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Everybody => None,
            Self::Caller => Some("caller"),
            Self::Key => Some("key"),
            Self::Address => Some("address"),
            Self::Value(name) | Self::Word(name) => Some(&name.value),
        }
    }
}

/// Reads an entry; several limits between semicolons are several.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let clauses = split(&tokens, |token| token.is_mark(";"));
    let is_limit = |clause: &&[Token<'_>]| !matches!(kind(reader, clause), LimitKind::Prose);
    if clauses.len() < 2 || !clauses.iter().all(is_limit) {
        return read_one(reader, entry);
    }
    let mut is_fact = true;
    for place in clauses.iter().filter_map(|clause| outer(clause)) {
        let text = entry.text.slice(reader.source, place.start, place.end);
        is_fact &= read_one(reader, &Entry { text: &text, label: None, children: &[], ..*entry });
    }
    is_fact
}

fn read_one(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let end = tokens.iter().position(|token| token.is_word("otherwise")).unwrap_or(tokens.len());
    let otherwise =
        tokens[end..].iter().find(|token| token.is_code()).and_then(|token| parse_outcome(&token.text));
    let own = &tokens[..end];
    let kind = kind(reader, own);
    let named = match &kind {
        LimitKind::Rate { .. } | LimitKind::RequestSize { .. } | LimitKind::Concurrency { .. } => {
            named_operations(reader, own, &kind)
        }
        _ => Vec::new(),
    };
    let is_fact = !matches!(kind, LimitKind::Prose | LimitKind::NotUnderstood);
    let text = reader.prose(entry.text);
    let written = entry.text.clone();
    reader.model.limits.push(Limit { kind, operations: named, text, written, otherwise });
    is_fact
}

fn kind(reader: &Reader<'_>, tokens: &[Token<'_>]) -> LimitKind {
    size(tokens)
        .or_else(|| concurrency(tokens))
        .or_else(|| rows(reader, tokens))
        .or_else(|| rate(tokens))
        .unwrap_or_else(|| match reads_like_a_limit(tokens) {
            true => LimitKind::NotUnderstood,
            false => LimitKind::Prose,
        })
}

/// The operations that a limit is for: those in code that are not what it counts by, or the words of a list.
fn named_operations(reader: &Reader<'_>, tokens: &[Token<'_>], kind: &LimitKind) -> Vec<Spanned<String>> {
    let counted = match kind {
        LimitKind::Rate { per: Per::Value(name), .. }
        | LimitKind::Concurrency { per: Per::Value(name), .. } => Some(name.span),
        _ => None,
    };
    let role = match kind {
        LimitKind::Rate { role: Some(role), .. } => Some(role.span),
        _ => None,
    };
    let is_other = |code: &Spanned<String>| Some(code.span) != counted && Some(code.span) != role;
    let coded: Vec<_> = codes(tokens).into_iter().filter(is_other).collect();
    if coded.is_empty() { operations(reader, before_colon(tokens)) } else { coded }
}

/// `10 MB per request`, `request body: at most 1 MiB`
fn size(tokens: &[Token<'_>]) -> Option<LimitKind> {
    let word = |words: &[&str]| words.iter().any(|word| tokens.iter().any(|token| token.is_word(word)));
    let is_of_request = find_words(tokens, &["per", "request"]).is_some()
        || word(&["body", "bodies", "payload", "payloads"])
        || (word(&["size"]) && word(&["request", "requests"]));
    let joined = |at: usize| Some(format!("{} {}", tokens[at].text, tokens.get(at + 1)?.text));
    let found = |at: usize| parse_size(&joined(at)?).or_else(|| parse_size(&tokens[at].text));
    let bytes = (0..tokens.len()).filter(|_| is_of_request).find_map(found)?;
    // `10 MB per second` is a rate of something that is not counted.
    (!has_window(tokens)).then_some(LimitKind::RequestSize { bytes })
}

fn has_window(tokens: &[Token<'_>]) -> bool {
    ["second", "minute", "hour", "day"].iter().any(|unit| find_words(tokens, &["per", unit]).is_some())
}

/// `at most 1 at a time per …`, `5 concurrent requests per caller`
fn concurrency(tokens: &[Token<'_>]) -> Option<LimitKind> {
    let at = find_words(tokens, &["at", "a", "time"])
        .or_else(|| find_words(tokens, &["at", "once"]))
        .or_else(|| find_words(tokens, &["in", "parallel"]))
        .or_else(|| find_words(tokens, &["concurrently"]))
        .or_else(|| {
            tokens.iter().position(|token| token.is_word("concurrent") || token.is_word("simultaneous"))
        })?;
    let count = tokens[..at].iter().rev().find_map(|token| parse_count(&token.text))?;
    let known = |token: &Token<'_>| {
        let word = token.text.to_lowercase();
        matches!(
            &*word,
            "requests"
                | "request"
                | "calls"
                | "call"
                | "at"
                | "most"
                | "up"
                | "to"
                | "no"
                | "more"
                | "than"
                | "max"
                | "maximum"
                | "only"
        )
    };
    // `5 connections at a time` counts something else than requests.
    let between = &tokens[..at];
    let from = between.iter().rposition(|token| parse_count(&token.text).is_some())? + 1;
    let counts_requests = between[from..].iter().all(|token| token.is_code() || known(token));
    counts_requests.then(|| LimitKind::Concurrency { count, per: per(tokens, at) })
}

/// ``at most 10,000 `link` per `owner_id` ``, also with the entity and fields as words
fn rows(reader: &Reader<'_>, tokens: &[Token<'_>]) -> Option<LimitKind> {
    let most = [&["at", "most"][..], &["up", "to"], &["no", "more", "than"], &["not", "more", "than"]];
    let from = most.iter().find_map(|words| find_words(tokens, words).map(|at| at + words.len()));
    let from = from.or_else(|| {
        let at = tokens.iter().position(|token| token.is_word("max") || token.is_word("maximum"))?;
        Some(at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.is_word("of"))))
    })?;
    let [count, entity, rest @ ..] = tokens.get(from..)? else { return None };
    let count = parse_count(&count.text)?;
    let declared = || reader.model.entities.iter().find(|own| same_name(&own.name.value, &entity.text));
    let entity = match entity.kind {
        TokenKind::Code => entity.spanned(),
        TokenKind::Word => Spanned::new(declared()?.name.value.clone(), entity.span),
        _ => return None,
    };
    let filter = rest.iter().position(|token| token.is_word("where"));
    let head = &rest[..filter.unwrap_or(rest.len())];
    let per = head.iter().position(|token| token.is_word("per") || token.is_word("for"));
    let behind = per.map_or(&[][..], |at| &head[at + 1..]);
    let mut fields = codes(behind);
    if let (true, Some(word)) = (fields.is_empty(), behind.iter().find(|token| !is_article(token))) {
        // `per owner` is the field that refers to one.
        let of = reader.model.entities.iter().find(|own| own.name.value == entity.value);
        let named = of.and_then(|of| {
            let fits =
                |name: &str| same_name(name, &word.text) || same_name(name, &format!("{}_id", word.text));
            of.fields.iter().find(|field| fits(&field.name.value))
        });
        let name = named.map_or_else(|| word.text.to_string(), |field| field.name.value.clone());
        fields.push(Spanned::new(name, word.span));
    }
    let filter = filter.map(|at| rest[at].span);
    Some(LimitKind::Rows { entity, count, per: fields, filter })
}

fn is_article(token: &Token<'_>) -> bool {
    ["the", "a", "an", "each", "every", "one", "same"].iter().any(|word| token.is_word(word))
}

/// ``60 requests per minute per caller, burst 10``
fn rate(tokens: &[Token<'_>]) -> Option<LimitKind> {
    let (at, used, rate) = (0..tokens.len()).find_map(|at| {
        let longest = (at + 7).min(tokens.len());
        (at + 1..=longest).rev().find_map(|end| Some((at, end - at, spoken_rate(&tokens[at..end])?)))
    })?;
    let behind = &tokens[at + used..];
    let burst = behind.iter().position(|token| token.is_word("burst") || token.is_word("bursts"));
    let burst =
        burst.and_then(|at| behind[at + 1..].iter().take(3).find_map(|token| parse_count(&token.text)));
    let role = behind.iter().position(|token| token.is_word("role")).and_then(|at| {
        let around = [behind.get(at + 1), at.checked_sub(1).and_then(|before| behind.get(before))];
        around.into_iter().flatten().find(|token| token.is_code()).map(Token::spanned)
    });
    let role = role.filter(|_| behind.iter().all(|token| !token.is_word("per")));
    Some(LimitKind::Rate {
        count: rate.count,
        window_seconds: rate.window_seconds,
        per: per_around(tokens, at, at + used),
        burst,
        role,
    })
}

/// A rate as it is spoken: `60 requests a minute`, `60 requests every 10 s`, `60 requests within 10 s`.
fn spoken_rate(tokens: &[Token<'_>]) -> Option<Rate> {
    let words: Vec<&str> = tokens.iter().map(|token| &*token.text).collect();
    let text = words.join(" ").replace(" / ", "/").replace("/ ", "/").replace(" /", "/");
    parse_rate(&text).or_else(|| {
        [" every ", " each ", " a ", " an ", " within ", " in any ", " in ", " in every "]
            .iter()
            .filter(|joint| text.contains(**joint))
            .find_map(|joint| parse_rate(&text.replacen(*joint, " per ", 1)))
    })
}

/// What a limit counts by, behind its numbers or in front of them.
fn per_around(tokens: &[Token<'_>], from: usize, to: usize) -> Per {
    match per(tokens, to) {
        Per::Everybody => {
            let before = &tokens[..from];
            let at = before
                .iter()
                .position(|token| token.is_word("per") || token.is_word("each") || token.is_word("every"));
            at.map_or(Per::Everybody, |at| counted_by(&before[at + 1..]))
        }
        found => found,
    }
}

/// What follows the first `per`.
fn per(tokens: &[Token<'_>], from: usize) -> Per {
    let behind = tokens.get(from..).unwrap_or_default();
    let is_joint = |token: &Token<'_>| token.is_word("per") || token.is_word("each") || token.is_word("by");
    let at = behind.iter().position(is_joint);
    let glued = behind.iter().position(|token| token.is_mark("/")).filter(|_| at.is_none());
    at.or(glued).map_or(Per::Everybody, |at| counted_by(&behind[at + 1..]))
}

fn counted_by(tokens: &[Token<'_>]) -> Per {
    let Some(named) = tokens.iter().find(|token| !is_article(token) && token.kind != TokenKind::Mark) else {
        return Per::Everybody;
    };
    let name = named.spanned();
    if named.is_code() {
        return match &*name.value {
            "caller" | "caller.id" => Per::Caller,
            "request.ip" | "ip" => Per::Address,
            _ => Per::Value(name),
        };
    }
    match &*name.value.to_lowercase() {
        "caller" | "callers" | "user" | "client" | "customer" | "person" | "consumer" => {
            let next = tokens.iter().skip_while(|token| token.span != named.span).nth(1);
            match next {
                Some(next) if ["ip", "address"].iter().any(|word| next.is_word(word)) => Per::Address,
                _ => Per::Caller,
            }
        }
        "api" | "key" | "api-key" | "apikey" | "token" => Per::Key,
        "ip" | "address" | "ip-address" | "host" | "source" => Per::Address,
        "service" | "system" | "deployment" | "everybody" | "all" => Per::Everybody,
        _ => Per::Word(name),
    }
}

/// Whether a line says how much of something there may be: a number, and a word of measure.
fn reads_like_a_limit(tokens: &[Token<'_>]) -> bool {
    let has_number =
        tokens.iter().any(|token| !token.is_code() && token.text.starts_with(|c: char| c.is_ascii_digit()));
    let words =
        ["per", "limit", "max", "maximum", "burst", "concurrent", "throttle", "quota", "most", "rate"];
    let measures = words.iter().any(|word| tokens.iter().any(|token| token.is_word(word)))
        || tokens.iter().any(|token| token.kind == TokenKind::Word && token.text.contains("/s"))
        || find_words(tokens, &["up", "to"]).is_some()
        || find_words(tokens, &["at", "a", "time"]).is_some();
    has_number && measures
}
