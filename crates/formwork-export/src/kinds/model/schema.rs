//! A reference interface as JSON Schema 2020-12: its own schema, or one made from its members' types.

use super::Out;
use formwork_model::sections::closing::Interface;
use formwork_model::values::Type;
use serde_json::{Map, Value, json};

/// The dialect that a schema without a marker has.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of an interface; `null` when its fence is neither a schema nor an object of type words.
pub(super) fn of_interface(out: &Out<'_>, interface: &Interface) -> Value {
    if interface.fields.is_empty() {
        let Some(fence) = &interface.fence else { return Value::Null };
        let text: String = fence.lines.iter().map(|line| out.written(*line)).collect();
        return serde_json::from_str(&text).ok().filter(Value::is_object).unwrap_or(Value::Null);
    }
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in &interface.fields {
        let schema = field.ty.as_ref().map_or_else(|| json!({}), |ty| of_type(&ty.value));
        properties.insert(field.name.value.clone(), schema);
        if !field.optional {
            required.push(field.name.value.as_str());
        }
    }
    json!({"$schema": DIALECT, "type": "object", "properties": properties, "required": required})
}

fn of_type(ty: &Type) -> Value {
    match ty {
        Type::String => json!({"type": "string"}),
        Type::Integer => json!({"type": "integer"}),
        Type::Double => json!({"type": "number"}),
        Type::Decimal { .. } => json!({"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}),
        Type::Boolean => json!({"type": "boolean"}),
        Type::Uuid => json!({"type": "string", "format": "uuid"}),
        Type::Timestamp => json!({"type": "string", "format": "date-time"}),
        Type::Date => json!({"type": "string", "format": "date"}),
        Type::Time => json!({"type": "string", "format": "time"}),
        Type::Duration => json!({"type": "string"}),
        Type::Json | Type::Unknown(_) => json!({}),
        Type::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Type::Uri => json!({"type": "string", "format": "uri"}),
        Type::Email => json!({"type": "string", "format": "email"}),
        Type::List(of) => json!({"type": "array", "items": of_type(of)}),
        Type::Enum(values) => json!({"enum": values.iter().map(|value| &**value).collect::<Vec<&str>>()}),
        Type::Object(members) => {
            let properties: Map<String, Value> =
                members.iter().map(|(name, ty)| (name.to_string(), of_type(ty))).collect();
            json!({"type": "object", "properties": properties})
        }
        Type::Named(name) => json!({"title": &**name}),
    }
}
