//! JSON in a fence to values with their places, for schemas and example-like objects.
//!
//! Lenient: comments, trailing commas and `…` between members are skipped, since authors abridge. What is no JSON gives
//! nothing. Source: RFC 8259.

use formwork_syntax::{Fence, Span};

/// How deep values may be nested; what lies below is not read.
const DEEPEST: usize = 64;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Json {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// What a [`Json`] is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Members in the order of the text; the places of names are without quotes.
    Object(Vec<(String, Span, Json)>),
    Array(Vec<Json>),
    /// The span is without quotes.
    String(String),
    /// A number, `true`, `false` or `null`, as written.
    Word(String),
}

impl Json {
    /// The member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        self.members().iter().find(|(own, ..)| own == name).map(|(.., value)| value)
    }

    /// The members of an object; of anything else none.
    pub(crate) fn members(&self) -> &[(String, Span, Json)] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// The items of an array; of anything else none.
    pub(crate) fn items(&self) -> &[Json] {
        match &self.kind {
            Kind::Array(items) => items,
            _ => &[],
        }
    }

    /// A string's text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// A scalar as it is shown: a string's text, or a word.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) | Kind::Word(text) => Some(text),
            _ => None,
        }
    }
}

/// The bytes between a fence's first and last line.
pub(crate) fn place_of(fence: &Fence) -> Option<Span> {
    fence.lines.first().zip(fence.lines.last()).map(|(first, last)| first.to(*last))
}

/// The object or array that a fence holds.
pub(crate) fn read(source: &str, fence: &Fence) -> Option<Json> {
    let place = place_of(fence)?;
    let mut reader = Reader { text: place.slice(source), place, at: 0 };
    reader.skip();
    let value = reader.value(0)?;
    matches!(value.kind, Kind::Object(_) | Kind::Array(_)).then_some(value)
}

struct Reader<'s> {
    text: &'s str,
    place: Span,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn span(&self, from: usize, to: usize) -> Span {
        self.place.part(from as u32, to as u32)
    }

    /// Passes blanks, commas, comments and dots that stand for more.
    fn skip(&mut self) {
        while let Some(byte) = self.peek() {
            let rest = &self.text[self.at..];
            if byte.is_ascii_whitespace() || byte == b',' || byte == b'.' {
                self.at += 1;
            } else if rest.starts_with('…') {
                self.at += '…'.len_utf8();
            } else if rest.starts_with("//") || byte == b'#' {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else {
                break;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEEPEST {
            return None;
        }
        let from = self.at;
        let kind = match self.peek()? {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => {
                let (text, span) = self.string()?;
                return Some(Json { kind: Kind::String(text), span });
            }
            _ => Kind::Word(self.word()?),
        };
        Some(Json { kind, span: self.span(from, self.at) })
    }

    fn object(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.skip();
            if self.peek()? == b'}' {
                self.at += 1;
                return Some(Kind::Object(members));
            }
            let (name, span) = self.string()?;
            self.skip();
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            self.skip();
            members.push((name, span, self.value(depth + 1)?));
        }
    }

    fn array(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.peek()? == b']' {
                self.at += 1;
                return Some(Kind::Array(items));
            }
            items.push(self.value(depth + 1)?);
        }
    }

    /// A string; escapes other than `\n` and `\t` stand for the character behind the backslash.
    fn string(&mut self) -> Option<(String, Span)> {
        if self.peek()? != b'"' {
            return None;
        }
        let from = self.at + 1;
        let mut text = String::new();
        let mut is_escaped = false;
        for (at, character) in self.text[from..].char_indices() {
            match character {
                _ if is_escaped => {
                    is_escaped = false;
                    text.push(match character {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    });
                }
                '\\' => is_escaped = true,
                '"' => {
                    self.at = from + at + 1;
                    return Some((text, self.span(from, from + at)));
                }
                other => text.push(other),
            }
        }
        None
    }

    fn word(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let is_word =
            |character: char| character.is_alphanumeric() || matches!(character, '-' | '+' | '.' | '_');
        let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        (end > 0).then_some(word)
    }
}
