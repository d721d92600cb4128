//! Fields that a fence declares: a JSON Schema, an object whose values are type words, or lines such as
//! `state: enum(open, closed)  # how it is` and `tags?: string[];`.
//!
//! A fence of examples declares nothing: where a value is no type, the fence is left alone. Tables in SQL are read in
//! [`crate::ddl`]. Source: language reference, *Finding the places* and *Reference interfaces*.

use crate::constraints;
use crate::facts::{Constraint, Field};
use crate::fields;
use crate::json::{self, Json, Kind};
use crate::notes::NoteKind;
use crate::reader::{Declared, Reader};
use crate::tokens::{outer, tokens};
use crate::values::Type;
use crate::values::type_words::{TypeText, read_type, unknown};
use formwork_syntax::{Fence, Piece, PieceKind, Span, Spanned, Text};
use std::sync::Arc;

/// A group of fields and the name that the fence gives it.
pub(crate) struct Shape {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) fields: Vec<Field>,
}

/// The fields of a fence that holds one object: a schema, or members whose values are types.
pub(crate) fn object(reader: &mut Reader<'_>, fence: &Fence) -> Option<Vec<Field>> {
    let value = json::read(reader.source, fence)?;
    let found = match value.get("properties") {
        Some(properties) => schema_fields(&value, properties, &reader.declared),
        None => typed_members(reader, &value)?,
    };
    (!found.is_empty()).then(|| {
        reader.model.classes.extend(found.iter().map(|field| (field.span, crate::model::Class::Understood)));
        found
    })
}

/// The fields of a fence that declares one group of them: an object, or lines of one shape.
pub(crate) fn fields(reader: &mut Reader<'_>, fence: &Fence) -> Option<Vec<Field>> {
    if let Some(found) = object(reader, fence) {
        return Some(found);
    }
    match <[Shape; 1]>::try_from(lines(reader, fence)) {
        Ok([only]) => Some(only.fields),
        Err(_) => None,
    }
}

/// The names of the shapes that a fence of lines declares, if every line of it is one of a declaration.
pub(crate) fn names(source: &str, fence: &Fence) -> Vec<String> {
    let mut found = Vec::new();
    for line in declaring(source, fence) {
        match header(source, line) {
            Some(name) => found.push(name.value),
            None if found.is_empty() || parts_of(source, line).is_none() => return Vec::new(),
            None => {}
        }
    }
    found
}

/// The lines of a fence without comments, brackets and empty ones.
fn declaring<'f>(source: &'f str, fence: &'f Fence) -> impl Iterator<Item = Span> + 'f {
    fence
        .lines
        .iter()
        .map(|line| split_comment(source, *line).0)
        .filter(move |code| !is_frame(code.slice(source)))
}

/// Whether a line without its comment holds no more than brackets, or is part of a comment of several lines.
fn is_frame(code: &str) -> bool {
    let text = code.trim();
    text.is_empty()
        || matches!(text, "}" | "};" | "{" | "---")
        || text.starts_with("/*")
        || text.starts_with("*")
}

/// The members of an object whose values are all types: `"id": "uuid"`.
fn typed_members(reader: &Reader<'_>, value: &Json) -> Option<Vec<Field>> {
    let mut found = Vec::new();
    for (name, place, value) in value.members() {
        let (written, ty) = match &value.kind {
            Kind::String(text) => (value.span, member_type(text, &reader.declared)?),
            _ => return None,
        };
        let mut field = fields::new_field(Spanned::new(name.clone(), *place), place.to(written));
        field.optional = ty.optional;
        field.constraints.extend(ty.constraints.into_iter().map(|value| Spanned::new(value, written)));
        field.ty = Some(Spanned::new(ty.ty, written));
        found.push(field);
    }
    Some(found)
}

