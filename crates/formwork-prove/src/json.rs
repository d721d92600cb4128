//! Values of expressions to JSON and back. Source: language reference, *Types*, column *JSON*.

use formwork_language::value::text::format_decimal;
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;
use serde_json::{Map, Number, Value as Json};
use std::sync::Arc;

/// The JSON form of a value; nothing for an absent one.
///
/// `declared` decides how a decimal travels: as text where a decimal is declared, as a number anywhere else.
pub(crate) fn to_json(value: &Value, declared: Option<&Type>) -> Option<Json> {
    Some(match value {
        Value::Absent => return None,
        Value::Null | Value::Row(_) => Json::Null,
        Value::Boolean(value) => Json::Bool(*value),
        Value::Integer(value) => Json::from(*value),
        Value::Unsigned(value) => Json::from(*value),
        Value::Double(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::Decimal(value) => decimal(*value, declared),
        Value::Text(text) => Json::from(text.as_ref()),
        Value::Type(name) => Json::from(*name),
        Value::Bytes(_)
        | Value::Uuid(_)
        | Value::Timestamp(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Duration(_) => Json::from(value.to_plain()),
        Value::List(items) => {
            let of = declared.and_then(item_type);
            Json::Array(items.iter().map(|item| to_json(item, of).unwrap_or(Json::Null)).collect())
        }
        Value::Map(members) => Json::Object(object(members, declared)),
        Value::Json(text) => serde_json::from_str(text).unwrap_or(Json::Null),
    })
}

/// A parsed body as a value: objects become maps, everything else what it is.
pub(crate) fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => number_value(number),
        Json::String(text) => Value::Text(Arc::from(text.as_str())),
        Json::Array(items) => Value::List(items.iter().map(to_value).collect()),
        Json::Object(members) => Value::Map(
            members
                .iter()
                .map(|(name, member)| (Value::Text(Arc::from(name.as_str())), to_value(member)))
                .collect(),
        ),
    }
}

/// A value as it stands in a path, a query or a header: text without quotes, anything else as its JSON.
pub(crate) fn to_plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn object(members: &[(Value, Value)], declared: Option<&Type>) -> Map<String, Json> {
    let mut object = Map::new();
    for (key, value) in members {
        let Some(name) = to_json(key, None).map(|key| to_plain(&key)) else { continue };
        if let Some(json) = to_json(value, declared.and_then(|of| member_type(of, &name))) {
            object.insert(name, json);
        }
    }
    object
}

fn item_type(of: &Type) -> Option<&Type> {
    match of {
        Type::List(item) => Some(item),
        _ => None,
    }
}

fn member_type<'t>(of: &'t Type, name: &str) -> Option<&'t Type> {
    match of {
        Type::Object(members) => members.iter().find(|(member, _)| &**member == name).map(|(_, ty)| ty),
        _ => None,
    }
}

fn decimal(value: Decimal, declared: Option<&Type>) -> Json {
    let text = format_decimal(value);
    match declared {
        Some(Type::Decimal { .. }) => Json::from(text),
        _ => text.parse::<f64>().ok().and_then(Number::from_f64).map_or(Json::from(text), Json::Number),
    }
}

fn number_value(number: &Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return Value::Integer(integer);
    }
    match (number.as_u64(), number.as_f64()) {
        (Some(unsigned), _) => Value::Unsigned(unsigned),
        (None, Some(double)) => Value::Double(double),
        (None, None) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Type = Type::Decimal { precision: 18, scale: 2 };

    #[test]
    fn a_decimal_travels_as_text_only_where_one_is_declared() {
        let value = Value::Decimal(Decimal { units: -1205, scale: 2 });
        assert_eq!(to_json(&value, Some(&PRICE)), Some(Json::from("-12.05")));
        assert_eq!(to_json(&value, Some(&Type::Double)), Some(Json::from(-12.05)));
        assert_eq!(
            to_json(&Value::Decimal(Decimal { units: 5, scale: 3 }), Some(&PRICE)),
            Some("0.005".into())
        );
    }

    #[test]
    fn decimals_in_declared_lists_and_objects_travel_as_text() {
        let line = Value::Map(Arc::from([(
            Value::Text("price".into()),
            Value::Decimal(Decimal { units: 150, scale: 2 }),
        )]));
        let declared = Type::List(Arc::new(Type::Object(Arc::from([(Arc::from("price"), PRICE)]))));
        let json = to_json(&Value::List(Arc::from([line])), Some(&declared)).unwrap();
        assert_eq!(json.to_string(), r#"[{"price":"1.50"}]"#);
    }

    #[test]
    fn absent_members_are_left_out_and_null_ones_sent() {
        let map = Value::Map(Arc::from([
            (Value::Text("a".into()), Value::Absent),
            (Value::Text("b".into()), Value::Null),
        ]));
        assert_eq!(to_json(&map, None).unwrap().to_string(), r#"{"b":null}"#);
    }

    #[test]
    fn instants_and_lengths_take_their_json_form() {
        assert_eq!(to_json(&Value::Timestamp(1_893_456_000_000_000), None).unwrap(), "2030-01-01T00:00:00Z");
        assert_eq!(to_json(&Value::Duration(90_000_000), None).unwrap(), "90s");
        assert_eq!(to_json(&Value::Date(20_000), None).unwrap(), "2024-10-04");
        assert_eq!(to_json(&Value::Time(34_200_500_000), None).unwrap(), "09:30:00.5");
        assert_eq!(to_json(&Value::Uuid([0x01; 16]), None).unwrap(), "01010101-0101-0101-0101-010101010101");
    }

    #[test]
    fn what_came_as_json_goes_back_as_the_same_json() {
        let json: Json = serde_json::from_str(r#"{"a":[1,2.5,"x",null,true,18446744073709551615]}"#).unwrap();
        assert_eq!(to_json(&to_value(&json), None), Some(json));
    }
}
