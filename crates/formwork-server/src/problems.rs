//! Every refusal as problem details (RFC 9457): one entry per code of our own, and the bodies' bytes.
//!
//! The caller learns only what it can act on: no SQL, file path or name of ours stands in a body. Source: interfaces
//! *HTTP, on the public listener*; conventions *HTTP core*.

use crate::json::{Writer, every_entity, write_text};
use formwork_engine::{ConflictKind, FieldFault, Refusal, RuleFault, RuleKind};
use formwork_language::program::Schema;
use formwork_language::value::{Row, Value};
use formwork_model::facts::Outcome;
use http::header::{ALLOW, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use std::borrow::Cow;

/// A refusal of our own.
pub(crate) struct Entry {
    /// HTTP status.
    pub(crate) status: u16,
    /// The stable word.
    pub(crate) code: &'static str,
    /// The same for every occurrence.
    pub(crate) title: &'static str,
}

macro_rules! catalogue {
    ($($name:ident = $status:literal $code:literal $title:literal;)*) => {
        $(pub(crate) const $name: Entry = Entry { status: $status, code: $code, title: $title };)*
        #[cfg(test)]
        const CATALOGUE: &[&Entry] = &[$(&$name),*];
    };
}

catalogue! {
    MALFORMED = 400 "malformed" "The request cannot be read";
    CURSOR_INVALID = 400 "cursor_invalid" "The cursor belongs to another list";
    KEY_REQUIRED = 400 "idempotency_key_required" "This needs an idempotency key";
    UNAUTHENTICATED = 401 "unauthenticated" "A valid key is needed";
    FORBIDDEN = 403 "forbidden" "The key does not allow this";
    NOT_FOUND = 404 "not_found" "There is nothing here";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed" "This method is not served here";
    NOT_ACCEPTABLE = 406 "not_acceptable" "Only JSON is answered";
    REQUEST_TIMEOUT = 408 "request_timeout" "The request did not arrive in time";
    CONFLICT = 409 "conflict" "The request conflicts with what is stored";
    SIGNATURE_USED = 409 "signature_used" "This signed request has come before";
    GONE = 410 "gone" "This operation is no more";
    PRECONDITION_FAILED = 412 "precondition_failed" "What is stored is not what the request is about";
    CONTENT_TOO_LARGE = 413 "content_too_large" "The body is too large";
    URI_TOO_LONG = 414 "uri_too_long" "The address is too long";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type" "The body is not JSON";
    INVALID = 422 "invalid" "The input is not valid";
    KEY_REUSED = 422 "idempotency_key_reused" "The idempotency key belongs to another request";
    RATE_LIMITED = 429 "rate_limited" "Too many requests";
    HEADERS_TOO_LARGE = 431 "headers_too_large" "The header is too large";
    TOO_MANY_FAILURES = 429 "too_many_failures" "Too many proofs that do not hold";
    INTERNAL = 500 "internal" "The server made a mistake";
    ARITHMETIC = 500 "arithmetic" "A computation has no result";
    INVARIANT = 500 "invariant" "What is stored would no longer add up";
    TOO_MUCH_WORK = 500 "too_much_work" "The operation would do too much work";
    TOO_MANY_ROWS = 500 "too_many_rows" "The operation would read too many rows";
    UNAVAILABLE = 503 "unavailable" "The store is away";
    TOKENS_UNCHECKED = 503 "authentication_unavailable" "Tokens cannot be checked now";
    OVERLOADED = 503 "overloaded" "The server has too much to do";
    OUTCOME_UNKNOWN = 504 "outcome_unknown" "It is not known whether this was done";
}

/// Where a fault of the input is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the body: a JSON Pointer without the `#`, empty for the whole body.
    Body(String),
    /// Outside of it: `path`, `query` or `header`, and the name.
    Outside(&'static str, String),
}

/// A fault of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where.
    pub(crate) place: Place,
    /// `required`, `type`, `min`, …
    pub(crate) code: &'static str,
    /// One sentence.
    pub(crate) detail: String,
}

/// A refusal on its way out. Boxed, since almost every request ends without one.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Details>);

