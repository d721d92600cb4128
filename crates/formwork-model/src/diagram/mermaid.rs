//! Mermaid drawings to a graph: `flowchart` and `graph` with their shapes and arrows, `sequenceDiagram` with its
//! participants and messages. Other kinds of drawing give no graph.
//!
//! Source: language reference, *Promises, protection, operation*, Diagram: Mermaid fences too.

use crate::sections::overview::{Diagram, DiagramEdge, DiagramNode};
use formwork_syntax::{Fence, Span};

/// Whether a fence is a Mermaid drawing.
pub(super) fn is_drawing(source: &str, fence: &Fence) -> bool {
    fence.info.slice(source).trim_start().to_ascii_lowercase().starts_with("mermaid")
}

/// Reads the drawing in a fence.
pub(super) fn read(source: &str, fence: &Fence) -> Diagram {
    let mut drawing = Drawing { ids: rustc_hash::FxHashMap::default(), nodes: Vec::new(), edges: Vec::new() };
    let lines = fence.lines.iter().map(|line| (*line, line.slice(source)));
    let mut lines = lines.filter(|(_, text)| !text.trim().is_empty() && !text.trim().starts_with("%%"));
    let kind = lines.next().map(|(_, text)| text.split_whitespace().next().unwrap_or_default());
    match kind {
        Some("graph" | "flowchart") => lines.for_each(|(span, text)| drawing.flow_line(span, text)),
        Some("sequenceDiagram") => lines.for_each(|(span, text)| drawing.sequence_line(span, text)),
        _ => {}
    }
    drawing.finish(fence.span)
}

/// What was drawn so far; edges hold the places of their nodes.
struct Drawing {
    ids: rustc_hash::FxHashMap<String, usize>,
    nodes: Vec<DiagramNode>,
    edges: Vec<(usize, usize, Option<String>, Span)>,
}

impl Drawing {
    fn finish(self, span: Span) -> Diagram {
        let name = |at: usize| self.nodes.get(at).map(|node| node.name.clone()).unwrap_or_default();
        let edges = self.edges.iter().map(|(from, to, label, span)| DiagramEdge {
            from: name(*from),
            to: name(*to),
            label: label.clone(),
            span: *span,
        });
        Diagram { edges: edges.collect(), nodes: self.nodes, span }
    }

    /// The node of an id; a label gives or changes its name.
    fn node(&mut self, id: &str, label: Option<&str>, span: Span) -> usize {
        let shown = label.map(shown);
        let at = *self.ids.entry(id.to_owned()).or_insert_with(|| {
            self.nodes.push(DiagramNode { name: id.to_owned(), span });
            self.nodes.len() - 1
        });
        if let (Some(name), Some(node)) = (shown, self.nodes.get_mut(at)) {
            *node = DiagramNode { name, span };
        }
        at
    }

    /// `A[Name] -->|says| B & C --> D`
    fn flow_line(&mut self, line: Span, text: &str) {
        const DIRECTIVES: [&str; 8] =
            ["end", "classDef", "class", "style", "linkStyle", "click", "direction", "subgraph"];
        let first = text.split_whitespace().next().unwrap_or_default();
        if DIRECTIVES.contains(&first) {
            return;
        }
        let mut before: Vec<usize> = Vec::new();
        let mut label: Option<String> = None;
        let mut at = 0;
        let mut is_joined = false;
        let mut group: Vec<usize> = Vec::new();
        while at < text.len() {
            let rest = &text[at..];
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ';']).len();
            if blank > 0 {
                at += blank;
            } else if let Some(arrow) = arrow(rest) {
                before = std::mem::take(&mut group);
                label = arrow.label;
                at += arrow.length;
                is_joined = false;
            } else if rest.starts_with('&') {
                is_joined = true;
                at += 1;
            } else {
                let length = node_length(rest);
                if length == 0 {
                    return;
                }
                let (id, name) = id_and_label(&rest[..length]);
                let node = self.node(id, name, line.part(at as u32, (at + length) as u32));
                if !is_joined {
                    group.clear();
                }
                group.push(node);
                for from in &before {
                    let span = line.part(0, (at + length) as u32);
                    self.edges.push((*from, node, label.clone(), span));
                }
                at += length;
            }
        }
    }

    /// `participant A as Name`, `A->>B: message`
    fn sequence_line(&mut self, line: Span, text: &str) {
        let trimmed = text.trim();
        let start = (text.len() - text.trim_start().len()) as u32;
        let place = line.part(start, start + trimmed.len() as u32);
        let (first, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        if matches!(first, "participant" | "actor") {
            let (id, name) = rest.split_once(" as ").map_or((rest, None), |(id, name)| (id, Some(name)));
            self.node(id.trim(), name, place);
            return;
        }
        let (ends, message) =
            trimmed.split_once(':').map_or((trimmed, None), |(ends, says)| (ends, Some(says.trim())));
        const ARROWS: [&str; 8] = ["-->>", "->>", "--x", "-x", "-->", "->", "--)", "-)"];
        let Some(arrow) = ARROWS.iter().find(|arrow| ends.contains(**arrow)) else { return };
        let Some((from, to)) = ends.split_once(*arrow) else { return };
        let from = self.node(from.trim(), None, place);
        let to = self.node(to.trim().trim_start_matches(['+', '-']), None, place);
        self.edges.push((from, to, message.map(str::to_owned), place));
    }
}

