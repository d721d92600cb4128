//! Digests and encodings, over the UTF-8 bytes of a text or over bytes.

use super::{Function, Gives, NO_OVERLOAD, Style, Takes, invalid, pure};
use crate::eval::{EvaluationError, Work};
use crate::expression::Expression;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

type Evaluated = Result<Value, EvaluationError>;

pub(super) fn functions() -> Vec<Function> {
    use Takes::{Bytes, Text};
    const DIGEST: &[super::Overload] = &[overload!(&[Text], Gives::Text), overload!(&[Bytes], Gives::Text)];
    vec![
        pure("sha256", Style::Call, DIGEST, sha256),
        pure(DIGEST_NAME, Style::Call, &[overload!(&[Takes::Any], Gives::Text)], |work, values| {
            let text = match &values[0] {
                Value::Json(json) => crate::value::json::parse(json).unwrap_or(Value::Null),
                other => other.clone(),
            };
            let Value::Text(text) = text else { return Ok(Value::Null) };
            work.charge(50 + text.len() / 16)?;
            Ok(Value::Text(digest(&text)))
        }),
        pure(
            "hmac_sha256",
            Style::Call,
            &[
                overload!(&[Text, Text], Gives::Text),
                overload!(&[Text, Bytes], Gives::Text),
                overload!(&[Bytes, Text], Gives::Text),
                overload!(&[Bytes, Bytes], Gives::Text),
            ],
            hmac_sha256,
        ),
        pure("base64", Style::Call, DIGEST, |_, values| {
            Ok(Value::Text(STANDARD.encode(raw(&values[0])?).into()))
        }),
        pure("base64_decode", Style::Call, &[overload!(&[Text], Gives::Bytes)], decode),
        pure("url_encode", Style::Either, &[overload!(&[Text], Gives::Text)], url_encode),
    ]
}

/// The function that brings a text to the form in which secrets are kept.
const DIGEST_NAME: &str = "/digest";

/// The form in which a secret is kept: SHA-256 in hexadecimal, the same for the same text, so that it can be found.
pub fn digest(text: &str) -> std::sync::Arc<str> {
    match hexadecimal(&Sha256::digest(text.as_bytes())) {
        Value::Text(text) => text,
        _ => "".into(),
    }
}

/// A call of it.
pub(crate) fn digest_of(plain: Expression) -> Expression {
    // The registry has the name; a missing one would be an index that no function has, an error when computed.
    let function = super::find(DIGEST_NAME, false).unwrap_or(u16::MAX);
    Expression::Call { function, arguments: vec![plain], span: formwork_syntax::Span::default() }
}

fn raw(value: &Value) -> Result<&[u8], EvaluationError> {
    match value {
        Value::Text(text) => Ok(text.as_bytes()),
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(NO_OVERLOAD),
    }
}

fn hexadecimal(bytes: &[u8]) -> Value {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Value::Text(text.into())
}

/// The digest in lower-case hexadecimal.
fn sha256(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let data = raw(&values[0])?;
    work.charge(50 + data.len() / 16)?;
    Ok(hexadecimal(&Sha256::digest(data)))
}

/// `hmac_sha256(key, data)` in lower-case hexadecimal.
fn hmac_sha256(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [key, data] = values else { return Err(NO_OVERLOAD) };
    let (key, data) = (raw(key)?, raw(data)?);
    work.charge(100 + data.len() / 16)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| invalid("not a key"))?;
    mac.update(data);
    Ok(hexadecimal(&mac.finalize().into_bytes()))
}

fn decode(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Text(text)] = values else { return Err(NO_OVERLOAD) };
    let engine: &GeneralPurpose =
        if text.ends_with('=') || text.len().is_multiple_of(4) { &STANDARD } else { &STANDARD_NO_PAD };
    engine.decode(text.as_bytes()).map(|bytes| Value::Bytes(bytes.into())).map_err(|_| invalid("not base64"))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn url_encode(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Text(text)] = values else { return Err(NO_OVERLOAD) };
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    Ok(Value::Text(encoded.into()))
}