impl std::ops::Deref for Problem {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl Details {
    /// The stable word.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }
}

impl std::ops::DerefMut for Problem {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

/// What a [`Problem`] says.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// The stable word.
    code: Cow<'static, str>,
    /// The URI of its type, where another document than this server's gives one.
    kind: Option<&'static str>,
    title: Cow<'static, str>,
    detail: Option<Cow<'static, str>>,
    faults: Vec<Fault>,
    /// Further members: a name, and a value as JSON.
    members: Vec<(String, Vec<u8>)>,
    /// Headers that belong to it.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// What only the log may know.
    pub(crate) for_the_log: Option<String>,
}

impl Problem {
    /// An entry of the catalogue without more to say.
    pub(crate) fn of(entry: &Entry) -> Self {
        let headers = match entry.status {
            503 => vec![(RETRY_AFTER, HeaderValue::from_static("1"))],
            _ => Vec::new(),
        };
        Self(Box::new(Details {
            status: status(entry.status),
            code: entry.code.into(),
            kind: None,
            title: entry.title.into(),
            detail: None,
            faults: Vec::new(),
            members: Vec::new(),
            headers,
            for_the_log: None,
        }))
    }

    /// An entry with a sentence about this occurrence.
    pub(crate) fn with(entry: &Entry, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut problem = Self::of(entry);
        problem.detail = Some(detail.into());
        problem
    }

