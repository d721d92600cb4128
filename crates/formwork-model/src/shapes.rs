//! Brings what people write into one shape: list items and table rows that bear a label become labelled parts, and
//! labels that follow an item's bold title go below it.
//!
//! Source: language reference, *Finding the places*: labels may be headings, bold words, list items or rows.

use crate::labels::normal;
use crate::tables;
use formwork_syntax::{Block, Item, List, Node, Part, PartKind, PieceKind, Row, Span, Table, Text};
use std::borrow::Cow;

/// The part with every list item and table row whose label is known as a labelled part.
pub(crate) fn promote<'d>(source: &str, part: &'d Part, known: &dyn Fn(&str) -> bool) -> Cow<'d, Part> {
    if has_nothing_to_promote(source, part, known) {
        return Cow::Borrowed(part);
    }
    let mut copy = Part { children: Vec::with_capacity(part.children.len()), ..without_children(part) };
    for node in &part.children {
        match node {
            Node::Block(Block::List(list)) => promote_items(source, list, known, &mut copy.children),
            Node::Block(Block::Paragraph(text)) => match run_in(source, text, known) {
                Some((title, rest)) => {
                    copy.children.push(Node::Part(labelled(title, rest, Vec::new(), text.span)));
                }
                None => copy.children.push(node.clone()),
            },
            Node::Block(Block::Table(table)) if rows_are_labels(source, table, known) => {
                promote_rows(source, table, known, &mut copy.children);
            }
            Node::Block(Block::Table(table)) => {
                let (table, labels) = without_labels(source, table);
                copy.children.push(Node::Block(Block::Table(table)));
                copy.children.extend(labels.into_iter().map(Node::Part));
            }
            Node::Part(below) if !matches!(below.kind, PartKind::Heading(_)) => {
                let mut below = below.clone();
                let mut labels = Vec::new();
                if let Some(Node::Block(Block::Table(table))) = below.children.last_mut() {
                    (*table, labels) = without_labels(source, table);
                }
                copy.children.push(Node::Part(below));
                copy.children.extend(labels.into_iter().map(Node::Part));
            }
            other => copy.children.push(other.clone()),
        }
    }
    Cow::Owned(copy)
}

/// Whether a part is in shape already. Most are, and copying them would cost more than reading them.
fn has_nothing_to_promote(source: &str, part: &Part, known: &dyn Fn(&str) -> bool) -> bool {
    part.children.iter().all(|node| match node {
        Node::Block(Block::List(list)) => {
            !list.items.iter().any(|item| known_label(source, item, known).is_some())
        }
        Node::Block(Block::Paragraph(text)) => run_in(source, text, known).is_none(),
        Node::Block(Block::Table(table)) => {
            !rows_are_labels(source, table, known) && first_label_row(source, table).is_none()
        }
        Node::Part(below) if !matches!(below.kind, PartKind::Heading(_)) => match below.children.last() {
            Some(Node::Block(Block::Table(table))) => first_label_row(source, table).is_none(),
            _ => true,
        },
        _ => true,
    })
}

/// A copy of a part without what stands below it.
pub(crate) fn without_children(part: &Part) -> Part {
    let (title, inline) = (part.title.clone(), part.inline.clone());
    Part { kind: part.kind, title, inline, children: Vec::new(), span: part.span }
}

/// A table without the lines below it that Markdown takes for rows though they are labels: they hold no bar.
fn without_labels(source: &str, table: &Table) -> (Table, Vec<Part>) {
    let is_label = |row: &Row| row_label(source, row);
    let Some(at) = first_label_row(source, table) else { return (table.clone(), Vec::new()) };
    let mut labels: Vec<Part> = Vec::new();
    for row in &table.rows[at..] {
        match (is_label(row), row.cells.first()) {
            (Some((title, inline)), _) => {
                labels.push(labelled(colonless(source, title), inline, Vec::new(), row.span))
            }
            (None, Some(cell)) => {
                if let Some(last) = labels.last_mut() {
                    last.children.push(Node::Block(Block::Paragraph(cell.clone())));
                }
            }
            (None, None) => {}
        }
    }
    let rows = table.rows[..at].to_vec();
    (Table { header: table.header.clone(), rows, span: table.span }, labels)
}

/// The label and what follows it, of a row that is a label.
fn row_label(source: &str, row: &Row) -> Option<(Text, Text)> {
    let first = row.cells.first().filter(|cell| cell.pieces.first().is_some_and(|piece| piece.strong))?;
    let is_bare = !row.span.slice(source).contains('|');
    bold_head(source, first).filter(|_| is_bare)
}

