//! Folds pulldown-cmark's events into blocks and containers.
//!
//! Only a table directly below a line of text is read by a second reader; nothing else recurses. The tree is at most [`crate::MAX_DEPTH`] containers deep.

use super::code::FenceBuilder;
use super::containers::{Frame, FrameKind};
use super::inlines::{Element, Head, Inlines};
use super::outline::{Outline, Words};
use super::pieces;
use super::tables::{self, TableBuilder};
use crate::spans::Span;
use crate::threads;
use crate::tree::{Block, Html, Node, Note, NoteKind, Part, PartKind, Table, Text};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// Reads a document. `parsed` is the source, or a copy of the same length with some marks hidden; it is read in pieces
/// of `shortest` bytes or more, neighbouring ones on one thread.
pub(super) fn read(
    words: Words<'_>,
    parsed: &str,
    notes: &mut Vec<Note>,
    shortest: usize,
    threads: usize,
) -> Part {
    let source = words.source;
    // A byte order mark is no character of the document: it must not keep a first heading from being one.
    let base = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() as u32 } else { 0 };
    let end = source.len() as u32;
    let pieces = pieces::pieces(&parsed[base as usize..], base, shortest);
    let runs: Vec<&[Span]> = pieces.chunks(pieces.len().div_ceil(threads)).collect();
    let read = |run: &&[Span]| {
        let mut notes = Vec::new();
        (read_outline(words, parsed, run, &mut notes, true), notes)
    };
    let mut outline = Outline::default();
    for (following, mut found) in threads::map(threads, &runs, read) {
        outline.append(following);
        notes.append(&mut found);
    }
    let children = outline.finish();
    let span = Span::new(0, end);
    Part { kind: PartKind::Root, title: Text::default(), inline: Text::default(), children, span }
}

/// Reads what stands at the pieces, which follow each other; with `finds_tables`, also the tables that follow a line
/// of text directly.
fn read_outline(
    words: Words<'_>,
    parsed: &str,
    pieces: &[Span],
    notes: &mut Vec<Note>,
    finds_tables: bool,
) -> Outline {
    let mut reader = Reader {
        words,
        parsed,
        base: 0,
        floor: pieces.first().map_or(0, |piece| piece.start),
        frames: vec![Frame { kind: FrameKind::Root, outline: Outline::default(), start: 0, end: 0 }],
        inlines: Inlines::default(),
        heads: Vec::new(),
        heading: None,
        fence: None,
        html: None,
        table: None,
        skipped: 0,
        finds_tables,
        notes,
    };
    for piece in pieces {
        reader.base = piece.start as usize;
        let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS;
        for (event, range) in Parser::new_ext(piece.slice(parsed), options).into_offset_iter() {
            reader.read_event(event, range);
        }
    }
    reader.finish()
}

/// What is being read.
pub(super) struct Reader<'s, 'n> {
    pub(super) words: Words<'s>,
    parsed: &'s str,
    /// Bytes of the source before the text that pulldown-cmark reads.
    pub(super) base: usize,
    /// Where the next thing begins at the earliest.
    pub(super) floor: u32,
    /// The open containers; the first is the root and stays.
    pub(super) frames: Vec<Frame>,
    inlines: Inlines,
    pub(super) heads: Vec<Head>,
    heading: Option<Span>,
    fence: Option<FenceBuilder>,
    html: Option<Span>,
    table: Option<TableBuilder>,
    /// How many tags are open in a container that is too deep.
    pub(super) skipped: usize,
    /// Whether tables directly below a line of text are looked for.
    finds_tables: bool,
    pub(super) notes: &'n mut Vec<Note>,
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
        let (text, table) = self.split_off_table(text);
        let is_first = matches!(self.frames.last(), Some(Frame { kind: FrameKind::Item(item), outline, .. }) if item.text.is_none() && outline.is_empty());
        let text = if is_first { self.split_off_spilled(text) } else { text };
        let words = self.words;
        let Some(frame) = self.frames.last_mut() else { return };
        match &mut frame.kind {
            FrameKind::Item(item) if item.text.is_none() && frame.outline.is_empty() => {
                frame.end = frame.end.max(text.span.end);
                item.text = Some(frame.outline.read_item_label(words, text, &self.heads));
            }
            _ => {
                let (outline, end) = frame.place();
                *end = (*end).max(text.span.end);
                outline.add_paragraph(words, text, &self.heads);
            }
        }
        if let Some(table) = table {
            self.add(Block::Table(table));
        }
    }

    /// Takes a table off the end of a paragraph.
    ///
    /// GitHub reads a table directly below a line of text (`**Fields:**`); pulldown-cmark wants a blank line
    /// between and takes both for one paragraph. So the lines from the table's first one on are read again.
    fn split_off_table(&mut self, text: Text) -> (Text, Option<Table>) {
        let Some(at) = tables::line_before_table(self.words.source, &text).filter(|_| self.finds_tables)
        else {
            return (text, None);
        };
        let gap = text.pieces[at].span;
        let lines = Span::new(gap.end, text.span.end);
        let notes = &mut Vec::new();
        let mut nodes = read_outline(self.words, self.parsed, &[lines], notes, false).finish();
        match (nodes.pop(), nodes.is_empty()) {
            (Some(Node::Block(Block::Table(table))), true) => {
                self.heads.retain(|head| head.piece < at);
                (text.slice(self.words.source, text.span.start, gap.start), Some(table))
            }
            _ => (text, None),
        }
    }

    fn end_heading(&mut self, level: u8) {
        let Some(mut span) = self.heading.take() else { return };
        let title = self.inlines.take(span.end, &mut self.heads);
        span.end = span.end.max(title.span.end);
        self.floor = self.floor.max(span.end);
        if let Some(frame) = self.frames.last_mut() {
            let (outline, end) = frame.place();
            *end = (*end).max(span.end);
            outline.open_heading(level, title, span);
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

    fn finish(mut self) -> Outline {
        self.end_text();
        self.end_table();
        while self.frames.len() > 1 {
            self.end_frame();
        }
        self.frames.pop().map(|frame| frame.outline).unwrap_or_default()
    }
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