    /// `422` with all faults.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => "One field is not valid.".into(),
            number => format!("{number} fields are not valid.").into(),
        };
        let mut problem = Self::of(&INVALID);
        problem.detail = Some(detail);
        problem.faults = faults;
        problem
    }

    /// `405` with the methods that are served.
    pub(crate) fn method_not_allowed(allow: &HeaderValue) -> Self {
        let mut problem = Self::of(&METHOD_NOT_ALLOWED);
        problem.headers.push((ALLOW, allow.clone()));
        problem
    }

    /// `401`; `challenge` names the scheme that would be accepted.
    pub(crate) fn unauthenticated(challenge: &HeaderValue, detail: &'static str) -> Self {
        let mut problem = Self::with(&UNAUTHENTICATED, detail);
        problem.headers.push((WWW_AUTHENTICATE, challenge.clone()));
        problem
    }

    /// `500` whose cause only the log learns.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        Self::logged(&INTERNAL, cause)
    }

    /// An entry whose cause only the log learns.
    pub(crate) fn logged(entry: &Entry, cause: impl Into<String>) -> Self {
        let mut problem = Self::of(entry);
        problem.for_the_log = Some(cause.into());
        problem
    }

    /// A request beyond a limit of the document; `violated` are the names of what it does not keep to.
    pub(crate) fn limited(
        otherwise: Option<&Outcome>,
        detail: String,
        violated: &[&str],
        retry_after: i64,
    ) -> Self {
        let mut problem = Self::of(&RATE_LIMITED);
        if let Some(outcome) = otherwise {
            problem = problem.answered_as(outcome);
        }
        problem.kind = Some("https://iana.org/assignments/http-problem-types#quota-exceeded");
        problem.detail = Some(detail.into());
        let mut names = vec![b'['];
        for (position, name) in violated.iter().enumerate() {
            if position > 0 {
                names.push(b',');
            }
            write_text(&mut names, name);
        }
        names.push(b']');
        problem.members.push(("violated-policies".to_owned(), names));
        problem.headers.retain(|(name, _)| *name != RETRY_AFTER);
        problem.headers.push((RETRY_AFTER, HeaderValue::from(retry_after)));
        problem
    }

    /// The same with the status and code that the document names for it.
    pub(crate) fn answered_as(mut self, outcome: &Outcome) -> Self {
        self.status = status(outcome.status);
        self.code = outcome.code.clone().map_or_else(|| default_code(self.status), Cow::Owned);
        self.title = Cow::Owned(sentence_case(&self.code));
        self
    }

    /// What the engine refused.
    pub(crate) fn refused(refusal: Refusal, rows: &[Row], schema: &Schema) -> Self {
        match refusal {
            Refusal::Step { status, code, message, members } => {
                Self::step(status, code.as_deref(), message, &members, rows, schema)
            }
            Refusal::Invalid(faults) => {
                Self::invalid(faults.into_iter().map(|fault| row_fault(fault, schema)).collect())
            }
            Refusal::Rule(fault) => Self::rule(*fault, schema),
            Refusal::Conflict { entity, fields, kind } => {
                let entity = schema.entities.get(usize::from(entity));
                let names: Vec<&str> = fields
                    .iter()
                    .filter_map(|field| Some(&*entity?.fields.get(usize::from(*field))?.name))
                    .collect();
                Self::conflict(entity.map_or("row", |entity| &entity.name), &names, kind)
            }
            Refusal::Precondition => {
                let detail =
                    "No row that this changes is in the state that `If-Match` or `If-None-Match` asks for.";
                Self::with(&PRECONDITION_FAILED, detail)
            }
            Refusal::Rehearsed(_) => Self::internal("a rehearsal was not taken for its answer"),
            Refusal::Arithmetic(what) => Self::with(&ARITHMETIC, what),
            Refusal::TooMuchWork => Self::of(&TOO_MUCH_WORK),
            Refusal::TooManyRows => Self::of(&TOO_MANY_ROWS),
            Refusal::Unacceptable(detail) => Self::with(&INVALID, detail),
            Refusal::Unavailable => Self::of(&UNAVAILABLE),
            Refusal::Overloaded => Self::of(&OVERLOADED),
            Refusal::Unsure | Refusal::MovedOn => Self::with(
                &OUTCOME_UNKNOWN,
                "The database was lost while this was committed: it is done whole, or not at all. \
                 Look before you ask again; with an `Idempotency-Key` you may just repeat.",
            ),
            Refusal::Internal(cause) => Self::internal(cause),
        }
    }

    fn step(
        number: u16,
        code: Option<&str>,
        message: Option<String>,
        members: &[(std::sync::Arc<str>, Value)],
        rows: &[Row],
        schema: &Schema,
    ) -> Self {
        let status = status(number);
        let code = code.map_or_else(|| default_code(status), |code| Cow::Owned(code.to_owned()));
        let title = Cow::Owned(sentence_case(&code));
        let columns = every_entity(schema);
        let members = members
            .iter()
            .filter(|(name, _)| !STANDARD.contains(&&**name))
            .map(|(name, value)| {
                let mut writer = Writer::new(rows, None, &columns);
                writer.answer(value);
                (name.to_string(), writer.out)
            })
            .collect();
        let mut headers = match number {
            429 | 503 => vec![(RETRY_AFTER, HeaderValue::from_static("1"))],
            _ => Vec::new(),
        };
        if number == 401 {
            headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey realm=\"api\"")));
        }
        Self(Box::new(Details {
            status,
            code,
            kind: None,
            title,
            detail: message.map(Cow::Owned),
            faults: Vec::new(),
            members,
            headers,
            for_the_log: None,
        }))
    }

    /// A rule over several fields or rows, with each field that it names.
    fn rule(fault: RuleFault, schema: &Schema) -> Self {
        let entity = schema.entities.get(usize::from(fault.entity));
        let mut problem = match &fault.outcome {
            Some(outcome) => {
                let code = outcome.code.as_deref();
                Self::step(outcome.status, code, None, &[], &[], schema)
            }
            None => Self::of(match fault.kind {
                RuleKind::Unique | RuleKind::Overlap => &CONFLICT,
                RuleKind::Invariant | RuleKind::Quota => &INVARIANT,
                _ => &INVALID,
            }),
        };
        let pointers: Vec<String> = fault
            .fields
            .iter()
            .filter_map(|field| Some(format!("/{}", entity?.fields.get(usize::from(*field))?.name)))
            .collect();
        let places = if pointers.is_empty() { vec![String::new()] } else { pointers };
        problem.detail = Some(sentence(&fault.detail).into());
        problem.faults = places
            .into_iter()
            .map(|pointer| Fault {
                place: Place::Body(pointer),
                code: fault.kind.code(),
                detail: fault.detail.clone(),
            })
            .collect();
        problem
    }

    fn conflict(entity: &str, fields: &[&str], kind: ConflictKind) -> Self {
        let named = fields.join("`, `");
        let (code, detail) = match kind {
            ConflictKind::Unique if fields.is_empty() => {
                ("unique", format!("A `{entity}` with this key exists already."))
            }
            ConflictKind::Unique => ("unique", format!("A `{entity}` with this `{named}` exists already.")),
            ConflictKind::MissingReference => {
                ("references", format!("What `{named}` of the `{entity}` refers to does not exist."))
            }
            ConflictKind::Referenced => ("referenced", format!("The `{entity}` is still referred to.")),
        };
        let faults = fields
            .iter()
            .map(|field| Fault { place: Place::Body(format!("/{field}")), code, detail: detail.clone() })
            .collect();
        let mut problem = Self::with(&CONFLICT, detail);
        problem.faults = faults;
        problem
    }

    /// The body's bytes. `instance` is the path of the request, a URI reference already; `trace` the id of its trace.
    pub(crate) fn body(&self, instance: &str, trace: Option<&str>) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"type\":");
        match self.kind {
            Some(kind) => write_text(&mut out, kind),
            None => write_text(&mut out, &format!("/problems/{}", self.code.replace('_', "-"))),
        }
        out.extend_from_slice(b",\"title\":");
        write_text(&mut out, &self.title);
        out.extend_from_slice(format!(",\"status\":{}", self.status.as_u16()).as_bytes());
        out.extend_from_slice(b",\"detail\":");
        match &self.detail {
            Some(detail) => write_text(&mut out, detail),
            None => write_text(&mut out, &format!("{}.", self.title)),
        }
        out.extend_from_slice(b",\"instance\":");
        write_text(&mut out, instance);
        out.extend_from_slice(b",\"code\":");
        write_text(&mut out, &self.code);
        if !self.faults.is_empty() {
            out.extend_from_slice(b",\"errors\":[");
            for (position, fault) in self.faults.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_fault(&mut out, fault);
            }
            out.push(b']');
        }
        // A member of this name that a step adds holds.
        let is_told = self.members.iter().any(|(name, _)| name == "trace_id");
        if let Some(trace) = trace.filter(|_| !is_told) {
            out.extend_from_slice(b",\"trace_id\":");
            write_text(&mut out, trace);
        }
        for (name, value) in &self.members {
            out.push(b',');
            write_text(&mut out, name);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
        out
    }
}

