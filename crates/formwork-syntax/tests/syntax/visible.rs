//! What a document shows, read from the tree and from pulldown-cmark's events, and whether its spans are sound.

use formwork_syntax::{Block, Document, Item, Label, Node, Part, PieceKind, Span, Text};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The characters that pulldown-cmark shows outside HTML, without blanks and colons (labels lose theirs).
pub(crate) fn pulldown_text(source: &str) -> String {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut shown = String::new();
    let mut html = 0;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS) {
        match event {
            Event::Start(Tag::HtmlBlock) => html += 1,
            Event::End(TagEnd::HtmlBlock) => html -= 1,
            Event::Text(text) | Event::Code(text) if html == 0 => shown.push_str(&text),
            _ => {}
        }
    }
    without_blanks(&shown)
}

/// The same characters, as the tree shows them.
pub(crate) fn tree_text(source: &str, document: &Document) -> String {
    without_blanks(&shown_lines(source, document).concat())
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && *character != ':').collect()
}

/// What each text and each line of code shows, in order.
pub(crate) fn shown_lines(source: &str, document: &Document) -> Vec<String> {
    let mut lines = Vec::new();
    visit(&document.root, &mut |leaf| match leaf {
        Leaf::Text(text) => lines.push(text.plain(source)),
        Leaf::Code(line) => lines.push(line.slice(source).trim_end_matches(['\n', '\r']).to_owned()),
        Leaf::Label(_, _) => {}
    });
    lines
}

/// Whether the tree holds a table that pulldown-cmark takes for text, directly below a line.
pub(crate) fn has_table_below_line(source: &str, document: &Document) -> bool {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS);
    let tables = events.filter(|event| matches!(event, Event::Start(Tag::Table(_)))).count();
    format!("{document:?}").matches("Table(Table").count() > tables
}

enum Leaf<'d> {
    Text(&'d Text),
    Code(Span),
    Label(&'d Text, &'d Label),
}

fn visit<'d>(part: &'d Part, see: &mut dyn FnMut(Leaf<'d>)) {
    see(Leaf::Text(&part.title));
    see(Leaf::Text(&part.inline));
    visit_nodes(&part.children, see);
}

fn visit_nodes<'d>(nodes: &'d [Node], see: &mut dyn FnMut(Leaf<'d>)) {
    for node in nodes {
        match node {
            Node::Part(part) => visit(part, see),
            Node::Block(Block::Paragraph(text)) => see(Leaf::Text(text)),
            Node::Block(Block::List(list)) => list.items.iter().for_each(|item| visit_item(item, see)),
            Node::Block(Block::Quote(quote)) => visit_nodes(&quote.children, see),
            Node::Block(Block::Fence(fence)) => fence.lines.iter().for_each(|line| see(Leaf::Code(*line))),
            Node::Block(Block::Table(table)) => {
                let rows = table.rows.iter().flat_map(|row| &row.cells);
                table.header.iter().chain(rows).for_each(|cell| see(Leaf::Text(cell)));
            }
            Node::Block(Block::Html(_) | Block::Rule(_)) => {}
        }
    }
}

fn visit_item<'d>(item: &'d Item, see: &mut dyn FnMut(Leaf<'d>)) {
    see(Leaf::Text(&item.text));
    if let Some(label) = &item.label {
        see(Leaf::Label(&item.text, label));
    }
    visit_nodes(&item.children, see);
}

/// Every span lies in bounds and on character boundaries, children inside their parents, siblings in order
/// without overlap, and nothing begins or ends with a blank that should not.
pub(crate) fn assert_spans_are_sound(source: &str, document: &Document) {
    let check = Check { source };
    check.span(document.root.span);
    assert_eq!(document.root.span, Span::new(0, source.len() as u32));
    check.nodes(document.root.span, 0, &document.root.children);
    assert!(document.notes.is_sorted_by_key(|note| note.span), "notes in order");
    document.notes.iter().for_each(|note| check.span(note.span));
    visit(&document.root, &mut |leaf| {
        if let Leaf::Label(text, label) = leaf {
            check.text(text.span, &label.title);
            check.text(text.span, &label.rest);
            assert!(label.title.span.end < label.rest.span.start || label.rest.pieces.is_empty());
        }
    });
}

struct Check<'s> {
    source: &'s str,
}

