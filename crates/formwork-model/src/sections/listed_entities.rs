//! Entities that are items of a list: a bold or coded name, and below it the fields as items.
//!
//! Source: language reference, *Finding the places*: an item of a list may be a titled part.

use super::data_model::{KINDS, is_label};
use crate::labels::normal;
use crate::reader::{Entry, entries, node_entries};
use crate::shapes;
use crate::titles;
use crate::tokens::{Token, TokenKind, tokens};
use crate::unfinished;
use formwork_syntax::{Block, Node, Part, Text};

/// The names of the entities among the items of a part.
pub(super) fn names(source: &str, part: &Part) -> Vec<String> {
    let found = entries(source, part);
    found
        .iter()
        .filter_map(|entry| titled(source, entry))
        .filter_map(|part| titles::name(source, &titles::of_item(source, &part, &KINDS)))
        .map(|name| name.value)
        .collect()
}

/// The item as a part, if it is an entity: a name alone, or with a remark, and fields below it.
pub(super) fn titled(source: &str, entry: &Entry<'_>) -> Option<Part> {
    if !entry.is_item || entry.children.is_empty() {
        return None;
    }
    let (title, inline) = match entry.label {
        Some(label) => (label.title.clone(), label.rest.clone()),
        None => match shapes::bold_head(source, entry.text) {
            Some(head) => head,
            None => (coded(entry)?, Text::empty(entry.text.span.end)),
        },
    };
    let shown = title.plain(source);
    let is_name = shown.split_whitespace().count() <= 3 && !is_label(&normal(&shown));
    let part = shapes::labelled(title, inline, entry.children.to_vec(), entry.span);
    (is_name && !unfinished::is_placeholder(&shown) && holds_fields(source, entry.children)).then_some(part)
}

/// The nodes with each sentence that introduces an entity (`A **label** is what is stuck on a parcel:`) and the list of
/// its fields as one titled part; none if there is no such sentence.
pub(super) fn introduced(source: &str, part: &Part) -> Option<Part> {
    let mut own = shapes::without_children(part);
    let mut any = false;
    let mut nodes = part.children.iter().peekable();
    while let Some(node) = nodes.next() {
        let title = match (node, nodes.peek()) {
            (Node::Block(Block::Paragraph(text)), Some(Node::Block(Block::List(_)))) => subject(source, text),
            _ => None,
        };
        let fields = nodes.peek().filter(|_| title.is_some()).copied();
        match (title, fields) {
            (Some((title, span)), Some(Node::Block(Block::List(list)))) if lists_typed(source, list) => {
                let text = match node {
                    Node::Block(Block::Paragraph(text)) => text.clone(),
                    _ => Text::empty(span.end),
                };
                // The sentence stands behind the list, so that it introduces nothing a second time.
                let children =
                    vec![Node::Block(Block::List(list.clone())), Node::Block(Block::Paragraph(text))];
                let kind = formwork_syntax::PartKind::Heading(6);
                let inline = Text::empty(title.span.end);
                let span = span.to(list.span);
                own.children.push(Node::Part(Part { kind, title, inline, children, span }));
                nodes.next();
                any = true;
            }
            _ => own.children.push(node.clone()),
        }
    }
    any.then_some(own)
}

/// The one bold or coded name at the start of a sentence that ends in a colon, and the sentence's place.
fn subject(source: &str, text: &Text) -> Option<(Text, formwork_syntax::Span)> {
    let is_open = text.span.slice(source).trim_end().ends_with(':');
    let is_named = |piece: &&formwork_syntax::Piece| {
        piece.strong || matches!(piece.kind, formwork_syntax::PieceKind::Code(_))
    };
    let mut named = text.pieces.iter().filter(is_named);
    let only = named.next().filter(|_| named.next().is_none() && is_open)?;
    let before = formwork_syntax::Span::new(text.span.start, only.span.start).slice(source);
    let article = before.trim_matches(['*', '_', '`', ' ']).to_lowercase();
    let is_free = !is_label(&normal(&only.span.slice(source).replace(['*', '_', '`'], " ")));
    (is_free && matches!(article.as_str(), "a" | "an" | "the" | "each" | "every" | "one"))
        .then(|| (text.slice(source, only.span.start, only.span.end), text.span))
}

/// Whether every item is a name in code and its type in parentheses.
fn lists_typed(source: &str, list: &formwork_syntax::List) -> bool {
    list.items.iter().all(|item| {
        let tokens = tokens(source, &item.text);
        matches!(tokens.as_slice(), [name, open, ..] if name.is_code() && open.is_mark("("))
    })
}

/// A text that is one code span.
fn coded(entry: &Entry<'_>) -> Option<Text> {
    let [only] = entry.text.pieces.as_slice() else { return None };
    matches!(only.kind, formwork_syntax::PieceKind::Code(_)).then(|| entry.text.clone())
}

/// Whether the items below are fields, directly or under a label for them.
fn holds_fields(source: &str, children: &[Node]) -> bool {
    let below: Vec<Entry<'_>> = node_entries(children).into_iter().filter(|entry| entry.is_item).collect();
    let is_labelled =
        |entry: &&Entry<'_>| entry.label.is_some_and(|label| is_label(&normal(&label.title.plain(source))));
    let fields: Vec<&Entry<'_>> = below.iter().filter(|entry| !is_labelled(entry)).collect();
    match fields.as_slice() {
        [] => below.iter().filter(is_labelled).any(|entry| {
            let items = node_entries(entry.children);
            !items.is_empty() && items.iter().all(|entry| is_field(source, entry))
        }),
        fields => fields.iter().all(|entry| is_field(source, entry)),
    }
}

/// `name` in code or one word, and behind it a parenthesis, colon, bar or dash.
fn is_field(source: &str, entry: &Entry<'_>) -> bool {
    let tokens = tokens(source, entry.text);
    let [name, mark, ..] = tokens.as_slice() else { return false };
    let is_name = name.is_code()
        || (name.kind == TokenKind::Word && name.text.starts_with(|first: char| first.is_lowercase()));
    let marks = ["(", ":", "|", "—", "–", "-", "?"];
    is_name && fields_name(name) && marks.iter().any(|separator| mark.is_mark(separator))
}

fn fields_name(token: &Token<'_>) -> bool {
    crate::fields::is_name(token)
}
