//! Types and rules of fields as JSON Schema (2020-12): what a caller may send, and what it will get.
//!
//! A decimal is a text with its digits, and may be sent as a number as well; bounds that a schema cannot say of a text stand in its description. A pattern is
//! written only where every dialect of regular expressions reads it alike. Source: language reference, *Types*.

use formwork_language::constraint::{FieldRules, Format, Member};
use formwork_language::expression::Expression;
use formwork_language::program::{EntitySchema, FieldSchema, InputField, Operation, Schema};
use formwork_language::value::{Decimal, Value as Constant, json as plain};
use formwork_model::Model;
use formwork_model::facts::Field;
use formwork_model::values::Type;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Which way a value travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To us: what is not declared is refused.
    In,
    /// From us.
    Out,
}

/// Writes schemas of one document.
pub(super) struct Schemas<'a> {
    /// Where named schemas stand, with the slash at its end.
    prefix: &'static str,
    entities: &'a [EntitySchema],
    /// What fields mean, by the place where they are declared.
    descriptions: FxHashMap<u32, &'a str>,
}

impl<'a> Schemas<'a> {
    /// For the schemas of a document that stand at `prefix` (`#/$defs/`).
    pub(super) fn new(model: &'a Model, entities: &'a [EntitySchema], prefix: &'static str) -> Self {
        let mut descriptions = FxHashMap::default();
        let operations = model.operations.iter().chain(&model.endpoints);
        let inputs =
            operations.flat_map(|operation| operation.input.fields.iter().chain(&operation.output.fields));
        let interfaces = model.interfaces.iter().flat_map(|interface| &interface.fields);
        let fields = model.entities.iter().flat_map(|entity| &entity.fields);
        for field in inputs.chain(interfaces).chain(fields) {
            if let Some(text) = meaning(field) {
                descriptions.insert(field.span.start, text);
            }
        }
        Self { prefix, entities, descriptions }
    }

    /// Where a named schema stands.
    pub(super) fn reference(&self, name: &str) -> Value {
        json!({"$ref": format!("{}{}", self.prefix, safe(name))})
    }

    /// A row of an entity as it is answered: every field that may be seen, absent ones as null.
    pub(super) fn row(&self, entity: &EntitySchema, named: Option<&[Arc<str>]>, model: &Model) -> Value {
        let declared = model.entities.iter().find(|declared| *declared.name.value == *entity.name);
        let shown = entity
            .fields
            .iter()
            .filter(|field| !field.hidden && named.is_none_or(|names| names.contains(&field.name)));
        let mut properties = Map::new();
        for field in shown {
            let meant = declared
                .and_then(|declared| declared.fields.iter().find(|each| *each.name.value == *field.name))
                .and_then(meaning);
            properties.insert(field.name.to_string(), self.column(field, meant));
        }
        object(properties, |_| true, Way::Out)
    }

    fn column(&self, field: &FieldSchema, meant: Option<&str>) -> Value {
        let schema = self.value(&field.ty, &field.rules, Way::Out);
        let schema = if field.optional { nullable(schema) } else { schema };
        described(schema, meant)
    }