/// The first row of a table that is a label.
fn first_label_row(source: &str, table: &Table) -> Option<usize> {
    table.rows.iter().position(|row| row_label(source, row).is_some())
}

fn colonless(source: &str, title: Text) -> Text {
    let end = title.pieces.last().map_or(title.span.end, |piece| {
        let shown = piece.span.slice(source);
        piece.span.start + shown.trim_end_matches([':', ' ']).len() as u32
    });
    title.slice(source, title.span.start, end)
}

fn promote_items(source: &str, list: &List, known: &dyn Fn(&str) -> bool, to: &mut Vec<Node>) {
    let mut others: Vec<Item> = Vec::new();
    for item in &list.items {
        match known_label(source, item, known) {
            Some((title, inline)) => {
                flush(list, &mut others, to);
                to.push(Node::Part(labelled(title, inline, item.children.clone(), item.span)));
            }
            None => others.push(item.clone()),
        }
    }
    flush(list, &mut others, to);
}

/// The label of an item and what follows it, if it is known.
fn known_label(source: &str, item: &Item, known: &dyn Fn(&str) -> bool) -> Option<(Text, Text)> {
    let is_known = |(title, _): &(Text, Text)| known(&normal(&title.plain(source)));
    label(source, item).filter(is_known).or_else(|| bare_label(source, item).filter(is_known))
}

/// A label without a colon: bold words at the start (`**Out** the lot`), or words alone above nested items.
fn bare_label(source: &str, item: &Item) -> Option<(Text, Text)> {
    let count = item.text.pieces.iter().take_while(|piece| piece.strong).count();
    if let Some(last) = item.text.pieces[..count].last() {
        let title = item.text.slice(source, item.text.span.start, last.span.end);
        let rest = item.text.slice(source, last.span.end, item.text.span.end);
        return Some((title, rest));
    }
    let is_words = item.text.pieces.iter().all(|piece| matches!(piece.kind, PieceKind::Text));
    let holds_list = item.children.iter().any(|node| matches!(node, Node::Block(Block::List(_))));
    (is_words && holds_list).then(|| (item.text.clone(), Text::empty(item.text.span.end)))
}

/// The paragraphs among nodes that begin with bold words and a dash, colon or point, each with what follows it: an item
/// told as prose (`**Scanner.** Reads codes.`).
pub(crate) fn paragraph_items(source: &str, nodes: &[Node]) -> Vec<Part> {
    let mut found: Vec<Part> = Vec::new();
    for node in nodes {
        let head = match node {
            Node::Block(Block::Paragraph(text)) => bold_head(source, text)
                .or_else(|| run_in(source, text, &|_| true))
                .map(|head| (head, text.span)),
            Node::Part(_) => break,
            Node::Block(_) => None,
        };
        match (head, found.last_mut(), node) {
            (Some(((title, rest), span)), _, _) => {
                found.push(labelled(pointless(source, title), rest, Vec::new(), span));
            }
            (None, Some(last), Node::Block(block)) => {
                last.span = last.span.to(block.span());
                last.children.push(node.clone());
            }
            _ => {}
        }
    }
    found
}

fn pointless(source: &str, title: Text) -> Text {
    let end = title.pieces.last().map_or(title.span.end, |piece| {
        piece.span.start + piece.span.slice(source).trim_end_matches(['.', ':', ' ']).len() as u32
    });
    title.slice(source, title.span.start, end)
}

/// A paragraph that begins with a bold label and its point: `**Rate limits.** …`.
fn run_in(source: &str, text: &Text, known: &dyn Fn(&str) -> bool) -> Option<(Text, Text)> {
    let count = text.pieces.iter().take_while(|piece| piece.strong).count();
    let last = text.pieces[..count].last()?;
    let title = text.slice(source, text.span.start, last.span.end);
    let is_closed = last.span.slice(source).trim_end().ends_with('.');
    (is_closed && known(&normal(&title.plain(source))))
        .then(|| (title, text.slice(source, last.span.end, text.span.end)))
}

fn flush(list: &List, items: &mut Vec<Item>, to: &mut Vec<Node>) {
    if let (Some(first), Some(last)) = (items.first(), items.last()) {
        let span = first.span.to(last.span);
        let items = std::mem::take(items);
        to.push(Node::Block(Block::List(List { ordered: list.ordered, items, span })));
    }
}

