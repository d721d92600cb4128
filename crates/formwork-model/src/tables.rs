//! Tables by the headings of their columns, and tables whose rows are read as items of a list.
//!
//! Source: language reference, *Finding the places*: facts written as a table are the same facts as in a list, and the
//! column headings are the labels.

use crate::labels::{begins_with, normal};
use formwork_syntax::{Block, Item, Label, List, Node, Part, Piece, PieceKind, Row, Span, Table, Text};

/// The headings of a table, normalised.
pub(crate) struct Columns {
    titles: Vec<String>,
}

impl Columns {
    /// The headings of a table.
    pub(crate) fn new(source: &str, table: &Table) -> Self {
        Self { titles: table.header.iter().map(|cell| normal(&cell.plain(source))).collect() }
    }

    /// The column with one of the names, an exact one before one with further words.
    pub(crate) fn find(&self, names: &[&str]) -> Option<usize> {
        let exact = self.titles.iter().position(|title| names.contains(&title.as_str()));
        exact.or_else(|| self.titles.iter().position(|title| begins_with(title, names)))
    }

    /// The column with exactly one of the names.
    pub(crate) fn exactly(&self, names: &[&str]) -> Option<usize> {
        self.titles.iter().position(|title| names.contains(&title.as_str()))
    }

    /// The headings, normalised, in their order.
    pub(crate) fn titles(&self) -> impl Iterator<Item = (usize, &str)> {
        self.titles.iter().map(String::as_str).enumerate()
    }
}

/// A cell that is not empty; a lone dash is empty.
pub(crate) fn cell<'t>(source: &str, row: &'t Row, at: Option<usize>) -> Option<&'t Text> {
    let text = row.cells.get(at?)?;
    let shown = text.plain(source);
    (!matches!(shown.trim(), "" | "-" | "–" | "—")).then_some(text)
}

/// The tables directly among nodes, with those in quotes left out.
pub(crate) fn tables(nodes: &[Node]) -> impl Iterator<Item = &Table> {
    nodes.iter().filter_map(|node| match node {
        Node::Block(Block::Table(table)) => Some(table),
        _ => None,
    })
}

/// Several texts as one, with a blank between them.
pub(crate) fn joined(texts: &[&Text]) -> Text {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut span: Option<Span> = None;
    for text in texts.iter().filter(|text| !text.pieces.is_empty()) {
        if let Some(before) = span {
            let (from, to) = (before.end.min(text.span.start), before.end.max(text.span.start));
            let gap = Span::new(from, to);
            pieces.push(Piece {
                kind: PieceKind::Break,
                span: gap,
                strong: false,
                emphasis: false,
                link: false,
            });
        }
        pieces.extend(text.pieces.iter().cloned());
        span = Some(span.map_or(text.span, |before| before.to(text.span)));
    }
    Text { span: span.unwrap_or_default(), pieces }
}

/// The part with every table below it as a list: one item for each row, whose label is the first cell.
///
/// The heading of a column named in `spoken` is read before its cell (`burst 10`).
pub(crate) fn as_lists(source: &str, part: &Part, spoken: &[&str]) -> Part {
    let mut copy = part.clone();
    for node in &mut copy.children {
        match node {
            Node::Part(below) => *below = as_lists(source, below, spoken),
            Node::Block(Block::Table(table)) => *node = Node::Block(Block::List(list(source, table, spoken))),
            Node::Block(_) => {}
        }
    }
    copy
}

fn list(source: &str, table: &Table, spoken: &[&str]) -> List {
    let columns = Columns::new(source, table);
    let items = table.rows.iter().filter_map(|row| {
        let mut texts: Vec<&Text> = Vec::new();
        for (at, title) in columns.titles() {
            let Some(text) = cell(source, row, Some(at)) else { continue };
            if begins_with(title, spoken) {
                texts.extend(table.header.get(at));
            }
            texts.push(text);
        }
        let (first, rest) = texts.split_first()?;
        let label = Label { title: (*first).clone(), rest: joined(rest), emphasized: false };
        Some(Item {
            number: None,
            task: None,
            text: joined(&texts),
            label: Some(label).filter(|_| !rest.is_empty()),
            children: Vec::new(),
            span: row.span,
        })
    });
    List { ordered: false, items: items.collect(), span: table.span }
}