    /// The fields of an object, of which those that may be left out are not required.
    pub(super) fn fields<'f>(&self, fields: impl Iterator<Item = &'f InputField>, way: Way) -> Value {
        let mut properties = Map::new();
        let mut optional = Vec::new();
        for field in fields {
            if field.optional {
                optional.push(field.name.clone());
            }
            properties.insert(field.name.to_string(), self.field(field, way));
        }
        object(properties, |name| !optional.iter().any(|other| **other == *name), way)
    }

    /// What an operation is sent: those of its inputs that are chosen.
    pub(super) fn sent(
        &self,
        operation: &Operation,
        rows: &Schema,
        chosen: impl Fn(&InputField) -> bool,
    ) -> Value {
        let fields = || operation.input.fields.iter().enumerate().filter(|(_, field)| chosen(field));
        let mut schema = self.fields(fields().map(|(_, field)| field), Way::In);
        let never_null = operation.never_null(rows);
        for (index, field) in fields() {
            if never_null.contains(&index) {
                let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
                if let Some(properties) = properties {
                    let required = InputField { optional: false, ..field.clone() };
                    properties.insert(field.name.to_string(), self.field(&required, Way::In));
                }
            }
        }
        if operation.input.ignores_others
            && let Some(object) = schema.as_object_mut()
        {
            object.remove("additionalProperties");
        }
        schema
    }

    /// One field with its meaning and default.
    pub(super) fn field(&self, field: &InputField, way: Way) -> Value {
        let schema = self.value(&field.ty, &field.rules, way);
        let schema = if field.optional { nullable(schema) } else { schema };
        let mut schema = described(schema, self.meaning(field));
        if let (Some(Expression::Constant(value)), Way::In, Some(object)) =
            (&field.default, way, schema.as_object_mut())
        {
            object.insert("default".to_owned(), constant(value));
        }
        schema
    }

    /// What a field means, as the document says it.
    pub(super) fn meaning(&self, field: &InputField) -> Option<&str> {
        self.descriptions.get(&field.span.start).copied()
    }

    /// A value of a type that keeps rules.
    pub(super) fn value(&self, ty: &Type, rules: &FieldRules, way: Way) -> Value {
        let mut schema = match ty {
            Type::List(of) => {
                let items = FieldRules { items: (None, None), ..rules.clone() };
                let mut schema = Map::new();
                schema.insert("type".to_owned(), json!("array"));
                schema.insert("items".to_owned(), self.value(of, &items, way));
                bounds(&mut schema, rules.items, ("minItems", "maxItems"));
                return Value::Object(schema);
            }
            Type::Object(members) if !members.is_empty() => {
                return self.members(members, &rules.members, way);
            }
            Type::Named(name) if way == Way::Out => {
                match self.entities.iter().find(|each| *each.name == **name) {
                    Some(entity) => return self.reference(&entity.name),
                    None => Map::new(),
                }
            }
            ty => plain_type(ty),
        };
        ruled(&mut schema, ty, rules);
        match (ty, way) {
            (Type::Decimal { precision, scale }, Way::In) => also_number(schema, (*precision, *scale), rules),
            _ => Value::Object(schema),
        }
    }

    fn members(&self, members: &[(Arc<str>, Type)], rules: &[Member], way: Way) -> Value {
        let mut properties = Map::new();
        let of = |name: &str| rules.iter().find(|member| *member.name == *name);
        for (name, ty) in members {
            let rule = of(name);
            let usual = FieldRules::default();
            let mut schema = self.value(ty, rule.map_or(&usual, |rule| &rule.rules), way);
            if rule.is_none_or(|rule| rule.optional) {
                schema = nullable(schema);
            }
            if let (Some(default), Some(object)) =
                (rule.and_then(|rule| rule.default.as_ref()), schema.as_object_mut())
            {
                object.insert("default".to_owned(), constant(default));
            }
            properties.insert(name.to_string(), schema);
        }
        let required = |name: &str| of(name).is_some_and(|rule| !rule.optional && rule.default.is_none());
        object(properties, required, way)
    }
}

/// A name as a key of a place for schemas.
pub(super) fn safe(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect()
}

/// The same, or null.
pub(super) fn nullable(schema: Value) -> Value {
    let Value::Object(mut object) = schema else { return schema };
    if object.is_empty() {
        return Value::Object(object);
    }
    match object.get("type").and_then(Value::as_str).map(str::to_owned) {
        Some(ty) if !object.contains_key("enum") => {
            object.insert("type".to_owned(), json!([ty, "null"]));
            Value::Object(object)
        }
        _ => json!({"anyOf": [object, {"type": "null"}]}),
    }
}

fn described(schema: Value, meant: Option<&str>) -> Value {
    let Value::Object(mut object) = schema else { return schema };
    if let Some(meant) = meant {
        let text = match object.get("description").and_then(Value::as_str) {
            Some(more) => format!("{meant}; {more}"),
            None => meant.to_owned(),
        };
        object.insert("description".to_owned(), json!(text));
    }
    Value::Object(object)
}

fn meaning(field: &Field) -> Option<&str> {
    field.description.as_ref().map(|prose| prose.value.trim()).filter(|text| !text.is_empty())
}