impl Check<'_> {
    fn span(&self, span: Span) {
        assert!(span.start <= span.end, "{span:?}");
        assert!(self.source.get(span.range()).is_some(), "{span:?} in {:?}", self.source);
    }

    /// A child inside its parent, not before the sibling that ends at `after`; gives its own end.
    fn child(&self, parent: Span, after: u32, child: Span) -> u32 {
        self.span(child);
        assert!(parent.contains(child), "{child:?} in {parent:?} of {:?}", self.source);
        assert!(after <= child.start, "{child:?} after {after} of {:?}", self.source);
        child.end
    }

    fn trimmed(&self, span: Span) {
        // pulldown-cmark reads a line of nothing but these as text and as blank at once.
        if self.source.contains(['\u{b}', '\u{c}']) {
            return;
        }
        let text = span.slice(self.source);
        assert_eq!(text, text.trim_end_matches(['\n', '\r']), "{span:?} of {:?}", self.source);
        assert_eq!(text, text.trim_start_matches(['\n', '\r']), "{span:?} of {:?}", self.source);
    }

    fn nodes(&self, parent: Span, mut after: u32, nodes: &[Node]) {
        for node in nodes {
            after = match node {
                Node::Part(part) => {
                    let end = self.child(parent, after, part.span);
                    self.trimmed(part.span);
                    let title = self.child(part.span, part.span.start, part.title.span);
                    self.text(part.span, &part.title);
                    self.text(part.span, &part.inline);
                    let inline = self.child(part.span, title, part.inline.span);
                    self.nodes(part.span, inline, &part.children);
                    end
                }
                Node::Block(block) => {
                    let end = self.child(parent, after, block.span());
                    self.trimmed(block.span());
                    self.block(block);
                    end
                }
            };
        }
    }

    fn block(&self, block: &Block) {
        let span = block.span();
        match block {
            Block::Paragraph(text) => self.text(span, text),
            Block::List(list) => {
                assert!(!list.items.is_empty());
                assert_eq!(span.start, list.items[0].span.start);
                let mut after = span.start;
                for item in &list.items {
                    after = self.child(span, after, item.span);
                    self.item(item);
                }
            }
            Block::Table(table) => {
                let mut after = span.start;
                for cell in &table.header {
                    after = self.child(span, after, cell.span);
                    self.text(span, cell);
                }
                for row in &table.rows {
                    assert_eq!(row.cells.len(), table.header.len());
                    after = self.child(span, after, row.span);
                    let mut before = row.span.start;
                    for cell in &row.cells {
                        before = self.child(row.span, before, cell.span);
                        self.text(row.span, cell);
                    }
                }
            }
            Block::Fence(fence) => {
                let mut after = self.child(span, span.start, fence.info);
                for line in &fence.lines {
                    after = self.child(span, after, *line);
                }
            }
            Block::Quote(quote) => {
                assert!(span.slice(self.source).starts_with('>'), "{span:?} of {:?}", self.source);
                self.nodes(span, span.start + 1, &quote.children);
            }
            Block::Html(_) | Block::Rule(_) => {}
        }
    }

    fn item(&self, item: &Item) {
        let text = item.span.slice(self.source);
        self.trimmed(item.span);
        assert!(
            text.starts_with(['-', '+', '*']) || text.starts_with(|c: char| c.is_ascii_digit()),
            "{text:?}"
        );
        let after = self.child(item.span, item.span.start + 1, item.text.span);
        self.text(item.span, &item.text);
        self.nodes(item.span, after, &item.children);
    }

    fn text(&self, parent: Span, text: &Text) {
        self.span(text.span);
        if text.pieces.is_empty() {
            return;
        }
        assert!(parent.contains(text.span));
        let mut after = text.span.start;
        for piece in &text.pieces {
            after = self.child(text.span, after, piece.span);
            match &piece.kind {
                PieceKind::Text => assert!(!piece.span.is_empty()),
                PieceKind::Code(code) => {
                    let mut after = piece.span.start;
                    for fragment in &code.fragments {
                        after = self.child(piece.span, after, fragment.span);
                    }
                }
                PieceKind::Entity(_) | PieceKind::Break | PieceKind::Html => {}
            }
        }
        let ends = [text.pieces.first(), text.pieces.last()];
        assert!(!ends.iter().flatten().any(|piece| matches!(piece.kind, PieceKind::Break)));
    }
}
