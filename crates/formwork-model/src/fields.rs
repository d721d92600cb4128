//! Fields of entities, inputs and outputs: ``- `name` (type) | description | constraints``, or rows of a table.
//!
//! Source: language reference, *Fields*. What the constraints say is read in [`crate::constraints`].

use crate::constraints;
use crate::facts::{Constraint, Field, Location};
use crate::labels::normal;
use crate::model::Class;
use crate::names;
use crate::notes::NoteKind;
use crate::reader::{Entry, Reader, entries};
use crate::tokens::{Token, TokenKind, closing, outer, prose, split, tokens};
use crate::values::type_words::{TypeText, read_type, unknown};
use crate::values::{TYPE_WORDS, Type};
use formwork_syntax::{Block, Part, Span, Spanned, Table, Text};
use std::sync::Arc;

/// The fields in the lists and tables of a part. An item that is no field is noted.
pub(crate) fn fields(reader: &mut Reader<'_>, part: &Part) -> Vec<Field> {
    let mut found: Vec<Field> = Vec::new();
    for entry in entries(reader.source, part) {
        match field(reader, &entry) {
            Some(field) => {
                reader.class(&entry, Class::Understood);
                add(reader, &mut found, field);
            }
            None if entry.is_item => reader.not_understood(&entry, "field"),
            None => reader.class(&entry, Class::Narrative),
        }
    }
    for block in part.blocks() {
        if let Block::Table(table) = block {
            table_fields(reader, table, &mut found);
        }
    }
    found
}

fn add(reader: &mut Reader<'_>, fields: &mut Vec<Field>, field: Field) {
    reader.declared_twice("field", &field.name, fields.iter().map(|field| &field.name));
    fields.push(field);
}

/// A field that an entry declares.
pub(crate) fn field(reader: &mut Reader<'_>, entry: &Entry<'_>) -> Option<Field> {
    let source = reader.source;
    let all = tokens(source, entry.text);
    let name = all.first().filter(|token| is_name(token))?.spanned();
    let mut at = 1;
    let mut field = new_field(name, entry.span);
    if all.get(at).is_some_and(|token| token.is_mark("?")) {
        field.optional = true;
        at += 1;
    }
    let mut parts: Vec<&[Token<'_>]> = Vec::new();
    let inner = all.get(at).filter(|token| token.is_mark("(")).and_then(|_| closing(&all, at));
    if let Some(end) = inner {
        let inside = split(&all[at + 1..end], |token| token.is_mark(","));
        set_type(reader, &mut field, entry.text, inside[0]);
        parts.extend(&inside[1..]);
        at = end + 1;
    } else if !all.first().is_some_and(Token::is_code) && !all.get(at).is_some_and(is_separator) {
        return None;
    }
    let rest = &all[at..];
    let rest = if rest.first().is_some_and(is_separator) { &rest[1..] } else { rest };
    let columns = columns(rest);
    let mut columns = columns.as_slice();
    if field.ty.is_none()
        && let Some((first, others)) = columns.split_first()
        && let Some(used) = leading_type(reader, &mut field, entry.text, first)
    {
        parts.extend(split(&first[used..], |token| token.is_mark(",")));
        columns = others;
    }
    read_columns(reader, &mut field, entry.text, columns, &mut parts);
    finish(reader, &mut field, &parts);
    Some(field)
}

/// Description and constraints. A column that consists of nothing but constraints is no description.
fn read_columns<'a, 't>(
    reader: &Reader<'_>,
    field: &mut Field,
    text: &Text,
    columns: &[&'a [Token<'t>]],
    parts: &mut Vec<&'a [Token<'t>]>,
) {
    let mut columns = columns;
    if let Some((first, others)) = columns.split_first() {
        let own = constraints::parts(first);
        let is_constraints = others.is_empty()
            && !own.is_empty()
            && own.iter().all(|part| !matches!(constraints::read(part), constraints::Reading::Prose));
        if !is_constraints {
            field.description = prose(reader.source, text, first);
            columns = others;
        }
    }
    for column in columns {
        parts.extend(constraints::parts(column));
    }
}

/// The fields of a table whose columns are named.
fn table_fields(reader: &mut Reader<'_>, table: &Table, found: &mut Vec<Field>) {
    let titles: Vec<String> = table.header.iter().map(|cell| normal(&cell.plain(reader.source))).collect();
    let column = |names: &[&str]| titles.iter().position(|title| names.contains(&title.as_str()));
    let Some(name_at) = column(&["field", "name", "parameter", "column", "property", "attribute"]) else {
        return;
    };
    let type_at = column(&["type", "data type"]);
    let description_at = column(&["description", "meaning", "what", "purpose"]);
    let constraints_at = column(&["constraints", "constraint", "rules", "validation", "notes"]);
    for row in &table.rows {
        let cells: Vec<Vec<Token<'_>>> = row.cells.iter().map(|cell| tokens(reader.source, cell)).collect();
        let cell = |at: Option<usize>| at.and_then(|at| Some((row.cells.get(at)?, cells.get(at)?)));
        let Some(name) = cells.get(name_at).and_then(|cell| cell.first()).filter(|token| is_name(token))
        else {
            continue;
        };
        let mut field = new_field(name.spanned(), row.span);
        if let Some((text, tokens)) = cell(type_at).filter(|(_, tokens)| !tokens.is_empty()) {
            set_type(reader, &mut field, text, tokens);
        }
        field.description =
            cell(description_at).and_then(|(text, tokens)| prose(reader.source, text, tokens));
        let parts = cell(constraints_at).map(|(_, tokens)| constraints::parts(tokens)).unwrap_or_default();
        finish(reader, &mut field, &parts);
        reader.model.classes.push((row.span, Class::Understood));
        add(reader, found, field);
    }
}

