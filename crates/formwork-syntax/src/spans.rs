//! Places in a source text: byte ranges, and their lines and columns.

use std::ops::Range;

/// A half-open range of bytes in one source text.
///
/// Unit: bytes from the start of the text; both ends lie on character boundaries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl std::fmt::Debug for Span {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}..{}", self.start, self.end)
    }
}

impl Span {
    /// The range from `start` to `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The same range as indices of a string.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes of `text` that the span covers.
    pub fn slice(self, text: &str) -> &str {
        text.get(self.range()).unwrap_or("")
    }

    /// Whether the span covers no byte.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Number of bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// Whether `other` lies inside.
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The part `from..to`, counted in bytes from the span's own start.
    pub const fn part(self, from: u32, to: u32) -> Self {
        Self::new(self.start + from, self.start + to)
    }
}

/// A value together with the place that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was read.
    pub value: T,
    /// Where.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Puts a value and its place together.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

/// A place for people: line and column count from 1, the column in Unicode scalar values; `offset` in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Counts from 1.
    pub line: u32,
    /// Counts from 1, in Unicode scalar values.
    pub column: u32,
    /// Bytes from the start.
    pub offset: u32,
}

/// The starts of all lines of a text, for turning offsets into positions.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Finds the line starts of `text` (after `\n`, `\r\n` or a lone `\r`, as CommonMark 2.1 has it).
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let ends = bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
            if ends {
                starts.push(at as u32 + 1);
            }
        }
        Self { starts }
    }

    /// The position of a byte offset; one past the end is the end's position.
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let offset = offset.min(text.len() as u32);
        let line = self.starts.partition_point(|start| *start <= offset) - 1;
        let start = self.starts[line];
        let column = text.get(start as usize..offset as usize).map_or(0, |before| before.chars().count());
        Position { line: line as u32 + 1, column: column as u32 + 1, offset }
    }

    /// The span of a whole line, without its line end; `line` counts from 1.
    pub fn line(&self, text: &str, line: u32) -> Span {
        let at = (line as usize).saturating_sub(1).min(self.starts.len() - 1);
        let start = self.starts[at];
        let end = self.starts.get(at + 1).copied().unwrap_or(text.len() as u32);
        let kept = Span::new(start, end).slice(text).trim_end_matches(['\n', '\r']).len() as u32;
        Span::new(start, start + kept)
    }

    /// Number of lines.
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }
}
