//! Folds pulldown-cmark's events into blocks and containers.
//!
//! Spans are made exact here: a range may begin with blanks or with bytes of the container before it (tabs),
//! and ends with the line end. So a container begins at its mark, and ends where its last content ends. All
//! places rise with the events (`floor`), whatever the ranges say: children lie inside their parents, siblings
//! do not overlap. Nothing here recurses; the tree is at most [`MAX_DEPTH`] containers deep.

use super::code::FenceBuilder;
use super::inlines::{Element, Head, Inlines};
use super::outline::{Outline, Words, push_tight};
use super::tables::TableBuilder;
use crate::MAX_DEPTH;
use crate::spans::Span;
use crate::tree::{
    Block, Html, Item, Label, List, Note, NoteKind, Part, PartKind, Piece, PieceKind, Quote, Text,
};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// Reads a document. `parsed` is the source, or a copy of the same length with some marks hidden.
pub(super) fn read(
    source: &str,
    parsed: &str,
    is_label: &dyn Fn(&str) -> bool,
    notes: &mut Vec<Note>,
) -> Part {
    // A byte order mark is no character of the document: it must not keep a first heading from being one.
    let base = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let parser = Parser::new_ext(&parsed[base..], Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS);
    let mut reader = Reader {
        words: Words { source, is_label },
        parsed,
        base,
        floor: base as u32,
        frames: vec![Frame { kind: FrameKind::Root, outline: Outline::default(), start: 0, end: 0 }],
        inlines: Inlines::default(),
        heads: Vec::new(),
        heading: None,
        fence: None,
        html: None,
        table: None,
        skipped: 0,
        notes,
    };
    for (event, range) in parser.into_offset_iter() {
        reader.read_event(event, range);
    }
    reader.finish()
}

struct Reader<'s, 'n> {
    words: Words<'s>,
    parsed: &'s str,
    /// Bytes of the source before the text that pulldown-cmark reads.
    base: usize,
    /// Where the next thing begins at the earliest.
    floor: u32,
    /// The open containers; the first is the root and stays.
    frames: Vec<Frame>,
    inlines: Inlines,
    heads: Vec<Head>,
    heading: Option<Span>,
    fence: Option<FenceBuilder>,
    html: Option<Span>,
    table: Option<TableBuilder>,
    /// How many tags are open in a container that is too deep.
    skipped: usize,
    notes: &'n mut Vec<Note>,
}

/// An open container.
struct Frame {
    kind: FrameKind,
    outline: Outline,
    start: u32,
    end: u32,
}

enum FrameKind {
    Root,
    Quote,
    List(ListFrame),
    Item(ItemFrame),
}

struct ListFrame {
    next_number: Option<u64>,
    items: Vec<Item>,
    has_tab: bool,
}

struct ItemFrame {
    number: Option<u64>,
    task: Option<bool>,
    text: Option<(Text, Option<Label>)>,
    /// Behind the marker and the task box.
    content_start: u32,
}

