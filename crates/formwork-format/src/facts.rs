//! What formatting must leave as it is: the model, the findings and the shape of the document.

use formwork_check::Analysis;
use formwork_export::model;
use formwork_syntax::{Block, Item, Node, Part};
use serde_json::Value;

/// What a document says, without places.
#[derive(Debug, PartialEq)]
pub(crate) struct Facts {
    /// The exported model.
    model: Value,
    /// The codes of the findings, sorted; without those about the form as a whole, which stand at no fact.
    findings: Vec<&'static str>,
}

impl Facts {
    /// Of an analysed document.
    pub(crate) fn of(analysis: &Analysis) -> Self {
        let mut model = model(analysis);
        without_places(&mut model);
        let codes = analysis.diagnostics.iter().map(|found| found.code);
        let mut findings: Vec<&'static str> = codes.filter(|code| !code.starts_with("FW16")).collect();
        findings.sort_unstable();
        Self { model, findings }
    }
}

/// Takes the places out of the model, and out of its texts what layout alone decides.
fn without_places(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !is_place(member));
            members.values_mut().for_each(without_places);
        }
        Value::Array(items) => items.iter_mut().for_each(without_places),
        Value::String(text) if text.contains('\n') => *text = without_layout(text),
        _ => {}
    }
}

/// Whether a value says where something stands: `{"start": {…, "offset": 7}, "end": {…}}`.
fn is_place(value: &Value) -> bool {
    value["start"]["offset"].is_u64() && value["end"]["offset"].is_u64()
}

/// Several lines of source without trailing blanks, empty lines and the kind of list marks.
fn without_layout(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let content = line.trim_start();
            let indentation = &line[..line.len() - content.len()];
            match content.strip_prefix(['*', '+', '-']).filter(|rest| rest.starts_with(' ')) {
                Some(rest) => format!("{indentation}-{rest}\n"),
                None => format!("{line}\n"),
            }
        })
        .collect()
}

/// The shape of a document: parts, blocks and what a reader sees of them, in the order of the text.
pub(crate) fn shape(analysis: &Analysis) -> Vec<String> {
    let mut lines = Vec::new();
    part(&analysis.source, &analysis.document.root, 0, &mut lines);
    lines
}

fn part(source: &str, part: &Part, depth: usize, lines: &mut Vec<String>) {
    lines.push(format!(
        "{depth} part {:?} {} | {}",
        part.kind,
        part.title.plain(source),
        part.inline.plain(source)
    ));
    nodes(source, &part.children, depth + 1, lines);
}

fn nodes(source: &str, children: &[Node], depth: usize, lines: &mut Vec<String>) {
    for child in children {
        match child {
            Node::Part(below) => part(source, below, depth, lines),
            Node::Block(Block::List(list)) => {
                lines.push(format!("{depth} list {}", list.ordered));
                list.items.iter().for_each(|item| self::item(source, item, depth + 1, lines));
            }
            Node::Block(Block::Quote(quote)) => {
                lines.push(format!("{depth} quote"));
                nodes(source, &quote.children, depth + 1, lines);
            }
            Node::Block(block) => lines.push(format!("{depth} {}", leaf(source, block))),
        }
    }
}

fn item(source: &str, item: &Item, depth: usize, lines: &mut Vec<String>) {
    lines.push(format!("{depth} item {:?} {:?} {}", item.number, item.task, item.text.plain(source)));
    nodes(source, &item.children, depth + 1, lines);
}

fn leaf(source: &str, block: &Block) -> String {
    match block {
        Block::Paragraph(text) => format!("paragraph {}", text.plain(source)),
        Block::Table(table) => {
            let cells = |cells: &[formwork_syntax::Text]| {
                cells.iter().map(|cell| cell.plain(source)).collect::<Vec<_>>().join(" | ")
            };
            let rows: Vec<String> = table.rows.iter().map(|row| cells(&row.cells)).collect();
            format!("table {} / {}", cells(&table.header), rows.join(" / "))
        }
        Block::Fence(fence) => {
            let code: String = fence.lines.iter().map(|line| line.slice(source)).collect();
            format!("fence {} {code}", fence.info.slice(source))
        }
        Block::Html(html) => format!("html {}", html.span.slice(source)),
        Block::Rule(_) => "rule".to_owned(),
        Block::List(_) | Block::Quote(_) => String::new(),
    }
}
