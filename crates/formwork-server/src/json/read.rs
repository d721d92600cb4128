//! Reads JSON (RFC 8259) into a tree that borrows from the request.
//!
//! Not `serde_json`: a number must stay as written (exact decimals, and `1e999` is a value out of range, not a
//! syntax error), a repeated member is refused everywhere, and nothing nests deeper than 64. Source: conventions
//! *HTTP core*, *Security*.

use formwork_language::value::json::escaped;
use std::borrow::Cow;

/// The deepest nesting of arrays and objects that is read.
const DEEPEST: usize = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number as written.
    Number(&'a str),
    /// A text without its escapes.
    Text(Cow<'a, str>),
    /// An array, and its bytes as sent.
    Array(Vec<Json<'a>>, &'a str),
    /// An object in the order sent, its names distinct, and its bytes as sent.
    Object(Vec<(Cow<'a, str>, Json<'a>)>, &'a str),
}

/// Why a body is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) String);

/// Reads one JSON value and nothing behind it but blanks.
pub(crate) fn read(bytes: &[u8]) -> Result<Json<'_>, Malformed> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Malformed(format!("The body is not UTF-8: byte {}.", error.valid_up_to())))?;
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.blanks();
    let value = reader.value()?;
    reader.blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.expected("the end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expected(&self, what: &str) -> Malformed {
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(character) if character.is_control() => "a control character".to_owned(),
            Some(character) => format!("`{character}`"),
            None => "the end".to_owned(),
        };
        Malformed(format!("The body is not JSON: expected {what} at byte {}, found {found}.", self.at))
    }

    fn value(&mut self) -> Result<Json<'a>, Malformed> {
        match self.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Boolean(true)),
            Some(b'f') => self.word("false", Json::Boolean(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Malformed> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.expected("a value"))
        }
    }

    fn descend(&mut self) -> Result<(), Malformed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Malformed(format!("The body nests deeper than {DEEPEST} levels.")));
        }
        Ok(())
    }

    fn array(&mut self) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        self.descend()?;
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                self.blanks();
                items.push(self.value()?);
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.expected("`,` or `]`")),
                }
            }
        }
        self.depth -= 1;
        Ok(Json::Array(items, &self.text[start..self.at]))
    }

    fn object(&mut self) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        self.descend()?;
        self.at += 1;
        let mut members = Members::default();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                self.blanks();
                if self.peek() != Some(b'"') {
                    return Err(self.expected("a member's name"));
                }
                let name = self.string()?;
                self.blanks();
                if self.peek() != Some(b':') {
                    return Err(self.expected("`:`"));
                }
                self.at += 1;
                self.blanks();
                let value = self.value()?;
                members.add(name, value)?;
                self.blanks();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(self.expected("`,` or `}`")),
                }
            }
        }
        self.depth -= 1;
        Ok(Json::Object(members.list, &self.text[start..self.at]))
    }

    fn number(&mut self) -> Result<Json<'a>, Malformed> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.expected("a digit")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.expected("a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut plain = start;
        loop {
            match self.peek() {
                None => return Err(self.expected("`\"`")),
                Some(b'"') => {
                    let rest = &self.text[plain..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_with(String::new);
                    text.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    let character = self.escape()?;
                    owned.get_or_insert_with(String::new).push(character);
                    plain = self.at;
                }
                Some(0..=0x1f) => return Err(self.expected("an escaped control character")),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Malformed> {
        let behind = self.peek();
        if behind == Some(b'u') {
            self.at += 1;
            return self.unicode();
        }
        let character = behind.and_then(escaped).ok_or_else(|| self.expected("an escape"))?;
        self.at += 1;
        Ok(character)
    }

    fn unicode(&mut self) -> Result<char, Malformed> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return Err(self.expected("the second half of a surrogate pair"));
                }
                self.at += 2;
                let second = self.four_digits()?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(self.expected("the second half of a surrogate pair"));
                }
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| self.expected("a Unicode character, not half of a surrogate pair"))
    }

    fn four_digits(&mut self) -> Result<u32, Malformed> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.expected("four hexadecimal digits")) };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

/// Members of an object under way. Few are compared one by one; many have their names in a set, so that an object
/// of a hundred thousand members is no quadratic work.
#[derive(Default)]
struct Members<'a> {
    list: Vec<(Cow<'a, str>, Json<'a>)>,
    names: rustc_hash::FxHashSet<Cow<'a, str>>,
}

impl<'a> Members<'a> {
    const FEW: usize = 16;

    fn add(&mut self, name: Cow<'a, str>, value: Json<'a>) -> Result<(), Malformed> {
        let repeated = if self.list.len() < Self::FEW {
            self.list.iter().any(|(other, _)| *other == name)
        } else {
            if self.names.is_empty() {
                self.names.extend(self.list.iter().map(|(other, _)| other.clone()));
            }
            !self.names.insert(name.clone())
        };
        if repeated {
            return Err(Malformed(format!("The member `{}` stands twice in one object.", shown(&name))));
        }
        self.list.push((name, value));
        Ok(())
    }
}

/// A name of the caller's in a message: at most 40 characters.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(bytes: &[u8]) -> String {
        read(bytes).expect_err("malformed").0
    }

    #[test]
    fn numbers_stay_as_written() {
        assert_eq!(read(b"1e999"), Ok(Json::Number("1e999")));
        assert_eq!(read(b" -0.10 "), Ok(Json::Number("-0.10")));
        for bad in ["01", "1.", ".5", "+1", "1e", "- 1", "0x1", "NaN"] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_also_when_it_is_escaped_or_late() {
        assert_eq!(problem(br#"{"a":1,"\u0061":2}"#), "The member `a` stands twice in one object.");
        let mut many: Vec<String> = (0..100).map(|number| format!("\"m{number}\":0")).collect();
        many.push("\"m50\":1".to_owned());
        let body = format!("[{{{}}}]", many.join(","));
        assert_eq!(problem(body.as_bytes()), "The member `m50` stands twice in one object.");
    }

    #[test]
    fn nesting_ends_at_64() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(nested(64).as_bytes()).is_ok());
        assert_eq!(problem(nested(65).as_bytes()), "The body nests deeper than 64 levels.");
        assert_eq!(problem("[".repeat(1_000_000).as_bytes()), "The body nests deeper than 64 levels.");
    }

    #[test]
    fn texts_lose_their_escapes() {
        assert_eq!(read(br#""a\n\ud83d\ude00\/""#), Ok(Json::Text("a\n😀/".into())));
        assert!(read(br#""\ud83d""#).is_err());
        assert!(read(br#""\udc00\ud800""#).is_err());
        assert!(read(b"\"\x01\"").is_err());
        assert_eq!(problem(b"\"\xff\""), "The body is not UTF-8: byte 1.");
    }

    #[test]
    fn a_message_names_the_place() {
        assert_eq!(problem(br#"{"a" 1}"#), "The body is not JSON: expected `:` at byte 5, found `1`.");
        assert_eq!(problem(b""), "The body is not JSON: expected a value at byte 0, found the end.");
    }

    proptest! {
        #[test]
        fn accepts_what_serde_json_accepts(text in r#"[\[\]{},:"0-9eE.\-+a-f\\u ntrl]{0,24}"#) {
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            let ours = read(text.as_bytes());
            match (&ours, &theirs) {
                // A repeated member is ours alone to refuse; a number out of range theirs.
                (Err(Malformed(problem)), Ok(_)) => prop_assert!(problem.contains("stands twice"), "{problem}"),
                (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{error}"),
                _ => {}
            }
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
