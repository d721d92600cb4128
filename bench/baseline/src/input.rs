//! The body of `create_link` as checked values, or every fault of it at once.
//!
//! The rules are those of section 4 of `examples/shortlink.md`: unknown fields are refused, a URL is a URI
//! (RFC 3986) of at most 2048 characters, a slug matches `/^[a-z0-9-]{3,32}$/`, an expiry is an RFC 3339 time.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::problem::{Fault, Problem};

const URL_MAX_CHARS: usize = 2048;

/// What a member asks for, checked; whether the slug is free only the writer knows.
pub(crate) struct NewLink<'a> {
    pub(crate) url: Cow<'a, str>,
    pub(crate) slug: Option<Cow<'a, str>>,
    pub(crate) expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
    #[serde(borrow, default)]
    slug: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    expires_at: Option<Cow<'a, str>>,
}

/// Reads the body; 400 when it is not JSON, 422 when it is not what the operation takes.
pub(crate) fn parse_new_link(body: &[u8]) -> Result<NewLink<'_>, Problem> {
    let body: Body<'_> = serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Problem::invalid(vec![Fault { pointer: "#", detail: error.to_string() }])
        } else {
            Problem::malformed(error.to_string())
        }
    })?;
    let mut faults = Vec::new();
    if !is_uri(&body.url) {
        faults.push(Fault { pointer: "#/url", detail: "is not a URI".to_owned() });
    } else if body.url.len() > URL_MAX_CHARS {
        // Counted in bytes: a URI is ASCII.
        faults.push(Fault { pointer: "#/url", detail: format!("is longer than {URL_MAX_CHARS} characters") });
    }
    if body.slug.as_deref().is_some_and(|slug| !is_slug(slug)) {
        faults.push(Fault { pointer: "#/slug", detail: "does not match ^[a-z0-9-]{3,32}$".to_owned() });
    }
    let expires_at = match body.expires_at.as_deref().map(str::parse::<Timestamp>) {
        None => None,
        Some(Ok(instant)) => Some(instant),
        Some(Err(_)) => {
            faults.push(Fault { pointer: "#/expires_at", detail: "is not an RFC 3339 time".to_owned() });
            None
        }
    };
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    Ok(NewLink { url: body.url, slug: body.slug, expires_at })
}

/// `/^[a-z0-9-]{3,32}$/`.
pub(crate) fn is_slug(text: &str) -> bool {
    (3..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// A scheme, a colon and something after it, of the characters that RFC 3986 allows.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut scheme = scheme.bytes();
    scheme.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && !rest.is_empty()
        && has_uri_characters(rest.as_bytes())
}

fn has_uri_characters(mut rest: &[u8]) -> bool {
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
            (
                b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'#' | b'[' | b']' | b'@' | b'!' | b'$'
                | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=',
                _,
            ) => tail,
            _ if byte.is_ascii_alphanumeric() => tail,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> (u16, String) {
        let problem = parse_new_link(body.as_bytes()).err().expect("a refusal");
        (problem.status(), format!("{problem:?}"))
    }

    #[test]
    fn a_full_body_is_read() {
        let body =
            br#"{"url":"https://example.com/a?b=%20#c","slug":"launch","expires_at":"2030-01-01T00:00:00Z"}"#;
        let link = parse_new_link(body).unwrap_or_else(|problem| panic!("{problem:?}"));
        assert_eq!(link.url, "https://example.com/a?b=%20#c");
        assert_eq!(link.slug.as_deref(), Some("launch"));
        assert_eq!(link.expires_at.map(Timestamp::as_second), Some(1_893_456_000));
    }

    #[test]
    fn broken_json_is_malformed_and_wrong_json_is_invalid() {
        assert_eq!(refusal("{").0, 400);
        assert_eq!(refusal(r#"{"url":7}"#).0, 422);
        assert_eq!(refusal("{}").0, 422);
        assert_eq!(refusal(r#"{"url":"https://example.com/","colour":"red"}"#).0, 422);
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let (status, text) = refusal(r#"{"url":"not a url","slug":"A","expires_at":"soon"}"#);
        assert_eq!(status, 422);
        for pointer in ["#/url", "#/slug", "#/expires_at"] {
            assert!(text.contains(pointer), "{pointer} is missing in {text}");
        }
    }

    #[test]
    fn a_url_may_be_2048_characters_long_and_no_longer() {
        let with_length = |length: usize| format!("https://e.org/{}", "x".repeat(length - 14));
        let accepted = format!(r#"{{"url":"{}"}}"#, with_length(2048));
        assert!(parse_new_link(accepted.as_bytes()).is_ok());
        assert_eq!(refusal(&format!(r#"{{"url":"{}"}}"#, with_length(2049))).0, 422);
    }

    #[test]
    fn a_uri_needs_a_scheme_and_legal_characters() {
        for uri in ["https://example.com/", "mailto:a@b.c", "urn:isbn:0451450523"] {
            assert!(is_uri(uri), "{uri}");
        }
        for text in
            ["not a url", "example.com", ":x", "1a:x", "https:", "https://a b", "https://a/%2", "https://ä"]
        {
            assert!(!is_uri(text), "{text}");
        }
    }
}