/// The type of an example-like member: `uuid`, `string, required`, `free | taken`.
fn member_type(text: &str, declared: &Declared) -> Option<TypeText> {
    let whole = read_type(text, declared);
    if unknown(&whole.ty).is_none() {
        return Some(whole);
    }
    let values: Vec<&str> = text.split('|').map(str::trim).collect();
    let is_word =
        |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let are_types = values.iter().all(|word| unknown(&read_type(word, declared).ty).is_none());
    if values.len() > 1 && values.iter().all(is_word) && !are_types {
        let values = values.into_iter().map(Arc::from).collect();
        return Some(TypeText { ty: Type::Enum(values), ..whole });
    }
    let (first, rest) = text.split_once(',')?;
    let read = read_type(first, declared);
    let says = |word: &str| rest.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
    let optional = read.optional || says("optional") || says("nullable");
    unknown(&read.ty).is_none().then_some(TypeText { optional, ..read })
}

/// One field for each of a schema's properties; what is not required is optional.
fn schema_fields(schema: &Json, properties: &Json, declared: &Declared) -> Vec<Field> {
    let required: Vec<&str> =
        schema.get("required").map(Json::items).unwrap_or_default().iter().filter_map(Json::text).collect();
    let one = |(name, place, value): &(String, Span, Json)| {
        let mut field = fields::new_field(Spanned::new(name.clone(), *place), place.to(value.span));
        let ty = schema_type(value, declared);
        field.ty = Some(Spanned::new(ty, value.get("type").map_or(value.span, |ty| ty.span)));
        field.optional = !required.contains(&name.as_str());
        field.description = value
            .get("description")
            .and_then(|about| Some(Spanned::new(about.text()?.to_owned(), about.span)));
        field.constraints = schema_constraints(value);
        if required.contains(&name.as_str()) {
            field.constraints.push(Spanned::new(Constraint::Required, *place));
        }
        field
    };
    properties.members().iter().map(one).collect()
}

/// The type of a schema, as the language has it.
fn schema_type(schema: &Json, declared: &Declared) -> Type {
    if let Some(values) = schema.get("enum") {
        return Type::Enum(values.items().iter().filter_map(Json::scalar).map(Arc::from).collect());
    }
    if let Some(name) = schema.get("$ref").and_then(Json::text) {
        let name = name.rsplit(['/', '#']).next().unwrap_or(name);
        return declared.find(name).map_or(Type::Json, |name| Type::Named(Arc::from(name)));
    }
    let ty = schema.get("type");
    // `["string", "null"]`: the first that is not null.
    let word = ty
        .and_then(Json::text)
        .or_else(|| ty?.items().iter().filter_map(Json::text).find(|word| *word != "null"));
    let format = schema.get("format").and_then(Json::text).unwrap_or_default();
    match word.unwrap_or_default() {
        "string" => match format {
            "uuid" => Type::Uuid,
            "date-time" => Type::Timestamp,
            "date" => Type::Date,
            "time" => Type::Time,
            "duration" => Type::Duration,
            "email" | "idn-email" => Type::Email,
            "uri" | "url" | "iri" => Type::Uri,
            "byte" | "binary" => Type::Bytes,
            _ => Type::String,
        },
        "integer" => Type::Integer,
        "number" => Type::Double,
        "boolean" => Type::Boolean,
        "array" => {
            let of = schema.get("items").map_or(Type::Json, |items| schema_type(items, declared));
            Type::List(Arc::new(of))
        }
        "object" => match schema.get("properties") {
            Some(properties) if !properties.members().is_empty() => Type::Object(
                properties
                    .members()
                    .iter()
                    .map(|(name, _, value)| (Arc::from(name.as_str()), schema_type(value, declared)))
                    .collect(),
            ),
            _ => Type::Json,
        },
        _ => Type::Json,
    }
}

