//! Decides which texts begin with a label: `**Goals:** …`, `*Errors*: …`, `Relationships: …`.
//!
//! The rule is section 2 of the language. A label is short, stands on one line, and holds no end of a sentence.

use super::inlines::Head;
use super::outline::Words;
use crate::spans::Span;
use crate::tree::{Piece, PieceKind, Text};

/// The longest label, in bytes.
const LONGEST: u32 = 80;

/// The most words of a plain label that no vocabulary knows.
const MOST_WORDS: usize = 6;

/// A label at the start of a text or of one of its lines.
pub(super) struct Found {
    /// From the first byte of the label, with its marks, to the end of the colon and the closing marks.
    pub(super) span: Span,
    /// The words: without marks, colon and surrounding blanks.
    pub(super) title: Span,
    /// Whether it is bold or italic.
    pub(super) emphasized: bool,
}

/// The bold or italic label that `head` begins. The colon stands at the end inside, or directly behind; a label of the
/// form may have a dash instead, or nothing on its line.
pub(super) fn emphasized_label(words: Words<'_>, text: &Text, head: Head) -> Option<Found> {
    let source = words.source;
    let (inside, behind) = split_at_head(text, head)?;
    let first = inside.first()?;
    let last = inside.last()?;
    let title = Span::new(first.span.start, last.span.end);
    let found = |title_end: u32, end: u32| Found {
        span: Span::new(head.span.start, end),
        title: trim(source, Span::new(title.start, title_end)),
        emphasized: true,
    };
    let label = if matches!(last.kind, PieceKind::Text) && title.slice(source).trim_end().ends_with(':') {
        let kept = title.slice(source).trim_end().len() as u32 - 1;
        found(title.start + kept, head.span.end)
    } else {
        let next = behind.first().filter(|piece| matches!(piece.kind, PieceKind::Text))?;
        let rest = next.span.slice(source);
        let blanks = (rest.len() - rest.trim_start_matches([' ', '\t']).len()) as u32;
        let mark = rest[blanks as usize..].chars().next().filter(|mark| separates(*mark, blanks > 0))?;
        let is_known = mark == ':' || (words.is_label)(title.slice(source));
        if next.span.start != head.span.end || !is_known {
            return None;
        }
        found(title.end, next.span.start + blanks + mark.len_utf8() as u32)
    };
    is_label_like(source, inside, label.title).then_some(label)
}

/// Whether a mark stands between a label and what it says; a hyphen only after a blank.
fn separates(mark: char, is_spaced: bool) -> bool {
    matches!(mark, ':' | '—' | '–') || (mark == '-' && is_spaced)
}

/// The label on a line that consists of nothing but one bold text, or of one italic label of the form.
pub(super) fn lone_label(words: Words<'_>, text: &Text, head: Head) -> Option<Found> {
    let source = words.source;
    let (inside, behind) = split_at_head(text, head)?;
    let is_bold = inside.iter().all(|piece| piece.strong);
    let mut line = behind.iter().take_while(|piece| !matches!(piece.kind, PieceKind::Break));
    let is_alone = line.all(|piece| match piece.kind {
        PieceKind::Text => piece.span.slice(source).trim().is_empty(),
        PieceKind::Html | PieceKind::Break => true,
        PieceKind::Entity(_) | PieceKind::Code(_) => false,
    });
    let title = trim(source, Span::new(inside.first()?.span.start, inside.last()?.span.end));
    let is_sentence = title.slice(source).ends_with(['.', '!', ';', ',']);
    let is_known = || (words.is_label)(title.slice(source));
    if !(is_bold || is_known()) || !is_alone || is_sentence || !is_label_like(source, inside, title) {
        return None;
    }
    Some(Found { span: head.span, title, emphasized: true })
}

/// Whether the line from piece `first` on is a bold title with a remark: `` **Operation: `a`** (`GET /a`) ``.
pub(super) fn is_titled_line(source: &str, text: &Text, head: Head) -> bool {
    let Some((inside, behind)) = split_at_head(text, head) else { return false };
    let is_bold = !inside.is_empty() && inside.iter().all(|piece| piece.strong);
    let is_end = |piece: &&Piece| matches!(piece.kind, PieceKind::Break);
    let end = behind.iter().find(is_end).map_or(text.span.end, |piece| piece.span.start);
    let line = Span::new(head.span.end, end.max(head.span.end)).slice(source).trim();
    is_bold && line.len() <= LONGEST as usize && line.starts_with(['(', '—', '–']) && !line.ends_with('.')
}

