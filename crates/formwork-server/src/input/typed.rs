//! One JSON value, or one text of a path, query or header, to a typed value.

use crate::forms;
use crate::json::Json;
use crate::problems::{Fault, Place};
use base64::Engine;
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;
use std::sync::Arc;

/// Faults found so far, and where the value that is being read stands.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Found so far.
    pub(crate) list: Vec<Fault>,
    /// The place of the value at hand.
    pub(crate) place: Place,
}

impl Faults {
    /// No faults yet, at a place.
    pub(crate) fn new() -> Self {
        Self { list: Vec::new(), place: Place::Body(String::new()) }
    }

    /// Notes a fault at the present place. A hostile body cannot make a longer list than this.
    pub(crate) fn add(&mut self, code: &'static str, detail: impl Into<String>) {
        const MOST: usize = 100;
        if self.list.len() < MOST {
            self.list.push(Fault { place: self.place.clone(), code, detail: detail.into() });
        }
    }

    /// The same at a place below the present one.
    pub(crate) fn add_below(&mut self, pointer: &str, code: &'static str, detail: impl Into<String>) {
        let Place::Body(place) = &mut self.place else { return self.add(code, detail) };
        let length = place.len();
        place.push_str(pointer);
        self.add(code, detail);
        if let Place::Body(place) = &mut self.place {
            place.truncate(length);
        }
    }

    /// Reads something one step deeper in the body.
    pub(crate) fn inside<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let Place::Body(pointer) = &mut self.place else { return read(self) };
        let length = pointer.len();
        pointer.push('/');
        for character in step.chars() {
            match character {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                other => pointer.push(other),
            }
        }
        let result = read(self);
        if let Place::Body(pointer) = &mut self.place {
            pointer.truncate(length);
        }
        result
    }
}

