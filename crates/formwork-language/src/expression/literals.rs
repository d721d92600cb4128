//! Reads the literals of an expression: texts and bytes with their escapes, and numbers with a point.
//!
//! Source: the CEL specification, *String and Bytes Values*.

use crate::value::{Decimal, Value};

/// What stands before the quote: `r` (raw), `b` (bytes), or both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub(super) raw: bool,
    pub(super) bytes: bool,
    pub(super) length: usize,
}

/// The prefix and quote that a text literal opens with.
pub(super) fn opening(text: &str) -> Option<(Prefix, &'static str)> {
    let mut prefix = Prefix { raw: false, bytes: false, length: 0 };
    for character in text.chars().take(2) {
        match character {
            'r' | 'R' if !prefix.raw => prefix.raw = true,
            'b' | 'B' if !prefix.bytes => prefix.bytes = true,
            _ => break,
        }
        prefix.length += 1;
    }
    let rest = &text[prefix.length..];
    ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| rest.starts_with(quote))
        .map(|quote| (prefix, quote))
}

/// Where the closing quote stands; a text of one quote does not reach over a line end.
pub(super) fn closing(text: &str, quote: &str, raw: bool) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' && !raw {
            escaped = true;
        } else if text[at..].starts_with(quote) {
            return Some(at);
        } else if quote.len() == 1 && matches!(character, '\n' | '\r') {
            return None;
        }
    }
    None
}

type Problem = (String, usize, usize);

/// The value of a literal's content.
pub(super) fn unescape(content: &str, prefix: Prefix) -> Result<Value, Problem> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(character) = rest.chars().next() {
        let at = content.len() - rest.len();
        if character != '\\' || prefix.raw {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[character.len_utf8()..];
            continue;
        }
        let (escape, length) = escape(&rest[1..]).ok_or_else(|| {
            let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            (format!("`{}` is no escape of a text", &rest[..length]), at, at + length)
        })?;
        match escape {
            Escape::Byte(byte) if prefix.bytes => bytes.push(byte),
            Escape::Byte(byte) => {
                bytes.extend_from_slice(char::from(byte).encode_utf8(&mut [0; 4]).as_bytes())
            }
            Escape::Character(character) => {
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes())
            }
        }
        rest = &rest[1 + length..];
    }
    if prefix.bytes {
        return Ok(Value::Bytes(bytes.into()));
    }
    String::from_utf8(bytes)
        .map(|text| Value::Text(text.into()))
        .map_err(|_| ("the text is not Unicode".to_owned(), 0, content.len()))
}

enum Escape {
    Byte(u8),
    Character(char),
}

/// What stands behind a backslash, and how many bytes of the text it takes.
fn escape(rest: &str) -> Option<(Escape, usize)> {
    let simple = |character| Some((Escape::Character(character), 1));
    match rest.chars().next()? {
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        same @ ('\\' | '?' | '"' | '\'' | '`') => simple(same),
        'x' | 'X' => {
            let byte = u8::try_from(digits(rest, 1, 2, 16)?).ok()?;
            Some((Escape::Byte(byte), 3))
        }
        'u' => Some((Escape::Character(char::from_u32(digits(rest, 1, 4, 16)?)?), 5)),
        'U' => Some((Escape::Character(char::from_u32(digits(rest, 1, 8, 16)?)?), 9)),
        '0'..='3' => {
            let byte = u8::try_from(digits(rest, 0, 3, 8)?).ok()?;
            Some((Escape::Byte(byte), 3))
        }
        _ => None,
    }
}

fn digits(text: &str, from: usize, count: usize, radix: u32) -> Option<u32> {
    let digits = text.get(from..from + count)?;
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

/// A number with a point is an exact decimal; with an exponent, or with more digits than 128 bits hold, a double.
pub(super) fn fraction(text: &str, exponent: bool) -> Value {
    let double = || Value::Double(text.parse().unwrap_or(f64::INFINITY));
    if exponent {
        return double();
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let units = format!("{whole}{fraction}").parse::<i128>();
    match (units, u8::try_from(fraction.len())) {
        (Ok(units), Ok(scale)) if scale <= crate::value::MAX_SCALE => {
            Value::Decimal(Decimal { units, scale })
        }
        _ => double(),
    }
}