fn object(properties: Map<String, Value>, required: impl Fn(&str) -> bool, way: Way) -> Value {
    let required: Vec<String> = properties.keys().filter(|name| required(name)).cloned().collect();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    if way == Way::In {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    Value::Object(schema)
}

/// A type without rules.
fn plain_type(ty: &Type) -> Map<String, Value> {
    let schema = match ty {
        Type::String => json!({"type": "string"}),
        Type::Integer => {
            json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX})
        }
        Type::Decimal { precision, scale } => {
            json!({"type": "string", "pattern": decimal(*precision, *scale, "-?")})
        }
        Type::Double => json!({"type": "number", "format": "double"}),
        Type::Boolean => json!({"type": "boolean"}),
        Type::Uuid => json!({"type": "string", "format": "uuid"}),
        Type::Timestamp => json!({"type": "string", "format": "date-time"}),
        Type::Date => json!({"type": "string", "format": "date"}),
        Type::Time => json!({"type": "string", "pattern": "^\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,6})?)?$"}),
        Type::Duration => json!({
            "type": "string",
            "pattern": "^-?(\\d+(\\.\\d+)?(h|m|s|ms|us))+$",
            "description": "such as `90s` or `1h30m`",
        }),
        Type::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
        Type::Uri => json!({"type": "string", "format": "uri"}),
        Type::Email => json!({"type": "string", "format": "email"}),
        Type::Enum(values) if !values.is_empty() => {
            json!({"type": "string", "enum": values.iter().map(|value| &**value).collect::<Vec<_>>()})
        }
        Type::Enum(_) => json!({"type": "string"}),
        Type::Json | Type::List(_) | Type::Object(_) | Type::Named(_) | Type::Unknown(_) => json!({}),
    };
    match schema {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// A decimal as it may be sent: as a text, or as a number with as many digits.
fn also_number(mut text: Map<String, Value>, (precision, scale): (u8, u8), rules: &FieldRules) -> Value {
    let mut number = Map::new();
    number.insert("type".to_owned(), json!("number"));
    let one = 10f64.powi(i32::from(precision.saturating_sub(scale).max(1)));
    let step: f64 = format!("1e-{scale}").parse().unwrap_or(1.0);
    number.insert("multipleOf".to_owned(), if scale == 0 { json!(1) } else { json!(step) });
    number.insert("exclusiveMinimum".to_owned(), json!(-one));
    number.insert("exclusiveMaximum".to_owned(), json!(one));
    let sides = [(&rules.min, "minimum", "exclusiveMinimum"), (&rules.max, "maximum", "exclusiveMaximum")];
    for (bound, closed, open) in sides {
        let Some((bound, exclusive)) = bound else { continue };
        number.remove(open);
        let double = Type::Double;
        number.insert(if *exclusive { open } else { closed }.to_owned(), self::number(*bound, &double));
    }
    let description = text.remove("description");
    let mut schema = json!({"anyOf": [text, number]});
    if let Some(description) = description {
        schema["description"] = description;
    }
    schema
}

/// The digits of a decimal, behind what may stand before them.
fn decimal(precision: u8, scale: u8, before: &str) -> String {
    let whole = precision.saturating_sub(scale).max(1);
    match scale {
        0 => format!("^{before}\\d{{1,{whole}}}$"),
        scale => format!("^{before}\\d{{1,{whole}}}(\\.\\d{{1,{scale}}})?$"),
    }
}

/// Adds what must hold of a value.
fn ruled(schema: &mut Map<String, Value>, ty: &Type, rules: &FieldRules) {
    let is_number = matches!(ty, Type::Integer | Type::Double);
    let sides = [
        (&rules.min, "minimum", "exclusiveMinimum", "more than", "at least"),
        (&rules.max, "maximum", "exclusiveMaximum", "less than", "at most"),
    ];
    let mut said = Vec::new();
    for (bound, closed, open, beyond, from) in sides {
        let Some((bound, exclusive)) = bound else { continue };
        if is_number {
            // An open bound takes the place of the type's own.
            schema.remove(closed);
            schema.insert(if *exclusive { open } else { closed }.to_owned(), number(*bound, ty));
        } else {
            let words = if *exclusive { beyond } else { from };
            said.push(format!("{words} {}", Constant::Decimal(*bound).to_plain()));
        }
    }
    if let Type::Decimal { precision, scale } = ty
        && !said.is_empty()
    {
        schema.insert("description".to_owned(), json!(said.join(", ")));
        // Of a text a schema can say its sign, and that some digit is not 0.
        if let Some((bound, exclusive)) = &rules.min
            && bound.units >= 0
        {
            schema.insert("pattern".to_owned(), json!(decimal(*precision, *scale, "")));
            if *exclusive || bound.units > 0 {
                schema.insert("not".to_owned(), json!({"pattern": "^[0.]*$"}));
            }
        }
    }
    bounds(schema, rules.length, ("minLength", "maxLength"));
    if let Some(allowed) = &rules.one_of {
        schema.insert("enum".to_owned(), json!(allowed.iter().map(|each| &**each).collect::<Vec<_>>()));
    }
    if let Some(format) = rules.format {
        let name = match format {
            Format::Address => return,
            Format::Time => return,
            format => Format::NAMES.iter().find(|(_, known)| *known == format).map_or("", |(name, _)| *name),
        };
        schema.insert("format".to_owned(), json!(name));
    }
    if let Some(pattern) = rules.pattern.as_ref().map(|pattern| pattern.as_str()) {
        match is_portable(pattern) {
            true => schema.insert("pattern".to_owned(), json!(pattern)),
            false => schema.insert("description".to_owned(), json!(format!("matches `{pattern}`"))),
        };
    }
}

fn bounds(schema: &mut Map<String, Value>, bounds: (Option<u64>, Option<u64>), names: (&str, &str)) {
    for (bound, name) in [(bounds.0, names.0), (bounds.1, names.1)] {
        if let Some(bound) = bound {
            schema.insert(name.to_owned(), json!(bound));
        }
    }
}

/// Whether a pattern means the same in ECMA-262, which JSON Schema asks for.
fn is_portable(pattern: &str) -> bool {
    !["(?", "\\A", "\\z", "\\p", "\\P", "\\x", "[[:", "&&", "--", "~~"]
        .iter()
        .any(|odd| pattern.contains(odd))
}

fn number(bound: Decimal, ty: &Type) -> Value {
    let text = Constant::Decimal(bound).to_plain();
    let whole = text.split('.').next().and_then(|whole| whole.parse::<i64>().ok());
    match (ty, whole) {
        (Type::Integer, Some(whole)) => json!(whole),
        _ => text.parse::<f64>().map_or(Value::Null, |number| json!(number)),
    }
}

/// A constant in its JSON form.
fn constant(value: &Constant) -> Value {
    serde_json::from_str(&plain::to_json(value)).unwrap_or(Value::Null)
}