/// A labelled part made of a title and what follows it.
pub(crate) fn labelled(title: Text, inline: Text, children: Vec<Node>, span: Span) -> Part {
    Part { kind: PartKind::Emphasized, title, inline, children, span }
}

fn rows_are_labels(source: &str, table: &Table, known: &dyn Fn(&str) -> bool) -> bool {
    let is_known = |cells: &[Text]| cells.first().is_some_and(|cell| known(&normal(&cell.plain(source))));
    table.header.len() == 2 && table.rows.iter().any(|row| is_known(&row.cells))
}

fn promote_rows(source: &str, table: &Table, known: &dyn Fn(&str) -> bool, to: &mut Vec<Node>) {
    let header = (table.header.as_slice(), table.span);
    let rows = table.rows.iter().map(|row| (row.cells.as_slice(), row.span));
    let is_known = |cells: &[Text]| cells.first().is_some_and(|cell| known(&normal(&cell.plain(source))));
    // `Aspect | Details` only names the columns.
    let header = Some(header).filter(|(cells, _)| is_known(cells));
    for (cells, span) in header.into_iter().chain(rows) {
        if let [title, inline] = cells {
            let span = if span == table.span { title.span.to(inline.span) } else { span };
            to.push(Node::Part(labelled(title.clone(), inline.clone(), Vec::new(), span)));
        }
    }
}

/// The label of an item and what follows it: before a colon, or bold and before a dash.
pub(crate) fn label(source: &str, item: &Item) -> Option<(Text, Text)> {
    if let Some(label) = &item.label {
        return Some((label.title.clone(), label.rest.clone()));
    }
    bold_head(source, &item.text)
}

/// Bold words at the start of a text and what follows the dash or colon behind them; bold words alone too. A remark in
/// parentheses may stand between (`**CDN** (edge): feeds`).
pub(crate) fn bold_head(source: &str, text: &Text) -> Option<(Text, Text)> {
    let count = text.pieces.iter().take_while(|piece| piece.strong).count();
    let last = text.pieces[..count].last()?;
    let title = text.slice(source, text.span.start, last.span.end);
    let Some(behind) = text.pieces.get(count) else { return Some((title, Text::empty(text.span.end))) };
    if !matches!(behind.kind, PieceKind::Text) {
        return None;
    }
    let shown = behind.span.slice(source);
    let mut trimmed = shown.trim_start();
    if trimmed.starts_with('(')
        && let Some(end) = trimmed.find(')')
    {
        trimmed = trimmed[end + 1..].trim_start();
    }
    let is_closed = last.span.slice(source).trim_end().ends_with(':');
    let mark = trimmed.chars().next().filter(|mark| matches!(mark, '—' | '–' | '-' | ':' | '|'));
    let skipped = match mark {
        Some(mark) => mark.len_utf8(),
        None if is_closed => 0,
        None => return None,
    };
    let from = behind.span.start + (shown.len() - trimmed.len() + skipped) as u32;
    Some((title, text.slice(source, from, text.span.end)))
}

/// The part with the labels that follow an item's bold title put below that title.
pub(crate) fn regroup<'d>(source: &str, part: &'d Part, is_title: &dyn Fn(&Part) -> bool) -> Cow<'d, Part> {
    if is_grouped(source, part, is_title) {
        return Cow::Borrowed(part);
    }
    let mut copy = without_children(part);
    let mut flat = Vec::with_capacity(part.children.len());
    split_titles(source, &part.children, is_title, &mut flat);
    for node in &flat {
        let is_label = matches!(node, Node::Part(below) if !matches!(below.kind, PartKind::Heading(_)) && !is_title(below));
        let is_block = matches!(node, Node::Block(_));
        let open = match copy.children.last_mut() {
            // What stands between a title with a remark and its labels is said of the item.
            Some(Node::Part(last))
                if is_block && last.parts().next().is_none() && has_remark(last) && is_title(last) =>
            {
                Some(last)
            }
            Some(Node::Part(last)) if is_label && last.kind == PartKind::Emphasized && is_title(last) => {
                Some(last)
            }
            _ => None,
        };
        match (open, node) {
            (Some(open), _) => {
                open.span = open.span.to(match node {
                    Node::Part(below) => below.span,
                    Node::Block(block) => block.span(),
                });
                open.children.push(node.clone());
            }
            _ => copy.children.push(node.clone()),
        }
    }
    Cow::Owned(copy)
}

