//! `Idempotency-Key`: reads the header, says whose key it is and what was asked, and turns a reply into what is kept
//! and back. That the answer is kept with the effect is the store's doing.
//!
//! Source: docs/reference/http.md, *Repeated requests*; conventions *HTTP core*, Idempotency-Key.

use crate::auth::Caller;
use crate::json::Writer;
use crate::problems::{KEY_REQUIRED, KEY_REUSED, MALFORMED, Problem};
use crate::respond::Reply;
use formwork_language::eval::Host;
use formwork_language::program::{OnceRule, Operation};
use formwork_language::value::Value;
use formwork_store::{KeptAnswer, OnceKey};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

/// The header that bears the key.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header of an answer that was kept.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key.
const LONGEST: usize = 255;

/// The key of a request, if it has one; a request that must have one is refused without.
pub(crate) fn key(headers: &HeaderMap, rule: OnceRule) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(KEY).iter();
    let Some(first) = sent.next() else {
        return match rule.required {
            true => {
                Err(Problem::with(&KEY_REQUIRED, "Send an `Idempotency-Key`, and the same when you repeat."))
            }
            false => Ok(None),
        };
    };
    let key = first.to_str().ok().and_then(unquoted).filter(|_| sent.next().is_none());
    key.map(Some).ok_or_else(|| {
        let detail = "`Idempotency-Key` is one text of 1 to 255 visible ASCII characters, in quotes or not.";
        Problem::with(&MALFORMED, detail)
    })
}

/// A structured-field string (RFC 9651, 3.3.3), or the bare text that most clients send.
fn unquoted(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        None => text.to_owned(),
        Some(quoted) => {
            let mut key = String::new();
            let mut characters = quoted.chars();
            loop {
                match characters.next()? {
                    '"' => break,
                    '\\' => key.push(characters.next().filter(|next| "\"\\".contains(*next))?),
                    character => key.push(character),
                }
            }
            characters.next().is_none().then_some(key)?
        }
    };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    ((1..=LONGEST).contains(&key.len()) && visible).then_some(key)
}

/// The key as the store knows it. `input` is what was sent, without what defaults would make of it: a default such
/// as `now()` differs from one repeat to the next.
pub(crate) fn once_key(
    key: String,
    caller: &Caller,
    operation: &Operation,
    input: &[Value],
    (now, rule): (i64, OnceRule),
) -> OnceKey {
    let mut writer = Writer::new(&[], None, &[]);
    writer.answer(&Value::Text(operation.name.clone()));
    writer.answers(input);
    let fingerprint: [u8; 32] = Sha256::digest(&writer.out).into();
    let scope = match &caller.id {
        Value::Text(id) => format!("caller {id}"),
        // Nobody knows whether two strangers are one: only who asks for the same may share a key.
        _ => format!("anyone {}", crate::random::hexadecimal(&fingerprint)),
    };
    OnceKey { scope, key, fingerprint, until: rule.kept.map(|kept| now.saturating_add(kept)) }
}

/// What defaults of inputs ask for while a fingerprint is taken: always the same.
pub(crate) struct Still;

impl Host for Still {
    fn now(&self) -> i64 {
        0
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}

/// A reply as it is kept.
pub(crate) fn kept(reply: &Reply) -> KeptAnswer {
    let content_type = reply.content_type.as_ref().map(|value| (&CONTENT_TYPE, value));
    let further = reply.headers.iter().map(|(name, value)| (name, value));
    let headers = content_type.into_iter().chain(further);
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    KeptAnswer {
        status: reply.status.as_u16(),
        headers: headers.filter_map(text).collect(),
        body: reply.body.clone(),
    }
}

/// A kept answer as a reply.
pub(crate) fn reply(kept: KeptAnswer) -> Reply {
    let mut reply = Reply::empty(StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK));
    reply.body = kept.body;
    for (name, value) in kept.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&value).ok());
        match header {
            Some((name, value)) if name == CONTENT_TYPE => reply.content_type = Some(value),
            Some(header) => reply.headers.push(header),
            None => {}
        }
    }
    reply
}

/// A kept answer that is sent again, and says so.
pub(crate) fn replayed(kept: KeptAnswer) -> Reply {
    let mut reply = reply(kept);
    reply.headers.push((REPLAYED, HeaderValue::from_static("true")));
    reply
}

/// The refusal of a key that belongs to another request.
pub(crate) fn other_input() -> Problem {
    Problem::with(&KEY_REUSED, "This `Idempotency-Key` was sent before with another operation or input.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(KEY, HeaderValue::from_str(value).expect("a header value"));
        }
        key(&headers, OnceRule::usual(0)).ok().flatten()
    }

    #[test]
    fn a_key_is_read_with_quotes_and_without() {
        assert_eq!(read(&["018f-a"]).as_deref(), Some("018f-a"));
        assert_eq!(read(&["\"018f-a\""]).as_deref(), Some("018f-a"));
        assert_eq!(read(&[r#""a\"b\\c""#]).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(read(&[&"x".repeat(255)]).map(|key| key.len()), Some(255));
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_passed_over() {
        let long = "x".repeat(256);
        for bad in ["", "\"\"", "\"a", "\"a\"b", "\"a\";p=1", "a b", r#""a\b""#, &long] {
            let mut headers = HeaderMap::new();
            headers.append(KEY, HeaderValue::from_str(bad).expect("a header value"));
            assert!(key(&headers, OnceRule::usual(0)).is_err(), "{bad}");
        }
        assert!(read(&["a", "a"]).is_none());
    }

    #[test]
    fn a_reply_comes_back_as_it_left() {
        let mut reply = Reply::json(StatusCode::CREATED, b"{}".to_vec());
        reply.headers.push((http::header::LOCATION, HeaderValue::from_static("/a/1")));
        let again = super::reply(kept(&reply));
        assert_eq!(
            (again.status, &again.content_type, &again.body),
            (reply.status, &reply.content_type, &reply.body)
        );
        assert_eq!(again.headers, reply.headers);
    }
}
