//! Lines below a list that Markdown takes for part of its last item: `Other fields are ignored.` without a blank line.
//!
//! By Markdown's lazy continuation a line that is not indented goes on with the item above it. Below an item that is a
//! fact (a name in code or bold, or columns), a line that begins like a sentence is read as the paragraph that its author
//! sees, and noted, so that `check` can propose the blank line. Source: language reference, *Finding the places*.

use crate::notes::{Note, NoteKind};
use formwork_syntax::{Block, Item, List, Node, Part, PieceKind, Span, Text};
use std::borrow::Cow;

/// The part with each such line as a paragraph of its own; as it is where there is none.
pub(crate) fn split<'d>(source: &str, root: &'d Part, notes: &mut Vec<Note>) -> Cow<'d, Part> {
    if !any(source, root) {
        return Cow::Borrowed(root);
    }
    let mut copy = root.clone();
    split_part(source, &mut copy, notes);
    Cow::Owned(copy)
}

fn any(source: &str, part: &Part) -> bool {
    part.children.iter().any(|node| match node {
        Node::Part(below) => any(source, below),
        Node::Block(Block::List(list)) => lists_any(source, list),
        Node::Block(_) => false,
    })
}

fn lists_any(source: &str, list: &List) -> bool {
    list.items.iter().any(|item| tail(source, list, item).is_some())
}

fn split_part(source: &str, part: &mut Part, notes: &mut Vec<Note>) {
    let mut children = Vec::with_capacity(part.children.len());
    for mut node in std::mem::take(&mut part.children) {
        match node {
            Node::Block(Block::List(list)) if lists_any(source, &list) => {
                split_list(source, list, notes, &mut children)
            }
            Node::Part(ref mut below) => {
                split_part(source, below, notes);
                children.push(node);
            }
            Node::Block(_) => children.push(node),
        }
    }
    part.children = children;
}

fn split_list(source: &str, list: List, notes: &mut Vec<Note>, to: &mut Vec<Node>) {
    let mut open: Vec<Item> = Vec::new();
    let tails: Vec<Option<(u32, u32)>> = list.items.iter().map(|item| tail(source, &list, item)).collect();
    for (mut item, tail) in list.items.into_iter().zip(tails) {
        let Some((end, start)) = tail else {
            open.push(item);
            continue;
        };
        let text = item.text.slice(source, start, item.text.span.end);
        notes.push(Note {
            kind: NoteKind::LazyLine,
            span: text.span,
            related: Some(item.text.span.part(0, end - item.text.span.start)),
        });
        item.text = item.text.slice(source, item.text.span.start, end);
        if let Some(label) = &mut item.label {
            label.rest = match end > label.rest.span.start {
                true => label.rest.slice(source, label.rest.span.start, end),
                false => Text::empty(label.rest.span.start),
            };
        }
        item.span = Span::new(item.span.start, end);
        open.push(item);
        close(list.ordered, &mut open, to);
        to.push(Node::Block(Block::Paragraph(text)));
    }
    close(list.ordered, &mut open, to);
}

fn close(ordered: bool, open: &mut Vec<Item>, to: &mut Vec<Node>) {
    if let (Some(first), Some(last)) = (open.first(), open.last()) {
        let span = first.span.to(last.span);
        to.push(Node::Block(Block::List(List { ordered, items: std::mem::take(open), span })));
    }
}

/// Where the item's own text ends and the line begins that is none of it.
fn tail(source: &str, list: &List, item: &Item) -> Option<(u32, u32)> {
    if list.ordered || !item.children.is_empty() || item.text.pieces.len() < 3 || !is_fact(source, item) {
        return None;
    }
    let marker = column(source, item.span.start);
    item.text.pieces.windows(2).find_map(|pair| {
        let [end, next] = pair else { return None };
        let is_line = matches!(end.kind, PieceKind::Break) && column(source, next.span.start) <= marker;
        let shown = next.span.slice(source);
        let is_sentence = matches!(next.kind, PieceKind::Text)
            && shown.starts_with(char::is_uppercase)
            && !rest_of_line(source, next.span.start).contains('|');
        let before = source.get(item.text.span.start as usize..end.span.start as usize)?.trim_end();
        let goes_on = before.ends_with(['|', ',', ';', '(', '-', '–', '—', ':']);
        (is_line && is_sentence && !goes_on).then_some((end.span.start, next.span.start))
    })
}

/// Whether an item states a fact: it begins with a name in code or bold, or has columns.
fn is_fact(source: &str, item: &Item) -> bool {
    let begins = item
        .text
        .pieces
        .first()
        .is_some_and(|first| first.strong || matches!(first.kind, PieceKind::Code(_)));
    begins || rest_of_line(source, item.text.span.start).contains(" | ")
}

fn rest_of_line(source: &str, from: u32) -> &str {
    let rest = source.get(from as usize..).unwrap_or_default();
    rest.lines().next().unwrap_or_default()
}

/// How many bytes stand before a place on its line.
fn column(source: &str, at: u32) -> usize {
    let before = source.get(..at as usize).unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |end| end + 1)
}
