//! Turns pulldown-cmark's ranges into spans.
//!
//! All places rise with the events: nothing begins before the `floor`, the end of what was read last. So
//! children lie inside their parents and siblings do not overlap, also where a range is wrong.

use super::blocks::Reader;
use crate::spans::Span;
use std::ops::Range;

impl Reader<'_, '_> {
    /// The span of something that holds nothing else; what follows begins behind it.
    pub(super) fn leaf(&mut self, range: Range<usize>) -> Span {
        let span = self.span(range);
        self.floor = span.end;
        span
    }

    /// The range in the source, from the floor on and on character boundaries.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let source = self.words.source;
        let start = boundary(source, (range.start + self.base).max(self.floor as usize));
        let end = boundary(source, (range.end + self.base).max(start));
        Span::new(start as u32, end as u32)
    }

    /// The same without blanks at both ends.
    pub(super) fn trimmed(&self, range: Range<usize>) -> Span {
        let span = self.span(range);
        let text = span.slice(self.words.source);
        let start = span.start + (text.len() - text.trim_start_matches(is_blank).len()) as u32;
        Span::new(start, start + text.trim_matches(is_blank).len() as u32)
    }

    /// The first byte of the range that is a mark: ranges may begin earlier, with blanks or in the mark of the
    /// container around.
    pub(super) fn seek(&self, range: Range<usize>, is_mark: impl Fn(u8) -> bool) -> u32 {
        let span = self.span(range);
        let bytes = span.slice(self.words.source).as_bytes();
        span.start + bytes.iter().position(|byte| is_mark(*byte)).unwrap_or(0) as u32
    }
}

/// Draws an offset in to the text and back to the start of a character.
fn boundary(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// Blanks in the sense of Markdown: a no-break space or a form feed is none.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}
