//! Sections 13, 14 and 15: reference interfaces, roadmap, open questions.

use crate::facts::{Field, Prose};
use crate::model::Class;
use crate::notes::NoteKind;
use crate::reader::{Entry, Reader, entries, fences, node_entries};
use crate::titles;
use crate::values::type_words::{read_type, unknown};
use formwork_syntax::{Fence, Part, PartKind, Span, Spanned};

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

pub(crate) fn read_roadmap(reader: &mut Reader<'_>, part: &Part) {
    reader.prose_list(part, Class::Narrative);
    for below in part.parts() {
        let name = reader.prose(&below.title);
        let name = Spanned::new(name.value, place(&below.title));
        let mut deliverables = reader.prose_list(below, Class::Narrative);
        for inner in below.parts() {
            deliverables.extend(reader.prose_list(inner, Class::Narrative));
        }
        reader.model.roadmap.push(Phase { name, deliverables, span: below.span });
    }
}

fn place(text: &formwork_syntax::Text) -> Span {
    match (text.pieces.first(), text.pieces.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => text.span,
    }
}

pub(crate) fn read_questions(reader: &mut Reader<'_>, part: &Part) {
    for entry in entries(reader.source, part) {
        read_question(reader, &entry);
    }
    for below in part.parts() {
        read_questions(reader, below);
    }
}

fn read_question(reader: &mut Reader<'_>, entry: &Entry<'_>) {
    if !entry.is_item {
        return reader.class(entry, Class::Narrative);
    }
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
        match &*reader.title(&label.title) {
            "why" | "context" => question.context = rest,
            "options" => question.options = rest,
            "decides" | "decider" | "owner" => question.decides = rest,
            _ => {}
        }
    }
    reader.model.questions.push(question);
}