fn new_field(name: Spanned<String>, span: Span) -> Field {
    Field {
        name,
        ty: None,
        optional: false,
        description: None,
        constraints: Vec::new(),
        location: None,
        span,
    }
}

/// Whether a token can be the name of a field: code that is one word, or a word of letters, digits and `_`.
fn is_name(token: &Token<'_>) -> bool {
    let is_one_word = |text: &str| {
        text.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && text.chars().all(|character| character.is_alphanumeric() || "_.-[]".contains(character))
    };
    matches!(token.kind, TokenKind::Code | TokenKind::Word) && is_one_word(&token.text)
}

fn is_separator(token: &Token<'_>) -> bool {
    token.kind == TokenKind::Mark && matches!(&*token.text, "|" | ":" | "—" | "–" | "-")
}

/// The columns behind the type: between bars, or, if there is no bar, between dashes.
fn columns<'a, 't>(rest: &'a [Token<'t>]) -> Vec<&'a [Token<'t>]> {
    let bars = split(rest, |token| token.is_mark("|"));
    if bars.len() > 1 {
        return bars;
    }
    split(rest, |token| ["—", "–", "-"].iter().any(|dash| token.is_mark(dash)))
}

/// The type that a column begins with, when its first comma part is one; returns how many tokens that takes.
fn leading_type(
    reader: &mut Reader<'_>,
    field: &mut Field,
    text: &Text,
    column: &[Token<'_>],
) -> Option<usize> {
    let first = split(column, |token| token.is_mark(","))[0];
    let place = outer(first)?;
    let read = read_type(
        text.slice(reader.source, place.start, place.end).plain(reader.source).as_str(),
        &reader.declared,
    );
    if unknown(&read.ty).is_some() {
        return None;
    }
    put_type(field, read, place);
    Some((first.len() + 1).min(column.len()))
}

/// Takes the type from tokens, and notes one that is not known.
fn set_type(reader: &mut Reader<'_>, field: &mut Field, text: &Text, tokens: &[Token<'_>]) {
    let Some(place) = outer(tokens) else { return };
    let part = text.slice(reader.source, place.start, place.end);
    let has_bar = tokens.iter().any(|token| token.is_mark("|"));
    // Several code spans keep their backticks, which tell the values of an enum from a type.
    let written = if has_bar { place.slice(reader.source).to_owned() } else { part.plain(reader.source) };
    if crate::unfinished::is_placeholder(&written) {
        return;
    }
    let mut read = read_type(&written, &reader.declared);
    if let Some(name) = unknown(&read.ty).map(str::to_owned) {
        let nearest = nearest_type(reader, &name);
        reader.note(NoteKind::UnknownType { name, nearest }, place);
    }
    if matches!(&read.ty, Type::Object(_)) {
        read.ty = Type::Json;
    }
    put_type(field, read, place);
}

fn nearest_type(reader: &Reader<'_>, name: &str) -> Option<String> {
    let declared = reader.declared.iter().map(String::as_str);
    names::nearest(name, TYPE_WORDS.into_iter().chain(declared)).map(str::to_owned)
}

fn put_type(field: &mut Field, read: TypeText, place: Span) {
    field.optional |= read.optional;
    field.constraints.extend(read.constraints.into_iter().map(|constraint| Spanned::new(constraint, place)));
    field.ty = Some(Spanned::new(read.ty, place));
}

/// Reads the constraints, and what follows from them for the field itself.
fn finish(reader: &mut Reader<'_>, field: &mut Field, parts: &[&[Token<'_>]]) {
    for part in parts {
        if let Some(location) = location(part) {
            field.location = location;
            continue;
        }
        constraints::add(reader, field, part);
    }
    field.description =
        field.description.take().filter(|text| !crate::unfinished::is_placeholder(&text.value));
    field.optional |= field.constraints.iter().any(|constraint| constraint.value == Constraint::Optional);
    if let Some(ty) = &mut field.ty
        && matches!(&ty.value, Type::Enum(values) if values.is_empty())
        && let Some(values) = field.constraints.iter().find_map(|constraint| match &constraint.value {
            Constraint::OneOf(values) => Some(values),
            _ => None,
        })
    {
        ty.value = Type::Enum(values.iter().map(|value| Arc::from(value.as_str())).collect());
    }
}

/// `in path`, `in query`, `in body`, `in header X`.
fn location(part: &[Token<'_>]) -> Option<Option<Spanned<Location>>> {
    let [first, place, rest @ ..] = part else { return None };
    if !first.is_word("in") {
        return None;
    }
    let location = match (&*place.text.to_ascii_lowercase(), rest) {
        ("path", []) => Location::Path,
        ("query", []) => Location::Query,
        ("body", []) => Location::Body,
        ("header", [name]) => Location::Header(name.text.to_string()),
        _ => return None,
    };
    Some(outer(part).map(|span| Spanned::new(location, span)))
}
