//! Fields of entities, inputs and outputs: ``- `name` (type) | description | constraints``, or rows of a table.
//!
//! Source: language reference, *Fields*. What the constraints say is read in [`crate::constraints`].

use crate::constraints;
use crate::enum_values;
use crate::facts::{Constraint, Field, Location};
use crate::labels::normal;
use crate::model::Class;
use crate::names;
use crate::notes::NoteKind;
use crate::reader::{Entry, FirstPlaces, Reader, entries, node_entries};
use crate::tables::{self, Columns};
use crate::tokens::{Token, TokenKind, closing, outer, prose, split, tokens};
use crate::values::type_words::{TypeText, read_type, unknown};
use crate::values::{TYPE_WORDS, Type};
use formwork_syntax::{Block, Part, Row, Span, Spanned, Table, Text};
use std::sync::Arc;

/// The fields in the lists and tables of a part. An item that is no field is noted.
pub(crate) fn fields(reader: &mut Reader<'_>, part: &Part) -> Vec<Field> {
    let mut found = Found::default();
    for entry in entries(reader.source, part) {
        let listed = if entry.is_item { Vec::new() } else { crate::inputs::sentence(reader, entry.text) };
        if listed.len() > 1 {
            reader.class(&entry, Class::Understood);
            listed.into_iter().for_each(|field| add(reader, &mut found, field));
            continue;
        }
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
    found.fields
}

/// Fields, and where each was first declared.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) fields: Vec<Field>,
    first: FirstPlaces,
}

fn add(reader: &mut Reader<'_>, found: &mut Found, field: Field) {
    reader.declared_twice_in(&mut found.first, "field", &field.name);
    found.fields.push(field);
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
        let inside = &all[at + 1..end];
        let values = enum_values(&mut field, inside);
        let rest = if values { &inside[..0] } else { inside };
        let inside = split(rest, |token| token.is_mark(",") || token.is_mark(";"));
        for part in inside.into_iter().filter(|part| !part.is_empty()) {
            part_in_parentheses(reader, &mut field, entry.text, part);
        }
        at = end + 1;
    } else if !all.first().is_some_and(Token::is_code) && !all.get(at).is_some_and(is_separator) {
        return None;
    }
    let rest = &all[at..];
    let is_coloned = rest.first().is_some_and(|mark| mark.is_mark(":"));
    let rest = if rest.first().is_some_and(is_separator) { &rest[1..] } else { rest };
    let columns = columns(rest);
    let mut columns = columns.as_slice();
    if ((field.ty.is_none() && is_coloned) || is_open_enum(&field))
        && let Some(values) = enum_values::columns(columns)
    {
        let place = outer(rest).unwrap_or(field.span);
        let values = values.iter().map(|value| Arc::from(value.text.trim_matches('"')));
        field.ty = Some(Spanned::new(Type::Enum(values.collect()), place));
        columns = &[];
    }
    if field.ty.is_none()
        && let Some((first, others)) = columns.split_first()
        && let Some(used) = leading_type(reader, &mut field, entry.text, first)
    {
        let rest = &first[used..];
        let said = constraints::parts(rest);
        let is_prose = said.iter().all(|part| matches!(constraints::read(part), constraints::Reading::Prose));
        if is_prose {
            field.description = prose(reader.source, entry.text, rest);
            enum_values::take(&mut field, rest);
        } else {
            parts.extend(said);
        }
        columns = others;
    }
    read_columns(reader, &mut field, entry.text, columns, &mut parts);
    for column in columns.iter().skip(1) {
        note_prose(reader, column);
    }
    finish(reader, &mut field, &parts);
    read_members(reader, &mut field, entry);
    Some(field)
}