impl Reader<'_, '_> {
    fn read_event(&mut self, event: Event<'_>, range: Range<usize>) {
        if self.skipped > 0 {
            match event {
                Event::Start(_) => self.skipped += 1,
                Event::End(_) => self.skipped -= 1,
                _ => {}
            }
            return;
        }
        match event {
            Event::Start(tag) => self.open(&tag, range),
            Event::End(tag) => self.close(tag, range),
            Event::Text(shown) => self.read_text(&shown, range),
            Event::Code(shown) => {
                let span = self.span(range);
                // The last range of a heading runs on to the end of its line.
                let ticked = span.slice(self.words.source).trim_end_matches(|last| last != '`').len() as u32;
                let span = span.part(0, ticked);
                self.floor = span.end;
                self.inlines.code(self.words.source, span, &shown, self.table.is_some());
            }
            Event::Html(_) => {
                let span = self.leaf(range);
                if let Some(html) = &mut self.html {
                    html.end = html.end.max(span.end);
                }
            }
            Event::InlineHtml(_) => {
                let span = self.leaf(range);
                self.inlines.html(self.words.source, span);
            }
            Event::SoftBreak | Event::HardBreak => {
                let span = self.leaf(range);
                self.inlines.line_break(self.words.source, span);
            }
            Event::Rule => {
                self.end_text();
                let span = self.trimmed(range);
                self.floor = span.end;
                self.add(Block::Rule(span));
            }
            Event::TaskListMarker(ticked) => {
                let span = self.leaf(range);
                if let Some(Frame { kind: FrameKind::Item(item), end, .. }) = self.frames.last_mut() {
                    item.task = Some(ticked);
                    item.content_start = span.end;
                    *end = span.end;
                }
            }
            // Not enabled, and so never sent.
            Event::FootnoteReference(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn read_text(&mut self, shown: &str, range: Range<usize>) {
        // An empty range is a rest of a tab, made up as blanks before a line of code or HTML.
        if self.html.is_some() || range.is_empty() {
            return;
        }
        let span = self.leaf(range);
        match &mut self.fence {
            Some(fence) => fence.add(self.words.source, span),
            None if shown == span.slice(self.parsed) => self.inlines.text(self.words.source, span),
            None => self.inlines.entity(self.words.source, span, shown),
        }
    }

    fn open(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Strong => return self.open_element(Element::Strong, range),
            Tag::Emphasis => return self.open_element(Element::Emphasis, range),
            Tag::Link { .. } | Tag::Image { .. } => return self.open_element(Element::Link, range),
            Tag::TableHead | Tag::TableRow => {
                let span = self.trimmed(range);
                if let Some(table) = &mut self.table {
                    table.open_row(span, matches!(tag, Tag::TableHead));
                }
                return;
            }
            Tag::TableCell => {
                let start = self.span(range).start;
                if let Some(table) = &mut self.table {
                    table.open_cell(start);
                }
                return;
            }
            _ => {}
        }
        self.end_text();
        self.end_table();
        match tag {
            Tag::Heading { .. } => self.heading = Some(self.trimmed(range)),
            Tag::CodeBlock(kind) => {
                let fenced = matches!(kind, CodeBlockKind::Fenced(_));
                let span = self.span(range);
                self.fence = Some(FenceBuilder::new(self.words.source, span, fenced));
            }
            Tag::HtmlBlock => {
                let span = self.span(range);
                self.html = Some(Span::new(span.start, span.start));
            }
            Tag::Table(_) => {
                let span = self.trimmed(range);
                self.table = Some(TableBuilder::new(span));
            }
            Tag::BlockQuote(_) => self.open_quote(range),
            Tag::List(first) => self.open_list(*first, range),
            Tag::Item => self.open_item(range),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Strong => self.close_element(Element::Strong, range),
            TagEnd::Emphasis => self.close_element(Element::Emphasis, range),
            TagEnd::Link | TagEnd::Image => self.close_element(Element::Link, range),
            TagEnd::Paragraph => self.end_text(),
            TagEnd::Heading(level) => self.end_heading(level as u8),
            TagEnd::CodeBlock => self.end_fence(),
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::TableCell => {
                if let Some(table) = &mut self.table {
                    let text = self.inlines.take(table.cell_start(), &mut self.heads);
                    table.add_cell(text);
                }
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                if let Some(table) = &mut self.table {
                    table.close_row();
                }
            }
            TagEnd::Table => self.end_table(),
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item => {
                self.end_text();
                self.end_table();
                self.end_frame();
            }
            _ => {}
        }
    }

    fn open_element(&mut self, element: Element, range: Range<usize>) {
        let span = self.span(range);
        self.inlines.open(self.words.source, element, span);
    }

    fn close_element(&mut self, element: Element, range: Range<usize>) {
        let end = self.span(range).end;
        self.floor = self.floor.max(end);
        self.inlines.close(element);
    }

    /// Ends the paragraph that is being read, if there is one. (Those of tight lists have no tags.)
    fn end_text(&mut self) {
        if self.inlines.is_empty() || self.table.is_some() {
            return;
        }
        let text = self.inlines.take(self.floor, &mut self.heads);
        let words = self.words;
        let Some(frame) = self.frames.last_mut() else { return };
        frame.end = frame.end.max(text.span.end);
        match &mut frame.kind {
            FrameKind::Item(item) if item.text.is_none() && frame.outline.is_empty() => {
                item.text = Some(frame.outline.read_item_label(words, text, &self.heads));
            }
            _ => frame.outline.add_paragraph(words, text, &self.heads),
        }
    }

    fn end_heading(&mut self, level: u8) {
        let Some(mut span) = self.heading.take() else { return };
        let title = self.inlines.take(span.end, &mut self.heads);
        span.end = span.end.max(title.span.end);
        self.floor = self.floor.max(span.end);
        if let Some(frame) = self.frames.last_mut() {
            frame.end = frame.end.max(span.end);
            frame.outline.open_heading(level, title, span);
        }
    }

    fn end_fence(&mut self) {
        let Some(fence) = self.fence.take() else { return };
        let (fence, is_open) = fence.finish(self.words.source);
        if is_open {
            self.notes.push(Note { kind: NoteKind::UnclosedFence, span: fence.span });
        }
        self.floor = self.floor.max(fence.span.end);
        self.add(Block::Fence(fence));
    }

    fn end_html(&mut self) {
        let Some(span) = self.html.take() else { return };
        let text = span.slice(self.words.source).trim_end();
        let span = Span::new(span.start, span.start + text.len() as u32);
        self.add(Block::Html(Html { span, comment: is_comment(text) }));
    }

    /// Ends the table that is being read. A row that is too much for pulldown-cmark leaves it open, with the
    /// blocks behind it inside: these come after it here.
    fn end_table(&mut self) {
        let Some(mut table) = self.table.take() else { return };
        if !self.inlines.is_empty() {
            table.add_cell(self.inlines.take(table.cell_start(), &mut self.heads));
        }
        let table = table.finish();
        self.floor = self.floor.max(table.span.end);
        self.add(Block::Table(table));
    }

    fn open_quote(&mut self, range: Range<usize>) {
        if self.frames.len() > MAX_DEPTH {
            return self.skip(range);
        }
        let start = self.seek(range, |byte| byte == b'>');
        self.floor = start + 1;
        self.push(FrameKind::Quote, start, start + 1);
    }

    fn open_list(&mut self, first: Option<u64>, range: Range<usize>) {
        // Its items are one deeper.
        if self.frames.len() + 1 > MAX_DEPTH {
            return self.skip(range);
        }
        let start = self.seek(range, is_marker);
        self.push(
            FrameKind::List(ListFrame { next_number: first, items: Vec::new(), has_tab: false }),
            start,
            start,
        );
    }

    fn open_item(&mut self, range: Range<usize>) {
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
            FrameKind::Item(ItemFrame { number, task: None, text: None, content_start: end }),
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

    fn end_frame(&mut self) {
        if self.frames.len() < 2 {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        let span = Span::new(frame.start, frame.end);
        match frame.kind {
            FrameKind::Root => {}
            FrameKind::Quote => self.add(Block::Quote(Quote { children: frame.outline.finish(), span })),
            FrameKind::List(list) => {
                let ordered = list.next_number.is_some();
                self.add(Block::List(List { ordered, items: list.items, span }));
            }
            FrameKind::Item(item) => {
                let (text, label) = item.text.unwrap_or_else(|| (Text::empty(item.content_start), None));
                let children = frame.outline.finish();
                let item = Item { number: item.number, task: item.task, text, label, children, span };
                if let Some(Frame { kind: FrameKind::List(list), end, .. }) = self.frames.last_mut() {
                    *end = (*end).max(span.end);
                    push_tight(&mut list.items, item);
                }
            }
        }
    }

    fn add(&mut self, block: Block) {
        if let Some(frame) = self.frames.last_mut() {
            frame.end = frame.end.max(block.span().end);
            frame.outline.add(block);
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

    fn finish(mut self) -> Part {
        self.end_text();
        self.end_table();
        while self.frames.len() > 1 {
            self.end_frame();
        }
        let children = self.frames.pop().map(|frame| frame.outline.finish()).unwrap_or_default();
        Part {
            kind: PartKind::Root,
            title: Text::default(),
            inline: Text::default(),
            children,
            span: Span::new(0, self.words.source.len() as u32),
        }
    }

    /// The span of something that holds nothing else; what follows begins behind it.
    fn leaf(&mut self, range: Range<usize>) -> Span {
        let span = self.span(range);
        self.floor = span.end;
        span
    }

    /// The range in the source, from the floor on and on character boundaries.
    fn span(&self, range: Range<usize>) -> Span {
        let source = self.words.source;
        let start = boundary(source, (range.start + self.base).max(self.floor as usize));
        let end = boundary(source, (range.end + self.base).max(start));
        Span::new(start as u32, end as u32)
    }

    /// The same without blanks at both ends.
    fn trimmed(&self, range: Range<usize>) -> Span {
        let span = self.span(range);
        let text = span.slice(self.words.source);
        let start = span.start + (text.len() - text.trim_start_matches(is_blank).len()) as u32;
        Span::new(start, start + text.trim_matches(is_blank).len() as u32)
    }

    /// The first byte of the range that is a mark: ranges may begin earlier, with blanks or in the mark of the
    /// container around.
    fn seek(&self, range: Range<usize>, is_mark: impl Fn(u8) -> bool) -> u32 {
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

fn is_marker(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'*' | b'0'..=b'9')
}

/// Whether a block of HTML is comments and blanks.
fn is_comment(text: &str) -> bool {
    let mut rest = text.trim();
    while let Some(body) = rest.strip_prefix("<!--") {
        // `<!-->` and `<!--->` are whole comments (CommonMark 6.6); an open one runs to the end.
        let short = body.strip_prefix('>').or_else(|| body.strip_prefix("->"));
        let after = short.or_else(|| body.split_once("-->").map(|(_, after)| after)).unwrap_or("");
        rest = after.trim_start();
        if rest.is_empty() {
            return true;
        }
    }
    false
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
