//! Steps of flows that are drawn and not listed: the messages of a Mermaid sequence diagram, and lines of arrows
//! (`Client -> Shop: orders`). Tables that are flows of their own are told here, too.
//!
//! Frames (`alt`, `loop`), notes and activations are no steps. Source: language reference, *Flows*.

use crate::facts::StepItem;
use crate::reader::fences;
use crate::tables::Columns;
use crate::titles;
use crate::typed_fences::plain;
use formwork_syntax::{Fence, Node, Part, PieceKind, Row, Span, Table, Text};

/// The messages of the drawings and the arrow lines in the fences of a part and of the labels below it.
pub(super) fn steps(source: &str, part: &Part) -> Vec<StepItem> {
    let mut found: Vec<StepItem> =
        fences(&part.children).flat_map(|fence| fence_steps(source, fence)).collect();
    for node in &part.children {
        if let Node::Part(below) = node {
            found.extend(steps(source, below));
        }
    }
    for (at, step) in found.iter_mut().enumerate() {
        step.number = Some(at as u64 + 1);
    }
    found
}

fn fence_steps(source: &str, fence: &Fence) -> Vec<StepItem> {
    let info = fence.info.slice(source).trim().to_ascii_lowercase();
    let mut lines: Vec<Span> = fence
        .lines
        .iter()
        .map(|line| trimmed(source, *line))
        .filter(|line| !line.is_empty() && !line.slice(source).starts_with("%%"))
        .collect();
    let is_sequence = lines.first().is_some_and(|line| line.slice(source).starts_with("sequenceDiagram"));
    if is_sequence {
        lines.retain(|line| is_message(line.slice(source)));
    } else if info.starts_with("mermaid")
        || lines.len() < 2
        || !lines.iter().all(|line| is_arrow_line(source, *line))
    {
        return Vec::new();
    }
    lines.into_iter().map(step).collect()
}

/// `A->>B: says`, `A-)B: says`: a line with an arrow before its colon.
fn is_message(line: &str) -> bool {
    let ends = line.split_once(':').map_or(line, |(ends, _)| ends);
    let is_frame = ["note ", "participant ", "actor ", "title"]
        .iter()
        .any(|word| line.to_ascii_lowercase().starts_with(word));
    !is_frame && ["->", "-x", "-)"].iter().any(|arrow| ends.contains(arrow))
}

/// The lines of a paragraph, if each is one of arrows.
pub(super) fn arrow_lines(source: &str, text: &Text) -> Option<Vec<Text>> {
    let mut lines: Vec<Text> = Vec::new();
    let mut start = text.span.start;
    for piece in &text.pieces {
        if matches!(piece.kind, PieceKind::Break) {
            lines.push(text.slice(source, start, piece.span.start));
            start = piece.span.end;
        }
    }
    lines.push(text.slice(source, start, text.span.end));
    let are_arrows = lines.iter().all(|line| is_arrow_line(source, line.span));
    (lines.len() > 1 && are_arrows).then_some(lines)
}

/// `Someone -> Somebody: does something`: two names, and behind the colon what happens.
fn is_arrow_line(source: &str, line: Span) -> bool {
    let text = line.slice(source).trim();
    let Some((ends, said)) = text.split_once(": ") else { return false };
    let arrows = ["-->", "->", "→", "=>", "⟶"];
    let Some((from, to)) = arrows.iter().find_map(|arrow| ends.split_once(arrow)) else { return false };
    let is_name = |name: &str| {
        let name = name.trim();
        !name.is_empty() && name.split_whitespace().count() <= 5
    };
    is_name(from) && is_name(to) && !said.trim().is_empty()
}

/// A line as a step.
fn step(line: Span) -> StepItem {
    StepItem { text: plain(line), number: None, nested: Vec::new(), fences: Vec::new(), span: line }
}

fn trimmed(source: &str, line: Span) -> Span {
    let text = line.slice(source);
    let start = text.len() - text.trim_start().len();
    line.part(start as u32, (start + text.trim().len()) as u32)
}

/// The flows that a table of the section holds: one whose heading names a flow (`| # | Flow: Refund |`), or one for each
/// name in a column of flows (`| Flow | Step |`).
pub(super) fn tables_of_flows(source: &str, table: &Table, kinds: &[&str]) -> Vec<(Text, Table)> {
    let titled = table.header.iter().find(|cell| titles::has_kind(source, &headed(cell), kinds));
    if let Some(title) = titled {
        return vec![(title.clone(), table.clone())];
    }
    let columns = Columns::new(source, table);
    let (Some(flow), Some(_)) = (
        columns.exactly(&["flow", "scenario", "use case", "workflow"]),
        columns.exactly(&["step", "steps", "action", "what happens", "description", "event"]),
    ) else {
        return Vec::new();
    };
    let mut found: Vec<(Text, Table)> = Vec::new();
    for row in &table.rows {
        let named = row.cells.get(flow).filter(|cell| !cell.is_blank(source));
        let without = without_cell(row, flow);
        let is_same = |(title, _): &&mut (Text, Table)| {
            named.is_none_or(|named| named.plain(source) == title.plain(source))
        };
        match (found.last_mut().filter(is_same), named) {
            (Some((_, rows)), _) => rows.rows.push(without),
            (None, Some(named)) => {
                let mut header = table.header.clone();
                header.remove(flow);
                found.push((named.clone(), Table { header, rows: vec![without], span: row.span }));
            }
            (None, None) => {}
        }
    }
    found
}

fn headed(cell: &Text) -> Part {
    crate::shapes::labelled(cell.clone(), Text::empty(cell.span.end), Vec::new(), cell.span)
}

fn without_cell(row: &Row, at: usize) -> Row {
    let mut cells = row.cells.clone();
    cells.remove(at);
    Row { cells, span: row.span }
}
