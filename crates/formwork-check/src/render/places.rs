//! Byte offsets to lines and columns, in the same time wherever they stand.
//!
//! [`LineIndex::position`] counts the characters from the start of the line, so that many findings on one very long
//! line would take the square of its length. Counts noted at regular distances make each look short.

use formwork_syntax::{LineIndex, Position, Span};

/// Bytes between two noted counts.
const STRIDE: usize = 512;

/// The places of a text.
pub(super) struct Places<'a> {
    source: &'a str,
    lines: &'a LineIndex,
    /// How many characters begin before each multiple of [`STRIDE`].
    before: Vec<u32>,
}

impl<'a> Places<'a> {
    /// Counts the characters of the text once.
    pub(super) fn new(source: &'a str, lines: &'a LineIndex) -> Self {
        let mut before = Vec::with_capacity(source.len() / STRIDE + 1);
        let mut count = 0;
        for chunk in source.as_bytes().chunks(STRIDE) {
            before.push(count);
            count += starts(chunk);
        }
        before.push(count);
        Self { source, lines, before }
    }

    /// Line and column of a byte offset; one past the end is the end's position.
    pub(super) fn position(&self, offset: u32) -> Position {
        let offset = offset.min(self.source.len() as u32);
        let line = self.line_number(offset);
        let start = self.lines.line(self.source, line).start;
        Position { line, column: self.characters(offset) - self.characters(start) + 1, offset }
    }

    /// The line, from 1, on which a byte stands.
    pub(super) fn line_number(&self, offset: u32) -> u32 {
        let (mut first, mut behind) = (1, self.lines.count() + 1);
        while behind - first > 1 {
            let middle = first + (behind - first) / 2;
            if self.lines.line(self.source, middle).start <= offset {
                first = middle;
            } else {
                behind = middle;
            }
        }
        first
    }

    /// The part of a span that stands on its first line.
    pub(super) fn first_line(&self, span: Span) -> Span {
        let line = self.lines.line(self.source, self.line_number(span.start));
        Span::new(span.start, span.end.min(line.end.max(span.start)))
    }

    /// The lines on which a span stands, without the last line's end.
    pub(super) fn whole_lines(&self, span: Span) -> Span {
        let first = self.lines.line(self.source, self.line_number(span.start));
        first.to(self.lines.line(self.source, self.line_number(span.end)))
    }

    fn characters(&self, offset: u32) -> u32 {
        let (noted, offset) = (offset as usize / STRIDE, offset as usize);
        let rest = self.source.as_bytes().get(noted * STRIDE..offset).unwrap_or_default();
        self.before.get(noted).copied().unwrap_or_default() + starts(rest)
    }
}

/// How many characters begin in these bytes.
fn starts(bytes: &[u8]) -> u32 {
    if bytes.is_ascii() {
        return bytes.len() as u32;
    }
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_has_the_position_that_the_line_index_gives() {
        let text = format!("ä\n\r\n{}\rß🦀\n{}", "é,".repeat(700), "x".repeat(1500));
        let lines = LineIndex::new(&text);
        let places = Places::new(&text, &lines);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
            assert_eq!(places.position(offset as u32), lines.position(&text, offset as u32), "{offset}");
        }
    }
}
