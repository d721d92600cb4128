//! Signed requests of section 9, as the program holds them, and how a request is signed.
//!
//! Where no header is named, the headers are those of Standard Webhooks 1.0.0. What one operation is sent is signed with
//! its body alone, as webhooks are; what may go to any operation is signed with method and path too, since otherwise one
//! request could be turned into another. Sources: docs/reference/authentication.md, *Signed requests*; RFC 2104.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_model::Model;
use formwork_model::sections::security;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::sync::Arc;

/// The headers of Standard Webhooks: the request's name, when it was sent, and its signatures.
pub const STANDARD_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// How a secret begins whose bytes are written as base64 (Standard Webhooks).
const ENCODED: &str = "whsec_";

/// The secret's name where the line says none.
const USUAL_SECRET: &str = "SIGNING_SECRET";

/// How old a request may be where the line says nothing, in microseconds.
const USUAL_AGE: i64 = 5 * 60_000_000;

/// The oldest that a line may allow, in microseconds: every signature is remembered that long.
const LONGEST_AGE: i64 = 24 * 3600 * 1_000_000;

/// A line about signed requests that says everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureRule {
    /// The operations that take this signature and nothing else; empty: any operation takes it beside other proofs.
    pub operations: Vec<Arc<str>>,
    /// The header of the signature, in lower case; absent: the headers of Standard Webhooks.
    pub header: Option<Arc<str>>,
    /// The header of the time, in lower case, where that of the signature is named; absent: no time is signed.
    pub time: Option<Arc<str>>,
    /// The name of the secret.
    pub secret: Arc<str>,
    /// `caller.id`
    pub caller: Arc<str>,
    /// `caller.roles`
    pub roles: Vec<Arc<str>>,
    /// How old a request may be, in microseconds.
    pub oldest: i64,
}

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'r> {
    /// Its name, where it has one.
    pub id: &'r str,
    /// When it was sent, as its header says; empty when no time is signed.
    pub time: &'r str,
    /// `POST`
    pub method: &'r str,
    /// Path and query.
    pub target: &'r str,
    /// The body's bytes.
    pub body: &'r [u8],
}

impl SignatureRule {
    /// What a line says, completed; or what it lacks to be enforced, with the way out.
    pub fn new(model: &Model, line: &security::SignatureRule) -> Result<Self, String> {
        if let Some(unread) = &line.unread {
            return Err(format!(
                "`{}` is no part of ``HMAC-SHA256 of the raw body in header `X` with secret `NAME`, time in header `Y`, at most 5 min old, from `WHO` ``; leave it out",
                unread.value
            ));
        }
        let is_known = |name: &str| {
            model.operations.iter().chain(&model.endpoints).any(|operation| operation.name.value == name)
        };
        if let Some(other) = line.operations.iter().find(|name| !is_known(&name.value)) {
            return Err(format!("no operation is called `{}`; name one of section 4 or 5", other.value));
        }
        let is_own = !line.operations.is_empty();
        match (&line.header, &line.time) {
            (None, Some(_)) => {
                return Err("the header of the signature is not named; add ``in header `X` ``".to_owned());
            }
            (Some(_), None) if !line.timeless => {
                return Err("no time is signed, so that an old request could be sent again; add ``time in header `Y` ``, or for one operation `without time`".to_owned());
            }
            _ if line.timeless && !(is_own && line.header.is_some() && line.oldest.is_none()) => {
                return Err("only a request of one operation, in a header of its own and of any age, is taken without time; leave `without time` out".to_owned());
            }
            _ => {}
        }
        let oldest = line.oldest.unwrap_or(USUAL_AGE);
        if !(1_000_000..=LONGEST_AGE).contains(&oldest) {
            return Err("a request may be 1 s to 24 h old; name such a time".to_owned());
        }
        let mut outside = model.components.iter().filter(|component| component.external);
        let from = line.from.as_ref().map(|name| name.value.as_str());
        let only = outside
            .next()
            .filter(|_| outside.next().is_none())
            .map(|component| component.name.value.as_str());
        let caller = from.or(only).ok_or(
            "who signs is not said, and no external component is the only one; add ``from `NAME` ``",
        )?;
        let text = |name: &formwork_syntax::Spanned<String>| Arc::<str>::from(name.value.as_str());
        let lower =
            |name: &formwork_syntax::Spanned<String>| Arc::<str>::from(name.value.to_ascii_lowercase());
        Ok(Self {
            operations: line.operations.iter().map(text).collect(),
            header: line.header.as_ref().map(lower),
            time: line.time.as_ref().map(lower),
            secret: line.secret.as_ref().map_or_else(|| USUAL_SECRET.into(), text),
            caller: caller.into(),
            roles: line.roles.iter().map(text).collect(),
            oldest,
        })
    }

