//! Puts headings and labels over the blocks of one container: section 2 of the language.
//!
//! A heading ends all parts of its level and below; a label ends the label before it, and stands below the
//! heading. Bold, italic and plain labels are of one rank.

use super::inlines::Head;
use super::labels::{self, Found};
use crate::spans::Span;
use crate::tree::{Block, Label, Node, Part, PartKind, Text};

/// Whether a word is a label of the form; asked from several threads.
pub(super) type IsLabel<'s> = &'s (dyn Fn(&str) -> bool + Sync + 's);

/// What is needed to read labels.
#[derive(Clone, Copy)]
pub(super) struct Words<'s> {
    pub(super) source: &'s str,
    pub(super) is_label: IsLabel<'s>,
}

/// The children of a container, with the parts that are still open.
#[derive(Default)]
pub(super) struct Outline {
    children: Vec<Node>,
    /// Innermost last: headings of rising level, then at most one label.
    open: Vec<Part>,
}

impl Outline {
    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty() && self.open.is_empty()
    }

    /// Adds a block to the innermost part.
    pub(super) fn add(&mut self, block: Block) {
        let end = block.span().end;
        self.place(Node::Block(block), end);
    }

    /// Begins a heading's part.
    pub(super) fn open_heading(&mut self, level: u8, title: Text, span: Span) {
        self.close_to(level);
        let inline = Text::empty(span.end);
        self.open.push(Part { kind: PartKind::Heading(level), title, inline, children: Vec::new(), span });
    }

    /// Ends the label that is open.
    fn close_label(&mut self) {
        while matches!(self.open.last(), Some(Part { kind: PartKind::Emphasized | PartKind::Plain, .. })) {
            self.close();
        }
    }

    /// Ends the parts that a heading of this level ends.
    fn close_to(&mut self, level: u8) {
        let ends = |part: &Part| !matches!(part.kind, PartKind::Heading(above) if above < level);
        while self.open.last().is_some_and(ends) {
            self.close();
        }
    }

    /// Adds a paragraph: as it is, or as one part for each line that begins with a label.
    pub(super) fn add_paragraph(&mut self, words: Words<'_>, text: Text, heads: &[Head]) {
        let mut lines = labelled_lines(words, &text, heads);
        if let Some((kind, first)) = paragraph_label(words, &text, heads) {
            lines.insert(0, Line::Label(kind, first));
            return self.open_lines(words.source, &text, lines);
        }
        // What stands before the first label is a paragraph of its own.
        let Some(first) = lines.first() else { return self.add(Block::Paragraph(text)) };
        self.add_text(text.slice(words.source, text.span.start, first.start()));
        self.open_lines(words.source, &text, lines);
    }

    fn add_text(&mut self, text: Text) {
        if !text.pieces.is_empty() {
            self.add(Block::Paragraph(text));
        }
    }

    /// Reads the label of a list item's first paragraph. Further lines that begin with a label of the form
    /// become parts below the item and leave its text.
    pub(super) fn read_item_label(
        &mut self,
        words: Words<'_>,
        text: Text,
        heads: &[Head],
    ) -> (Text, Option<Label>) {
        let source = words.source;
        let emphasized = heads.first().filter(|head| head.piece == 0);
        let found = match emphasized {
            Some(head) => labels::emphasized_label(words, &text, *head),
            None => labels::plain_label(source, &text, 0).filter(|found| {
                labels::is_short(source, found.title) || (words.is_label)(found.title.slice(source))
            }),
        };
        let Some(found) = found else { return (text, None) };
        let lines = labelled_lines(words, &text, heads);
        let end = lines.first().map_or(text.span.end, Line::start);
        let label = Label {
            title: text.slice(source, found.title.start, found.title.end),
            rest: text.slice(source, found.span.end, end),
            emphasized: found.emphasized,
        };
        if lines.is_empty() {
            return (text, Some(label));
        }
        let own = text.slice(source, text.span.start, end);
        self.open_lines(source, &text, lines);
        (own, Some(label))
    }

    /// Adds what was read by itself of the text that follows.
    pub(super) fn append(&mut self, following: Self) {
        if self.is_empty() {
            *self = following;
            return;
        }
        for node in following.children {
            match node {
                Node::Part(part) => {
                    self.open_part(part);
                    self.close();
                }
                Node::Block(block) => self.add(block),
            }
        }
        let mut open = following.open.into_iter();
        if let Some(outermost) = open.next() {
            self.open_part(outermost);
        }
        self.open.extend(open);
    }

    /// Puts a part below the headings that stand above it.
    fn open_part(&mut self, part: Part) {
        match part.kind {
            PartKind::Heading(level) => self.close_to(level),
            _ => self.close_label(),
        }
        self.open.push(part);
    }

    /// Ends all parts.
    pub(super) fn finish(mut self) -> Vec<Node> {
        while !self.open.is_empty() {
            self.close();
        }
        self.children
    }

    /// Opens a part for each label of a paragraph, the last of which takes what follows.
    fn open_lines(&mut self, source: &str, text: &Text, lines: Vec<Line>) {
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.next() {
            let end = lines.peek().map_or(text.span.end, Line::start);
            let (kind, found) = match line {
                Line::Label(kind, found) => (kind, found),
                Line::Title(start) => {
                    self.add_text(text.slice(source, start, end));
                    continue;
                }
            };
            self.close_label();
            let title = text.slice(source, found.title.start, found.title.end);
            let inline = match text.slice(source, found.span.end, end) {
                rest if rest.pieces.is_empty() => Text::empty(found.span.end),
                rest => rest,
            };
            let span = Span::new(found.span.start, inline.span.end.max(found.span.end));
            self.open.push(Part { kind, title, inline, children: Vec::new(), span });
        }
    }

    fn close(&mut self) {
        if let Some(part) = self.open.pop() {
            let end = part.span.end;
            self.place(Node::Part(part), end);
        }
    }

    fn place(&mut self, node: Node, end: u32) {
        match self.open.last_mut() {
            Some(part) => {
                part.span.end = part.span.end.max(end);
                push_tight(&mut part.children, node);
            }
            None => push_tight(&mut self.children, node),
        }
    }
}