/// Nested items that are fields are the members of an object, or of each object of a list.
fn read_members(reader: &mut Reader<'_>, field: &mut Field, entry: &Entry<'_>) {
    let takes_members = match field.ty.as_ref().map(|ty| &ty.value) {
        None | Some(Type::Json) => true,
        Some(Type::List(of)) => matches!(**of, Type::Json),
        Some(_) => false,
    };
    let below: Vec<Entry<'_>> =
        node_entries(entry.children).into_iter().filter(|entry| entry.is_item).collect();
    if !takes_members || below.is_empty() {
        return;
    }
    let is_declared = |inner: &Entry<'_>| {
        let tokens = tokens(reader.source, inner.text);
        tokens.first().is_some_and(is_name)
            && tokens.get(1).is_some_and(|next| next.is_mark("(") || is_separator(next))
    };
    if !below.iter().all(is_declared) {
        return;
    }
    let mut members: Vec<(Arc<str>, Type)> = Vec::new();
    for inner in &below {
        let Some(member) = self::field(reader, inner) else { continue };
        reader.class(inner, Class::Understood);
        let ty = member.ty.as_ref().map_or(Type::Json, |ty| ty.value.clone());
        members.push((Arc::from(member.name.value.as_str()), ty));
        field.members.push(member);
    }
    let object = Type::Object(members.into());
    let is_list = matches!(field.ty.as_ref().map(|ty| &ty.value), Some(Type::List(_)));
    let place = field.ty.as_ref().map_or(field.name.span, |ty| ty.span);
    let ty = if is_list { Type::List(Arc::new(object)) } else { object };
    field.ty = Some(Spanned::new(ty, place));
}

/// `enum: `a`, `b`` or `one of `a`, `b``: the values are the type. Says whether it was that.
fn enum_values(field: &mut Field, inside: &[Token<'_>]) -> bool {
    let rest = match inside {
        [word, mark, rest @ ..] if word.is_word("enum") && (mark.is_mark(":") || mark.is_mark(",")) => rest,
        [one, of, rest @ ..] if one.is_word("one") && of.is_word("of") => rest,
        [word, rest @ ..] if word.is_word("enum") => rest,
        _ => return false,
    };
    let is_glue =
        |token: &Token<'_>| token.is_word("or") || [",", "|", "/"].iter().any(|mark| token.is_mark(mark));
    let values: Vec<&Token<'_>> = rest.iter().filter(|token| !is_glue(token)).collect();
    let is_values = values.len() > 1
        && values.iter().all(|value| value.kind != TokenKind::Mark)
        && values.len() * 2 <= rest.len() + 1;
    let place = outer(inside).filter(|_| is_values);
    if let Some(place) = place {
        let values = values.iter().map(|value| Arc::from(value.text.trim_matches('"')));
        field.ty = Some(Spanned::new(Type::Enum(values.collect()), place));
    }
    place.is_some()
}

/// Whether tokens of a text are a type that is known.
pub(crate) fn is_type(reader: &Reader<'_>, text: &Text, tokens: &[Token<'_>]) -> bool {
    outer(tokens).is_some_and(|place| {
        let written = text.slice(reader.source, place.start, place.end).plain(reader.source);
        unknown(&read_type(&written, &reader.declared).ty).is_none()
    })
}

/// A part of what stands in parentheses behind a name: the type, else what must hold.
pub(crate) fn part_in_parentheses(
    reader: &mut Reader<'_>,
    field: &mut Field,
    text: &Text,
    part: &[Token<'_>],
) {
    let says = constraints::read(part);
    let is_prose = matches!(says, constraints::Reading::Prose);
    if field.ty.is_some()
        || (!is_prose && constraints::both_bounds(part).is_none() && location(part).is_none())
    {
        return finish(reader, field, &[part]);
    }
    if constraints::both_bounds(part).is_some() || location(part).is_some() {
        return finish(reader, field, &[part]);
    }
    let is_known = |reader: &Reader<'_>, tokens: &[Token<'_>]| is_type(reader, text, tokens);
    // `non-zero integer`: a type with words before it.
    if let [words @ .., last] = part
        && !words.is_empty()
        && !is_known(reader, part)
        && is_known(reader, std::slice::from_ref(last))
    {
        set_type(reader, field, text, std::slice::from_ref(last));
        return finish(reader, field, &[words]);
    }
    // No type begins with a digit: `6 digits`.
    let is_counted = part.first().is_some_and(|first| first.text.starts_with(|c: char| c.is_ascii_digit()));
    let is_words = (part.len() > 2 && part.iter().all(|token| token.kind == TokenKind::Word)) || is_counted;
    if is_words && !is_known(reader, part) {
        return finish(reader, field, &[part]);
    }
    set_type(reader, field, text, part);
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
        let (first, said) = without_tail(first);
        parts.extend(said);
        let own = constraints::parts(first);
        let is_constraints = others.is_empty()
            && !own.is_empty()
            && own.iter().all(|part| !matches!(constraints::read(part), constraints::Reading::Prose));
        if !is_constraints {
            field.description = prose(reader.source, text, first);
            enum_values::take(field, first);
            columns = others;
        }
    }
    for column in columns {
        parts.extend(constraints::parts(column));
    }
}

