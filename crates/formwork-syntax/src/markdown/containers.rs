//! Opens and closes quotes, lists and items, and cuts what nests too deep.
//!
//! A container begins at its mark and ends where its last content ends, whatever its range says: ranges may begin
//! with blanks or with bytes of the container around (tabs), and end with the line end.

use super::blocks::Reader;
use super::inlines::Head;
use super::outline::{Outline, labelled_lines, push_tight};
use crate::MAX_DEPTH;
use crate::spans::Span;
use crate::tree::{Block, Item, Label, List, Note, NoteKind, Piece, PieceKind, Quote, Text};
use std::ops::Range;

/// An open container.
pub(super) struct Frame {
    pub(super) kind: FrameKind,
    pub(super) outline: Outline,
    pub(super) start: u32,
    pub(super) end: u32,
}

pub(super) enum FrameKind {
    Root,
    Quote,
    List(ListFrame),
    Item(ItemFrame),
}

pub(super) struct ListFrame {
    pub(super) next_number: Option<u64>,
    pub(super) items: Vec<Item>,
    pub(super) has_tab: bool,
    /// What was taken off the items, and how many of them stand before it, in the order of the text.
    pub(super) spilled: Vec<(usize, Spilled)>,
}

/// A labelled line that Markdown takes for the rest of an item's paragraph, though it stands as far left as the list,
/// with all that follows it in the item.
pub(super) struct Spilled {
    /// How many bytes stand before it on its line.
    pub(super) column: usize,
    pub(super) outline: Outline,
    pub(super) end: u32,
}

pub(super) struct ItemFrame {
    pub(super) number: Option<u64>,
    pub(super) task: Option<bool>,
    pub(super) text: Option<(Text, Option<Label>)>,
    /// Behind the marker and the task box.
    pub(super) content_start: u32,
    pub(super) spilled: Option<Spilled>,
}

impl Frame {
    /// Where what is read next belongs, and where that ends.
    pub(super) fn place(&mut self) -> (&mut Outline, &mut u32) {
        match &mut self.kind {
            FrameKind::Item(ItemFrame { spilled: Some(spilled), .. }) => {
                (&mut spilled.outline, &mut spilled.end)
            }
            _ => (&mut self.outline, &mut self.end),
        }
    }
}

impl Reader<'_, '_> {
    pub(super) fn open_quote(&mut self, range: Range<usize>) {
        if self.frames.len() > MAX_DEPTH {
            return self.skip(range);
        }
        let start = self.seek(range, |byte| byte == b'>');
        self.floor = start + 1;
        self.push(FrameKind::Quote, start, start + 1);
    }

    pub(super) fn open_list(&mut self, first: Option<u64>, range: Range<usize>) {
        // Its items are one deeper.
        if self.frames.len() + 1 > MAX_DEPTH {
            return self.skip(range);
        }
        let start = self.seek(range, is_marker);
        self.push(
            FrameKind::List(ListFrame {
                next_number: first,
                items: Vec::new(),
                has_tab: false,
                spilled: Vec::new(),
            }),
            start,
            start,
        );
    }

