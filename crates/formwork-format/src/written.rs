//! The places of a document that formatting asks for: its items, rows, headings, and what stands outermost.

use formwork_check::Analysis;
use formwork_syntax::{Block, Item, List, Node, Part, PartKind, Row, Span, Table};
use std::collections::BTreeMap;

/// A document, with its pieces by their places.
pub(crate) struct Written<'a> {
    /// What is known about it.
    pub(crate) analysis: &'a Analysis,
    /// Its text.
    pub(crate) source: &'a str,
    /// Every list item, by where it starts.
    pub(crate) items: BTreeMap<u32, &'a Item>,
    /// Every row of a table, by where it starts.
    pub(crate) rows: BTreeMap<u32, &'a Row>,
    /// Every part that is a heading, by where it starts.
    pub(crate) headings: BTreeMap<u32, &'a Part>,
    /// Lists without a bulleted or numbered neighbour of their own kind.
    pub(crate) lists: Vec<&'a List>,
    /// Tables outside lists and quotes.
    pub(crate) tables: Vec<&'a Table>,
    /// What stands outside lists and quotes, in the order of the text.
    pub(crate) outer: Vec<Outer>,
    /// Code and HTML, whose lines are never touched.
    pub(crate) verbatim: Vec<Span>,
}

/// A piece that stands outside lists and quotes.
pub(crate) struct Outer {
    /// What it is.
    pub(crate) kind: OuterKind,
    /// From its first to its last byte; of a part, of its title only.
    pub(crate) span: Span,
}

/// The kinds of [`Outer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OuterKind {
    /// A heading.
    Heading,
    /// A label in a paragraph.
    Label,
    /// A paragraph.
    Paragraph,
    /// A list or quote, which the text behind it would continue.
    Open,
    /// A table, fence or rule.
    Closed,
    /// HTML.
    Html,
}

impl<'a> Written<'a> {
    /// Of an analysed document.
    pub(crate) fn new(analysis: &'a Analysis) -> Self {
        let mut written = Self {
            analysis,
            source: &analysis.source,
            items: BTreeMap::new(),
            rows: BTreeMap::new(),
            headings: BTreeMap::new(),
            lists: Vec::new(),
            tables: Vec::new(),
            outer: Vec::new(),
            verbatim: Vec::new(),
        };
        written.nodes(&analysis.document.root.children, true);
        written
    }

    fn nodes(&mut self, children: &'a [Node], is_outer: bool) {
        for (at, child) in children.iter().enumerate() {
            match child {
                Node::Part(part) => self.part(part, is_outer),
                Node::Block(block) => {
                    if is_outer {
                        self.outer.push(Outer { kind: kind(block), span: block.span() });
                    }
                    let before = at.checked_sub(1).and_then(|before| children.get(before));
                    let is_alone = !is_list_like(before, block) && !is_list_like(children.get(at + 1), block);
                    self.block(block, is_outer, is_alone);
                }
            }
        }
    }

    fn part(&mut self, part: &'a Part, is_outer: bool) {
        let is_heading = matches!(part.kind, PartKind::Heading(_));
        if is_heading {
            self.headings.insert(part.span.start, part);
        }
        if is_outer {
            let kind = if is_heading { OuterKind::Heading } else { OuterKind::Label };
            let end = part.title.span.end.max(part.inline.span.end);
            self.outer.push(Outer { kind, span: Span::new(part.span.start, end) });
        }
        self.nodes(&part.children, is_outer);
    }

    fn block(&mut self, block: &'a Block, is_outer: bool, is_alone: bool) {
        match block {
            Block::List(list) => {
                if is_alone {
                    self.lists.push(list);
                }
                for item in &list.items {
                    self.items.insert(item.span.start, item);
                    self.nodes(&item.children, false);
                }
            }
            Block::Table(table) => {
                if is_outer {
                    self.tables.push(table);
                }
                self.rows.extend(table.rows.iter().map(|row| (row.span.start, row)));
            }
            Block::Quote(quote) => self.nodes(&quote.children, false),
            Block::Fence(fence) => self.verbatim.push(fence.span),
            Block::Html(html) => self.verbatim.push(html.span),
            Block::Paragraph(_) | Block::Rule(_) => {}
        }
    }
}

fn kind(block: &Block) -> OuterKind {
    match block {
        Block::Paragraph(_) => OuterKind::Paragraph,
        Block::List(_) | Block::Quote(_) => OuterKind::Open,
        Block::Table(_) | Block::Fence(_) | Block::Rule(_) => OuterKind::Closed,
        Block::Html(_) => OuterKind::Html,
    }
}

/// Two lists side by side are told apart by their marks alone.
fn is_list_like(neighbour: Option<&Node>, block: &Block) -> bool {
    match (neighbour, block) {
        (Some(Node::Block(Block::List(other))), Block::List(list)) => other.ordered == list.ordered,
        _ => false,
    }
}
