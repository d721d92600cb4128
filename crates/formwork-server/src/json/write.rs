//! Writes values and rows as JSON, straight into the bytes of an answer.

use crate::forms;
use base64::Engine;
use formwork_language::program::{EntityId, FieldId, Schema};
use formwork_language::value::{Row, Value};
use std::sync::Arc;

/// Which fields of a row are sent, each with its name as JSON and a colon.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns(Vec<(FieldId, Box<[u8]>)>);

impl Columns {
    /// The fields of an entity that may be sent: those named, or all; never a hidden one.
    pub(crate) fn new(schema: &Schema, entity: EntityId, named: Option<&[Arc<str>]>) -> Self {
        let Some(entity) = schema.entities.get(usize::from(entity)) else { return Self::default() };
        let field = |id: usize| -> Option<(FieldId, Box<[u8]>)> {
            let field = entity.fields.get(id)?;
            let mut name = Vec::with_capacity(field.name.len() + 3);
            write_text(&mut name, &field.name);
            name.push(b':');
            (!field.hidden).then_some((FieldId::try_from(id).ok()?, name.into()))
        };
        Self(match named {
            Some(names) => names
                .iter()
                .filter_map(|name| entity.fields.iter().position(|field| field.name == *name))
                .filter_map(field)
                .collect(),
            None => (0..entity.fields.len()).filter_map(field).collect(),
        })
    }
}

/// For each entity of a schema, all of its fields that may be sent.
pub(crate) fn every_entity(schema: &Schema) -> Vec<Columns> {
    let entities = 0..EntityId::try_from(schema.entities.len()).unwrap_or(EntityId::MAX);
    entities.map(|entity| Columns::new(schema, entity, None)).collect()
}

/// Writes the values of one answer.
pub(crate) struct Writer<'a> {
    /// What is written.
    pub(crate) out: Vec<u8>,
    rows: &'a [Row],
    projected: Option<(EntityId, &'a Columns)>,
    every: &'a [Columns],
}

impl<'a> Writer<'a> {
    /// A writer over the rows of an answer. `projected` holds for rows of that entity on the outermost level,
    /// `every` (by entity) for all others.
    pub(crate) fn new(
        rows: &'a [Row],
        projected: Option<(EntityId, &'a Columns)>,
        every: &'a [Columns],
    ) -> Self {
        Self { out: Vec::with_capacity(256), rows, projected, every }
    }

    /// The answer's own value: a row or a list of rows is projected.
    pub(crate) fn answer(&mut self, value: &Value) {
        match value {
            Value::List(items) => self.answers(items),
            value => self.value(value, true),
        }
    }

    /// A row, projected, with further members behind its fields.
    pub(crate) fn row_with(&mut self, row: &Value, parts: &[(Arc<str>, Value)]) {
        self.value(row, true);
        if self.out.pop() != Some(b'}') {
            // It is no row any more.
            return self.out.extend_from_slice(b"l");
        }
        for (name, list) in parts {
            if self.out.last() != Some(&b'{') {
                self.out.push(b',');
            }
            write_text(&mut self.out, name);
            self.out.push(b':');
            self.value(list, false);
        }
        self.out.push(b'}');
    }

    /// The items of a list or page, projected.
    pub(crate) fn answers(&mut self, items: &[Value]) {
        self.out.push(b'[');
        for (position, item) in items.iter().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            self.value(item, true);
        }
        self.out.push(b']');
    }

    fn value(&mut self, value: &Value, outermost: bool) {
        match value {
            Value::Row(index) => self.row(*index, outermost),
            Value::List(items) => {
                self.out.push(b'[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        self.out.push(b',');
                    }
                    self.value(item, false);
                }
                self.out.push(b']');
            }
            Value::Map(members) => {
                self.out.push(b'{');
                for (position, (key, member)) in members.iter().enumerate() {
                    if position > 0 {
                        self.out.push(b',');
                    }
                    write_text(&mut self.out, &plain_text(key));
                    self.out.push(b':');
                    self.value(member, false);
                }
                self.out.push(b'}');
            }
            plain => write_plain(&mut self.out, plain),
        }
    }

    fn row(&mut self, index: u32, outermost: bool) {
        let Some(row) = usize::try_from(index).ok().and_then(|index| self.rows.get(index)) else {
            self.out.extend_from_slice(b"null");
            return;
        };
        let columns = match self.projected {
            Some((entity, columns)) if outermost && entity == row.entity => Some(columns),
            _ => self.every.get(usize::from(row.entity)),
        };
        self.out.push(b'{');
        for (position, (field, name)) in
            columns.map(|columns| &columns.0[..]).unwrap_or_default().iter().enumerate()
        {
            if position > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(name);
            self.value(row.values.get(usize::from(*field)).unwrap_or(&Value::Null), false);
        }
        self.out.push(b'}');
    }
}

/// Writes a text with quotes and escapes.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
                out.push(b"0123456789abcdef"[usize::from(byte & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// Writes a value that is neither row, list nor map.
fn write_plain(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Value::Unsigned(number) => out.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        // JSON has no NaN and no infinity; the engine refuses to store or answer them.
        Value::Double(number) if number.is_finite() => {
            out.extend_from_slice(ryu::Buffer::new().format_finite(*number).as_bytes());
        }
        Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Absent | Value::Null | Value::Double(_) | Value::List(_) | Value::Map(_) | Value::Row(_) => {
            out.extend_from_slice(b"null");
        }
        Value::Text(text) => write_text(out, text),
        other => write_text(out, &plain_text(other)),
    }
}

/// A value as text without quotes, as paths and headers carry it; empty for what has no text.
pub(crate) fn plain_text(value: &Value) -> String {
    match value {
        Value::Absent | Value::Null | Value::List(_) | Value::Map(_) | Value::Row(_) => String::new(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Decimal(decimal) => forms::format_decimal(*decimal),
        Value::Double(number) => number.to_string(),
        Value::Text(text) | Value::Json(text) => text.to_string(),
        Value::Bytes(bytes) => base64::engine::general_purpose::STANDARD.encode(bytes),
        Value::Uuid(bytes) => forms::format_uuid(bytes),
        Value::Timestamp(instant) => forms::format_timestamp(*instant),
        Value::Date(days) => forms::format_date(*days),
        Value::Time(time) => forms::format_time(*time),
        Value::Duration(duration) => forms::format_duration(*duration),
        Value::Type(name) => (*name).to_owned(),
    }
}