/// The plain words before the first colon outside quotes and parentheses, from piece `first` on.
///
/// Any short words will do; whether they are of the vocabulary is asked by the caller.
pub(super) fn plain_label(source: &str, text: &Text, first: usize) -> Option<Found> {
    let pieces = text.pieces.get(first..)?;
    let start = pieces.first().filter(|piece| is_plain(piece))?.span.start;
    let mut closers = Closers::default();
    for piece in pieces.iter().take_while(|piece| is_plain(piece)) {
        if !matches!(piece.kind, PieceKind::Text) {
            continue;
        }
        let shown = piece.span.slice(source);
        for (at, character) in shown.char_indices() {
            let place = piece.span.start + at as u32;
            if place - start > LONGEST || (character.is_whitespace() && ends_sentence(source, start, place)) {
                return None;
            }
            if character == ':' && closers.is_outside() {
                let separates = shown[at + 1..].chars().next().is_none_or(char::is_whitespace);
                let title = trim(source, Span::new(start, place));
                let found = Found { span: Span::new(start, place + 1), title, emphasized: false };
                return (separates && !title.is_empty()).then_some(found);
            }
            closers.pass(character);
        }
    }
    None
}

/// Whether a plain label that no vocabulary knows is short enough for one.
pub(super) fn is_short(source: &str, title: Span) -> bool {
    title.slice(source).split_whitespace().count() <= MOST_WORDS
}

/// The pieces inside the element and those behind it; none if some piece inside is not bold or italic.
fn split_at_head(text: &Text, head: Head) -> Option<(&[Piece], &[Piece])> {
    let pieces = text.pieces.get(head.piece..)?;
    // A label is short: looking at its first pieces is enough, and keeps many heads in one text linear.
    let most = pieces.len().min(LONGEST as usize);
    let count = pieces[..most].iter().take_while(|piece| head.span.contains(piece.span)).count();
    let (inside, behind) = pieces.split_at(count);
    inside.iter().all(|piece| piece.strong || piece.emphasis).then_some((inside, behind))
}

fn is_plain(piece: &Piece) -> bool {
    matches!(piece.kind, PieceKind::Text | PieceKind::Entity(_))
        && !piece.strong
        && !piece.emphasis
        && !piece.link
}

/// Whether a title is short, on one line, not blank and without the end of a sentence.
fn is_label_like(source: &str, pieces: &[Piece], title: Span) -> bool {
    !title.is_empty()
        && title.len() <= LONGEST
        && !title.slice(source).contains(['\n', '\r'])
        && pieces.iter().all(|piece| match piece.kind {
            PieceKind::Text => piece.span.slice(source).char_indices().all(|(at, character)| {
                !character.is_whitespace()
                    || !ends_sentence(source, piece.span.start, piece.span.start + at as u32)
            }),
            _ => true,
        })
}

/// Whether the text before the blank at `place` ends a sentence: `.`, `!` or `?`, but not a number's dot.
fn ends_sentence(source: &str, start: u32, place: u32) -> bool {
    let before = Span::new(start, place).slice(source);
    match before.strip_suffix(['.', '!', '?']) {
        Some(sentence) => !(before.ends_with('.') && sentence.ends_with(|last: char| last.is_ascii_digit())),
        None => false,
    }
}

fn trim(source: &str, span: Span) -> Span {
    let text = span.slice(source);
    let start = span.start + (text.len() - text.trim_start().len()) as u32;
    Span::new(start, start + text.trim().len() as u32)
}

/// Which quotes and parentheses are open.
#[derive(Default)]
struct Closers {
    parentheses: u32,
    quoted: bool,
    typographic: u32,
}

impl Closers {
    fn pass(&mut self, character: char) {
        match character {
            '"' => self.quoted = !self.quoted,
            '(' | '[' | '{' => self.parentheses += 1,
            ')' | ']' | '}' => self.parentheses = self.parentheses.saturating_sub(1),
            '“' | '«' => self.typographic += 1,
            '”' | '»' => self.typographic = self.typographic.saturating_sub(1),
            _ => {}
        }
    }

    fn is_outside(&self) -> bool {
        !self.quoted && self.parentheses == 0 && self.typographic == 0
    }
}
