//! Section 9: authentication, authorisation, limits, audit, cost.

pub use super::limits::{Limit, LimitKind, Per};
use super::{access_tables, costs, edge};
use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::names::{is_anyone, same_name};
use crate::reader::{Entry, Reader, entries};
use crate::sections::performance::duration_at;
use crate::shapes;
use crate::tokens::{Token, TokenKind, find_words, outer, split, starts_with_words};
use formwork_syntax::{Part, Span, Spanned};

pub use super::costs::{Budget, BudgetKind, BudgetPeriod};
pub use super::signatures::SignatureRule;

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub struct Authentication {
    /// What kind.
    pub kind: AuthenticationKind,
    /// As written.
    pub text: Prose,
}

/// The kinds of [`Authentication`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthenticationKind {
    /// `API keys in header X-API-Key`.
    ApiKey {
        /// The header; `X-API-Key` when none is named.
        header: String,
    },
    /// `Bearer JWT (…) from issuer … with JWKS … and audience …`.
    BearerJwt(TokenRule),
    /// `HMAC-signed requests`, also for one operation.
    Hmac(SignatureRule),
    /// `mTLS`.
    MutualTls,
    /// ``Idempotency-Key is required for …``.
    IdempotencyKey(KeyRule),
    /// Prose.
    Prose,
}

/// What the document says of bearer tokens: as written, whatever it leaves out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRule {
    /// Names of algorithms: `RS256`, `ES256`, `EdDSA`, ….
    pub algorithms: Vec<Spanned<String>>,
    /// Who makes the tokens (`iss`).
    pub issuer: Option<Spanned<String>>,
    /// Where the issuer's public keys are, as an address.
    pub key_set: Option<Spanned<String>>,
    /// Whom they are for (`aud`).
    pub audience: Option<Spanned<String>>,
}

/// What the document says of `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRule {
    /// Whether a request without one is refused.
    pub required: bool,
    /// Of which operations; empty for all.
    pub operations: Vec<Spanned<String>>,
    /// How long answers are kept.
    pub kept: Kept,
}

/// How long something is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The document does not say.
    Unsaid,
    /// So many microseconds.
    Micros(i64),
    /// `for ever`
    ForEver,
    /// Something that is no duration.
    NotUnderstood(Span),
}

/// A grant: what a role may call.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role.
    pub role: Spanned<String>,
    /// The operations; empty when `all`.
    pub operations: Vec<Spanned<String>>,
    /// `all operations`
    pub all: bool,
    /// ``with scope `S` ``: what the caller must bear besides.
    pub scopes: Vec<Spanned<String>>,
    /// ``when `EXPR` ``
    pub condition: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

impl Grant {
    /// Whether it opens to anyone, also without a credential, rather than to a role.
    pub fn to_anyone(&self) -> bool {
        is_anyone(&self.role.value)
    }
}

/// *Authorization*: whether the part exists, its grants, and prose.
#[derive(Clone, Debug, Default)]
pub struct Authorization {
    /// The label; absent when the document has no such part.
    pub span: Option<Span>,
    /// Its grants.
    pub grants: Vec<Grant>,
    /// Grants to whoever bears a scope, ``- scope `S`: `create_link` ``: the `role` of each is the scope.
    pub scoped: Vec<Grant>,
    /// What is not a grant.
    pub prose: Vec<Prose>,
}

/// Columns whose heading is read with each cell.
const SPOKEN: [&str; 5] = ["burst", "window", "per", "kept", "retention"];

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let part = access_tables::take(reader, part);
    let part = crate::tables::as_lists(reader.source, &part, &SPOKEN);
    read_part(reader, &part);
}

const AUTHENTICATION: [&str; 2] = ["authentication", "authn"];
const AUTHORIZATION: [&str; 7] =
    ["authorization", "authorisation", "authz", "access control", "roles", "permissions", "access rights"];
const LIMITS: [&str; 6] = ["quotas", "quota", "rate limits", "rate limiting", "limits", "rate limit"];
const AUDIT: [&str; 4] = ["audit trail", "audit", "auditing", "audit log"];
const COST: [&str; 6] = ["cost controls", "cost control", "costs", "cost", "budgets", "budget"];