    pub(super) fn open_item(&mut self, range: Range<usize>) {
        let start = self.seek(range, is_marker);
        let rest = &self.words.source.as_bytes()[start as usize..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let end = start + digits as u32 + 1;
        self.floor = end;
        let tab = self.tab_before(start);
        let mut number = None;
        let mut is_first_tab = false;
        if let Some(Frame { kind: FrameKind::List(list), .. }) = self.frames.last_mut() {
            number = list.next_number;
            list.next_number = number.map(|number| number.saturating_add(1));
            is_first_tab = tab.is_some() && !list.has_tab;
            list.has_tab |= is_first_tab;
        }
        if let Some(span) = tab.filter(|_| is_first_tab) {
            self.notes.push(Note { kind: NoteKind::TabInIndentation, span });
        }
        self.push(
            FrameKind::Item(ItemFrame { number, task: None, text: None, content_start: end, spilled: None }),
            start,
            end,
        );
    }

    /// The indentation before a marker, if it holds a tab.
    fn tab_before(&self, marker: u32) -> Option<Span> {
        let before = &self.words.source[..marker as usize];
        let indentation = before.len() - before.trim_end_matches([' ', '\t']).len();
        let span = Span::new(marker - indentation as u32, marker);
        span.slice(self.words.source).contains('\t').then_some(span)
    }

    fn push(&mut self, kind: FrameKind, start: u32, end: u32) {
        self.frames.push(Frame { kind, outline: Outline::default(), start, end });
    }

    pub(super) fn end_frame(&mut self) {
        if self.frames.len() < 2 {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        let span = Span::new(frame.start, frame.end);
        match frame.kind {
            FrameKind::Root => {}
            FrameKind::Quote => self.add(Block::Quote(Quote { children: frame.outline.finish(), span })),
            FrameKind::List(list) => self.end_list(list, span),
            FrameKind::Item(item) => {
                let (text, label) = item.text.unwrap_or_else(|| (Text::empty(item.content_start), None));
                let children = frame.outline.finish();
                let spilled = item.spilled;
                let item = Item { number: item.number, task: item.task, text, label, children, span };
                if let Some(Frame { kind: FrameKind::List(list), end, .. }) = self.frames.last_mut() {
                    *end = (*end).max(span.end);
                    push_tight(&mut list.items, item);
                    list.spilled.extend(spilled.map(|spilled| (list.items.len(), spilled)));
                }
            }
        }
    }

    /// Adds a list, cut where labelled lines stand between its items: what follows such a line belongs to the label.
    fn end_list(&mut self, mut list: ListFrame, span: Span) {
        let ordered = list.next_number.is_some();
        let spilled = std::mem::take(&mut list.spilled);
        if spilled.is_empty() {
            return self.add(Block::List(List { ordered, items: list.items, span }));
        }
        let mut items = list.items.into_iter();
        let mut taken = 0;
        for (after, spilled) in spilled {
            self.add_items(ordered, items.by_ref().take(after - taken).collect());
            taken = after;
            self.add_spilled(spilled);
        }
        self.add_items(ordered, items.collect());
    }

    fn add_items(&mut self, ordered: bool, items: Vec<Item>) {
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            let span = first.span.to(last.span);
            self.add(Block::List(List { ordered, items, span }));
        }
    }

    /// Opens the label in the container around the list, or hands it on if that is an item as far right.
    fn add_spilled(&mut self, line: Spilled) {
        let is_as_far_left = self.frames.last().is_some_and(|frame| line.column <= self.column(frame.start));
        let Some(frame) = self.frames.last_mut() else { return };
        match &mut frame.kind {
            FrameKind::Item(ItemFrame { spilled: spilled @ None, .. }) if is_as_far_left => {
                *spilled = Some(line);
            }
            _ => {
                let (outline, end) = frame.place();
                *end = (*end).max(line.end);
                outline.append(line.outline);
            }
        }
    }

    /// How many bytes stand before a place on its line.
    fn column(&self, place: u32) -> usize {
        let before = &self.words.source[..place as usize];
        before.len() - before.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Takes the labelled lines off an item's first paragraph that stand as far left as its marker.
    pub(super) fn split_off_spilled(&mut self, text: Text) -> Text {
        let Some(marker) = self.frames.last().map(|frame| self.column(frame.start)) else { return text };
        let lines = labelled_lines(self.words, &text, &self.heads);
        let first = lines.iter().map(super::outline::Line::start).find(|start| self.column(*start) <= marker);
        let Some(start) = first else { return text };
        let column = self.column(start);
        let Some(at) = text
            .pieces
            .iter()
            .position(|piece| piece.span.end > start && !matches!(piece.kind, PieceKind::Break))
        else {
            return text;
        };
        let source = self.words.source;
        let spilled = text.slice(source, start, text.span.end);
        let own = text.slice(source, text.span.start, start);
        let moved = self.heads.iter().filter(|head| head.piece >= at);
        let heads: Vec<Head> = moved.map(|head| Head { piece: head.piece - at, span: head.span }).collect();
        self.heads.retain(|head| head.piece < at);
        let words = self.words;
        if let Some(Frame { kind: FrameKind::Item(item), .. }) = self.frames.last_mut() {
            let (mut outline, end) = (Outline::default(), spilled.span.end);
            outline.add_paragraph(words, spilled, &heads);
            item.spilled = Some(Spilled { column, outline, end });
        }
        own
    }

    pub(super) fn add(&mut self, block: Block) {
        if let Some(frame) = self.frames.last_mut() {
            let (outline, end) = frame.place();
            *end = (*end).max(block.span().end);
            outline.add(block);
        }
    }

    /// Keeps a container that is too deep as the plain text of its lines.
    fn skip(&mut self, range: Range<usize>) {
        self.skipped = 1;
        let span = self.trimmed(range);
        if span.is_empty() {
            return;
        }
        self.notes.push(Note { kind: NoteKind::TooDeep, span });
        self.floor = span.end;
        let text = plain_lines(self.words.source, span);
        self.add(Block::Paragraph(text));
    }
}

fn is_marker(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'*' | b'0'..=b'9')
}

/// The lines of a span as plain text, without their indentation.
fn plain_lines(source: &str, span: Span) -> Text {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut start = span.start;
    let mut shown_end = span.start;
    for line in span.slice(source).split_inclusive('\n') {
        let text = line.trim();
        if !text.is_empty() {
            let first = start + (line.len() - line.trim_start().len()) as u32;
            let shown = Span::new(first, first + text.len() as u32);
            if !pieces.is_empty() {
                pieces.push(plain_piece(PieceKind::Break, Span::new(shown_end, shown.start)));
            }
            pieces.push(plain_piece(PieceKind::Text, shown));
            shown_end = shown.end;
        }
        start += line.len() as u32;
    }
    Text { span, pieces }
}

fn plain_piece(kind: PieceKind, span: Span) -> Piece {
    Piece { kind, span, strong: false, emphasis: false, link: false }
}
