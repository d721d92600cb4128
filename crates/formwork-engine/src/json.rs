//! Values as JSON and, for what a store keeps as JSON text, back: lists and objects with typed members.
//! Source: language reference, *Types* (column JSON).

use crate::text;
use formwork_language::program::Schema;
use formwork_language::value::{Row, Value};
use formwork_model::values::Type;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Appends a value as JSON; an absent one as `null`, a row as the object of its fields that are not hidden.
pub fn push_json(out: &mut String, value: &Value, schema: &Schema, rows: &[Row]) {
    match value {
        Value::Absent | Value::Null => out.push_str("null"),
        Value::Boolean(_) | Value::Integer(_) | Value::Unsigned(_) => text::push_text(out, value),
        // NaN and infinity are refused before they are stored or answered; JSON has no word for them.
        Value::Double(number) => match serde_json::Number::from_f64(*number) {
            Some(number) => out.push_str(&number.to_string()),
            None => out.push_str("null"),
        },
        Value::Json(json) => out.push_str(json),
        Value::Text(text) => push_string(out, text),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                comma(out, at);
                push_json(out, item, schema, rows);
            }
            out.push(']');
        }
        Value::Map(members) => {
            out.push('{');
            for (at, (key, value)) in members.iter().enumerate() {
                comma(out, at);
                let mut name = String::new();
                text::push_text(&mut name, key);
                push_string(out, &name);
                out.push(':');
                push_json(out, value, schema, rows);
            }
            out.push('}');
        }
        Value::Row(index) => push_row(out, *index, schema, rows),
        Value::Decimal(_)
        | Value::Bytes(_)
        | Value::Uuid(_)
        | Value::Timestamp(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Duration(_)
        | Value::Type(_) => {
            // None of these holds a character that JSON escapes.
            out.push('"');
            text::push_text(out, value);
            out.push('"');
        }
    }
}

fn push_row(out: &mut String, index: u32, schema: &Schema, rows: &[Row]) {
    let row = rows.get(index as usize);
    let entity = row.and_then(|row| schema.entities.get(usize::from(row.entity)));
    let (Some(row), Some(entity)) = (row, entity) else {
        out.push_str("null");
        return;
    };
    out.push('{');
    let mut written = 0;
    for (field, value) in entity.fields.iter().zip(&row.values) {
        if !field.hidden {
            comma(out, written);
            push_string(out, &field.name);
            out.push(':');
            push_json(out, value, schema, rows);
            written += 1;
        }
    }
    out.push('}');
}

fn comma(out: &mut String, at: usize) {
    if at > 0 {
        out.push(',');
    }
}

/// Appends a JSON string (RFC 8259, 7): only what must be escaped is.
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[clean..at]);
        clean = at + 1;
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[clean..]);
    out.push('"');
}

/// Reads JSON text of a known type, as [`push_json`] writes it; nothing when it does not fit.
pub fn read_typed(json: &str, ty: &Type) -> Option<Value> {
    let json = json.trim();
    if json == "null" {
        return Some(Value::Null);
    }
    Some(match ty {
        Type::Json | Type::Named(_) | Type::Unknown(_) => {
            let raw: &RawValue = serde_json::from_str(json).ok()?;
            Value::Json(Arc::from(raw.get()))
        }
        Type::Integer => Value::Integer(serde_json::from_str(json).ok()?),
        Type::Double => Value::Double(serde_json::from_str(json).ok()?),
        Type::Boolean => Value::Boolean(serde_json::from_str(json).ok()?),
        Type::List(of) => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            Value::List(items.into_iter().map(|item| read_typed(item.get(), of)).collect::<Option<_>>()?)
        }
        Type::Object(members) => {
            let found: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
            let mut values = Vec::with_capacity(members.len());
            for (name, ty) in members.iter() {
                if let Some(raw) = found.get(&**name) {
                    values.push((Value::Text(Arc::clone(name)), read_typed(raw.get(), ty)?));
                }
            }
            Value::Map(values.into())
        }
        _ => {
            let text: String = serde_json::from_str(json).ok()?;
            read_text(&text, ty)?
        }
    })
}

/// Reads the text form of a type whose JSON is a string; nothing for other types or when it does not fit.
pub fn read_text(text: &str, ty: &Type) -> Option<Value> {
    use base64::Engine as _;
    Some(match ty {
        Type::String | Type::Uri | Type::Email | Type::Enum(_) => Value::Text(Arc::from(text)),
        Type::Decimal { .. } => Value::Decimal(text::parse_decimal(text)?),
        Type::Uuid => Value::Uuid(text::parse_uuid(text)?),
        Type::Timestamp => Value::Timestamp(text::parse_timestamp(text)?),
        Type::Date => Value::Date(text::parse_date(text)?),
        Type::Time => Value::Time(text::parse_time(text)?),
        Type::Duration => Value::Duration(text::parse_duration(text)?),
        Type::Bytes => Value::Bytes(base64::engine::general_purpose::STANDARD.decode(text).ok()?.into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &Value) -> String {
        let mut out = String::new();
        push_json(&mut out, value, &Schema::default(), &[]);
        out
    }

    #[test]
    fn strings_are_escaped_only_where_json_demands_it() {
        assert_eq!(written(&Value::Text("a\"\\\n\u{1}é/".into())), "\"a\\\"\\\\\\n\\u0001é/\"");
    }

    #[test]
    fn typed_lists_and_objects_come_back_as_they_were() {
        let ty = Type::List(Arc::new(Type::Object(Arc::from([
            (Arc::from("at"), Type::Timestamp),
            (Arc::from("price"), Type::Decimal { precision: 6, scale: 2 }),
            (Arc::from("raw"), Type::Json),
        ]))));
        let json = r#"[{"at":"2030-01-01T00:00:00Z","price":"1.50","raw":{"b":1,"a":1.10}},{"at":null}]"#;
        let value = read_typed(json, &ty).unwrap();
        assert_eq!(written(&value), json);
        assert!(read_typed("[1]", &ty).is_none());
    }
}
