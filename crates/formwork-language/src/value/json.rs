//! Values as JSON text, and JSON text as values.
//!
//! Own reader, because fields of type `json` are kept as sent and an expression may look into them, and this room has
//! no JSON library at run time. Numbers lose no digit:
//! an integer of 64 bits, else a double if it holds all digits, else a decimal. Source: RFC
//! 8259; language reference, *Types*, column *JSON*.

use super::{RowIndex, Value, text};
use base64::Engine as _;
use std::fmt::Write as _;

/// How deep JSON may nest.
pub const MAX_DEPTH: u32 = 100;

/// Writes a value; `row` writes rows, which only the one who knows their fields can.
pub fn write(value: &Value, out: &mut String, row: &mut dyn FnMut(RowIndex, &mut String)) {
    match value {
        Value::Absent | Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Integer(value) => push_display(out, value),
        Value::Unsigned(value) => push_display(out, value),
        Value::Double(value) if value.is_finite() => out.push_str(&text::format_double(*value)),
        Value::Double(_) => out.push_str("null"),
        Value::Text(value) => quote(value, out),
        Value::Json(json) => out.push_str(json),
        Value::Row(index) => row(*index, out),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out, row);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(&key.to_plain(), out);
                out.push(':');
                write(value, out, row);
            }
            out.push('}');
        }
        other => quote(&other.to_plain(), out),
    }
}

/// A value as JSON text; a row is `null`.
pub fn to_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out, &mut |_, out| out.push_str("null"));
    out
}

fn push_display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a text cannot fail.
    let _ = write!(out, "{value}");
}

/// Writes a text as a JSON string.
pub fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            character => out.push(character),
        }
    }
    out.push('"');
}

impl Value {
    /// The value as plain text, as a message, a header or a map key shows it.
    pub fn to_plain(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(value) => value.to_string(),
            Self::Decimal(value) => text::format_decimal(*value),
            Self::Double(value) => text::format_double(*value),
            Self::Bytes(value) => base64::engine::general_purpose::STANDARD.encode(value),
            Self::Uuid(value) => text::format_uuid(value),
            Self::Timestamp(value) => text::format_timestamp(*value),
            Self::Date(value) => text::format_date(*value),
            Self::Time(value) => text::format_time(*value),
            Self::Duration(value) => text::format_duration(*value),
            Self::Type(name) => (*name).to_owned(),
            other => to_json(other),
        }
    }
}

/// The character that a byte behind a backslash stands for; `u` begins another form.
pub fn escaped(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// What is wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonProblem {
    /// What was expected.
    pub expected: &'static str,
    /// The byte where.
    pub at: usize,
}

/// Reads one JSON value. Of a member that occurs twice, the last one holds.
pub fn parse(text: &str) -> Result<Value, JsonProblem> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.problem("the end"));
    }
    Ok(value)
}

/// A number that is no integer of 64 bits: a double if that loses no digit, because it is written as a number again,
/// else a decimal.
fn inexact(text: &str) -> Option<Value> {
    let double = text.parse::<f64>().ok().filter(|value| value.is_finite());
    let Some(exact) = text::parse_decimal(text) else { return double.map(Value::Double) };
    let kept = double.filter(|double| {
        let printed = text::parse_decimal(&text::format_double(*double));
        printed.is_some_and(|printed| printed.compare(exact).is_eq())
    });
    Some(kept.map_or(Value::Decimal(exact), Value::Double))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn problem(&self, expected: &'static str) -> JsonProblem {
        JsonProblem { expected, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.blanks();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: u32) -> Result<Value, JsonProblem> {
        if depth > MAX_DEPTH {
            return Err(self.problem("less nesting"));
        }
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Value::Text(self.string()?.into())),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, value) in
                    [("null", Value::Null), ("true", Value::Boolean(true)), ("false", Value::Boolean(false))]
                {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.problem("a value"))
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value, JsonProblem> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::List(items.into()));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(Value::List(items.into()));
            }
            if !self.take(b',') {
                return Err(self.problem("`,` or `]`"));
            }
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, JsonProblem> {
        self.at += 1;
        let mut entries: Vec<(Value, Value)> = Vec::new();
        let mut known = rustc_hash::FxHashMap::<String, usize>::default();
        if self.take(b'}') {
            return Ok(Value::Map(entries.into()));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.problem("a member's name"));
            }
            let name = self.string()?;
            if !self.take(b':') {
                return Err(self.problem("`:`"));
            }
            let value = self.value(depth + 1)?;
            match known.get(&name) {
                Some(at) => entries[*at].1 = value,
                None => {
                    entries.push((Value::text(&name), value));
                    known.insert(name, entries.len() - 1);
                }
            }
            if self.take(b'}') {
                return Ok(Value::Map(entries.into()));
            }
            if !self.take(b',') {
                return Err(self.problem("`,` or `}`"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, JsonProblem> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let digits = text.trim_start_matches('-');
        let leading_zero =
            digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
        let well_formed =
            !leading_zero && !digits.starts_with('.') && !text.contains(".e") && !text.contains(".E");
        if well_formed {
            if let Ok(value) = text.parse::<i64>() {
                return Ok(Value::Integer(value));
            }
            if let Some(value) = inexact(text) {
                return Ok(value);
            }
        }
        self.at = start;
        Err(self.problem("a number"))
    }

    fn string(&mut self) -> Result<String, JsonProblem> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|character| matches!(character, '"' | '\\') || character < ' ');
            let Some(plain) = plain else { return Err(self.problem("`\"`")) };
            out.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                _ => return Err(self.problem("`\"`")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonProblem> {
        let behind = self.text.as_bytes().get(self.at + 1).copied();
        if behind == Some(b'u') {
            return self.unicode(out);
        }
        out.push(behind.and_then(escaped).ok_or_else(|| self.problem("an escape"))?);
        self.at += 2;
        Ok(())
    }

    fn unicode(&mut self, out: &mut String) -> Result<(), JsonProblem> {
        let high = self.hexadecimal(self.at).ok_or_else(|| self.problem("an escape"))?;
        self.at += 6;
        let code = if (0xd800..0xdc00).contains(&high) {
            let low = self.hexadecimal(self.at).filter(|low| (0xdc00..0xe000).contains(low));
            let low = low.ok_or_else(|| self.problem("the second half of a character"))?;
            self.at += 6;
            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        out.push(char::from_u32(code).ok_or_else(|| self.problem("a character"))?);
        Ok(())
    }

    /// The number that `\u` and four digits at a byte stand for.
    fn hexadecimal(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }
}
