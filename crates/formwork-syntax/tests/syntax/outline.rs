//! A compact outline of a document: one line for each part, block, item and row, with its span and its text.

use formwork_syntax::{Block, Document, Item, Node, Part, PartKind, Piece, PieceKind, Span, Text};
use std::fmt::Write;

/// The outline, two blanks per level.
pub(crate) fn outline(source: &str, document: &Document) -> String {
    let mut out = Outline { source, text: String::new(), level: 0 };
    for note in &document.notes {
        out.line(note.span, &format!("note {:?}", note.kind));
    }
    out.nodes(&document.root.children);
    out.text
}

/// The pieces of a text: `|` between them, code in backticks, entities in braces, flags as suffixes.
pub(crate) fn pieces(source: &str, text: &Text) -> String {
    text.pieces.iter().map(|piece| show_piece(source, piece)).collect::<Vec<_>>().join("|")
}

fn show_piece(source: &str, piece: &Piece) -> String {
    let mut shown = match &piece.kind {
        PieceKind::Text => piece.span.slice(source).to_owned(),
        PieceKind::Entity(shown) => format!("{{{}={shown}}}", piece.span.slice(source)),
        PieceKind::Code(code) => {
            let fragments = code.fragments.iter().map(|fragment| {
                format!("{}{}", if fragment.blank_before { "␣" } else { "" }, fragment.span.slice(source))
            });
            format!("`{}`", fragments.collect::<Vec<_>>().join("¦"))
        }
        PieceKind::Break => format!("⏎{:?}", piece.span.slice(source)),
        PieceKind::Html => format!("<{}>", piece.span.slice(source)),
    };
    for (is_set, mark) in [(piece.strong, "^b"), (piece.emphasis, "^i"), (piece.link, "^l")] {
        if is_set {
            shown.push_str(mark);
        }
    }
    shown
}

struct Outline<'s> {
    source: &'s str,
    text: String,
    level: usize,
}

impl Outline<'_> {
    fn line(&mut self, span: Span, shown: &str) {
        let indent = 2 * self.level;
        writeln!(self.text, "{:indent$}{span:?} {}", "", shown.trim_end())
            .expect("a string takes every write");
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Part(part) => self.part(part),
                Node::Block(block) => self.block(block),
            }
        }
    }

    fn part(&mut self, part: &Part) {
        let kind = match part.kind {
            PartKind::Root => "root".to_owned(),
            PartKind::Heading(level) => "#".repeat(level.into()),
            PartKind::Emphasized => "**".to_owned(),
            PartKind::Plain => "plain".to_owned(),
        };
        let title = pieces(self.source, &part.title);
        let inline = pieces(self.source, &part.inline);
        self.line(part.span, &format!("{kind} [{title}] {inline}"));
        self.nested(&part.children);
    }

    fn nested(&mut self, nodes: &[Node]) {
        self.level += 1;
        self.nodes(nodes);
        self.level -= 1;
    }

    fn block(&mut self, block: &Block) {
        let span = block.span();
        match block {
            Block::Paragraph(text) => self.line(span, &format!("paragraph {}", pieces(self.source, text))),
            Block::List(list) => {
                self.line(span, if list.ordered { "ordered list" } else { "list" });
                self.level += 1;
                list.items.iter().for_each(|item| self.item(item));
                self.level -= 1;
            }
            Block::Table(table) => {
                self.line(span, &format!("table {}", self.cells(&table.header)));
                self.level += 1;
                for row in &table.rows {
                    self.line(row.span, &format!("row {}", self.cells(&row.cells)));
                }
                self.level -= 1;
            }
            Block::Fence(fence) => {
                let lines: Vec<_> = fence.lines.iter().map(|line| line.slice(self.source)).collect();
                self.line(span, &format!("fence {:?} {lines:?}", fence.info.slice(self.source)));
            }
            Block::Quote(quote) => {
                self.line(span, "quote");
                self.nested(&quote.children);
            }
            Block::Html(html) => {
                let kind = if html.comment { "comment" } else { "html" };
                self.line(span, &format!("{kind} {:?}", span.slice(self.source)));
            }
            Block::Rule(_) => self.line(span, &format!("rule {:?}", span.slice(self.source))),
        }
    }

    fn item(&mut self, item: &Item) {
        let number = item.number.map_or_else(|| "-".to_owned(), |number| format!("{number}."));
        let task = item.task.map_or("", |ticked| if ticked { " [x]" } else { " [ ]" });
        let text = match &item.label {
            None => pieces(self.source, &item.text),
            Some(label) => format!(
                "{} [{}] {}",
                if label.emphasized { "**" } else { "plain" },
                pieces(self.source, &label.title),
                pieces(self.source, &label.rest),
            ),
        };
        self.line(item.span, &format!("{number}{task} {text}"));
        self.nested(&item.children);
    }

    fn cells(&self, cells: &[Text]) -> String {
        let cells: Vec<_> = cells.iter().map(|cell| format!("[{}]", pieces(self.source, cell))).collect();
        cells.join(" ")
    }
}
