//! The shape to which every document is reduced: labelled parts that hold parts and blocks.
//!
//! Nothing here owns text: every piece is a span of the source. A *part* is a heading with what stands below
//! it, or a paragraph that begins with a label and a colon with what follows up to the next label of the same
//! rank (`**Goals:** …`). A list item may bear a label as well (`- **TTL:** 60 s`).

use crate::spans::Span;
use smallvec::SmallVec;
use std::borrow::Cow;

/// A document: its outermost part, and what the reader should know about the Markdown itself.
#[derive(Clone, Debug)]
pub struct Document {
    /// The part without a title that holds everything.
    pub root: Part,
    /// Oddities of the Markdown, in the order of the text.
    pub notes: Vec<Note>,
}

/// Something that the Markdown leaves unclear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub kind: NoteKind,
    /// Where.
    pub span: Span,
}

/// The kinds of [`Note`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A fence that is not closed before the end of its container.
    UnclosedFence,
    /// A tab in the indentation of a list, where readers disagree about the level. Once for each list.
    TabInIndentation,
    /// Blocks nested deeper than [`crate::MAX_DEPTH`]; what lies below is kept as plain text.
    TooDeep,
    /// A NUL character, which no Markdown reader keeps.
    NulCharacter,
}

/// How a part begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The whole document.
    Root,
    /// A heading of level 1 to 6.
    Heading(u8),
    /// A paragraph that begins with a bold or italic label and a colon (inside or behind the emphasis), or
    /// consists of nothing but one bold text.
    Emphasized,
    /// A paragraph that begins with a plain label of the vocabulary and a colon.
    Plain,
}

/// A labelled part.
#[derive(Clone, Debug)]
pub struct Part {
    /// How it begins.
    pub kind: PartKind,
    /// The label or heading, without marks, colon and surrounding blanks; empty for the root.
    pub title: Text,
    /// What follows the colon in the label's own paragraph; empty for headings and when nothing follows.
    pub inline: Text,
    /// Parts and blocks below, in the order of the text.
    pub children: Vec<Node>,
    /// From the first byte of the heading or label to the last of its content, without trailing blanks.
    pub span: Span,
}

/// A child of a part or of a list item.
#[derive(Clone, Debug)]
pub enum Node {
    /// A labelled part.
    Part(Part),
    /// Anything else.
    Block(Block),
}

/// A block without a label.
#[derive(Clone, Debug)]
pub enum Block {
    /// A paragraph.
    Paragraph(Text),
    /// A list.
    List(List),
    /// A table.
    Table(Table),
    /// Fenced or indented code.
    Fence(Fence),
    /// A block quote, with what is in it.
    Quote(Quote),
    /// HTML, also comments.
    Html(Html),
    /// A thematic break.
    Rule(Span),
}

/// A block quote.
#[derive(Clone, Debug)]
pub struct Quote {
    /// Its content.
    pub children: Vec<Node>,
    /// With its marks.
    pub span: Span,
}

/// A list.
#[derive(Clone, Debug)]
pub struct List {
    /// Whether its items are numbered.
    pub ordered: bool,
    /// Its items.
    pub items: Vec<Item>,
    /// From the first marker to the last byte of the last item.
    pub span: Span,
}

/// A list item.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number, in a numbered list, as counted from the number of the first item.
    pub number: Option<u64>,
    /// Whether it begins with a task box, and whether that is ticked.
    pub task: Option<bool>,
    /// The text of its first paragraph, whole (with a label, if there is one); empty if it begins otherwise.
    /// If it has a label, further lines of the paragraph that begin with one are parts among the children.
    pub text: Text,
    /// The label and what follows it, when `text` begins with one.
    pub label: Option<Label>,
    /// What stands below the first paragraph: nested lists, fences, further paragraphs.
    pub children: Vec<Node>,
    /// From the marker to the last byte, without trailing blanks.
    pub span: Span,
}

/// A label at the start of a list item's text.
#[derive(Clone, Debug)]
pub struct Label {
    /// The label, without marks and colon.
    pub title: Text,
    /// What follows the colon.
    pub rest: Text,
    /// Whether it is bold or italic (else a plain word of the vocabulary, or plain text before a colon).
    pub emphasized: bool,
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The column headings.
    pub header: Vec<Text>,
    /// The rows; each has as many cells as the header, missing ones empty.
    pub rows: Vec<Row>,
    /// Header to last row.
    pub span: Span,
}

/// A table row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its cells.
    pub cells: Vec<Text>,
    /// The whole row, without the line end.
    pub span: Span,
}

/// Fenced or indented code.
#[derive(Clone, Debug)]
pub struct Fence {
    /// The info string (`json`, `sql postgres`); empty for indented code.
    pub info: Span,
    /// The lines of code without their containers' indentation; each span holds its line end, if it has one.
    /// Without a closing fence, blank lines at the end and the last line's end are left out.
    pub lines: Vec<Span>,
    /// With the fences.
    pub span: Span,
}

/// A block of HTML.
#[derive(Clone, Debug)]
pub struct Html {
    /// The whole block.
    pub span: Span,
    /// Whether it is one or more comments and nothing else.
    pub comment: bool,
}