/// Whether a bold title is followed by a remark on its line: `**Gate** — takes bids`.
pub(crate) fn has_remark(part: &Part) -> bool {
    let is_strong = |piece: &formwork_syntax::Piece| piece.strong;
    part.kind == PartKind::Emphasized
        && part.title.pieces.first().is_some_and(is_strong)
        && !part.title.pieces.iter().all(is_strong)
}

/// Whether nothing has to move: no label follows a bold title, and no paragraph is a title. Most documents title their
/// items with headings, and copying them would cost more than reading them.
fn is_grouped(source: &str, part: &Part, is_title: &dyn Fn(&Part) -> bool) -> bool {
    let mut follows_title = false;
    part.children.iter().all(|node| {
        let was_title = std::mem::take(&mut follows_title);
        match node {
            Node::Part(below) if matches!(below.kind, PartKind::Heading(_)) => true,
            Node::Part(below) => {
                let titles = is_title(below);
                follows_title = titles && below.kind == PartKind::Emphasized;
                (titles || !was_title)
                    && !below.children.iter().any(|node| title_of(source, node, is_title).is_some())
            }
            Node::Block(_) => title_of(source, node, is_title).is_none(),
        }
    })
}

/// The part that a paragraph begins when it is an item's title with a remark.
fn title_of(source: &str, node: &Node, is_title: &dyn Fn(&Part) -> bool) -> Option<Part> {
    match node {
        Node::Block(Block::Paragraph(text)) => titled_paragraph(source, text).filter(|part| is_title(part)),
        _ => None,
    }
}

/// Takes paragraphs that are an item's title with a remark (``**Operation: `a`** (`GET /a`)``) out of the labels before
/// them, as parts of their own.
fn split_titles(source: &str, nodes: &[Node], is_title: &dyn Fn(&Part) -> bool, to: &mut Vec<Node>) {
    let title_of = |node: &Node| title_of(source, node, is_title);
    for node in nodes {
        if let Some(part) = title_of(node) {
            to.push(Node::Part(part));
            continue;
        }
        match node {
            Node::Part(part) if !matches!(part.kind, PartKind::Heading(_)) => {
                let Some(at) = part.children.iter().position(|node| title_of(node).is_some()) else {
                    to.push(node.clone());
                    continue;
                };
                let mut before = without_children(part);
                before.children = part.children[..at].to_vec();
                to.push(Node::Part(before));
                split_below(source, &part.children[at..], is_title, to);
            }
            _ => to.push(node.clone()),
        }
    }
}

/// What stands from an item's title on: the title takes what follows up to the next one.
fn split_below(source: &str, nodes: &[Node], is_title: &dyn Fn(&Part) -> bool, to: &mut Vec<Node>) {
    let mut own: Vec<Node> = Vec::new();
    split_titles(source, nodes, is_title, &mut own);
    for node in own {
        match (to.last_mut(), node) {
            (Some(Node::Part(title)), Node::Block(block)) if is_title(title) => {
                title.span = title.span.to(block.span());
                title.children.push(Node::Block(block));
            }
            (_, node) => to.push(node),
        }
    }
}

/// A paragraph of one line that is bold words and a remark in parentheses or after a dash.
fn titled_paragraph(source: &str, text: &Text) -> Option<Part> {
    let count = text.pieces.iter().take_while(|piece| piece.strong).count();
    let last = text.pieces[..count].last()?;
    let behind =
        Span::new(last.span.end, text.span.end).slice(source).trim_start_matches(['*', '_', ' ', '`']);
    let is_remark = behind.starts_with(['(', '—', '–']) && behind.len() <= 120;
    let is_line = !text.pieces.iter().any(|piece| matches!(piece.kind, PieceKind::Break));
    (is_remark && is_line).then(|| labelled(text.clone(), Text::empty(text.span.end), Vec::new(), text.span))
}

/// The rows of a table as texts, cells joined.
pub(crate) fn row_texts(source: &str, table: &Table, without: &[usize]) -> Vec<(Text, Span)> {
    let row_text = |row: &formwork_syntax::Row| {
        let kept = (0..row.cells.len()).filter(|at| !without.contains(at));
        let cells: Vec<&Text> = kept.filter_map(|at| tables::cell(source, row, Some(at))).collect();
        (tables::joined(&cells), row.span)
    };
    table.rows.iter().map(row_text).filter(|(text, _)| !text.pieces.is_empty()).collect()
}
