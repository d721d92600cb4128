//! Rows as JSON, for events and messages. Everything else about JSON is the language's.

use formwork_language::program::Schema;
use formwork_language::value::{Row, Value, json};

/// Appends a value as JSON; an absent one as `null`, a row as the object of its fields that are not hidden.
pub fn push_json(out: &mut String, value: &Value, schema: &Schema, rows: &[Row]) {
    json::write(value, out, &mut |index, out| {
        let row = rows.get(index as usize);
        let entity = row.and_then(|row| schema.entities.get(usize::from(row.entity)));
        let (Some(row), Some(entity)) = (row, entity) else {
            out.push_str("null");
            return;
        };
        out.push('{');
        let shown = entity.fields.iter().zip(&row.values).filter(|(field, _)| !field.hidden);
        for (at, (field, value)) in shown.enumerate() {
            if at > 0 {
                out.push(',');
            }
            json::quote(&field.name, out);
            out.push(':');
            // A column holds no row.
            json::write(value, out, &mut |_, out| out.push_str("null"));
        }
        out.push('}');
    });
}