fn schema_constraints(schema: &Json) -> Vec<Spanned<Constraint>> {
    let mut found = Vec::new();
    let mut add = |value: &Json, constraint: Constraint| found.push(Spanned::new(constraint, value.span));
    for (name, _, value) in schema.members() {
        let Some(written) = value.scalar() else { continue };
        let count = || written.parse::<u64>().ok();
        let bound = |exclusive| (written.to_owned(), exclusive);
        match name.as_str() {
            "minimum" | "exclusiveMinimum" => {
                let (value_text, exclusive) = bound(name.starts_with('e'));
                add(value, Constraint::Min { value: value_text, exclusive });
            }
            "maximum" | "exclusiveMaximum" => {
                let (value_text, exclusive) = bound(name.starts_with('e'));
                add(value, Constraint::Max { value: value_text, exclusive });
            }
            "minLength" => count().into_iter().for_each(|count| add(value, Constraint::MinLength(count))),
            "maxLength" => count().into_iter().for_each(|count| add(value, Constraint::MaxLength(count))),
            "minItems" => count().into_iter().for_each(|count| add(value, Constraint::MinItems(count))),
            "maxItems" => count().into_iter().for_each(|count| add(value, Constraint::MaxItems(count))),
            "pattern" => add(value, Constraint::Pattern(written.to_owned())),
            "default" => {
                let text = match &value.kind {
                    Kind::String(text) => format!("\"{text}\""),
                    _ => written.to_owned(),
                };
                add(value, Constraint::Default(Spanned::new(text, value.span)));
            }
            _ => {}
        }
    }
    found
}

/// The groups of fields in a fence of lines (`name: type  # what must hold`), if every line is one or a bracket.
///
/// Shape: a group without a name for lines outside braces; one with a name for `interface Name {` and its like.
pub(crate) fn lines(reader: &mut Reader<'_>, fence: &Fence) -> Vec<Shape> {
    let source = reader.source;
    let mut found: Vec<Shape> = Vec::new();
    let mut is_open = false;
    let info = fence.info.slice(source).trim();
    let is_script = ["ts", "typescript", "js", "javascript", "tsx"].contains(&info);
    for line in &fence.lines {
        let (code, about) = split_comment(source, *line);
        let text = code.slice(source).trim();
        if is_frame(text) {
            is_open &= !text.starts_with('}');
            continue;
        }
        if let Some(name) = header(source, code) {
            found.push(Shape { name: Some(name), fields: Vec::new() });
            is_open = true;
            continue;
        }
        let Some(mut field) = line_field(reader, code, about, is_open) else { return Vec::new() };
        // The language of the fence has one word for a day and an instant.
        if is_script && let Some(Spanned { value: ty @ Type::Date, .. }) = &mut field.ty {
            *ty = Type::Timestamp;
        }
        match found.last_mut().filter(|shape| is_open || shape.name.is_none()) {
            Some(shape) => shape.fields.push(field),
            None => found.push(Shape { name: None, fields: vec![field] }),
        }
    }
    found.retain(|shape| !shape.fields.is_empty());
    let read = found.iter().flat_map(|shape| &shape.fields);
    reader.model.classes.extend(read.map(|field| (field.span, crate::model::Class::Understood)));
    found
}

/// Whether a fence declares fields, without reading them; `declared` is not known yet when this is asked.
pub(crate) fn declares(source: &str, fence: &Fence) -> bool {
    let declared = Declared::default();
    let mut count = 0;
    for line in &fence.lines {
        let (code, _) = split_comment(source, *line);
        if is_frame(code.slice(source)) || header(source, code).is_some() {
            continue;
        }
        let Some((_, _, ty)) = parts_of(source, code) else { return false };
        if unknown(&read_type(ty.slice(source), &declared).ty).is_none() {
            count += 1;
        }
    }
    let is_object = || {
        let value = json::read(source, fence);
        let is_typed = |value: &Json| {
            let members = value.members();
            value.get("properties").is_some()
                || (!members.is_empty()
                    && members.iter().all(|(.., value)| {
                        value.text().is_some_and(|text| unknown(&read_type(text, &declared).ty).is_none())
                    }))
        };
        value.is_some_and(|value| is_typed(&value))
    };
    count > 0 || is_object()
}

/// `interface Name {`, `type Name = {`, `class Name:`, `struct Name {`.
fn header(source: &str, line: Span) -> Option<Spanned<String>> {
    const WORDS: [&str; 8] =
        ["interface", "type", "class", "struct", "message", "model", "record", "data class"];
    let text = line.slice(source);
    let is_open = text.trim_end().ends_with(['{', '(']);
    let mut rest = text.trim_start();
    for lead in ["export ", "public ", "pub ", "final "] {
        rest = rest.strip_prefix(lead).unwrap_or(rest);
    }
    let word = WORDS.iter().find(|word| {
        rest.strip_prefix(**word).is_some_and(|behind| behind.starts_with(char::is_whitespace))
    })?;
    let behind = rest[word.len()..].trim_start();
    let end = behind.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(behind.len());
    let start = line.start + (text.len() - behind.len()) as u32;
    (is_open && end > 0).then(|| Spanned::new(behind[..end].to_owned(), Span::new(start, start + end as u32)))
}

