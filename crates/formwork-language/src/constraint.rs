//! What must hold of one value: the constraints of a field, ready to be tested at the edge and before a write.
//!
//! Source: language reference, *Types* and *Constraints*.

mod formats;
mod members;
mod regular;

pub use formats::{Format, is_email, is_uri};
pub use regular::pattern;

use crate::value::{Decimal, Rounding, Value, json, order, text};
use base64::Engine as _;
use formwork_model::values::Type;
use std::cmp::Ordering;
use std::sync::Arc;

/// The rules of a field.
#[derive(Clone, Debug, Default)]
pub struct FieldRules {
    /// Smallest value, and whether it is itself refused.
    pub min: Option<(Decimal, bool)>,
    /// Largest value, and whether it is itself refused.
    pub max: Option<(Decimal, bool)>,
    /// Fewest and most characters, in code points.
    pub length: (Option<u64>, Option<u64>),
    /// Fewest and most items.
    pub items: (Option<u64>, Option<u64>),
    /// The texts allowed.
    pub one_of: Option<Arc<[Arc<str>]>>,
    /// A regular expression that a text must match (unanchored unless it says otherwise); see [`pattern`].
    pub pattern: Option<regex::Regex>,
    /// A form that a text must have.
    pub format: Option<Format>,
    /// What must hold of the members of an object, or of each object of a list.
    pub members: Arc<[Member]>,
}

/// A declared member of an object.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it may be left out.
    pub optional: bool,
    /// Its value when it is left out.
    pub default: Option<Value>,
    /// What must hold of it.
    pub rules: FieldRules,
}

/// A rule that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// A stable word: `type`, `min`, `max`, `min_length`, `max_length`, `min_items`, `max_items`, `one_of`,
    /// `pattern`, `format`.
    pub code: &'static str,
    /// One sentence for the caller, without the value.
    pub detail: String,
    /// The place inside the value as a JSON pointer (`/0/quantity`); empty for the value itself.
    pub pointer: String,
}

impl Violation {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), pointer: String::new() }
    }
}

impl FieldRules {
    /// Tests a present value of the right type; gives every rule that it breaks. An absent value breaks none.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        let mut broken = Vec::new();
        self.range(value, &mut broken);
        match value {
            Value::Text(text) => self.text(text, &mut broken),
            Value::List(items) => {
                counted(items.len() as u64, self.items, ("min_items", "max_items"), "items", &mut broken);
            }
            Value::Bytes(bytes) => {
                counted(bytes.len() as u64, self.length, ("min_length", "max_length"), "bytes", &mut broken);
            }
            _ => {}
        }
        if !self.members.is_empty() {
            members::violations(&self.members, value, &mut broken);
        }
        broken
    }

    /// The value with the defaults of members that were left out.
    pub fn completed(&self, value: Value) -> Value {
        if self.members.is_empty() { value } else { members::completed(&self.members, value) }
    }

    fn range(&self, value: &Value, broken: &mut Vec<Violation>) {
        if !matches!(value, Value::Integer(_) | Value::Unsigned(_) | Value::Decimal(_) | Value::Double(_)) {
            return;
        }
        let compared = |bound: Decimal| order(value, &Value::Decimal(bound));
        if let Some((min, exclusive)) = self.min
            && !compared(min).is_some_and(|ordering| ordering.is_gt() || (!exclusive && ordering.is_eq()))
        {
            let words = if exclusive { "must be more than" } else { "must be at least" };
            broken.push(Violation::new("min", format!("{words} {}", text::format_decimal(min))));
        }
        if let Some((max, exclusive)) = self.max
            && !compared(max).is_some_and(|ordering| ordering.is_lt() || (!exclusive && ordering.is_eq()))
        {
            let words = if exclusive { "must be less than" } else { "must be at most" };
            broken.push(Violation::new("max", format!("{words} {}", text::format_decimal(max))));
        }
    }

    fn text(&self, text: &str, broken: &mut Vec<Violation>) {
        if self.length != (None, None) {
            let characters = text.chars().count() as u64;
            counted(characters, self.length, ("min_length", "max_length"), "characters", broken);
        }
        if let Some(allowed) = &self.one_of
            && !allowed.iter().any(|allowed| **allowed == *text)
        {
            broken.push(Violation::new("one_of", format!("must be one of {}", allowed.join(", "))));
        }
        if let Some(format) = self.format
            && !format.fits(text)
        {
            broken.push(Violation::new("format", format!("must be {}", format.named())));
        }
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(text)
        {
            broken.push(Violation::new("pattern", format!("must match /{}/", pattern.as_str())));
        }
    }
}

type Bounds = (Option<u64>, Option<u64>);