/// Notes each part of a column of constraints that is none: nothing would keep it.
fn note_prose(reader: &mut Reader<'_>, column: &[Token<'_>]) {
    for part in constraints::parts(column) {
        let is_prose = matches!(constraints::read(part), constraints::Reading::Prose)
            && constraints::both_bounds(part).is_none()
            && location(part).is_none();
        let Some(place) = outer(part).filter(|_| is_prose) else { continue };
        let text = place.slice(reader.source).to_owned();
        if !crate::unfinished::is_placeholder(&text) {
            let nearest = means_personal(&text).or_else(|| names::nearest(&text, CONSTRAINTS));
            reader.note(NoteKind::ConstraintNotUnderstood { text, nearest }, place);
        }
    }
}

/// What other words for the promise that no log shows a value are written with.
fn means_personal(text: &str) -> Option<&'static str> {
    let words = ["personal", "sensitive", "confidential", "private", "gdpr"];
    let text = text.to_lowercase();
    words.iter().any(|word| text.starts_with(word)).then_some("personal data")
}

/// The constraints that are words alone, for proposals.
const CONSTRAINTS: [&str; 12] = [
    "primary key",
    "required",
    "optional",
    "nullable",
    "unique",
    "indexed",
    "generated",
    "immutable",
    "write-only",
    "secret",
    "personal data",
    "append only",
];

/// A description without the constraints behind its last semicolon: ``what it is; default `1` ``.
fn without_tail<'a, 't>(column: &'a [Token<'t>]) -> (&'a [Token<'t>], Vec<&'a [Token<'t>]>) {
    let Some(at) = column.iter().rposition(|token| token.is_mark(";")) else { return (column, Vec::new()) };
    let said = constraints::parts(&column[at + 1..]);
    let is_said =
        |part: &&[Token<'_>]| matches!(constraints::read(part), constraints::Reading::Constraint(_));
    if at == 0 || said.is_empty() || !said.iter().all(is_said) {
        return (column, Vec::new());
    }
    (&column[..at], said)
}

/// The columns of a table of fields.
struct FieldColumns {
    name: usize,
    ty: Option<usize>,
    description: Option<usize>,
    constraints: Vec<usize>,
    required: Option<usize>,
    default: Option<usize>,
    location: Option<usize>,
}

const NAME_COLUMNS: [&str; 11] = [
    "field",
    "name",
    "parameter",
    "column",
    "property",
    "attribute",
    "field name",
    "input",
    "key",
    "argument",
    "member",
];

fn field_columns(source: &str, table: &Table) -> Option<FieldColumns> {
    let columns = Columns::new(source, table);
    let name = columns.exactly(&NAME_COLUMNS)?;
    let constraints = columns.titles().filter(|(at, title)| {
        let named =
            ["constraints", "constraint", "rules", "validation", "notes", "limits", "remarks", "key", "keys"];
        *at != name && crate::labels::begins_with(title, &named)
    });
    Some(FieldColumns {
        name,
        ty: columns.find(&["type", "data type", "datatype", "format", "sql type"]),
        description: columns.find(&[
            "description",
            "meaning",
            "what",
            "purpose",
            "comment",
            "details",
            "about",
        ]),
        constraints: constraints.map(|(at, _)| at).collect(),
        required: columns.find(&["required", "req", "mandatory", "optional", "opt", "nullable", "null"]),
        default: columns.find(&["default"]),
        location: columns.exactly(&["in", "location", "where", "place"]),
    })
}

/// Whether the columns of a table are those of fields: a name, and a type or constraints.
pub(crate) fn is_field_table(source: &str, table: &Table) -> bool {
    field_columns(source, table)
        .is_some_and(|columns| columns.ty.is_some() || !columns.constraints.is_empty())
}

/// The fields of a table whose columns are named.
pub(crate) fn table_fields(reader: &mut Reader<'_>, table: &Table, found: &mut Found) {
    let source = reader.source;
    let Some(columns) = field_columns(source, table) else { return reader.narrative_rows(table) };
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let names = cell(Some(columns.name)).map(|text| tokens(source, text)).unwrap_or_default();
        let Some(name) = names.first().filter(|token| is_name(token)) else {
            reader.model.classes.push((row.span, Class::Narrative));
            continue;
        };
        let mut field = new_field(name.spanned(), row.span);
        field.optional = names.get(1).is_some_and(|mark| mark.is_mark("?"));
        if let Some(text) = cell(columns.ty) {
            read_type_cell(reader, &mut field, text);
        }
        field.description = cell(columns.description).map(|text| reader.prose(text));
        if let Some(text) = cell(columns.description) {
            enum_values::take(&mut field, &tokens(source, text));
        }
        for text in columns.constraints.iter().filter_map(|at| cell(Some(*at))) {
            let tokens = tokens(source, text);
            enum_values::take(&mut field, &tokens);
            finish(reader, &mut field, &constraints::parts(&tokens));
        }
        read_requirement(reader, &mut field, table, row, &columns);
        finish(reader, &mut field, &[]);
        reader.model.classes.push((row.span, Class::Understood));
        add(reader, found, field);
    }
}

