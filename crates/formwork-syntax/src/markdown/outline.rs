//! Puts headings and labels over the blocks of one container: section 2 of the language.
//!
//! A heading ends all parts of its level and below; a label ends the label before it, and stands below the
//! heading. Bold, italic and plain labels are of one rank.

use super::inlines::Head;
use super::labels::{self, Found};
use crate::spans::Span;
use crate::tree::{Block, Label, Node, Part, PartKind, Text};

/// What is needed to read labels.
#[derive(Clone, Copy)]
pub(super) struct Words<'s> {
    pub(super) source: &'s str,
    pub(super) is_label: &'s dyn Fn(&str) -> bool,
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
        while self
            .open
            .last()
            .is_some_and(|part| !matches!(part.kind, PartKind::Heading(above) if above < level))
        {
            self.close();
        }
        let inline = Text::empty(span.end);
        self.open.push(Part { kind: PartKind::Heading(level), title, inline, children: Vec::new(), span });
    }

    /// Adds a paragraph: as it is, or as one part for each line that begins with a label.
    pub(super) fn add_paragraph(&mut self, words: Words<'_>, text: Text, heads: &[Head]) {
        let Some((kind, first)) = paragraph_label(words, &text, heads) else {
            return self.add(Block::Paragraph(text));
        };
        let lines = labelled_lines(words, &text, heads);
        self.open_labels(words.source, &text, (kind, first), lines);
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
            Some(head) => labels::emphasized_label(source, &text, *head),
            None => labels::plain_label(source, &text, 0).filter(|found| {
                labels::is_short(source, found.title) || (words.is_label)(found.title.slice(source))
            }),
        };
        let Some(found) = found else { return (text, None) };
        let mut lines = labelled_lines(words, &text, heads);
        let end = lines.first().map_or(text.span.end, |(_, line)| line.span.start);
        let label = Label {
            title: text.slice(source, found.title.start, found.title.end),
            rest: text.slice(source, found.span.end, end),
            emphasized: found.emphasized,
        };
        if lines.is_empty() {
            return (text, Some(label));
        }
        let own = text.slice(source, text.span.start, end);
        let first = lines.remove(0);
        self.open_labels(source, &text, first, lines);
        (own, Some(label))
    }

    /// Ends all parts.
    pub(super) fn finish(mut self) -> Vec<Node> {
        while !self.open.is_empty() {
            self.close();
        }
        self.children
    }

    /// Opens a part for each label of a paragraph, the last of which takes what follows.
    fn open_labels(
        &mut self,
        source: &str,
        text: &Text,
        first: (PartKind, Found),
        more: Vec<(PartKind, Found)>,
    ) {
        let mut next = Some(first);
        let mut more = more.into_iter();
        while let Some((kind, found)) = next.take() {
            next = more.next();
            let end = next.as_ref().map_or(text.span.end, |(_, line)| line.span.start);
            while matches!(self.open.last(), Some(Part { kind: PartKind::Emphasized | PartKind::Plain, .. }))
            {
                self.close();
            }
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

/// The label that a paragraph begins with.
fn paragraph_label(words: Words<'_>, text: &Text, heads: &[Head]) -> Option<(PartKind, Found)> {
    let source = words.source;
    match heads.first().filter(|head| head.piece == 0) {
        Some(head) => labels::emphasized_label(source, text, *head)
            .or_else(|| labels::lone_bold_label(source, text, *head))
            .map(|found| (PartKind::Emphasized, found)),
        None => known_plain_label(words, text, 0),
    }
}

/// The labels at the start of the second line and of those after it.
pub(super) fn labelled_lines(words: Words<'_>, text: &Text, heads: &[Head]) -> Vec<(PartKind, Found)> {
    let mut found = Vec::new();
    let mut heads = heads.iter().peekable();
    for (at, piece) in text.pieces.iter().enumerate() {
        if !matches!(piece.kind, crate::tree::PieceKind::Break) {
            continue;
        }
        while heads.next_if(|head| head.piece <= at).is_some() {}
        let label = match heads.peek().filter(|head| head.piece == at + 1) {
            Some(head) => labels::emphasized_label(words.source, text, **head)
                .map(|found| (PartKind::Emphasized, found)),
            None => known_plain_label(words, text, at + 1),
        };
        found.extend(label);
    }
    found
}

fn known_plain_label(words: Words<'_>, text: &Text, first: usize) -> Option<(PartKind, Found)> {
    let found = labels::plain_label(words.source, text, first)?;
    (words.is_label)(found.title.slice(words.source)).then_some((PartKind::Plain, found))
}