/// Members that a step cannot replace.
const STANDARD: &[&str] = &["type", "title", "status", "detail", "instance", "code", "errors"];

fn write_fault(out: &mut Vec<u8>, fault: &Fault) {
    match &fault.place {
        Place::Body(pointer) => {
            out.extend_from_slice(b"{\"pointer\":");
            write_text(out, &format!("#{}", fragment(pointer)));
        }
        Place::Outside(place, name) => {
            out.extend_from_slice(b"{\"in\":");
            write_text(out, place);
            out.extend_from_slice(b",\"name\":");
            write_text(out, name);
        }
    }
    out.extend_from_slice(b",\"detail\":");
    write_text(out, &sentence(&fault.detail));
    out.extend_from_slice(b",\"code\":");
    write_text(out, fault.code);
    out.push(b'}');
}

/// A clause such as *must be at most 50* as the sentence that a caller reads.
fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    let Some(first) = characters.next() else { return String::new() };
    let mut text: String = first.to_uppercase().collect();
    text.push_str(characters.as_str());
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

/// A JSON Pointer as a URI fragment (RFC 6901, section 6).
fn fragment(pointer: &str) -> String {
    let mut text = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn row_fault(fault: FieldFault, schema: &Schema) -> Fault {
    let field = schema
        .entities
        .get(usize::from(fault.entity))
        .and_then(|entity| entity.fields.get(usize::from(fault.field)));
    let pointer = field.map_or_else(String::new, |field| format!("/{}", field.name));
    Fault { place: Place::Body(pointer), code: fault.code, detail: fault.detail }
}

/// A status that HTTP has; a document can say none other, and 500 stands in for what cannot be.
fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The code of a status that a step names alone.
fn default_code(status: StatusCode) -> Cow<'static, str> {
    Cow::Borrowed(match status.as_u16() {
        400 => "malformed",
        401 => "unauthenticated",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        422 => "invalid",
        429 => "rate_limited",
        503 => "overloaded",
        _ => {
            let reason = status.canonical_reason().unwrap_or("refused");
            return Cow::Owned(reason.to_ascii_lowercase().replace([' ', '-', '\''], "_"));
        }
    })
}

/// `slug_taken` to `Slug taken`.
fn sentence_case(code: &str) -> String {
    let mut text = code.replace(['_', '-'], " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_statuses_are_refusals() {
        for (position, entry) in CATALOGUE.iter().enumerate() {
            assert!((400..600).contains(&entry.status), "{}", entry.code);
            assert!(CATALOGUE[..position].iter().all(|other| other.code != entry.code), "{}", entry.code);
            assert!(!entry.title.ends_with('.'), "{}", entry.code);
        }
    }

    #[test]
    fn a_problem_shows_all_faults() {
        let faults = vec![
            Fault { place: Place::Body("/a~1b/0".into()), code: "min", detail: "must be at least 1".into() },
            Fault { place: Place::Outside("query", "limit".into()), code: "type", detail: "No.".into() },
        ];
        let body = String::from_utf8(Problem::invalid(faults).body("/links?x=%22", None)).expect("UTF-8");
        assert_eq!(
            body,
            r##"{"type":"/problems/invalid","title":"The input is not valid","status":422,"detail":"2 fields are not valid.","instance":"/links?x=%22","code":"invalid","errors":[{"pointer":"#/a~1b/0","detail":"Must be at least 1.","code":"min"},{"in":"query","name":"limit","detail":"No.","code":"type"}]}"##
        );
    }

    #[test]
    fn a_step_may_name_a_status_alone() {
        let schema = Schema::default();
        let step = |status| Refusal::Step { status, code: None, message: None, members: Vec::new() };
        assert_eq!(Problem::refused(step(404), &[], &schema).code, "not_found");
        assert_eq!(Problem::refused(step(402), &[], &schema).code, "payment_required");
        assert_eq!(Problem::refused(step(503), &[], &schema).headers[0].0, RETRY_AFTER);
    }
}
