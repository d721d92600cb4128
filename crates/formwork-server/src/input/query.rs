//! Percent-encoding and query strings.

use std::borrow::Cow;

/// A piece of a URL without its percent-encoding; nothing when that is bad or does not give UTF-8.
pub(crate) fn percent_decode(text: &str, plus_is_blank: bool) -> Option<Cow<'_, str>> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| *byte == b'%' || (plus_is_blank && *byte == b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                let byte = digit(at + 1)? * 16 + digit(at + 2)?;
                decoded.push(u8::try_from(byte).ok()?);
                at += 3;
            }
            b'+' if plus_is_blank => {
                decoded.push(b' ');
                at += 1;
            }
            other => {
                decoded.push(other);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The names and values of a query string, in order; nothing when an encoding is bad.
pub(super) fn pairs(query: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            Some((percent_decode(name, true)?, percent_decode(value, true)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_decoded_or_refused() {
        assert_eq!(percent_decode("a%20b%C3%A9+", false).as_deref(), Some("a bé+"));
        assert_eq!(percent_decode("a+b", true).as_deref(), Some("a b"));
        for bad in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(percent_decode(bad, false), None, "{bad}");
        }
    }

    #[test]
    fn a_query_keeps_order_and_repetition() {
        let pairs = pairs("a=1&b&&a=%3D").expect("good encodings");
        let texts: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(texts, [("a", "1"), ("b", ""), ("a", "=")]);
    }
}
