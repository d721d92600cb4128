//! Section 7: flows, as written. The language reads their steps.
//!
//! A flow's steps are its numbered items; where nothing is numbered, its list items, the rows of a table, or its
//! paragraphs. What stands beside numbered steps is narrative. Source: language reference, *Flows*.

use super::flow_drawings;
use crate::facts::StepItem;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries, node_entries, step};
use crate::shapes;
use crate::tables::{self, Columns};
use crate::titles;
use crate::tokens::Token;
use formwork_syntax::{Block, Item, Node, Part, PartKind, Span, Spanned, Table, Text};

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name.
    pub name: Spanned<String>,
    /// Its steps.
    pub steps: Vec<StepItem>,
    /// The items of its *Errors* part, each a case of its own.
    pub errors: Vec<StepItem>,
    /// Heading to last line.
    pub span: Span,
}

const KINDS: [&str; 5] = ["flow", "canonical flow", "scenario", "use case", "workflow"];
const ERRORS: [&str; 12] = [
    "errors",
    "error",
    "failures",
    "failure",
    "unhappy path",
    "unhappy paths",
    "alternative",
    "alternatives",
    "alternate",
    "exceptions",
    "edge cases",
    "what can go wrong",
];
/// Labels below which the steps of a flow stand.
const STEPS: [&str; 7] = ["steps", "happy path", "main path", "main flow", "success path", "success", "flow"];
/// What a flow also says of itself.
const ABOUT: [&str; 20] = [
    "trigger",
    "actors",
    "actor",
    "preconditions",
    "precondition",
    "postconditions",
    "postcondition",
    "outcome",
    "result",
    "goal",
    "note",
    "notes",
    "remark",
    "summary",
    "description",
    "diagram",
    "participants",
    "sequence",
    "guarantees",
    "setup",
];

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let part = shapes::regroup(reader.source, part, &|below| is_bold_title(source, below));
    read_listed(reader, &part);
    for below in part.parts() {
        if is_group(reader, below) {
            read_group(reader, below);
        } else if is_flow(reader, below) {
            read_flow(reader, below);
        } else {
            reader.prose_list(below, Class::Narrative);
            read(reader, below);
        }
    }
}

/// A part whose headings are flows; what is numbered directly below it is a flow of its own.
fn read_group(reader: &mut Reader<'_>, part: &Part) {
    let is_own = |node: &&Node| match node {
        Node::Block(_) => true,
        Node::Part(below) => {
            !matches!(below.kind, PartKind::Heading(_)) && !is_bold_title(reader.source, below)
        }
    };
    let mut own = Part { children: Vec::new(), ..shapes::without_children(part) };
    own.children = part.children.iter().filter(is_own).cloned().collect();
    let is_numbered = own.blocks().any(|block| matches!(block, Block::List(list) if list.ordered));
    if !(is_numbered && is_flow(reader, &own)) {
        return read(reader, part);
    }
    read_flow(reader, &own);
    let mut others = shapes::without_children(part);
    others.children = part.children.iter().filter(|node| !is_own(node)).cloned().collect();
    read(reader, &others);
}

fn is_bold_title(source: &str, part: &Part) -> bool {
    part.kind == PartKind::Emphasized && titles::has_kind(source, part, &KINDS)
}

fn is_about(title: &str) -> bool {
    [&ERRORS[..], &STEPS, &ABOUT].iter().any(|names| begins_with(title, names))
}

/// Whether headings below a part are flows of their own.
fn is_group(reader: &Reader<'_>, part: &Part) -> bool {
    part.parts().any(|inner| {
        let is_heading = matches!(inner.kind, PartKind::Heading(_));
        let is_own = is_heading && !is_about(&reader.title(&inner.title));
        is_own || is_bold_title(reader.source, inner)
    })
}

/// Whether a part is a flow: a heading with something below it, a title with the kind word, or a bold title with steps.
fn is_flow(reader: &Reader<'_>, part: &Part) -> bool {
    let has_kind = titles::has_kind(reader.source, part, &KINDS);
    let is_heading = matches!(part.kind, PartKind::Heading(_));
    let has_list = part.blocks().any(|block| matches!(block, Block::List(_) | Block::Table(_)))
        || !flow_drawings::steps(reader.source, part).is_empty();
    let is_remark = begins_with(&reader.title(&part.title), &ABOUT);
    let is_prompt = reader.is_placeholder(&part.title);
    has_kind || (!is_remark && !is_prompt && (is_heading || (has_list && part.kind == PartKind::Emphasized)))
}

