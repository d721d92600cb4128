//! Sections 13, 14 and 15: reference interfaces, roadmap, open questions.

use super::edge;
use crate::facts::{Field, Prose};
use crate::labels::{begins_with, normal};
use crate::model::Class;
use crate::notes::NoteKind;
use crate::reader::{Entry, Reader, entries, fences, node_entries};
use crate::shapes;
use crate::tables::{self, Columns};
use crate::titles;
use crate::values::type_words::{read_type, unknown};
use formwork_syntax::{Fence, Part, PartKind, Span, Spanned, Table, Text};

/// A reference interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: Spanned<String>,
    /// Its fence.
    pub fence: Option<Fence>,
    /// Its members, when the fence is an example-like object whose values are type words.
    pub fields: Vec<Field>,
    /// Heading to last line.
    pub span: Span,
}

/// A phase of the roadmap.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: Spanned<String>,
    /// What it delivers.
    pub deliverables: Vec<Prose>,
    /// Heading to last line.
    pub span: Span,
}

/// An open question.
#[derive(Clone, Debug)]
pub struct Question {
    /// The question.
    pub text: Prose,
    /// *Why*
    pub context: Option<Prose>,
    /// *Options*
    pub options: Option<Prose>,
    /// *Decides*
    pub decides: Option<Prose>,
    /// The whole item.
    pub span: Span,
}

const INTERFACE_KINDS: [&str; 4] = ["interface", "type", "schema", "reference interface"];

fn interface_name(source: &str, part: &Part) -> Option<Spanned<String>> {
    let has_fence = fences(&part.children).next().is_some();
    let is_heading = matches!(part.kind, PartKind::Heading(_) | PartKind::Emphasized);
    let title = titles::without_kind(source, &part.title, &INTERFACE_KINDS);
    titles::name(source, &title).filter(|_| has_fence && is_heading)
}

/// The names of the interfaces of a section, before anything else of it is read.
pub(crate) fn names(source: &str, part: &Part) -> Vec<String> {
    let mut found = Vec::new();
    for below in part.parts() {
        match interface_name(source, below) {
            Some(name) => found.push(name.value),
            None => found.extend(names(source, below)),
        }
    }
    found
}

pub(crate) fn read_references(reader: &mut Reader<'_>, part: &Part) {
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        let Some(name) = interface_name(reader.source, below) else {
            read_references(reader, below);
            continue;
        };
        reader.prose_list(below, Class::Narrative);
        let fence = fences(&below.children).next().cloned();
        let fields = fence.as_ref().map(|fence| members(reader, fence)).unwrap_or_default();
        reader.declared_twice("interface", &name);
        reader.model.interfaces.push(Interface { name, fence, fields, span: below.span });
    }
}

/// The members of an example-like object whose values are type words: `"id": "uuid"`.
fn members(reader: &mut Reader<'_>, fence: &Fence) -> Vec<Field> {
    let Some(text) = fence.lines.first().zip(fence.lines.last()).map(|(first, last)| first.to(*last)) else {
        return Vec::new();
    };
    let strings = strings(text, reader.source);
    let is_schema = strings
        .iter()
        .any(|(value, _, depth)| *depth == 1 && ["$schema", "$ref", "properties"].contains(&value.as_str()));
    if is_schema {
        return Vec::new();
    }
    let source = reader.source;
    let pairs = strings.windows(2).filter(|pair| {
        let between = Span::new(pair[0].1.end + 1, pair[1].1.start.saturating_sub(1));
        pair[0].2 == 1 && between.slice(source).trim() == ":"
    });
    let mut found = Vec::new();
    for pair in pairs {
        let [(name, place, _), (written, ty_place, _)] = pair else { continue };
        let read = read_type(written, &reader.declared);
        if let Some(unknown) = unknown(&read.ty).map(str::to_owned) {
            // Words are an example's value, not a misspelt type.
            if unknown.contains(char::is_whitespace) {
                continue;
            }
            let nearest = crate::names::nearest(&unknown, crate::values::TYPE_WORDS).map(str::to_owned);
            reader.note(NoteKind::UnknownType { name: unknown, nearest }, *ty_place);
        }
        found.push(Field {
            name: Spanned::new(name.clone(), *place),
            ty: Some(Spanned::new(read.ty, *ty_place)),
            optional: read.optional,
            description: None,
            constraints: read.constraints.into_iter().map(|value| Spanned::new(value, *ty_place)).collect(),
            members: Vec::new(),
            location: None,
            span: place.to(*ty_place),
        });
    }
    found
}

