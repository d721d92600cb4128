//! What one can do with a [`Text`]: cut it at places of the source, and look at its characters with their places.

use crate::spans::Span;
use crate::tree::{Piece, PieceKind, Text};

impl Text {
    /// A text without pieces, at a place.
    pub const fn empty(at: u32) -> Self {
        Self { span: Span::new(at, at), pieces: Vec::new() }
    }

    /// The part that lies in `from..to` (byte offsets in the source), without blanks and breaks at its ends.
    ///
    /// Plain pieces are cut; a code span, an entity or HTML is kept only if it lies inside as a whole. The span
    /// of the part is the range that was asked for, drawn in to what is left: marks of emphasis at its ends
    /// stay in it if they lie in the range. An empty part is placed at the start of the range.
    pub fn slice(&self, source: &str, from: u32, to: u32) -> Self {
        let (from, to) = (from.max(self.span.start), to.min(self.span.end));
        if from >= to {
            return Self::empty(from.min(self.span.end));
        }
        let first = self.pieces.partition_point(|piece| piece.span.end <= from);
        let touched = self.pieces[first..].partition_point(|piece| piece.span.start < to);
        let mut pieces: Vec<Piece> = Vec::with_capacity(touched);
        for piece in &self.pieces[first..first + touched] {
            let cut = Span::new(piece.span.start.max(from), piece.span.end.min(to));
            if cut == piece.span || matches!(piece.kind, PieceKind::Text | PieceKind::Break) {
                pieces.push(Piece { span: cut, ..piece.clone() });
            }
        }
        let part = Self { span: Span::new(from, to), pieces };
        part.trimmed(source)
    }

    /// The text without blanks and breaks at its ends; one that is nothing else becomes empty.
    pub fn trimmed(mut self, source: &str) -> Self {
        let start = self.span.start;
        let blank = |piece: &Piece| match piece.kind {
            PieceKind::Break => true,
            PieceKind::Text => piece.span.slice(source).trim().is_empty(),
            _ => false,
        };
        let leading = self.pieces.iter().take_while(|piece| blank(piece)).count();
        if let Some(last) = leading.checked_sub(1) {
            self.span.start = self.pieces[last].span.end;
            self.pieces.drain(..leading);
        }
        while self.pieces.last().is_some_and(blank) {
            self.span.end = self.pieces.pop().map_or(self.span.end, |piece| piece.span.start);
        }
        if self.pieces.is_empty() {
            return Self::empty(start);
        }
        if let Some(first) = self.pieces.first_mut()
            && matches!(first.kind, PieceKind::Text)
        {
            first.span.start = first.span.end - first.span.slice(source).trim_start().len() as u32;
        }
        if let Some(last) = self.pieces.last_mut()
            && matches!(last.kind, PieceKind::Text)
        {
            last.span.end = last.span.start + last.span.slice(source).trim_end().len() as u32;
        }
        let asked = self.span.slice(source);
        let blanks = [asked.len() - asked.trim_start().len(), asked.len() - asked.trim_end().len()];
        let drawn_in = Span::new(self.span.start + blanks[0] as u32, self.span.end - blanks[1] as u32);
        // An entity may stand for nothing but blanks of the source (a wrong range): it stays inside.
        self.span = self
            .pieces
            .iter()
            .take(1)
            .chain(self.pieces.last())
            .fold(drawn_in, |all, piece| all.to(piece.span));
        self
    }

    /// The characters that a reader sees outside code and HTML, each with the bytes that show it: an entity's
    /// span is that of the whole entity, a break is one blank.
    pub fn shown<'t>(&'t self, source: &'t str) -> impl Iterator<Item = (Span, char)> + 't {
        self.pieces.iter().flat_map(move |piece| piece.shown(source))
    }
}

impl Piece {
    /// The characters of this piece, as [`Text::shown`] gives them.
    pub fn shown<'t>(&'t self, source: &'t str) -> impl Iterator<Item = (Span, char)> + 't {
        let (text, plain) = match &self.kind {
            PieceKind::Text => (self.span.slice(source), true),
            PieceKind::Entity(shown) => (&**shown, false),
            PieceKind::Break => (" ", false),
            PieceKind::Code(_) | PieceKind::Html => ("", false),
        };
        text.char_indices().map(move |(at, character)| {
            let span =
                if plain { self.span.part(at as u32, (at + character.len_utf8()) as u32) } else { self.span };
            (span, character)
        })
    }
}
