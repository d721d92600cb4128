//! Lines of section 9 about signed requests: ``- `hook`: HMAC-SHA256 of the raw body in header `X` with secret `S` ``.
//!
//! A word that the form does not have is kept, so that what it asks for is never taken for something weaker.

use super::performance::duration_at;
use super::security::value_behind;
use crate::tokens::{Token, TokenKind, find_words};
use formwork_syntax::{Span, Spanned};

/// What the document says of requests that are signed with a shared secret: as written, what it leaves out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignatureRule {
    /// The operations that it is about; empty for all.
    pub operations: Vec<Spanned<String>>,
    /// The header of the signature.
    pub header: Option<Spanned<String>>,
    /// The header of the time that is signed along.
    pub time: Option<Spanned<String>>,
    /// `without time`
    pub timeless: bool,
    /// The name of the secret.
    pub secret: Option<Spanned<String>>,
    /// Who signs.
    pub from: Option<Spanned<String>>,
    /// The roles that the caller has.
    pub roles: Vec<Spanned<String>>,
    /// How old a request may be, in microseconds.
    pub oldest: Option<i64>,
    /// The first word that is no part of the form.
    pub unread: Option<Spanned<String>>,
}

/// The words of the form; names, numbers and durations stand between them.
const WORDS: &[&str] = &[
    "a",
    "all",
    "an",
    "and",
    "are",
    "as",
    "at",
    "base64",
    "be",
    "body",
    "by",
    "caller",
    "callers",
    "each",
    "every",
    "for",
    "from",
    "hash",
    "header",
    "headers",
    "hex",
    "hmac",
    "hmac-sha-256",
    "hmac-sha256",
    "hmac-signed",
    "id",
    "in",
    "is",
    "it",
    "key",
    "may",
    "method",
    "most",
    "must",
    "named",
    "no",
    "not",
    "of",
    "old",
    "older",
    "on",
    "only",
    "path",
    "payload",
    "raw",
    "refused",
    "replay",
    "request",
    "requests",
    "role",
    "roles",
    "secret",
    "sha-256",
    "sha256",
    "shared",
    "sign",
    "signature",
    "signatures",
    "signed",
    "signs",
    "standard",
    "target",
    "than",
    "the",
    "time",
    "timestamp",
    "using",
    "webhook",
    "webhooks",
    "window",
    "with",
    "within",
    "without",
];

/// Reads a line that names HMAC.
pub(super) fn read(source: &str, tokens: &[Token<'_>]) -> SignatureRule {
    let mut rule = SignatureRule::default();
    let mut taken: Vec<Span> = Vec::new();
    let colon = tokens.iter().position(|token| token.is_mark(":")).unwrap_or(0);
    let lead = &tokens[..colon];
    let is_list = |token: &Token<'_>| token.is_code() || token.is_mark(",") || token.is_word("and");
    if lead.first().is_some_and(Token::is_code) && lead.iter().all(is_list) {
        rule.operations = lead.iter().filter(|token| token.is_code()).map(Token::spanned).collect();
        taken.extend(rule.operations.iter().map(|name| name.span));
    }
    let joins = |token: &Token<'_>| ["in", "the", "is", "from"].iter().any(|word| token.is_word(word));
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.is_word("header")) {
        let Some(name) = value_behind(source, &tokens[at + 1..]) else { continue };
        taken.push(name.span);
        let before = tokens[..at].iter().rev().find(|token| !joins(token));
        let is_time = before.is_some_and(|token| token.is_word("time") || token.is_word("timestamp"));
        let place = if is_time { &mut rule.time } else { &mut rule.header };
        place.get_or_insert(name);
    }
    let mut named = |word: &str| {
        let at = tokens.iter().position(|token| token.is_word(word))?;
        let name = value_behind(source, &tokens[at + 1..])?;
        // `the time from header …` names nobody.
        let is_other = WORDS.iter().any(|word| name.value.eq_ignore_ascii_case(word));
        (!is_other).then(|| {
            taken.push(name.span);
            name
        })
    };
    rule.secret = named("secret");
    rule.from = named("from");
    let role = tokens.iter().position(|token| token.is_word("role") || token.is_word("roles"));
    if let Some(at) = role {
        let named =
            tokens[at + 1..].iter().take_while(|token| is_list(token)).filter(|token| token.is_code());
        rule.roles = named.map(Token::spanned).collect();
        taken.extend(rule.roles.iter().map(|name| name.span));
    }
    rule.timeless = find_words(tokens, &["without", "time"]).is_some()
        || find_words(tokens, &["without", "a", "time"]).is_some();
    let lengths = tokens.iter().enumerate().filter(|(_, token)| {
        ["most", "within", "than", "window", "of"].iter().any(|word| token.is_word(word))
    });
    let length = lengths.filter_map(|(at, _)| Some((at, duration_at(&tokens[at + 1..])?))).next();
    if let Some((at, (micros, count))) = length {
        rule.oldest = Some(micros);
        taken.extend(tokens[at + 1..].iter().take(count).map(|token| token.span));
    }
    let is_known = |token: &Token<'_>| match token.kind {
        TokenKind::Mark => true,
        _ if taken.iter().any(|span| span.contains(token.span)) => true,
        _ if token.is_code() => is_signed_text(&token.text),
        _ => WORDS.iter().any(|word| token.is_word(word)),
    };
    rule.unread = tokens.iter().find(|token| !is_known(token)).map(Token::spanned);
    rule
}

/// What the form signs, written out: `time.body`.
fn is_signed_text(code: &str) -> bool {
    ["time.body", "timestamp.body", "id.time.body", "id.timestamp.body"].contains(&code)
}
