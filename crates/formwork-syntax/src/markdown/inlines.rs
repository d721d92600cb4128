//! Collects the inline events of one paragraph, heading or table cell into a [`Text`].
//!
//! A span is taken over only after it is compared with what pulldown-cmark says is shown: where the two differ
//! (entities, and the rare wrong range) the piece carries the shown text itself.

use super::code;
use crate::spans::Span;
use crate::tree::{Piece, PieceKind, Text};

/// A bold, italic or linked run that begins a line of a text, with its marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Index of the first piece inside.
    pub(super) piece: usize,
    /// From the first to the last mark.
    pub(super) span: Span,
}

/// The text that is being collected.
///
/// Its vectors are used again for each text, so that a finished text takes one allocation of the right size.
#[derive(Default)]
pub(super) struct Inlines {
    pieces: Vec<Piece>,
    heads: Vec<Head>,
    span: Option<Span>,
    strong: u32,
    emphasis: u32,
    link: u32,
    nesting: u32,
}

/// An inline element that holds pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Strong,
    Emphasis,
    Link,
}

impl Inlines {
    /// Whether anything was collected since the last [`Self::take`].
    pub(super) fn is_empty(&self) -> bool {
        self.span.is_none()
    }

    /// Takes the text out; an empty one is placed at `fallback`. Break pieces at its ends are left out.
    pub(super) fn take(&mut self, fallback: u32, heads: &mut Vec<Head>) -> Text {
        let mut span = self.span.take().unwrap_or(Span::new(fallback, fallback));
        while let Some(gap) = self.pieces.pop_if(|piece| matches!(piece.kind, PieceKind::Break)) {
            if span.end == gap.span.end {
                span.end = gap.span.start;
            }
        }
        heads.clear();
        heads.append(&mut self.heads);
        let pieces = self.pieces.drain(..).collect();
        (self.strong, self.emphasis, self.link, self.nesting) = (0, 0, 0, 0);
        Text { span, pieces }
    }

    /// Begins an element.
    pub(super) fn open(&mut self, source: &str, element: Element, span: Span) {
        self.reach(source, span);
        let begins_line = self.pieces.last().is_none_or(|piece| matches!(piece.kind, PieceKind::Break));
        if self.nesting == 0 && begins_line {
            self.heads.push(Head { piece: self.pieces.len(), span });
        }
        self.nesting += 1;
        *self.counter(element) += 1;
    }

    /// Ends an element.
    pub(super) fn close(&mut self, element: Element) {
        let counter = self.counter(element);
        *counter = counter.saturating_sub(1);
        self.nesting = self.nesting.saturating_sub(1);
    }

    /// Adds characters that are shown as they stand.
    pub(super) fn text(&mut self, source: &str, span: Span) {
        let flags = (self.strong > 0, self.emphasis > 0, self.link > 0);
        if let Some(last) = self.pieces.last_mut()
            && matches!(last.kind, PieceKind::Text)
            && last.span.end == span.start
            && (last.strong, last.emphasis, last.link) == flags
        {
            last.span.end = span.end;
            self.extend(span);
            return;
        }
        self.push(source, PieceKind::Text, span);
    }

    /// Adds what is shown as something else than stands at `span`. A range that only runs on over blanks (at the
    /// end of a heading, or of a last line that ends in a backslash) is drawn in.
    pub(super) fn entity(&mut self, source: &str, span: Span, shown: &str) {
        let written = span.part(0, span.slice(source).trim_end().len() as u32);
        if written.slice(source) == shown {
            return self.text(source, written);
        }
        self.push(source, PieceKind::Entity(shown.into()), written);
    }

    /// Adds a code span; `shown` is its content as pulldown-cmark reads it.
    pub(super) fn code(&mut self, source: &str, span: Span, shown: &str, in_table: bool) {
        let code = code::read_code_span(source, span, shown, in_table);
        self.push(source, PieceKind::Code(code), span);
    }

    /// Adds inline HTML.
    pub(super) fn html(&mut self, source: &str, span: Span) {
        self.push(source, PieceKind::Html, span);
    }

    /// Adds a line break. It grows over the indentation before the next piece when that comes.
    pub(super) fn line_break(&mut self, source: &str, span: Span) {
        if !self.pieces.is_empty() {
            self.push(source, PieceKind::Break, span);
        }
    }

    fn push(&mut self, source: &str, kind: PieceKind, span: Span) {
        self.reach(source, span);
        let (strong, emphasis, link) = (self.strong > 0, self.emphasis > 0, self.link > 0);
        self.pieces.push(Piece { kind, span, strong, emphasis, link });
    }

    /// Notes that something stands at `span`, and gives the blanks before it to a preceding break.
    fn reach(&mut self, source: &str, span: Span) {
        if let Some(Piece { kind: PieceKind::Break, span: gap, .. }) = self.pieces.last_mut() {
            let escaped =
                span.start > gap.end && source.as_bytes().get(span.start as usize - 1) == Some(&b'\\');
            gap.end = gap.end.max(span.start - u32::from(escaped));
        }
        self.extend(span);
    }

    fn extend(&mut self, span: Span) {
        self.span = Some(self.span.map_or(span, |all| all.to(span)));
    }

    fn counter(&mut self, element: Element) -> &mut u32 {
        match element {
            Element::Strong => &mut self.strong,
            Element::Emphasis => &mut self.emphasis,
            Element::Link => &mut self.link,
        }
    }
}