/// The titles of the parts of the section, where they are items of a list.
fn is_subtitle(title: &str) -> bool {
    [&AUTHENTICATION[..], &AUTHORIZATION, &LIMITS, &AUDIT, &COST]
        .iter()
        .any(|names| begins_with(title, names))
}

fn read_part(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &AUTHENTICATION) && !title.contains("authori") {
        each(reader, part, read_authentication);
    } else if begins_with(&title, &AUTHORIZATION) {
        reader.model.authorization.span = reader.model.authorization.span.or(Some(part.title.span));
        each(reader, part, read_grant);
    } else if begins_with(&title, &LIMITS) {
        each(reader, part, super::limits::read);
    } else if begins_with(&title, &AUDIT) {
        each(reader, part, super::audit::read);
    } else if begins_with(&title, &COST) {
        each(reader, part, costs::read);
    } else {
        let part = shapes::promote(reader.source, part, &is_subtitle);
        for entry in entries(reader.source, &part) {
            let is_fact = edge::read_cors(reader, &entry) || read_told_grants(reader, &entry);
            reader.class(&entry, if is_fact { Class::Understood } else { Class::Narrative });
        }
        part.parts().for_each(|below| read_part(reader, below));
    }
}

/// Reads every entry below a part; the reader says whether it is a fact.
fn each(reader: &mut Reader<'_>, part: &Part, read: fn(&mut Reader<'_>, &Entry<'_>) -> bool) {
    for entry in entries(reader.source, part) {
        let is_fact = edge::read_cors(reader, &entry) || read(reader, &entry);
        reader.class(&entry, if is_fact { Class::Understood } else { Class::Narrative });
    }
    part.parts().for_each(|below| each(reader, below, read));
}