/// A section that is one list whose items bear bold names and have steps below them: each item is a flow.
fn read_listed(reader: &mut Reader<'_>, part: &Part) {
    for block in part.blocks() {
        match block {
            Block::List(list) => list.items.iter().for_each(|item| read_item(reader, item)),
            Block::Table(table) => read_table(reader, table),
            _ => {}
        }
    }
    let paragraphs = Part {
        children: part
            .children
            .iter()
            .filter(|node| matches!(node, Node::Block(Block::Paragraph(_) | Block::Quote(_))))
            .cloned()
            .collect(),
        ..Part { children: Vec::new(), ..part.clone() }
    };
    reader.prose_list(&paragraphs, Class::Narrative);
}

/// A table directly in the section: flows of its own, else prose.
fn read_table(reader: &mut Reader<'_>, table: &Table) {
    let found = flow_drawings::tables_of_flows(reader.source, table, &KINDS);
    if found.is_empty() {
        return reader.narrative_rows(table);
    }
    for (title, table) in found {
        let span = table.span;
        let rows = vec![Node::Block(Block::Table(table))];
        read_flow(reader, &shapes::labelled(title.clone(), Text::empty(title.span.end), rows, span));
    }
}

fn read_item(reader: &mut Reader<'_>, item: &Item) {
    let has_steps = item.children.iter().any(|node| matches!(node, Node::Block(Block::List(_))));
    let titled = shapes::label(reader.source, item).filter(|_| has_steps);
    let Some((title, inline)) = titled else {
        let entry = Entry {
            text: &item.text,
            label: item.label.as_ref(),
            children: &item.children,
            number: item.number,
            span: item.span,
            is_item: true,
        };
        return reader.class(&entry, Class::Narrative);
    };
    read_flow(reader, &shapes::labelled(title, inline, item.children.clone(), item.span));
}

fn read_flow(reader: &mut Reader<'_>, part: &Part) {
    let title = titles::of_item(reader.source, part, &KINDS);
    let Some(name) = whole_name(reader.source, &title) else { return };
    let mut flow = Flow { name, steps: Vec::new(), errors: Vec::new(), span: part.span };
    let mut rest = shapes::promote(reader.source, part, &is_about);
    if title.span == part.inline.span {
        rest.to_mut().inline = Text::empty(part.inline.span.end);
    }
    let mut candidates = Vec::new();
    gather(reader, &rest, false, &mut candidates, &mut flow.errors);
    let is_listed = candidates.iter().any(|candidate| candidate.rank > Rank::Paragraph);
    if !is_listed {
        let drawn = flow_drawings::steps(reader.source, part);
        candidates.extend(drawn.into_iter().map(|item| Candidate { item, rank: Rank::Numbered }));
    }
    take_steps(reader, candidates, &mut flow.steps);
    reader.declared_twice("flow", &flow.name);
    reader.model.flows.push(flow);
}

/// What may be a step.
struct Candidate {
    item: StepItem,
    rank: Rank,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A paragraph.
    Paragraph,
    /// A list item without a number.
    Bullet,
    /// A numbered item, a row of a table of steps, or a paragraph that begins with its number.
    Numbered,
}

/// Gathers what may be a step from a part and its labels, and the cases of its errors.
fn gather(
    reader: &mut Reader<'_>,
    part: &Part,
    is_about: bool,
    candidates: &mut Vec<Candidate>,
    errors: &mut Vec<StepItem>,
) {
    if !part.inline.is_blank(reader.source) {
        let inline = Part { children: Vec::new(), ..part.clone() };
        for entry in entries(reader.source, &inline) {
            add_entry(reader, &entry, is_about, candidates);
        }
    }
    for node in &part.children {
        match node {
            Node::Block(Block::Table(table)) => add_rows(reader, table, candidates),
            Node::Block(_) => {
                for entry in node_entries(std::slice::from_ref(node)) {
                    add_entry(reader, &entry, is_about, candidates);
                }
            }
            Node::Part(below) => {
                let title = reader.title(&below.title);
                if begins_with(&title, &ERRORS) {
                    let below = tables::as_lists(reader.source, below, &[]);
                    gather_errors(reader, &below, errors);
                } else {
                    gather(reader, below, begins_with(&title, &ABOUT), candidates, errors);
                }
            }
        }
    }
}