/// Pushes; the first element makes room for one only. A list or part with one child is common, and a vector's
/// own first step (four) would take a kilobyte for an item of four bytes.
pub(super) fn push_tight<T>(vector: &mut Vec<T>, value: T) {
    if vector.capacity() == 0 {
        vector.reserve_exact(1);
    }
    vector.push(value);
}

/// A line inside a paragraph with which something new begins.
pub(super) enum Line {
    /// A label.
    Label(PartKind, Found),
    /// An item's bold title with a remark, at this place; it stays a paragraph.
    Title(u32),
}

impl Line {
    /// The first byte of the line.
    pub(super) fn start(&self) -> u32 {
        match self {
            Self::Label(_, found) => found.span.start,
            Self::Title(start) => *start,
        }
    }
}

/// The label that a paragraph begins with.
fn paragraph_label(words: Words<'_>, text: &Text, heads: &[Head]) -> Option<(PartKind, Found)> {
    match heads.first().filter(|head| head.piece == 0) {
        Some(head) => labels::emphasized_label(words, text, *head)
            .or_else(|| labels::lone_label(words, text, *head))
            .map(|found| (PartKind::Emphasized, found)),
        None => known_plain_label(words, text, 0),
    }
}

/// What begins with the second line and with those after it.
pub(super) fn labelled_lines(words: Words<'_>, text: &Text, heads: &[Head]) -> Vec<Line> {
    let mut found = Vec::new();
    let mut heads = heads.iter().peekable();
    for (at, piece) in text.pieces.iter().enumerate() {
        if !matches!(piece.kind, crate::tree::PieceKind::Break) {
            continue;
        }
        while heads.next_if(|head| head.piece <= at).is_some() {}
        let line = match heads.peek().filter(|head| head.piece == at + 1) {
            Some(head) => labels::emphasized_label(words, text, **head)
                .or_else(|| labels::lone_label(words, text, **head))
                .map(|found| Line::Label(PartKind::Emphasized, found))
                .or_else(|| {
                    let is_title = labels::is_titled_line(words.source, text, **head);
                    is_title.then_some(Line::Title(head.span.start))
                }),
            None => known_plain_label(words, text, at + 1).map(|(kind, found)| Line::Label(kind, found)),
        };
        found.extend(line);
    }
    found
}

fn known_plain_label(words: Words<'_>, text: &Text, first: usize) -> Option<(PartKind, Found)> {
    let found = labels::plain_label(words.source, text, first)?;
    (words.is_label)(found.title.slice(words.source)).then_some((PartKind::Plain, found))
}