/// A label as it is shown: without quotes, line breaks as blanks.
fn shown(label: &str) -> String {
    let bare = label.trim().trim_matches('"').replace("<br/>", " ").replace("<br>", " ").replace("\\n", " ");
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Arrow {
    length: usize,
    label: Option<String>,
}

/// An arrow at the start: `-->`, `---`, `-.->`, `==>`, `<-->`, `-- text -->`, each also with `|text|` behind.
fn arrow(text: &str) -> Option<Arrow> {
    let is_line = |character: char| matches!(character, '-' | '=' | '.' | '<' | '>' | '~');
    let end = text.find(|character| !is_line(character)).unwrap_or(text.len());
    if end < 2 || !text.starts_with(['-', '=', '<', '~']) {
        return None;
    }
    let mut length = end;
    let mut label = None;
    // `-- text -->`: the head stands behind the text.
    if matches!(&text[..end], "--" | "==" | "-." | "<--")
        && let Some((at, size)) = head_behind(&text[end..])
    {
        label = Some(shown(&text[end..end + at]));
        length = end + at + size;
    }
    let heads = text[length..].len() - text[length..].trim_start_matches(['x', 'o']).len();
    let behind = &text[length..];
    // A cross or circle is the end of a line only before a blank.
    if heads == 1 && behind[1..].starts_with(' ') {
        length += 1;
    }
    let rest = text[length..].trim_start();
    if let Some(inside) = rest.strip_prefix('|')
        && let Some(close) = inside.find('|')
    {
        label = Some(shown(&inside[..close]));
        length = text.len() - inside[close + 1..].len();
    }
    Some(Arrow { length, label })
}

/// Where the head of an arrow with text stands, and how long it is.
fn head_behind(text: &str) -> Option<(usize, usize)> {
    ["-->", "---", "==>", ".->", "===", "-.-"]
        .iter()
        .filter_map(|head| Some((text.find(head)?, head.len())))
        .min()
}

/// How many bytes a node takes: an id and, in brackets, its label.
fn node_length(text: &str) -> usize {
    let is_id = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
    let mut end = text.find(|character| !is_id(character)).unwrap_or(text.len());
    // `front-desk` is an id, `a--` begins an arrow.
    while text[end..].starts_with('-') && text[end + 1..].starts_with(is_id) {
        let more = &text[end + 1..];
        end += 1 + more.find(|character| !is_id(character)).unwrap_or(more.len());
    }
    let mut depth = 0usize;
    let mut is_quoted = false;
    for (at, character) in text[end..].char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' | '(' | '{' => depth += 1,
            ']' | ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && !is_quoted {
            let is_closing = matches!(character, ']' | ')' | '}');
            return if is_closing { end + at + character.len_utf8() } else { end };
        }
    }
    if depth == 0 { end } else { text.len() }
}

/// The id of a node and the label in its brackets; `:::class` behind it is left to the caller.
fn id_and_label(node: &str) -> (&str, Option<&str>) {
    match node.find(['[', '(', '{']) {
        Some(open) if open > 0 => {
            let label = node[open..].trim_matches(['[', ']', '(', ')', '{', '}', '/', '\\', '>']);
            (&node[..open], Some(label).filter(|label| !label.is_empty()))
        }
        _ => (node, None),
    }
}