    /// Whether an operation takes this signature and nothing else.
    pub fn is_of(&self, operation: &str) -> bool {
        self.operations.iter().any(|own| **own == *operation)
    }

    /// The header of the signature.
    pub fn header(&self) -> &str {
        self.header.as_deref().unwrap_or(STANDARD_HEADERS[2])
    }

    /// The header of the time, when one is signed.
    pub fn time_header(&self) -> Option<&str> {
        if self.header.is_some() { self.time.as_deref() } else { Some(STANDARD_HEADERS[1]) }
    }

    /// The header of the request's name, when one is signed.
    pub fn id_header(&self) -> Option<&str> {
        self.header.is_none().then_some(STANDARD_HEADERS[0])
    }

    /// The text that is signed.
    pub fn text(&self, request: &Signed<'_>) -> Vec<u8> {
        let mut text = Vec::with_capacity(request.body.len() + 128);
        for (signed, value) in
            [(self.id_header().is_some(), request.id), (self.time_header().is_some(), request.time)]
        {
            if signed {
                text.extend_from_slice(value.as_bytes());
                text.push(b'.');
            }
        }
        if self.operations.is_empty() {
            text.extend_from_slice(format!("{} {}\n", request.method, request.target).as_bytes());
        }
        text.extend_from_slice(request.body);
        text
    }

    /// The headers that prove a request.
    pub fn sign(&self, key: &[u8], request: &Signed<'_>) -> Vec<(String, String)> {
        let code = code(key, &self.text(request));
        let signature = match &self.header {
            None => format!("v1,{}", STANDARD.encode(code)),
            Some(_) => code.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let named = |name: Option<&str>, value: &str| name.map(|name| (name.to_owned(), value.to_owned()));
        [
            named(self.id_header(), request.id),
            named(self.time_header(), request.time),
            Some((self.header().to_owned(), signature)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// HMAC-SHA256.
pub fn code(key: &[u8], text: &[u8]) -> [u8; 32] {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// The bytes of a secret: those of its text, or behind `whsec_` those that the rest says in base64; absent when it says
/// none.
pub fn signing_key(secret: &str) -> Option<Vec<u8>> {
    match secret.strip_prefix(ENCODED) {
        Some(encoded) => STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()),
        None => Some(secret.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_signed_as_its_standard_says() {
        let rule = SignatureRule {
            operations: vec!["hook".into()],
            header: None,
            time: None,
            secret: "S".into(),
            caller: "Provider".into(),
            roles: Vec::new(),
            oldest: USUAL_AGE,
        };
        let key = signing_key("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX").expect("base64");
        let body = br#"{"type":"order.paid"}"#;
        let request = Signed { id: "msg_01", time: "1767225600", method: "POST", target: "/hook", body };
        let headers = rule.sign(&key, &request);
        assert_eq!(headers[2].1, "v1,2BPLzn7X4Ixfgw+tI9eR3hpz40V8/iKP4EjJW3ubKwM=");
        assert_eq!(headers[0], ("webhook-id".to_owned(), "msg_01".to_owned()));
        let any = SignatureRule { operations: Vec::new(), ..rule };
        assert_eq!(any.text(&request), b"msg_01.1767225600.POST /hook\n{\"type\":\"order.paid\"}");
    }

    #[test]
    fn a_secret_is_its_text_or_what_it_encodes() {
        assert_eq!(signing_key("plain").as_deref(), Some(&b"plain"[..]));
        assert_eq!(signing_key("whsec_AAEC").as_deref(), Some(&[0, 1, 2][..]));
        assert_eq!((signing_key("whsec_"), signing_key("whsec_!")), (None, None));
    }
}