/// A run of inline text.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// From the first to the last piece, with the marks of emphasis around them.
    pub span: Span,
    /// Its pieces in the order of the text; they do not overlap.
    pub pieces: Vec<Piece>,
}

/// One inline piece.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What it is.
    pub kind: PieceKind,
    /// For text: exactly the bytes shown (an escape's backslash lies between two pieces); for code: with the
    /// backticks; for a link: its marks and destination lie outside, its text is pieces of its own.
    pub span: Span,
    /// Inside bold.
    pub strong: bool,
    /// Inside italic.
    pub emphasis: bool,
    /// Inside a link or image.
    pub link: bool,
}

/// The kinds of [`Piece`].
#[derive(Clone, Debug)]
pub enum PieceKind {
    /// Plain characters, shown as they stand.
    Text,
    /// An HTML entity such as `&amp;` and what it shows.
    Entity(Box<str>),
    /// A code span.
    Code(Code),
    /// A line break inside the text, soft or hard, with the indentation that follows it.
    Break,
    /// Inline HTML, also comments.
    Html,
}

/// A code span: what stands between the backticks.
///
/// Almost always one fragment. A line break inside gives two fragments joined by a blank; an escaped `\|` in a
/// table cell gives two fragments joined by nothing.
#[derive(Debug)]
pub struct Code {
    /// The bytes of its content, in order.
    pub fragments: Fragments,
}

/// The runs of bytes of a code span: one without an allocation of its own, since almost every code span has one.
pub type Fragments = SmallVec<[Fragment; 1]>;

impl Clone for Code {
    fn clone(&self) -> Self {
        // As bytes: what is derived would copy run by run.
        Self { fragments: Fragments::from_slice(&self.fragments) }
    }
}

/// A run of bytes of a code span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The bytes.
    pub span: Span,
    /// Whether a blank stands before it in the content, for a line end in the source.
    pub blank_before: bool,
}

impl Code {
    /// From the first to the last byte of the content, without the backticks.
    pub fn span(&self) -> Span {
        match (self.fragments.first(), self.fragments.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }

    /// The content. Borrows from the source unless it is broken over lines or escaped.
    pub fn text<'s>(&self, source: &'s str) -> Cow<'s, str> {
        match self.fragments.as_slice() {
            [] => Cow::Borrowed(""),
            [one] => Cow::Borrowed(one.span.slice(source)),
            many => {
                let mut text = String::new();
                for fragment in many {
                    if fragment.blank_before {
                        text.push(' ');
                    }
                    text.push_str(fragment.span.slice(source));
                }
                Cow::Owned(text)
            }
        }
    }

    /// The place in the source of a byte offset in the content.
    pub fn source_offset(&self, content_offset: u32) -> u32 {
        let mut left = content_offset;
        let mut last = 0;
        for fragment in &self.fragments {
            if fragment.blank_before {
                if left == 0 {
                    return last;
                }
                left -= 1;
            }
            if left < fragment.span.len() {
                return fragment.span.start + left;
            }
            left -= fragment.span.len();
            last = fragment.span.end;
        }
        last
    }
}

impl Text {
    /// Whether it holds nothing but blanks.
    pub fn is_blank(&self, source: &str) -> bool {
        self.pieces.iter().all(|piece| match &piece.kind {
            PieceKind::Text => piece.span.slice(source).trim().is_empty(),
            PieceKind::Break | PieceKind::Html => true,
            PieceKind::Entity(_) | PieceKind::Code(_) => false,
        })
    }

    /// What a reader sees: without marks, code without backticks, breaks as blanks, HTML left out.
    pub fn plain(&self, source: &str) -> String {
        let mut text = String::with_capacity(self.span.len() as usize);
        for piece in &self.pieces {
            match &piece.kind {
                PieceKind::Text => text.push_str(piece.span.slice(source)),
                PieceKind::Entity(shown) => text.push_str(shown),
                PieceKind::Code(code) => text.push_str(&code.text(source)),
                PieceKind::Break => text.push(' '),
                PieceKind::Html => {}
            }
        }
        text.truncate(text.trim_end().len());
        let blank = text.len() - text.trim_start().len();
        text.drain(..blank);
        text
    }

    /// The code spans, in order.
    pub fn codes(&self) -> impl Iterator<Item = (&Piece, &Code)> {
        self.pieces.iter().filter_map(|piece| match &piece.kind {
            PieceKind::Code(code) => Some((piece, code)),
            _ => None,
        })
    }
}

impl Part {
    /// The parts directly below, in order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.children.iter().filter_map(|node| match node {
            Node::Part(part) => Some(part),
            Node::Block(_) => None,
        })
    }

    /// The blocks directly below, in order.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.children.iter().filter_map(|node| match node {
            Node::Block(block) => Some(block),
            Node::Part(_) => None,
        })
    }
}

impl Block {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Paragraph(text) => text.span,
            Self::List(list) => list.span,
            Self::Table(table) => table.span,
            Self::Fence(fence) => fence.span,
            Self::Quote(quote) => quote.span,
            Self::Html(html) => html.span,
            Self::Rule(span) => *span,
        }
    }
}
