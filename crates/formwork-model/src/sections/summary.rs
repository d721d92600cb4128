//! Sections 0 and 1: summary, goals and non-goals. All prose.

use crate::labels::{begins_with, unnumbered};
use crate::model::Class;
use crate::reader::{Reader, entries, node_entries};
use crate::shapes;
use crate::tables;
use formwork_syntax::{Block, Node, Part, Text};

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let own = reader.prose_list(part, Class::Narrative);
    reader.model.summary.extend(own);
    for below in part.parts() {
        read(reader, below);
    }
}

pub(crate) fn read_goals(reader: &mut Reader<'_>, part: &Part) {
    let part = tables::as_lists(reader.source, &titled_tables(reader, part), &[]);
    read_group(reader, &part, false);
}

/// The part with each table of non-goals below the heading of its column.
fn titled_tables(reader: &Reader<'_>, part: &Part) -> Part {
    let mut copy = part.clone();
    for node in &mut copy.children {
        let Node::Block(Block::Table(table)) = node else { continue };
        let title = table.header.iter().find(|cell| {
            let title = unnumbered(&cell.plain(reader.source));
            begins_with(&title, &NON_GOALS)
        });
        if let Some(title) = title.cloned() {
            let rows = vec![Node::Block(Block::Table(table.clone()))];
            *node =
                Node::Part(shapes::labelled(title.clone(), Text::empty(title.span.end), rows, table.span));
        }
    }
    copy
}

const NON_GOALS: [&str; 9] = [
    "non goals",
    "non goal",
    "nongoals",
    "out of scope",
    "not goals",
    "not in scope",
    "anti goals",
    "non objectives",
    "explicitly out of scope",
];

/// Goals and non-goals: the items of a part, or its paragraphs where it has no list.
fn read_group(reader: &mut Reader<'_>, part: &Part, is_below_non_goals: bool) {
    let title = unnumbered(&part.title.plain(reader.source));
    let is_non_goals =
        begins_with(&title, &NON_GOALS) || (is_below_non_goals && !begins_with(&title, &["goals"]));
    let found = entries(reader.source, part);
    let has_list = found.iter().any(|entry| entry.is_item);
    let holds_parts = part.parts().next().is_some();
    for entry in &found {
        reader.class(entry, Class::Narrative);
        let is_own = entry.is_item || (!has_list && !holds_parts);
        if !is_own || reader.is_placeholder(entry.text) {
            continue;
        }
        // An item that bears a label and a list below is a group: `- **Goals:**` with its goals.
        let below = node_entries(entry.children);
        let is_group = entry.label.is_some_and(|label| label.rest.is_blank(reader.source));
        if is_group && below.iter().any(|inner| inner.is_item) {
            let title = entry.label.map(|label| reader.title(&label.title)).unwrap_or_default();
            let is_non = begins_with(&title, &NON_GOALS) || is_non_goals;
            for inner in below.iter().filter(|inner| inner.is_item) {
                reader.class(inner, Class::Narrative);
                add(reader, inner.text, is_non);
            }
            continue;
        }
        add(reader, entry.text, is_non_goals);
    }
    for below in part.parts() {
        read_group(reader, below, is_non_goals);
    }
}

fn add(reader: &mut Reader<'_>, text: &Text, is_non_goal: bool) {
    let prose = reader.prose(text);
    match is_non_goal {
        true => reader.model.non_goals.push(prose),
        false => reader.model.goals.push(prose),
    }
}