fn gather_errors(reader: &Reader<'_>, part: &Part, errors: &mut Vec<StepItem>) {
    errors.extend(entries(reader.source, part).iter().map(step));
    part.parts().for_each(|below| gather_errors(reader, below, errors));
}

fn add_entry(reader: &mut Reader<'_>, entry: &Entry<'_>, is_about: bool, candidates: &mut Vec<Candidate>) {
    let lines = flow_drawings::arrow_lines(reader.source, entry.text).filter(|_| !entry.is_item && !is_about);
    if let Some(lines) = lines {
        let drawn = lines.into_iter().map(|text| {
            let span = text.span;
            StepItem { text, number: None, nested: Vec::new(), fences: Vec::new(), span }
        });
        return candidates.extend(drawn.map(|item| Candidate { item, rank: Rank::Numbered }));
    }
    let is_numbered = entry.number.is_some() || begins_with_number(reader, entry);
    if is_about && !is_numbered {
        return reader.class(entry, Class::Narrative);
    }
    let rank = match (is_numbered, entry.is_item) {
        (true, _) => Rank::Numbered,
        (false, true) => Rank::Bullet,
        (false, false) => Rank::Paragraph,
    };
    candidates.push(Candidate { item: step(entry), rank });
}

/// `Step 1: …`, `Step 2 — …` at the start of a paragraph or item.
fn begins_with_number(reader: &Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let is_number = |token: &Token<'_>| token.text.chars().all(|character| character.is_ascii_digit());
    match tokens.as_slice() {
        [step, number, mark, ..] => {
            step.is_word("step")
                && is_number(number)
                && [":", "—", "–", "-", "."].iter().any(|dash| mark.is_mark(dash))
        }
        _ => false,
    }
}

/// The rows of a table of steps, without the column of their numbers.
fn add_rows(reader: &mut Reader<'_>, table: &Table, candidates: &mut Vec<Candidate>) {
    let columns = Columns::new(reader.source, table);
    let number = columns.exactly(&["", "no", "nr", "number", "n", "id"]).or_else(|| {
        let step = columns.exactly(&["step"])?;
        let is_number =
            |text: &Text| text.plain(reader.source).trim().trim_end_matches('.').parse::<u64>().is_ok();
        table.rows.iter().all(|row| row.cells.get(step).is_some_and(is_number)).then_some(step)
    });
    let without: Vec<usize> = number.into_iter().collect();
    for (at, (text, span)) in shapes::row_texts(reader.source, table, &without).into_iter().enumerate() {
        let item =
            StepItem { text, number: Some(at as u64 + 1), nested: Vec::new(), fences: Vec::new(), span };
        candidates.push(Candidate { item, rank: Rank::Numbered });
    }
}

/// The steps among the candidates: those of the highest rank, and what puts rows and clocks in place before them.
fn take_steps(reader: &mut Reader<'_>, candidates: Vec<Candidate>, steps: &mut Vec<StepItem>) {
    let highest = candidates.iter().map(|candidate| candidate.rank).max();
    for candidate in candidates {
        let is_step = Some(candidate.rank) == highest || is_executable(reader.source, &candidate.item.text);
        if is_step {
            steps.push(candidate.item);
        } else {
            reader.model.classes.push((candidate.item.span, Class::Narrative));
        }
    }
}

/// Whether a text begins like a step that the language carries out, so that it is never lost beside numbered ones.
fn is_executable(source: &str, text: &Text) -> bool {
    const HEADS: [&str; 6] = [
        "given ",
        "begins where flow ",
        "the clock stands at ",
        "the clock advances by ",
        "at once:",
        "twice:",
    ];
    let lower = text.plain(source).to_lowercase();
    let names_code = text.codes().next().is_some();
    HEADS.iter().any(|head| lower.starts_with(head)) && (names_code || lower.ends_with(':'))
}

/// A flow is named by its whole title: what stands in parentheses tells flows apart.
fn whole_name(source: &str, title: &Text) -> Option<Spanned<String>> {
    let value = title.plain(source);
    let span = title.pieces.first()?.span.to(title.pieces.last()?.span);
    (!value.is_empty()).then(|| Spanned::new(value, span))
}