/// Reads a JSON value of a type; notes a fault and gives nothing when it does not fit.
pub(crate) fn decode(ty: &Type, json: &Json<'_>, faults: &mut Faults) -> Option<Value> {
    match (ty, json) {
        (Type::Json | Type::Named(_) | Type::Unknown(_), json) => Some(any(json)),
        (Type::Integer, Json::Number(number)) => integer(number, faults),
        (Type::Decimal { precision, scale }, Json::Number(text)) => decimal(text, *precision, *scale, faults),
        (Type::Double, Json::Number(number)) => double(number, faults),
        (Type::Boolean, Json::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
        (Type::List(of), Json::Array(items, _)) => list(of, items, faults),
        (Type::Object(members), Json::Object(sent, _)) => object(members, sent, faults),
        (Type::Integer | Type::Double | Type::Boolean | Type::List(_) | Type::Object(_), _) => {
            wrong(ty, json, faults)
        }
        (_, Json::Text(text)) => from_text(ty, text, faults),
        _ => wrong(ty, json, faults),
    }
}

/// Reads a text of a path, query or header.
pub(crate) fn decode_text(ty: &Type, text: &str, faults: &mut Faults) -> Option<Value> {
    match ty {
        Type::Integer => integer(text, faults),
        Type::Double => double(text, faults),
        Type::Boolean => match text {
            "true" => Some(Value::Boolean(true)),
            "false" => Some(Value::Boolean(false)),
            _ => {
                faults.add("type", "Must be `true` or `false`.");
                None
            }
        },
        Type::Json | Type::Named(_) | Type::Unknown(_) | Type::Object(_) | Type::List(_) => {
            match crate::json::read(text.as_bytes()) {
                Ok(json) => decode(ty, &json, faults),
                Err(_) => {
                    faults.add("type", format!("Must be {} as JSON.", described(ty)));
                    None
                }
            }
        }
        _ => from_text(ty, text, faults),
    }
}

/// A value whose JSON form is a text.
fn from_text(ty: &Type, text: &str, faults: &mut Faults) -> Option<Value> {
    let value = match ty {
        Type::String | Type::Uri | Type::Email if text.contains('\0') => {
            faults.add("type", "Must not hold the character U+0000.");
            return None;
        }
        Type::String => Some(Value::Text(text.into())),
        Type::Uri => forms::is_uri(text).then(|| Value::Text(text.into())),
        Type::Email => forms::is_email(text).then(|| Value::Text(text.into())),
        Type::Enum(values) => {
            let found = values.iter().find(|value| ***value == *text);
            if found.is_none() {
                faults.add("one_of", format!("Must be one of {}.", quoted(values)));
                return None;
            }
            found.cloned().map(Value::Text)
        }
        Type::Decimal { precision, scale } => return decimal(text, *precision, *scale, faults),
        Type::Uuid => forms::parse_uuid(text).map(Value::Uuid),
        Type::Timestamp => forms::parse_timestamp(text).map(Value::Timestamp),
        Type::Date => forms::parse_date(text).map(Value::Date),
        Type::Time => forms::parse_time(text).map(Value::Time),
        Type::Duration => forms::parse_duration(text).map(Value::Duration),
        Type::Bytes => base64::engine::general_purpose::STANDARD
            .decode(text)
            .ok()
            .map(|bytes| Value::Bytes(bytes.into())),
        _ => None,
    };
    if value.is_none() {
        faults.add("format", format!("Must be {}.", described(ty)));
    }
    value
}

fn wrong(ty: &Type, json: &Json<'_>, faults: &mut Faults) -> Option<Value> {
    let found = match json {
        Json::Null => "null",
        Json::Boolean(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::Text(_) => "a text",
        Json::Array(..) => "a list",
        Json::Object(..) => "an object",
    };
    faults.add("type", format!("Must be {}, not {found}.", described(ty)));
    None
}

/// Any JSON, as sent.
fn any(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        json => Value::Json(crate::json::written(json).into()),
    }
}

fn list(of: &Type, items: &[Json<'_>], faults: &mut Faults) -> Option<Value> {
    let mut values = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        values.push(faults.inside(&position.to_string(), |faults| decode(of, item, faults)));
    }
    values.into_iter().collect::<Option<Arc<[Value]>>>().map(Value::List)
}

fn object(
    members: &[(Arc<str>, Type)],
    sent: &[(std::borrow::Cow<'_, str>, Json<'_>)],
    faults: &mut Faults,
) -> Option<Value> {
    let mut values = Vec::with_capacity(sent.len());
    for (name, json) in sent {
        let read = faults.inside(name, |faults| {
            let Some((name, ty)) = members.iter().find(|(member, _)| **member == **name) else {
                faults.add("unknown_field", "There is no such field.");
                return None;
            };
            let value = if *json == Json::Null { Some(Value::Null) } else { decode(ty, json, faults) };
            value.map(|value| (Value::Text(name.clone()), value))
        });
        values.push(read);
    }
    values.into_iter().collect::<Option<Arc<[(Value, Value)]>>>().map(Value::Map)
}

fn integer(text: &str, faults: &mut Faults) -> Option<Value> {
    if let Ok(number) = text.parse::<i64>() {
        // `+5` and `-0` parse too; a text may not begin with a plus, and minus zero is zero.
        if !text.starts_with('+') {
            return Some(Value::Integer(number));
        }
    }
    match forms::parse_exact(text) {
        Some(Decimal { units, scale: 0 }) => {
            let number = i64::try_from(units).ok();
            if number.is_none() {
                faults.add("out_of_range", "Must be an integer of 64 bits.");
            }
            number.map(Value::Integer)
        }
        Some(_) => {
            faults.add("type", "Must be an integer.");
            None
        }
        None if is_number(text) => {
            faults.add("out_of_range", "Must be an integer of 64 bits.");
            None
        }
        None => {
            faults.add("type", "Must be an integer.");
            None
        }
    }
}

fn is_number(text: &str) -> bool {
    matches!(crate::json::read(text.as_bytes()), Ok(Json::Number(_)))
}

fn double(text: &str, faults: &mut Faults) -> Option<Value> {
    let number = if is_number(text) { text.parse::<f64>().ok() } else { None };
    match number {
        Some(number) if number.is_finite() => Some(Value::Double(number)),
        Some(_) => {
            faults.add("out_of_range", "Must be a number that a double can hold.");
            None
        }
        None => {
            faults.add("type", "Must be a number.");
            None
        }
    }
}

fn decimal(text: &str, precision: u8, scale: u8, faults: &mut Faults) -> Option<Value> {
    let Some(read) = forms::parse_exact(text) else {
        match is_number(text) {
            true => faults.add("out_of_range", too_large(precision, scale)),
            false => faults.add("type", "Must be a decimal number."),
        }
        return None;
    };
    let Some(missing) = scale.checked_sub(read.scale) else {
        faults.add("type", format!("Must have at most {scale} digits behind the point."));
        return None;
    };
    let bound = 10_i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    let units = read.units.checked_mul(10_i128.pow(u32::from(missing))).filter(|units| units.abs() < bound);
    if units.is_none() {
        faults.add("out_of_range", too_large(precision, scale));
    }
    units.map(|units| Value::Decimal(Decimal { units, scale }))
}

fn too_large(precision: u8, scale: u8) -> String {
    format!("Must have at most {} digits before the point.", precision.saturating_sub(scale))
}

/// A type in a sentence: `an integer`.
fn described(ty: &Type) -> String {
    match ty {
        Type::String => "a text".into(),
        Type::Integer => "an integer".into(),
        Type::Decimal { .. } => "a decimal number".into(),
        Type::Double => "a number".into(),
        Type::Boolean => "a boolean".into(),
        Type::Uuid => "a UUID".into(),
        Type::Timestamp => "a timestamp such as `2030-01-01T00:00:00Z`, no finer than a microsecond".into(),
        Type::Date => "a date such as `2030-01-01`".into(),
        Type::Time => "a time of day such as `09:30:00`".into(),
        Type::Duration => "a duration such as `90s`".into(),
        Type::Json | Type::Named(_) | Type::Unknown(_) => "JSON".into(),
        Type::Bytes => "bytes in base64".into(),
        Type::Uri => "an absolute URI".into(),
        Type::Email => "an email address".into(),
        Type::List(of) => format!("a list, each item {}", described(of)),
        Type::Enum(values) => format!("one of {}", quoted(values)),
        Type::Object(_) => "an object".into(),
    }
}

fn quoted(values: &[Arc<str>]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &Type, json: &str) -> Result<String, String> {
        let json = crate::json::read(json.as_bytes()).expect("JSON");
        let mut faults = Faults::new();
        match decode(ty, &json, &mut faults) {
            Some(value) => {
                let mut writer = crate::json::Writer::new(&[], None, &[]);
                writer.answer(&value);
                assert!(faults.list.is_empty());
                Ok(String::from_utf8(writer.out).expect("UTF-8"))
            }
            None => Err(faults
                .list
                .iter()
                .map(|f| format!("{:?} {}", f.place, f.code))
                .collect::<Vec<_>>()
                .join("; ")),
        }
    }

    #[test]
    fn integers_accept_what_is_whole() {
        assert_eq!(read(&Type::Integer, "1.0").as_deref(), Ok("1"));
        assert_eq!(read(&Type::Integer, "1e3").as_deref(), Ok("1000"));
        assert_eq!(read(&Type::Integer, "-9223372036854775808").as_deref(), Ok("-9223372036854775808"));
        assert_eq!(read(&Type::Integer, "9223372036854775808"), Err("Body(\"\") out_of_range".into()));
        assert_eq!(read(&Type::Integer, "1e999999999999"), Err("Body(\"\") out_of_range".into()));
        assert_eq!(read(&Type::Integer, "1.5"), Err("Body(\"\") type".into()));
        assert_eq!(read(&Type::Integer, "\"1\""), Err("Body(\"\") type".into()));
        assert_eq!(read(&Type::Double, "1e999"), Err("Body(\"\") out_of_range".into()));
    }

    #[test]
    fn decimals_come_as_text_or_number_and_keep_every_digit() {
        let money = Type::Decimal { precision: 6, scale: 2 };
        assert_eq!(read(&money, "12.5").as_deref(), Ok("\"12.50\""));
        assert_eq!(read(&money, "\"9999.99\"").as_deref(), Ok("\"9999.99\""));
        assert_eq!(read(&money, "10000"), Err("Body(\"\") out_of_range".into()));
        assert_eq!(read(&money, "0.001"), Err("Body(\"\") type".into()));
        assert_eq!(read(&money, "\"abc\""), Err("Body(\"\") type".into()));
        let exact = Type::Decimal { precision: 18, scale: 1 };
        assert_eq!(read(&exact, "12345678901234567.8").as_deref(), Ok("\"12345678901234567.8\""));
    }

    #[test]
    fn every_fault_has_its_pointer() {
        let ty = Type::List(Arc::new(Type::Object(
            [("at".into(), Type::Timestamp), ("id".into(), Type::Uuid)].as_slice().into(),
        )));
        assert_eq!(
            read(&ty, r#"[{"at":"soon"},{"id":7,"a/b~":1}]"#),
            Err("Body(\"/0/at\") format; Body(\"/1/id\") type; Body(\"/1/a~1b~0\") unknown_field".into())
        );
    }

    #[test]
    fn json_stays_as_sent() {
        assert_eq!(
            read(&Type::Json, r#"{"b": 1.50, "a":[1e400]}"#).as_deref(),
            Ok(r#"{"b": 1.50, "a":[1e400]}"#)
        );
        assert_eq!(read(&Type::Json, r#""a\u0062""#).as_deref(), Ok(r#""ab""#));
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(read(&Type::String, r#""a\u0000""#), Err("Body(\"\") type".into()));
    }
}
