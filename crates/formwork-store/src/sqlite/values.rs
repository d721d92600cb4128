//! Values as SQLite keeps them. Source: language reference, *Types* (column SQLite).

use crate::statements::{Encode, Rounding, rank, rounded, units};
use formwork_engine::StoreError;
use formwork_language::constraint::converted;
use formwork_language::value::{Decimal, Value, json};
use formwork_model::values::Type;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

/// A value on its way into SQLite.
#[derive(Debug, PartialEq)]
pub(crate) enum Bound<'v> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'v str),
    OwnedText(String),
    Blob(&'v [u8]),
    OwnedBlob(Vec<u8>),
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::OwnedText(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::OwnedBlob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Equal to no value that a column holds, since none is an empty blob but for bytes.
const UNEQUAL: Bound<'static> = Bound::Blob(&[]);

/// A value as one place in a statement takes it.
pub(crate) fn bind<'v>(value: &'v Value, encode: &Encode) -> Result<Bound<'v>, StoreError> {
    if matches!(value, Value::Absent | Value::Null) {
        return Ok(match encode {
            Encode::Limit => Bound::Integer(0),
            _ => Bound::Null,
        });
    }
    match encode {
        Encode::Plain => plain(value),
        Encode::As(ty) => typed(value, ty),
        Encode::Scaled(scale, rounding) => Ok(scaled(value, *scale, *rounding)),
        Encode::List(of) => list(value, of),
        Encode::Rank(order) => Ok(match value {
            Value::Text(text) => Bound::Integer(rank(order, text)),
            _ => Bound::Null,
        }),
        Encode::Limit => match value {
            Value::Integer(rows) => Ok(Bound::Integer((*rows).max(0))),
            _ => Err(StoreError::Internal("a number of rows is no integer".into())),
        },
    }
}

fn plain(value: &Value) -> Result<Bound<'_>, StoreError> {
    Ok(match value {
        Value::Absent | Value::Null => Bound::Null,
        Value::Boolean(value) => Bound::Integer(i64::from(*value)),
        Value::Integer(number) | Value::Timestamp(number) | Value::Duration(number) => {
            Bound::Integer(*number)
        }
        Value::Unsigned(number) => {
            Bound::Integer(i64::try_from(*number).map_err(|_| StoreError::Arithmetic)?)
        }
        Value::Decimal(number) => Bound::Real(number.units as f64 / 10_f64.powi(i32::from(number.scale))),
        Value::Double(number) => Bound::Real(*number),
        Value::Text(text) | Value::Json(text) => Bound::Text(text),
        Value::Bytes(bytes) => Bound::Blob(bytes),
        Value::Uuid(bytes) => Bound::Blob(bytes),
        Value::Date(_) | Value::Time(_) | Value::Type(_) => as_text(value),
        Value::List(_) | Value::Map(_) => as_json(value),
        Value::Row(_) => return Err(StoreError::Internal("a row is no value of a column".into())),
    })
}

fn typed<'v>(value: &'v Value, ty: &Type) -> Result<Bound<'v>, StoreError> {
    Ok(match (ty, value) {
        (Type::Decimal { scale, .. }, _) => scaled(value, *scale, Rounding::NoEqual),
        (Type::Double, Value::Integer(number)) => Bound::Real(*number as f64),
        (Type::Double, Value::Double(number)) if !number.is_finite() => return Err(StoreError::Arithmetic),
        (Type::Integer, Value::Decimal(_)) => scaled(value, 0, Rounding::NoEqual),
        (Type::String | Type::Uri | Type::Email | Type::Enum(_), Value::Uuid(_)) => as_text(value),
        (Type::Uuid | Type::Timestamp | Type::Date | Type::Time | Type::Duration, Value::Text(_)) => {
            match converted(ty, value.clone()) {
                Ok(Value::Uuid(bytes)) => Bound::OwnedBlob(bytes.to_vec()),
                Ok(Value::Timestamp(micros) | Value::Duration(micros)) => Bound::Integer(micros),
                Ok(value) => as_text(&value),
                Err(_) => UNEQUAL,
            }
        }
        (Type::Json | Type::Named(_) | Type::Unknown(_) | Type::List(_) | Type::Object(_), _) => {
            as_json(value)
        }
        _ => plain(value)?,
    })
}

fn as_text(value: &Value) -> Bound<'static> {
    Bound::OwnedText(value.to_plain())
}

fn as_json(value: &Value) -> Bound<'static> {
    Bound::OwnedText(json::to_json(value))
}

/// A number as a scaled integer.
fn scaled(value: &Value, scale: u8, rounding: Rounding) -> Bound<'static> {
    match (units(value), value) {
        (Some(given), _) => Bound::Integer(rounded(given, scale, rounding)),
        (None, Value::Double(number)) => Bound::Real(number * 10_f64.powi(i32::from(scale))),
        _ => UNEQUAL,
    }
}