/// Whether the type is `enum` without values.
fn is_open_enum(field: &Field) -> bool {
    matches!(field.ty.as_ref().map(|ty| &ty.value), Some(Type::Enum(values)) if values.is_empty())
}

/// How many tokens at the start are a type, when what follows them says what must hold: ``uuid → `a.b` ``, `uuid PK`.
fn typed_head(reader: &Reader<'_>, text: &Text, tokens: &[Token<'_>]) -> Option<usize> {
    let is_known = |end: usize| {
        outer(&tokens[..end]).is_some_and(|place| {
            let written = text.slice(reader.source, place.start, place.end).plain(reader.source);
            unknown(&read_type(&written, &reader.declared).ty).is_none()
        })
    };
    (1..tokens.len()).rev().take(8).find(|end| {
        let rest = &tokens[*end..];
        let inner = match rest {
            [open, inner @ .., close] if open.is_mark("(") && close.is_mark(")") => inner,
            _ => rest,
        };
        let says = !matches!(
            constraints::read(inner),
            constraints::Reading::Prose | constraints::Reading::Broken(_)
        ) || constraints::both_bounds(inner).is_some();
        says && is_known(*end)
    })
}

/// A type, and behind a comma what must hold: `uuid, primary key`.
fn read_type_cell(reader: &mut Reader<'_>, field: &mut Field, text: &Text) {
    let tokens = tokens(reader.source, text);
    let is_whole = outer(&tokens).is_some_and(|place| {
        let written = text.slice(reader.source, place.start, place.end).plain(reader.source);
        unknown(&read_type(&written, &reader.declared).ty).is_none()
    });
    if !is_whole && let Some(end) = typed_head(reader, text, &tokens) {
        set_type(reader, field, text, &tokens[..end]);
        let rest = match &tokens[end..] {
            [open, inner @ .., close] if open.is_mark("(") && close.is_mark(")") => inner,
            rest => rest,
        };
        return finish(reader, field, &constraints::parts(rest));
    }
    let parts = split(&tokens, |token| token.is_mark(",") || token.is_mark(";"));
    match parts.split_first() {
        Some((first, rest)) if !rest.is_empty() => {
            set_type(reader, field, text, first);
            finish(reader, field, rest);
        }
        _ => set_type(reader, field, text, &tokens),
    }
}