pub(super) fn codes(tokens: &[Token<'_>]) -> Vec<Spanned<String>> {
    tokens.iter().filter(|token| token.is_code()).map(Token::spanned).collect()
}

fn read_authentication(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let text = reader.prose(entry.text);
    let lower = text.value.to_lowercase();
    let has = |words: &[&str]| find_words(&tokens, words).is_some();
    let kind = if lower.starts_with("idempotency-key") {
        AuthenticationKind::IdempotencyKey(key_rule(&tokens))
    } else if lower.contains("hmac") {
        AuthenticationKind::Hmac(super::signatures::read(reader.source, &tokens))
    } else if has(&["mtls"]) || has(&["mutual", "tls"]) {
        AuthenticationKind::MutualTls
    } else if has(&["jwt"]) || has(&["bearer"]) || has(&["jwts"]) {
        AuthenticationKind::BearerJwt(token_rule(reader.source, &tokens))
    } else if has(&["api", "keys"]) || has(&["api", "key"]) {
        let at = tokens.iter().position(|token| token.is_word("header"));
        let header = at.and_then(|at| tokens.get(at + 1)).filter(|token| token.kind != TokenKind::Mark);
        AuthenticationKind::ApiKey { header: header.map_or("X-API-Key", |token| &token.text).to_owned() }
    } else {
        AuthenticationKind::Prose
    };
    let is_fact = kind != AuthenticationKind::Prose;
    reader.model.authentication.push(Authentication { kind, text });
    is_fact
}

/// `Bearer JWT (RS256, ES256, EdDSA) from issuer … with JWKS … and audience …`
fn token_rule(source: &str, tokens: &[Token<'_>]) -> TokenRule {
    let algorithm = |token: &&Token<'_>| {
        let text: &str = &token.text;
        let is_numbered = text.len() == 5
            && ["HS", "RS", "ES", "PS"].iter().any(|family| text.starts_with(family))
            && text[2..].bytes().all(|byte| byte.is_ascii_digit());
        is_numbered || ["EdDSA", "Ed25519", "none"].contains(&text)
    };
    let after = |words: &[&str], fits: fn(&str) -> bool| {
        let at = tokens.iter().position(|token| words.iter().any(|word| token.is_word(word)))?;
        value_behind(source, &tokens[at + 1..]).filter(|found| fits(&found.value))
    };
    let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    TokenRule {
        algorithms: tokens.iter().filter(algorithm).map(Token::spanned).collect(),
        issuer: after(&["issuer", "iss"], |text| text.contains('.') || text.contains(':')),
        key_set: after(&["jwks", "jwks_uri"], is_address),
        audience: after(&["audience", "aud"], |text| text.contains(|c: char| c.is_alphanumeric())),
    }
}

/// The value that follows a word: code, or a word, which goes as far as nothing separates it, as an address does.
pub(super) fn value_behind(source: &str, tokens: &[Token<'_>]) -> Option<Spanned<String>> {
    let glue = |token: &&Token<'_>| {
        [":", "=", "("].iter().any(|mark| token.is_mark(mark))
            || ["is", "at", "uri", "url"].iter().any(|word| token.is_word(word))
    };
    let value = tokens.iter().find(|token| !glue(token)).filter(|value| value.kind != TokenKind::Mark)?;
    if value.kind != TokenKind::Word {
        return Some(value.spanned());
    }
    let rest = source.get(value.span.start as usize..)?;
    let length = rest.find(|c: char| c.is_whitespace() || ",;)>".contains(c)).unwrap_or(rest.len());
    let text = rest[..length].trim_end_matches(['.', ':']);
    let end = value.span.start + u32::try_from(text.len()).ok()?;
    Some(Spanned::new(text.to_owned(), Span::new(value.span.start, end)))
}

/// ``- `Idempotency-Key` is required for `a`, `b`; kept 7 d / for ever``
fn key_rule(tokens: &[Token<'_>]) -> KeyRule {
    let operations = codes(tokens).into_iter().filter(|code| !is_key_header(&code.value));
    let kept = tokens.iter().position(|token| token.is_word("kept")).map(|at| {
        let rest = &tokens[at + 1..];
        let rest = if rest.first().is_some_and(|token| token.is_word("for")) { &rest[1..] } else { rest };
        let for_ever = starts_with_words(rest, &["ever"]) || starts_with_words(rest, &["forever"]);
        match duration_at(rest) {
            _ if for_ever => Kept::ForEver,
            Some((micros, _)) if micros > 0 => Kept::Micros(micros),
            _ => Kept::NotUnderstood(rest.first().map_or(tokens[at].span, |token| token.span)),
        }
    });
    KeyRule {
        required: find_words(tokens, &["required"]).is_some() && find_words(tokens, &["not"]).is_none(),
        operations: operations.collect(),
        kept: kept.unwrap_or(Kept::Unsaid),
    }
}

fn is_key_header(name: &str) -> bool {
    name.eq_ignore_ascii_case("idempotency-key")
}

/// Words before a role that are no part of it.
const ROLE_LEADS: [&str; 9] = ["only", "the", "a", "an", "every", "any", "each", "role", "all"];

/// What may be called, behind `public`.
const NOUNS: [&str; 4] = ["operations", "endpoints", "routes", "access"];

/// Where the role of a grant stands, and where what it may do begins.
struct Grantee {
    role: Spanned<String>,
    from: usize,
    /// Whether the role is one word or a label, so that what follows need not be known.
    is_plain: bool,
}

/// `member may …`, `member: …`, `member → …`, also with a role of several words (`Chief editor: …`).
fn grantee(reader: &Reader<'_>, entry: &Entry<'_>, tokens: &[Token<'_>]) -> Option<Grantee> {
    let joints = [":", "→", "->", "—", "–", "|"];
    let is_joint = |token: &Token<'_>| {
        token.is_word("may") || token.is_word("can") || joints.iter().any(|mark| token.is_mark(mark))
    };
    let first = tokens.first().filter(|token| token.kind != TokenKind::Mark)?;
    // A row or label names the role before its cell or colon.
    let is_labelled = entry.label.is_some_and(|label| {
        reader.tokens(&label.title).len() == 1
            && (label.rest.codes().next().is_some() || says_all(&reader.tokens(&label.rest)))
    });
    if is_labelled || tokens.get(1).is_some_and(is_joint) {
        return Some(Grantee { role: first.spanned(), from: 1, is_plain: true });
    }
    let is_lead = |token: &&Token<'_>| ROLE_LEADS.iter().any(|word| token.is_word(word));
    let start = tokens.iter().take_while(is_lead).count();
    let joint = tokens.iter().position(is_joint).or_else(|| {
        // The cell of a row bears no mark between the role and what it may do.
        let label = entry.label?;
        let end = label.title.span.end;
        let says = label.rest.codes().next().is_some() || says_all(&reader.tokens(&label.rest));
        tokens.iter().position(|token| token.span.start > end).filter(|_| says)
    })?;
    let own = match tokens.get(start..joint)? {
        // `` `owner` role: …``
        [own @ .., word] if !own.is_empty() && (word.is_word("role") || word.is_word("users")) => own,
        // `Public operations: …`
        [own, word] if own.is_word("public") && NOUNS.iter().any(|noun| word.is_word(noun)) => {
            std::slice::from_ref(own)
        }
        own => own,
    };
    let is_name = matches!(own.len(), 1..=3)
        && own.iter().all(|token| matches!(token.kind, TokenKind::Word | TokenKind::Code));
    let place = outer(own).filter(|_| is_name)?;
    let role = match own {
        [only] => only.spanned(),
        _ => Spanned::new(place.slice(reader.source).to_owned(), place),
    };
    Some(Grantee { role, from: joint, is_plain: false })
}

/// `all operations`, `everything`
fn says_all(tokens: &[Token<'_>]) -> bool {
    let begins = |words: &[&str]| starts_with_words(tokens, words);
    begins(&["everything"]) || begins(&["all", "operations"]) || (tokens.len() == 1 && begins(&["all"]))
}

/// The operations that tokens name, in code; where no code stands, those whose exact names are words of a list.
pub(super) fn operations(reader: &Reader<'_>, tokens: &[Token<'_>]) -> Vec<Spanned<String>> {
    let coded = codes(tokens);
    if !coded.is_empty() {
        return coded;
    }
    let is_operation = |name: &str| reader.model.operations.iter().any(|own| own.name.value == name);
    let named = tokens.iter().filter(|token| token.kind == TokenKind::Word && is_operation(&token.text));
    named.map(Token::spanned).collect()
}

/// What stands before the first colon, where the operations of a line are named.
pub(super) fn before_colon<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    let colon = tokens.iter().position(|token| token.is_mark(":"));
    &tokens[..colon.unwrap_or_default()]
}

/// Whether a name in code is that of an operation or endpoint, or a method and path.
fn is_callable(reader: &Reader<'_>, name: &Spanned<String>) -> bool {
    let known = reader.model.operations.iter().chain(&reader.model.endpoints);
    let is_same = |operation: &crate::sections::interface::Operation| {
        same_name(&operation.name.value, &name.value)
            || operation.path.as_ref().is_some_and(|path| name.value.ends_with(&path.value))
    };
    crate::routes::find(&name.value, Span::new(0, name.value.len() as u32)).is_some()
        || known.into_iter().any(is_same)
}

/// ``- `member` may `update_link` when `EXPR` ``, ``- `admin`: all operations``
fn read_grant(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    if let Some(found) = scope_grant(reader, &tokens) {
        reader.model.authorization.scoped.push(found);
        return true;
    }
    let Some(found) = grant(reader, entry, &tokens) else {
        let text = reader.prose(entry.text);
        reader.model.authorization.prose.push(text);
        return false;
    };
    reader.model.authorization.grants.push(found);
    true
}

/// Grants in a sentence outside *Authorization*: ``A `packer` may create labels (`POST /labels`)``. Both the role and
/// what it may call stand in code, and all of it is declared.
fn read_told_grants(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let mut found = Vec::new();
    for clause in split(&tokens, |token| token.is_mark(";") || token.is_mark(".")) {
        let may = clause.iter().position(|token| token.is_word("may") || token.is_word("can"));
        let Some((before, behind)) = may.map(|at| clause.split_at(at)) else { continue };
        let role = before.iter().filter(|token| token.is_code()).collect::<Vec<_>>();
        let operations = codes(behind);
        let is_sure = !operations.is_empty() && operations.iter().all(|name| is_callable(reader, name));
        if let ([role], Some(span)) = (role.as_slice(), outer(clause).filter(|_| is_sure)) {
            let (scopes, condition) = (Vec::new(), None);
            found.push(Grant { role: role.spanned(), operations, all: false, scopes, condition, span });
        }
    }
    let is_any = !found.is_empty();
    if is_any {
        let authorization = &mut reader.model.authorization;
        authorization.span = authorization.span.or(Some(entry.span));
        authorization.grants.extend(found);
    }
    is_any
}

fn grant(reader: &Reader<'_>, entry: &Entry<'_>, tokens: &[Token<'_>]) -> Option<Grant> {
    let grantee = grantee(reader, entry, tokens)?;
    let when =
        tokens.iter().position(|token| token.is_word("when") || token.is_word("if")).unwrap_or(tokens.len());
    let (with, scopes) = with_scopes(tokens, grantee.from);
    let named = &tokens[grantee.from..when.min(with).max(grantee.from)];
    let all =
        named.iter().any(|token| token.is_word("all") || token.is_word("any") || token.is_word("everything"));
    let listed = named.iter().all(|token| token.kind != TokenKind::Word || !token.is_word("own"));
    let operations = if listed { operations(reader, named) } else { codes(named) };
    // `A member can read its `team_id`` is prose, `Chief editor: everything` is none.
    let is_sure = grantee.is_plain
        || (!operations.is_empty() && operations.iter().all(|name| is_callable(reader, name)))
        || (all && operations.is_empty() && named.first().is_some_and(|joint| joint.is_mark(":")));
    if !is_sure || (operations.is_empty() && !all) {
        return None;
    }
    let condition = condition_behind(tokens, when);
    Some(Grant { role: grantee.role, operations, all, scopes, condition, span: entry.span })
}

/// The condition in code behind `when`.
fn condition_behind(tokens: &[Token<'_>], when: usize) -> Option<Spanned<String>> {
    tokens.get(when..)?.iter().find(|token| token.is_code()).map(Token::spanned)
}

/// ``with scope `S` [and `T`]``: where it begins, and the scopes.
fn with_scopes(tokens: &[Token<'_>], from: usize) -> (usize, Vec<Spanned<String>>) {
    let is_scope = |token: &Token<'_>| token.is_word("scope") || token.is_word("scopes");
    let is_start = |at: &usize| tokens[*at].is_word("with") && tokens.get(at + 1).is_some_and(is_scope);
    let Some(start) = (from..tokens.len()).find(is_start) else { return (tokens.len(), Vec::new()) };
    let is_over = |token: &&Token<'_>| !token.is_word("when") && !token.is_word("if");
    let named = tokens[start..].iter().take_while(is_over).filter(|token| token.is_code());
    (start, named.map(Token::spanned).collect())
}

/// ``scope `links:write`: `create_link` [when `EXPR`]``
fn scope_grant(reader: &Reader<'_>, tokens: &[Token<'_>]) -> Option<Grant> {
    let [lead, scope, rest @ ..] = tokens else { return None };
    let is_lead = lead.is_word("scope") && scope.is_code();
    let is_joint = |token: &Token<'_>| {
        token.is_word("may") || [":", "→", "->", "—", "–"].iter().any(|mark| token.is_mark(mark))
    };
    if !is_lead || !rest.first().is_some_and(is_joint) {
        return None;
    }
    let when = rest.iter().position(|token| token.is_word("when") || token.is_word("if"));
    let when = when.unwrap_or(rest.len());
    let named = &rest[1..when.max(1)];
    let all = says_all(named);
    let operations = operations(reader, named);
    let condition = condition_behind(rest, when);
    let span = outer(tokens).filter(|_| all || !operations.is_empty())?;
    Some(Grant { role: scope.spanned(), operations, all, scopes: Vec::new(), condition, span })
}