/// A line without its comment, and the comment without its mark.
fn split_comment(source: &str, line: Span) -> (Span, Option<Span>) {
    let text = line.slice(source).trim_end();
    let mark = ["//", "# ", "#\t", "--"]
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| (at, mark.trim_end().len())))
        .filter(|(at, _)| *at == 0 || text[..*at].ends_with(char::is_whitespace))
        .min();
    match mark {
        Some((at, length)) => {
            (line.part(0, at as u32), Some(line.part((at + length) as u32, text.len() as u32)))
        }
        None => (line.part(0, text.len() as u32), None),
    }
}

/// The name, whether it is optional, and the type of `tags?: string[];`.
fn parts_of(source: &str, line: Span) -> Option<(Span, bool, Span)> {
    let text = line.slice(source);
    let from = text.len() - text.trim_start_matches([' ', '\t', '-', '"', '\'']).len();
    let body = &text[from..];
    let end = body.find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    let behind = body[end..].trim_start_matches(['"', '\'']);
    let (is_optional, behind) = match behind.strip_prefix('?') {
        Some(behind) => (true, behind),
        None => (false, behind),
    };
    let ty = behind.trim_start().strip_prefix(':')?;
    let shown = ty.trim().trim_end_matches([';', ',']).trim_end();
    if end == 0 || shown.is_empty() {
        return None;
    }
    let start = text.len() - ty.trim_start().len();
    Some((
        line.part(from as u32, (from + end) as u32),
        is_optional,
        line.part(start as u32, (start + shown.len()) as u32),
    ))
}

/// A field of a line; none if what stands behind the colon is no type. Inside a declaration with a name every line is a
/// field: a type that the language does not know is noted, and kept as it is.
fn line_field(reader: &mut Reader<'_>, code: Span, about: Option<Span>, is_declared: bool) -> Option<Field> {
    let (name, is_optional, written) = parts_of(reader.source, code)?;
    let text = written.slice(reader.source);
    let nullable = text.strip_suffix("| null").or_else(|| text.strip_suffix("| undefined"));
    let read = read_type(nullable.map_or(text, str::trim_end), &reader.declared);
    // Behind a comma what must hold: `uuid, primary key`.
    let (read, rest) = match unknown(&read.ty).and_then(|_| text.split_once(',')) {
        Some((first, _)) => (read_type(first, &reader.declared), Some(first.len() + 1)),
        None => (read, None),
    };
    if let Some(unknown) = unknown(&read.ty) {
        if !is_declared {
            return None;
        }
        let nearest = fields::nearest_type(reader, unknown);
        reader.note(NoteKind::UnknownType { name: unknown.to_owned(), nearest }, written);
    }
    let place = name.to(about.unwrap_or(written));
    let mut field = fields::new_field(Spanned::new(name.slice(reader.source).to_owned(), name), place);
    field.optional = is_optional || read.optional || nullable.is_some();
    field.constraints.extend(read.constraints.into_iter().map(|value| Spanned::new(value, written)));
    field.ty = Some(Spanned::new(read.ty, written));
    for said in rest.map(|from| written.part(from as u32, written.len())).into_iter().chain(about) {
        let text = plain(said);
        let all = tokens(reader.source, &text);
        let parts = constraints::parts(&all);
        let is_constraints =
            parts.iter().any(|part| !matches!(constraints::read(part), constraints::Reading::Prose));
        if is_constraints {
            fields::finish(reader, &mut field, &parts);
        } else if let Some(place) = outer(&all) {
            field.description = Some(Spanned::new(place.slice(reader.source).to_owned(), place));
        }
    }
    Some(field)
}

/// A text of one plain piece.
pub(crate) fn plain(span: Span) -> Text {
    let piece = Piece { kind: PieceKind::Text, span, strong: false, emphasis: false, link: false };
    Text { span, pieces: vec![piece] }
}