fn list<'v>(value: &'v Value, of: &Encode) -> Result<Bound<'v>, StoreError> {
    let mut out = String::from("[");
    let mut push = |item: &Value| -> Result<(), StoreError> {
        let bound = bind(item, of)?;
        if bound == Bound::Null {
            return Ok(());
        }
        if out.len() > 1 {
            out.push(',');
        }
        match bound {
            Bound::Null => {}
            Bound::Integer(number) => out.push_str(&number.to_string()),
            // `{:?}` is the shortest text that reads back as the same double.
            Bound::Real(number) => out.push_str(&format!("{number:?}")),
            Bound::Text(text) => json::quote(text, &mut out),
            Bound::OwnedText(text) => json::quote(&text, &mut out),
            Bound::Blob(bytes) => push_hex(&mut out, bytes),
            Bound::OwnedBlob(bytes) => push_hex(&mut out, &bytes),
        }
        Ok(())
    };
    match value {
        Value::List(items) => items.iter().try_for_each(&mut push)?,
        Value::Map(members) => members.iter().try_for_each(|(key, _)| push(key))?,
        _ => return Err(StoreError::Internal("`in` needs a list".into())),
    }
    out.push(']');
    Ok(Bound::OwnedText(out))
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for byte in bytes {
        out.push_str(&format!("{byte:02x}"));
    }
    out.push('"');
}

/// A bound value as a literal of SQL.
pub(crate) fn literal(bound: &Bound<'_>) -> String {
    match bound {
        Bound::Null => "NULL".into(),
        Bound::Integer(i64::MIN) => "(-9223372036854775807 - 1)".into(),
        Bound::Integer(number) => number.to_string(),
        Bound::Real(number) => format!("{number:?}"),
        Bound::Text(text) => quoted_text(text),
        Bound::OwnedText(text) => quoted_text(text),
        Bound::Blob(bytes) => blob(bytes),
        Bound::OwnedBlob(bytes) => blob(bytes),
    }
}

fn quoted_text(text: &str) -> String {
    // A literal ends at U+0000, and no column holds one: such a text is unequal to all.
    if text.contains('\0') { "x''".into() } else { format!("'{}'", text.replace('\'', "''")) }
}

fn blob(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x'{digits}'")
}

/// Reads a column of a type.
pub(crate) fn read(column: ValueRef<'_>, ty: &Type) -> Result<Value, StoreError> {
    let value = match (column, ty) {
        (ValueRef::Null, _) => Some(Value::Null),
        (ValueRef::Integer(number), Type::Integer) => Some(Value::Integer(number)),
        (ValueRef::Integer(units), Type::Decimal { scale, .. }) => {
            Some(Value::Decimal(Decimal { units: i128::from(units), scale: *scale }))
        }
        (ValueRef::Integer(number), Type::Boolean) => Some(Value::Boolean(number != 0)),
        (ValueRef::Integer(number), Type::Timestamp) => Some(Value::Timestamp(number)),
        (ValueRef::Integer(number), Type::Duration) => Some(Value::Duration(number)),
        (ValueRef::Real(number), Type::Double) => Some(Value::Double(number)),
        (ValueRef::Blob(bytes), Type::Uuid) => <[u8; 16]>::try_from(bytes).ok().map(Value::Uuid),
        (ValueRef::Blob(bytes), Type::Bytes) => Some(Value::Bytes(bytes.into())),
        (ValueRef::Text(bytes), _) => std::str::from_utf8(bytes).ok().and_then(|text| match ty {
            Type::String | Type::Uri | Type::Email | Type::Enum(_) => Some(Value::Text(text.into())),
            Type::Object(members) if !members.is_empty() => converted(ty, Value::Json(text.into())).ok(),
            Type::Json | Type::Named(_) | Type::Unknown(_) | Type::Object(_) => {
                Some(Value::Json(text.into()))
            }
            Type::List(_) => converted(ty, Value::Json(text.into())).ok(),
            _ => converted(ty, Value::Text(text.into())).ok(),
        }),
        _ => None,
    };
    value.ok_or_else(|| StoreError::Internal(format!("a column does not hold a {ty}")))
}

/// The column type of a STRICT table.
pub(crate) fn column_type(ty: &Type) -> &'static str {
    match ty {
        Type::Integer | Type::Decimal { .. } | Type::Boolean | Type::Timestamp | Type::Duration => "INTEGER",
        Type::Double => "REAL",
        Type::Uuid | Type::Bytes => "BLOB",
        _ => "TEXT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_uuid_is_equal_to_none() {
        assert_eq!(bind(&Value::Text("x".into()), &Encode::As(Type::Uuid)), Ok(UNEQUAL));
    }
}