/// The JSON strings of a text without escapes, with their places between the quotes and how deep they stand.
fn strings(place: Span, source: &str) -> Vec<(String, Span, usize)> {
    let text = place.slice(source);
    let mut found = Vec::new();
    let mut depth = 0usize;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let length = text[at + 1..].find(['"', '\\', '\n']).unwrap_or(text.len() - at - 1);
                let span = place.part(at as u32 + 1, (at + 1 + length) as u32);
                if bytes.get(at + 1 + length) == Some(&b'"') {
                    found.push((span.slice(source).to_owned(), span, depth));
                }
                at += 1 + length;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

const DELIVERABLES: [&str; 6] = ["deliverables", "deliverable", "scope", "delivers", "contents", "features"];

pub(crate) fn read_roadmap(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let is_deliverables = |below: &Part| begins_with(&reader.title(&below.title), &DELIVERABLES);
    let part = shapes::regroup(reader.source, part, &|below| {
        below.kind == PartKind::Emphasized && !begins_with(&normal(&below.title.plain(source)), &DELIVERABLES)
    });
    let has_parts = part.parts().any(|below| !is_deliverables(below));
    for entry in entries(source, &part) {
        let named = shapes_label(source, &entry).filter(|_| entry.is_item && !has_parts);
        match named {
            Some((title, inline)) => {
                let phase = shapes::labelled(title, inline, entry.children.to_vec(), entry.span);
                read_phase(reader, &phase);
            }
            None => reader.class(&entry, Class::Narrative),
        }
    }
    part.parts().for_each(|below| read_phase(reader, below));
    edge::read_deprecations(reader, &part);
    for table in tables::tables(&part.children) {
        read_phases(reader, table);
    }
}

fn shapes_label(source: &str, entry: &Entry<'_>) -> Option<(Text, Text)> {
    match entry.label {
        Some(label) => Some((label.title.clone(), label.rest.clone())),
        None => shapes::bold_head(source, entry.text),
    }
}

fn read_phase(reader: &mut Reader<'_>, part: &Part) {
    let name = reader.prose(&part.title);
    let name = Spanned::new(name.value, place(&part.title));
    let part = tables::as_lists(reader.source, part, &[]);
    let mut deliverables = reader.prose_list(&part, Class::Narrative);
    for inner in part.parts() {
        deliverables.extend(reader.prose_list(inner, Class::Narrative));
    }
    reader.model.roadmap.push(Phase { name, deliverables, span: part.span });
}

fn read_phases(reader: &mut Reader<'_>, table: &Table) {
    let source = reader.source;
    let columns = Columns::new(source, table);
    let name = columns.find(&["phase", "milestone", "sprint", "release", "name", "stage"]).unwrap_or(0);
    let others = columns
        .titles()
        .filter(|(at, title)| *at != name && !begins_with(title, &["when", "date", "owner", "status"]));
    let others: Vec<usize> = others.map(|(at, _)| at).collect();
    for row in &table.rows {
        let Some(title) = tables::cell(source, row, Some(name)) else { continue };
        let said = others.iter().filter_map(|at| tables::cell(source, row, Some(*at)));
        let deliverables = said.map(|text| reader.prose(text)).collect();
        let name = Spanned::new(title.plain(source), place(title));
        reader.model.classes.push((row.span, Class::Narrative));
        reader.model.roadmap.push(Phase { name, deliverables, span: row.span });
    }
}

fn place(text: &formwork_syntax::Text) -> Span {
    match (text.pieces.first(), text.pieces.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => text.span,
    }
}

const CONTEXT: [&str; 6] = ["why", "context", "background", "why it matters", "impact", "reason"];
const OPTIONS: [&str; 4] = ["options", "option", "alternatives", "candidates"];
const DECIDES: [&str; 7] =
    ["decides", "decider", "owner", "who decides", "decision", "decided by", "research"];

fn is_question_label(title: &str) -> bool {
    [&CONTEXT[..], &OPTIONS, &DECIDES].iter().any(|names| begins_with(title, names))
        || begins_with(title, &["recommendation", "status", "due", "notes", "note", "leaning"])
}

pub(crate) fn read_questions(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let part = shapes::regroup(reader.source, part, &|below| {
        below.kind == PartKind::Emphasized && !is_question_label(&normal(&below.title.plain(source)))
    });
    let found = entries(source, &part);
    let has_other_questions = found.iter().any(|entry| entry.is_item)
        || tables::tables(&part.children).next().is_some()
        || part.parts().next().is_some();
    for entry in &found {
        let asks = entry.text.plain(source).contains('?');
        let is_bold = entry.text.pieces.first().is_some_and(|piece| piece.strong);
        let is_asked = asks && (!has_other_questions || is_bold);
        match entry.is_item || is_asked {
            true => read_question(reader, entry),
            false => reader.class(entry, Class::Narrative),
        }
    }
    for table in tables::tables(&part.children) {
        read_question_table(reader, table);
    }
    for below in part.parts() {
        read_question_part(reader, below);
    }
}

/// A heading or bold line: a question of its own, or the title of a group of questions.
fn read_question_part(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let title = part.title.plain(source);
    let promoted = shapes::promote(source, part, &is_question_label);
    let has_labels = promoted.parts().any(|below| is_question_label(&reader.title(&below.title)));
    let lists_questions = entries(source, &promoted)
        .iter()
        .any(|entry| entry.is_item && entry.text.plain(source).contains('?'));
    let asks =
        title.contains('?') || part.inline.plain(source).contains('?') || has_labels || is_numbered(&title);
    if reader.is_placeholder(&part.title) || lists_questions || !asks {
        return read_questions(reader, part);
    }
    let kinds = ["question", "open question", "q"];
    let named = titles::of_item(source, part, &kinds);
    let is_own = !named.is_blank(source) && (title.contains('?') || part.inline.is_blank(source));
    let text = if is_own {
        reader.prose(&named)
    } else {
        reader.prose(&tables::joined(&[&part.title, &part.inline]))
    };
    let mut question = Question { text, context: None, options: None, decides: None, span: part.span };
    let body = Part {
        inline: if is_own { part.inline.clone() } else { Text::empty(part.inline.span.end) },
        ..promoted.into_owned()
    };
    question.context = reader.prose_of(&body, Class::Narrative);
    for below in body.parts() {
        let title = reader.title(&below.title);
        let said = reader.prose_of(below, Class::Understood);
        set_label(&mut question, &title, said);
    }
    reader.model.questions.push(question);
}

/// `Q1`, `Q2: …`, `3. …`
fn is_numbered(title: &str) -> bool {
    let rest = title.trim_start_matches(['Q', 'q', '#', ' ']);
    rest.starts_with(|first: char| first.is_ascii_digit())
        && (rest.len() < title.len() || rest.contains(['.', ')', ':']))
}

fn set_label(question: &mut Question, title: &str, said: Option<Prose>) {
    if begins_with(title, &CONTEXT) {
        question.context = said;
    } else if begins_with(title, &OPTIONS) {
        question.options = said;
    } else if begins_with(title, &DECIDES) {
        question.decides = said;
    }
}

fn read_question(reader: &mut Reader<'_>, entry: &Entry<'_>) {
    reader.class(entry, Class::Understood);
    if reader.is_placeholder(entry.text) {
        return;
    }
    let text = reader.prose(entry.text);
    let mut question = Question { text, context: None, options: None, decides: None, span: entry.span };
    for below in node_entries(entry.children) {
        reader.class(&below, Class::Understood);
        let Some(label) = below.label else { continue };
        let rest = Some(reader.prose(&label.rest));
        set_label(&mut question, &reader.title(&label.title), rest);
    }
    for node in entry.children {
        let formwork_syntax::Node::Part(below) = node else { continue };
        let title = reader.title(&below.title);
        let said = reader.prose_of(below, Class::Understood);
        set_label(&mut question, &title, said);
    }
    reader.model.questions.push(question);
}

fn read_question_table(reader: &mut Reader<'_>, table: &Table) {
    let source = reader.source;
    let columns = Columns::new(source, table);
    let asked = columns.find(&["question", "open question", "issue", "topic", "decision"]).unwrap_or(0);
    let context = columns.find(&CONTEXT);
    let options = columns.find(&OPTIONS);
    let decides = columns.find(&DECIDES).filter(|at| *at != asked);
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let Some(text) = cell(Some(asked)).filter(|text| !reader.is_placeholder(text)) else { continue };
        let said = |at: Option<usize>| cell(at).map(|text| reader.prose(text));
        let question = Question {
            text: reader.prose(text),
            context: said(context),
            options: said(options),
            decides: said(decides),
            span: row.span,
        };
        reader.model.classes.push((row.span, Class::Understood));
        reader.model.questions.push(question);
    }
}
