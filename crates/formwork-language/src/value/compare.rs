//! Equality and order of values.
//!
//! Numbers compare by value whatever their type. A text beside a uuid, timestamp, date, time, duration or decimal is
//! parsed as one; an unparsable one is unequal and unordered. Absent values equal nothing, in a list or map they equal
//! each other. Source: language reference, *Absent values* and *Types*; the CEL specification, *Equality*, *Ordering*.

use super::{Decimal, Value, json, text};
use std::cmp::Ordering;
use std::sync::Arc;

/// `a == b`: false when either is absent.
pub fn equal(left: &Value, right: &Value) -> bool {
    !left.is_absent() && !right.is_absent() && same(left, right)
}

/// Whether two values are the same; absent values are the same as each other.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Absent | Value::Null, Value::Absent | Value::Null) => true,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Uuid(left), Value::Uuid(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| get(right, key).is_some_and(|other| same(value, other)))
        }
        (Value::Row(left), Value::Row(right)) => left == right,
        (Value::Type(left), Value::Type(right)) => left == right,
        (Value::Json(left), Value::Json(right)) if left == right => true,
        (Value::Json(json), other) | (other, Value::Json(json)) => {
            json::parse(json).is_ok_and(|value| same(&value, other))
        }
        _ => order(left, right) == Some(Ordering::Equal),
    }
}

/// The member of a map with this key.
pub(crate) fn get<'m>(entries: &'m Arc<[(Value, Value)]>, key: &Value) -> Option<&'m Value> {
    entries.iter().find(|(candidate, _)| same(candidate, key)).map(|(_, value)| value)
}

/// How two values compare; [`None`] when either is absent or they have no order (different types, NaN).
pub fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let Some(ordering) = numbers(left, right) {
        return ordering;
    }
    match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bytes(left), Value::Bytes(right)) => Some(left.cmp(right)),
        (Value::Uuid(left), Value::Uuid(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right))
        | (Value::Time(left), Value::Time(right))
        | (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(left.cmp(right)),
        (Value::Text(text), other) => order(&parsed_like(text, other)?, other),
        (other, Value::Text(text)) => order(other, &parsed_like(text, other)?),
        _ => None,
    }
}

/// The text as a value of the type that the other value has.
fn parsed_like(text: &str, other: &Value) -> Option<Value> {
    match other {
        Value::Uuid(_) => text::parse_uuid(text).map(Value::Uuid),
        Value::Timestamp(_) => text::parse_timestamp(text).map(Value::Timestamp),
        Value::Date(_) => text::parse_date(text).map(Value::Date),
        Value::Time(_) => text::parse_time(text).map(Value::Time),
        Value::Duration(_) => text::parse_duration(text).map(Value::Duration),
        Value::Decimal(_) => text::parse_decimal(text).map(Value::Decimal),
        _ => None,
    }
}

/// How two numbers compare; [`None`] when one is no number.
fn numbers(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    if let (Value::Integer(left), Value::Integer(right)) = (left, right) {
        return Some(Some(left.cmp(right)));
    }
    let exact = |value: &Value| match value {
        Value::Integer(value) => Some(Decimal::whole(*value)),
        Value::Unsigned(value) => Some(Decimal { units: i128::from(*value), scale: 0 }),
        Value::Decimal(value) => Some(*value),
        _ => None,
    };
    match (left, right) {
        (Value::Double(left), Value::Double(right)) => Some(left.partial_cmp(right)),
        (Value::Double(left), Value::Decimal(right)) => Some(left.partial_cmp(&right.to_double())),
        (Value::Decimal(left), Value::Double(right)) => Some(left.to_double().partial_cmp(right)),
        (Value::Double(left), right) => exact(right).map(|right| double_to_whole(*left, right)),
        (left, Value::Double(right)) => {
            exact(left).map(|left| double_to_whole(*right, left).map(Ordering::reverse))
        }
        (left, right) => Some(Some(exact(left)?.compare(exact(right)?))),
    }
}

/// How a double compares to a whole number of at most 65 bits, without rounding the number.
fn double_to_whole(double: f64, whole: Decimal) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Beyond 2^100 the conversion saturates in i128 and still compares rightly.
    let floor = double.floor();
    let ordering = (floor as i128).cmp(&whole.units);
    Some(ordering.then(if double > floor { Ordering::Greater } else { Ordering::Equal }))
}