/// The columns *Required*, *Nullable*, *Default* and *In*.
fn read_requirement(
    reader: &mut Reader<'_>,
    field: &mut Field,
    table: &Table,
    row: &Row,
    columns: &FieldColumns,
) {
    let source = reader.source;
    let cell = |at: Option<usize>| tables::cell(source, row, at);
    let shown = |text: &Text| {
        let plain = text.plain(source);
        let sign = plain.trim();
        if sign.chars().any(char::is_alphanumeric) { normal(sign) } else { sign.to_owned() }
    };
    let says = cell(columns.required).map(|text| (shown(text), text.span));
    let title =
        columns.required.and_then(|at| table.header.get(at)).map(|title| normal(&title.plain(source)));
    if let (Some((says, span)), Some(title)) = (says, title) {
        let is_yes =
            ["yes", "y", "true", "required", "x", "✓", "✔", "✅", "null", "nullable", "optional", "not null"];
        let is_no = ["no", "n", "false", "✗", "✘", "❌", "✕"];
        let asks_optional =
            ["optional", "opt", "nullable", "null"].iter().any(|word| title.starts_with(word));
        let is_optional = match says.as_str() {
            "required" | "not null" | "mandatory" => Some(false),
            "optional" | "nullable" | "null" => Some(true),
            word if is_yes.contains(&word) => Some(asks_optional),
            word if is_no.contains(&word) => Some(!asks_optional),
            _ => None,
        };
        if let Some(is_optional) = is_optional {
            let constraint = if is_optional { Constraint::Optional } else { Constraint::Required };
            field.constraints.push(Spanned::new(constraint, span));
        }
    }
    if let Some(text) = cell(columns.default) {
        let value = text.plain(source);
        let place = text.codes().next().map_or(text.span, |(_, code)| code.span());
        field.constraints.push(Spanned::new(Constraint::Default(Spanned::new(value, place)), text.span));
    }
    if let Some(text) = cell(columns.location) {
        let location = match &*normal(&text.plain(source)) {
            "path" => Some(Location::Path),
            "query" => Some(Location::Query),
            "body" => Some(Location::Body),
            "header" => Some(Location::Header(field.name.value.clone())),
            _ => None,
        };
        field.location = field.location.take().or(location.map(|location| Spanned::new(location, text.span)));
    }
}

pub(crate) fn new_field(name: Spanned<String>, span: Span) -> Field {
    Field {
        name,
        ty: None,
        optional: false,
        description: None,
        constraints: Vec::new(),
        members: Vec::new(),
        location: None,
        span,
    }
}

/// Whether a token can be the name of a field: code that is one word, or a word of letters, digits and `_`.
pub(crate) fn is_name(token: &Token<'_>) -> bool {
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
    let first = split(column, |token| [",", ";", "."].iter().any(|mark| token.is_mark(mark)))[0];
    let place = outer(first)?;
    let read = read_type(
        text.slice(reader.source, place.start, place.end).plain(reader.source).as_str(),
        &reader.declared,
    );
    if unknown(&read.ty).is_some() {
        // `integer (0–100)`, ``uuid → `a.b` ``
        let end = typed_head(reader, text, first)?;
        set_type(reader, field, text, &first[..end]);
        return Some(end);
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

pub(crate) fn nearest_type(reader: &Reader<'_>, name: &str) -> Option<String> {
    let declared = reader.declared.iter().map(String::as_str);
    names::nearest(name, TYPE_WORDS.into_iter().chain(declared)).map(str::to_owned)
}

fn put_type(field: &mut Field, read: TypeText, place: Span) {
    field.optional |= read.optional;
    field.constraints.extend(read.constraints.into_iter().map(|constraint| Spanned::new(constraint, place)));
    field.ty = Some(Spanned::new(read.ty, place));
}

/// Whether a description begins by saying that the field may be left out: `optional remark`.
fn says_optional(description: &str) -> bool {
    let mut words = description.split_whitespace();
    let first = words.next().unwrap_or_default().to_lowercase();
    first == "optional" || first == "optional," || first == "nullable"
}

/// Reads the constraints, and what follows from them for the field itself.
pub(crate) fn finish(reader: &mut Reader<'_>, field: &mut Field, parts: &[&[Token<'_>]]) {
    for part in parts {
        if let Some(location) = location(part) {
            field.location = location;
            continue;
        }
        constraints::add(reader, field, part);
    }
    field.description =
        field.description.take().filter(|text| !crate::unfinished::is_placeholder(&text.value));
    field.optional |= field.constraints.iter().any(|constraint| constraint.value == Constraint::Optional)
        || field.description.as_ref().is_some_and(|text| says_optional(&text.value));
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