fn counted(
    count: u64,
    (least, most): Bounds,
    codes: (&'static str, &'static str),
    of: &str,
    broken: &mut Vec<Violation>,
) {
    if let Some(least) = least.filter(|least| count < *least) {
        broken.push(Violation::new(codes.0, format!("must have at least {least} {of}")));
    }
    if let Some(most) = most.filter(|most| count > *most) {
        broken.push(Violation::new(codes.1, format!("must have at most {most} {of}")));
    }
}

/// Whether a value has exactly the form that a type's values have in a row: a [`Value::Uuid`] for a uuid, a decimal
/// with the declared scale and no more digits than the precision, a double that is finite. Absent values fit no type;
/// whether a field may be absent is asked elsewhere.
pub fn fits(ty: &Type, value: &Value) -> Result<(), Violation> {
    let fits = match (ty, value) {
        (Type::String, Value::Text(text)) => {
            if text.contains('\0') {
                return Err(Violation::new("type", "must not contain the character U+0000"));
            }
            true
        }
        (Type::Integer, Value::Integer(_))
        | (Type::Boolean, Value::Boolean(_))
        | (Type::Uuid, Value::Uuid(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Date, Value::Date(_))
        | (Type::Time, Value::Time(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Json | Type::Unknown(_) | Type::Named(_), _) => !value.is_absent(),
        (Type::Object(_), Value::Json(_)) => true,
        (Type::Decimal { precision, scale }, Value::Decimal(value)) => {
            let limit = 10i128.checked_pow(u32::from(*precision)).unwrap_or(i128::MAX);
            if value.scale == *scale && (-limit < value.units && value.units < limit) {
                return Ok(());
            }
            let whole = precision.saturating_sub(*scale);
            let detail = format!("must have at most {whole} digits before and {scale} behind the point");
            return Err(Violation::new("type", detail));
        }
        (Type::Double, Value::Double(value)) => value.is_finite(),
        (Type::Uri, Value::Text(text)) => is_uri(text),
        (Type::Email, Value::Text(text)) => is_email(text),
        (Type::Enum(values), Value::Text(text)) => {
            if values.contains(text) {
                return Ok(());
            }
            return Err(Violation::new("one_of", format!("must be one of {}", values.join(", "))));
        }
        (Type::List(of), Value::List(items)) => {
            return items.iter().try_for_each(|item| self::fits(of, item));
        }
        (Type::Object(members), Value::Map(given)) if !members.is_empty() => {
            return given.iter().try_for_each(|(name, value)| match members::type_of(members, name) {
                Some(ty) if !value.is_absent() => self::fits(ty, value),
                _ => Ok(()),
            });
        }
        (Type::Object(members), _) if members.is_empty() => !value.is_absent(),
        _ => false,
    };
    if fits { Ok(()) } else { Err(Violation::new("type", format!("must be {}", named(ty)))) }
}

/// A type with its article, as in *must be …*.
pub fn named(ty: &Type) -> String {
    match ty {
        Type::String => "a text".to_owned(),
        Type::Uri => "an absolute URI".to_owned(),
        Type::Email => "an email address".to_owned(),
        Type::Double => "a finite number".to_owned(),
        Type::Timestamp => "a timestamp such as 2026-11-23T12:00:00Z".to_owned(),
        Type::Date => "a date such as 2026-11-23".to_owned(),
        Type::Time => "a time of day such as 09:30:00".to_owned(),
        Type::Duration => "a duration such as 90s".to_owned(),
        Type::Bytes => "base64".to_owned(),
        Type::List(_) => "a list".to_owned(),
        Type::Object(_) | Type::Named(_) => "an object".to_owned(),
        Type::Json | Type::Unknown(_) => "JSON".to_owned(),
        Type::Enum(values) => format!("one of {}", values.join(", ")),
        Type::Integer => "an integer of 64 bits".to_owned(),
        other => format!("a {other}"),
    }
}

/// Brings a value to the form that a type has: text is parsed, an integer becomes a decimal, a computed decimal is
/// rounded half to even, JSON is looked into. An absent value stays absent; what cannot be the type is an error that
/// names it. For JSON input, whose decimals must not have more digits than declared, see [`from_input`].
pub fn converted(ty: &Type, value: Value) -> Result<Value, String> {
    convert(ty, value, Rounding::HalfEven)
}

/// Like [`converted`], for a value as a caller sent it: digits that the type has no room for are refused, and the
/// result [`fits`].
pub fn from_input(ty: &Type, value: Value) -> Result<Value, Violation> {
    let converted = convert(ty, value, Rounding::Exact).map_err(|detail| Violation::new("type", detail))?;
    if !converted.is_absent() {
        fits(ty, &converted)?;
    }
    Ok(converted)
}

fn convert(ty: &Type, value: Value, rounding: Rounding) -> Result<Value, String> {
    if value.is_absent() {
        return Ok(value);
    }
    let refused = || format!("must be {}", named(ty));
    if let Value::Json(json) = &value
        && !matches!(ty, Type::Json | Type::Unknown(_) | Type::Named(_))
        && !matches!(ty, Type::Object(members) if members.is_empty())
    {
        return convert(ty, json::parse(json).map_err(|_| refused())?, rounding);
    }
    let converted = match (ty, &value) {
        (Type::Integer, Value::Decimal(number)) => number.to_integer(Rounding::Exact).map(Value::Integer),
        (Type::Integer, Value::Double(number)) => Decimal::from_double(*number)
            .and_then(|number| number.to_integer(Rounding::Exact))
            .map(Value::Integer),
        (Type::Decimal { scale, .. }, _) => {
            decimal(&value).and_then(|number| number.rescaled(*scale, rounding)).map(Value::Decimal)
        }
        (Type::Double, Value::Integer(number)) => Some(Value::Double(*number as f64)),
        (Type::Double, Value::Decimal(number)) => Some(Value::Double(number.to_double())),
        (Type::Uuid, Value::Text(text)) => text::parse_uuid(text).map(Value::Uuid),
        (Type::Timestamp, Value::Text(text)) => text::parse_timestamp(text).map(Value::Timestamp),
        (Type::Date, Value::Text(text)) => text::parse_date(text).map(Value::Date),
        (Type::Time, Value::Text(text)) => text::parse_time(text).map(Value::Time),
        (Type::Duration, Value::Text(text)) => text::parse_duration(text).map(Value::Duration),
        (Type::Bytes, Value::Text(text)) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
            bytes.ok().map(|bytes| Value::Bytes(bytes.into()))
        }
        (Type::List(of), Value::List(items)) => {
            let items = items.iter().map(|item| match item {
                Value::Absent | Value::Null => Err(refused()),
                item => convert(of, item.clone(), rounding),
            });
            return Ok(Value::List(items.collect::<Result<Arc<[_]>, _>>()?));
        }
        (Type::Object(members), Value::Map(given)) if !members.is_empty() => {
            let converted = given.iter().map(|(name, value)| {
                let value = match members::type_of(members, name) {
                    Some(ty) => convert(ty, value.clone(), rounding)?,
                    None => value.clone(),
                };
                Ok::<_, String>((name.clone(), value))
            });
            return Ok(Value::Map(converted.collect::<Result<Arc<[_]>, _>>()?));
        }
        (Type::Object(members), _) if !members.is_empty() => None,
        (Type::Json | Type::Unknown(_) | Type::Named(_) | Type::Object(_), Value::Json(_)) => {
            Some(value.clone())
        }
        (Type::Json | Type::Unknown(_) | Type::Object(_), _) => {
            Some(Value::Json(json::to_json(&value).into()))
        }
        (Type::String | Type::Uri | Type::Email | Type::Enum(_), Value::Uuid(_)) => {
            Some(Value::Text(value.to_plain().into()))
        }
        _ if same_form(ty, &value) => Some(value.clone()),
        _ => None,
    };
    converted.ok_or_else(refused)
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Decimal(number) => Some(*number),
        Value::Integer(number) => Some(Decimal::whole(*number)),
        Value::Text(text) => text::parse_decimal(text),
        Value::Double(number) => Decimal::from_double(*number),
        _ => None,
    }
}

/// Whether the value is of the type's kind already, whatever else must hold of it.
fn same_form(ty: &Type, value: &Value) -> bool {
    matches!(
        (ty, value),
        (Type::String | Type::Uri | Type::Email | Type::Enum(_), Value::Text(_))
            | (Type::Integer, Value::Integer(_))
            | (Type::Boolean, Value::Boolean(_))
            | (Type::Double, Value::Double(_))
            | (Type::Uuid, Value::Uuid(_))
            | (Type::Timestamp, Value::Timestamp(_))
            | (Type::Date, Value::Date(_))
            | (Type::Time, Value::Time(_))
            | (Type::Duration, Value::Duration(_))
            | (Type::Bytes, Value::Bytes(_))
            | (Type::Named(_), _)
    )
}

/// How two values of an enum sort: by declaration; unknown texts come last.
pub fn enum_order(values: &[Arc<str>], left: &str, right: &str) -> Ordering {
    let place = |text: &str| values.iter().position(|value| **value == *text).unwrap_or(values.len());
    place(left).cmp(&place(right))
}
