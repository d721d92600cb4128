//! Values as PostgreSQL keeps them, in its binary format. Source: language reference, *Types* (column PostgreSQL).

use crate::statements::{Encode, rank, rounded, units};
use bytes::{BufMut, BytesMut};
use formwork_engine::StoreError;
use formwork_language::constraint::converted;
use formwork_language::value::{Decimal, Value, json};
use formwork_model::values::Type;
use std::borrow::Cow;
use std::error::Error;
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type as PgType, to_sql_checked};

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Days from 1970 to 2000.
const EPOCH_DAYS: i32 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;

/// A value on its way into PostgreSQL. The type of its place follows from [`parameter_type`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound<'v> {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Numeric(Decimal),
    Text(Cow<'v, str>),
    /// JSON text for a `jsonb`.
    Json(Cow<'v, str>),
    Bytes(&'v [u8]),
    Uuid([u8; 16]),
    Timestamp(i64),
    Date(i32),
    Time(i64),
    Interval(i64),
    Array(Vec<Bound<'v>>),
}

/// The type of a parameter's place.
pub(crate) fn parameter_type(encode: &Encode) -> PgType {
    match encode {
        Encode::Plain => PgType::TEXT,
        Encode::As(ty) => stored_as(ty),
        Encode::Scaled(0, _) | Encode::Rank(_) | Encode::Limit => PgType::INT8,
        Encode::Scaled(..) => PgType::NUMERIC,
        Encode::List(of) => match parameter_type(of) {
            PgType::INT8 => PgType::INT8_ARRAY,
            PgType::NUMERIC => PgType::NUMERIC_ARRAY,
            PgType::FLOAT8 => PgType::FLOAT8_ARRAY,
            PgType::BOOL => PgType::BOOL_ARRAY,
            PgType::UUID => PgType::UUID_ARRAY,
            PgType::TIMESTAMPTZ => PgType::TIMESTAMPTZ_ARRAY,
            PgType::DATE => PgType::DATE_ARRAY,
            PgType::TIME => PgType::TIME_ARRAY,
            PgType::INTERVAL => PgType::INTERVAL_ARRAY,
            PgType::BYTEA => PgType::BYTEA_ARRAY,
            PgType::JSONB => PgType::JSONB_ARRAY,
            _ => PgType::TEXT_ARRAY,
        },
    }
}

fn stored_as(ty: &Type) -> PgType {
    match ty {
        Type::Integer => PgType::INT8,
        Type::Decimal { .. } => PgType::NUMERIC,
        Type::Double => PgType::FLOAT8,
        Type::Boolean => PgType::BOOL,
        Type::Uuid => PgType::UUID,
        Type::Timestamp => PgType::TIMESTAMPTZ,
        Type::Date => PgType::DATE,
        Type::Time => PgType::TIME,
        Type::Duration => PgType::INTERVAL,
        Type::Bytes => PgType::BYTEA,
        Type::List(_) => PgType::JSONB,
        _ => PgType::TEXT,
    }
}

/// The type of a column.
pub(crate) fn column_type(ty: &Type) -> &'static str {
    match stored_as(ty) {
        PgType::INT8 => "bigint",
        PgType::NUMERIC => "numeric",
        PgType::FLOAT8 => "double precision",
        PgType::BOOL => "boolean",
        PgType::UUID => "uuid",
        PgType::TIMESTAMPTZ => "timestamptz",
        PgType::DATE => "date",
        PgType::TIME => "time",
        PgType::INTERVAL => "interval",
        PgType::BYTEA => "bytea",
        PgType::JSONB => "jsonb",
        // By code point, whatever the collation of the database is.
        _ => "text COLLATE \"C\"",
    }
}

/// A value as one place in a statement takes it. What no column of the place's type can hold is null, which is equal
/// to nothing.
pub(crate) fn bind<'v>(value: &'v Value, encode: &Encode) -> Result<Bound<'v>, StoreError> {
    if matches!(value, Value::Absent | Value::Null) {
        return Ok(if matches!(encode, Encode::Limit) { Bound::Integer(0) } else { Bound::Null });
    }
    match encode {
        Encode::Plain => Ok(text(value)),
        Encode::As(ty) => typed(value, ty),
        Encode::Scaled(scale, rounding) => {
            let given = match (units(value), value) {
                (Some(given), _) => given,
                (None, Value::Double(number)) => decimal_of(*number).ok_or(StoreError::Arithmetic)?,
                _ => return Ok(Bound::Null),
            };
            Ok(match scale {
                0 => Bound::Integer(rounded(given, 0, *rounding)),
                _ => Bound::Numeric(given),
            })
        }
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

fn text(value: &Value) -> Bound<'_> {
    let text: Cow<'_, str> = match value {
        Value::Text(text) | Value::Json(text) => Cow::Borrowed(text),
        Value::List(_) | Value::Map(_) => Cow::Owned(json::to_json(value)),
        value => Cow::Owned(value.to_plain().to_string()),
    };
    // No column holds U+0000, so that such a text is equal to none.
    if text.contains('\0') { Bound::Null } else { Bound::Text(text) }
}

fn typed<'v>(value: &'v Value, ty: &Type) -> Result<Bound<'v>, StoreError> {
    Ok(match (ty, value) {
        (_, Value::Row(_)) => return Err(StoreError::Internal("a row is no value of a column".into())),
        (Type::Decimal { .. }, Value::Double(number)) => {
            Bound::Numeric(decimal_of(*number).ok_or(StoreError::Arithmetic)?)
        }
        (Type::Decimal { .. }, _) => units(value).map_or(Bound::Null, Bound::Numeric),
        (Type::Integer, Value::Integer(number)) => Bound::Integer(*number),
        (Type::Integer, _) => units(value).map_or(Bound::Null, |given| {
            match rounded(given, 0, crate::statements::Rounding::NoEqual) {
                i64::MIN => Bound::Null,
                number => Bound::Integer(number),
            }
        }),
        (Type::Double, Value::Double(number)) if !number.is_finite() => return Err(StoreError::Arithmetic),
        (Type::Double, Value::Double(number)) => Bound::Double(*number),
        (Type::Double, _) => units(value).map_or(Bound::Null, |given| {
            Bound::Double(given.units as f64 / 10_f64.powi(i32::from(given.scale)))
        }),
        (Type::Boolean, Value::Boolean(value)) => Bound::Boolean(*value),
        (Type::Bytes, Value::Bytes(bytes)) => Bound::Bytes(bytes),
        (Type::Uuid | Type::Timestamp | Type::Date | Type::Time | Type::Duration, Value::Text(_)) => {
            match converted(ty, value.clone()) {
                Ok(value) => native(&value, ty),
                Err(_) => Bound::Null,
            }
        }
        (Type::Uuid | Type::Timestamp | Type::Date | Type::Time | Type::Duration, _) => native(value, ty),
        (Type::List(_), _) => Bound::Json(Cow::Owned(json::to_json(value))),
        (Type::Json | Type::Named(_) | Type::Unknown(_) | Type::Object(_), _) => {
            Bound::Text(Cow::Owned(json::to_json(value)))
        }
        (Type::Boolean | Type::Bytes, _) => Bound::Null,
        _ => text(value),
    })
}

fn native(value: &Value, ty: &Type) -> Bound<'static> {
    match (ty, value) {
        (Type::Uuid, Value::Uuid(bytes)) => Bound::Uuid(*bytes),
        (Type::Timestamp, Value::Timestamp(micros)) => Bound::Timestamp(*micros),
        (Type::Date, Value::Date(days)) => Bound::Date(*days),
        (Type::Time, Value::Time(micros)) => Bound::Time(*micros),
        (Type::Duration, Value::Duration(micros)) => Bound::Interval(*micros),
        _ => Bound::Null,
    }
}

/// A double as the exact decimal of its shortest text.
fn decimal_of(number: f64) -> Option<Decimal> {
    let plain = format!("{number}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let units = format!("{whole}{fraction}").parse().ok()?;
    Some(Decimal { units, scale: u8::try_from(fraction.len()).ok()? })
}

fn list<'v>(value: &'v Value, of: &Encode) -> Result<Bound<'v>, StoreError> {
    let exact = |item: &Value| {
        // What is rounded to *no equal* is no member.
        !matches!((of, units(item)), (Encode::Scaled(0, rounding), Some(given))
            if rounded(given, 0, *rounding) == i64::MIN)
    };
    let items: Vec<&Value> = match value {
        Value::List(items) => items.iter().collect(),
        Value::Map(members) => members.iter().map(|(key, _)| key).collect(),
        _ => return Err(StoreError::Internal("`in` needs a list".into())),
    };
    let items = items.into_iter().filter(|item| exact(item)).map(|item| bind(item, of));
    Ok(Bound::Array(items.filter(|item| *item != Ok(Bound::Null)).collect::<Result<_, _>>()?))
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &PgType, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Boolean(value) => out.put_u8(u8::from(*value)),
            Self::Integer(number) => out.put_i64(*number),
            Self::Double(number) => out.put_f64(*number),
            Self::Numeric(number) => put_numeric(*number, out),
            Self::Text(text) => out.put_slice(text.as_bytes()),
            Self::Json(text) => {
                // The version of the format.
                out.put_u8(1);
                out.put_slice(text.as_bytes());
            }
            Self::Bytes(bytes) => out.put_slice(bytes),
            Self::Uuid(bytes) => out.put_slice(bytes),
            Self::Timestamp(micros) => {
                out.put_i64(micros.checked_sub(EPOCH_MICROS).ok_or("the timestamp is too early")?);
            }
            Self::Date(days) => {
                out.put_i32(days.checked_sub(EPOCH_DAYS).ok_or("the date is too early")?);
            }
            Self::Time(micros) => out.put_i64(*micros),
            Self::Interval(micros) => {
                out.put_i64(*micros);
                // Days and months stay apart in PostgreSQL; a duration has none.
                out.put_i64(0);
            }
            Self::Array(items) => put_array(items, ty, out)?,
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &PgType) -> bool {
        // Statements are prepared with the types that `parameter_type` gives.
        true
    }

    to_sql_checked!();
}

fn put_array(
    items: &[Bound<'_>],
    ty: &PgType,
    out: &mut BytesMut,
) -> Result<(), Box<dyn Error + Sync + Send>> {
    let Kind::Array(member) = ty.kind() else { return Err("a list is bound to what is no array".into()) };
    out.put_i32(i32::from(!items.is_empty()));
    out.put_i32(0);
    out.put_u32(member.oid());
    if items.is_empty() {
        return Ok(());
    }
    out.put_i32(i32::try_from(items.len())?);
    out.put_i32(1);
    for item in items {
        let at = out.len();
        out.put_i32(0);
        item.to_sql(member, out)?;
        let length = i32::try_from(out.len() - at - 4)?;
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Groups of four decimal digits with the weight of the first one.
fn put_numeric(number: Decimal, out: &mut BytesMut) {
    let scale = usize::from(number.scale);
    let digits = format!("{:0>1$}", number.units.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let ahead = (4 - whole.len() % 4) % 4;
    let behind = (4 - fraction.len() % 4) % 4;
    let padded = format!("{}{whole}{fraction}{}", "0".repeat(ahead), "0".repeat(behind));
    let groups: Vec<i16> = padded
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().fold(0, |sum, digit| sum * 10 + i16::from(digit - b'0')))
        .collect();
    let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len());
    let last = groups.iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
    let weight = (whole.len() + ahead) as i64 / 4 - 1 - first as i64;
    let kept = groups.get(first..last).unwrap_or_default();
    out.put_i16(kept.len() as i16);
    out.put_i16(if kept.is_empty() { 0 } else { weight as i16 });
    out.put_u16(if number.units < 0 { 0x4000 } else { 0 });
    out.put_u16(u16::from(number.scale));
    kept.iter().for_each(|group| out.put_i16(*group));
}

/// A column as it came.
pub(crate) struct Raw<'r>(Option<&'r [u8]>);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &PgType, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &PgType) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &PgType) -> bool {
        true
    }
}

impl Raw<'_> {
    /// The value of a column of a type.
    pub(crate) fn value(&self, ty: &Type) -> Result<Value, StoreError> {
        let Some(bytes) = self.0 else { return Ok(Value::Null) };
        let value = match ty {
            Type::Integer => number(bytes).map(Value::Integer),
            Type::Decimal { scale, .. } => {
                numeric(bytes, *scale).map(|units| Value::Decimal(Decimal { units, scale: *scale }))
            }
            Type::Double => number(bytes).map(|bits: i64| Value::Double(f64::from_bits(bits as u64))),
            Type::Boolean => bytes.first().map(|byte| Value::Boolean(*byte != 0)),
            Type::Uuid => bytes.try_into().ok().map(Value::Uuid),
            Type::Timestamp => {
                number(bytes).and_then(|micros| micros.checked_add(EPOCH_MICROS)).map(Value::Timestamp)
            }
            Type::Date => <[u8; 4]>::try_from(bytes)
                .ok()
                .and_then(|days| i32::from_be_bytes(days).checked_add(EPOCH_DAYS))
                .map(Value::Date),
            Type::Time => number(bytes).map(Value::Time),
            Type::Duration => interval(bytes).map(Value::Duration),
            Type::Bytes => Some(Value::Bytes(bytes.into())),
            Type::List(_) => {
                let json = bytes.split_first().and_then(|(_, json)| std::str::from_utf8(json).ok());
                json.and_then(|json| converted(ty, Value::Json(json.into())).ok())
            }
            Type::Json | Type::Named(_) | Type::Unknown(_) | Type::Object(_) => {
                std::str::from_utf8(bytes).ok().map(|json| Value::Json(json.into()))
            }
            _ => std::str::from_utf8(bytes).ok().map(|text| Value::Text(text.into())),
        };
        value.ok_or_else(|| StoreError::Internal(format!("a column does not hold a {ty}")))
    }

    /// A numeric that may be wider than a column's, at a scale.
    pub(crate) fn units(&self, scale: u8) -> Result<Value, StoreError> {
        let Some(bytes) = self.0 else { return Ok(Value::Null) };
        let units = numeric(bytes, scale).ok_or(StoreError::Arithmetic)?;
        Ok(Value::Decimal(Decimal { units, scale }))
    }

    /// A number of 64 bits.
    pub(crate) fn integer(&self) -> Option<i64> {
        self.0.and_then(number)
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.0
    }
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

fn interval(bytes: &[u8]) -> Option<i64> {
    let micros = number(bytes.get(..8)?)?;
    let part = |at: usize| Some(i64::from(i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)));
    let days = part(12)?.checked_mul(30)?.checked_add(part(8)?)?;
    micros.checked_add(days.checked_mul(DAY_MICROS)?)
}

/// The units of a numeric at a scale; nothing beyond 128 bits, for digits that the scale does not hold, and for NaN.
fn numeric(bytes: &[u8], scale: u8) -> Option<i128> {
    let word = |at: usize| Some(i16::from_be_bytes(bytes.get(at * 2..at * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign) = (word(0)?, word(1)?, word(2)?);
    let mut units = 0_i128;
    for at in 0..usize::try_from(count).ok()? {
        units = units.checked_mul(10_000)?.checked_add(i128::from(word(4 + at)?))?;
    }
    let shift = (i32::from(weight) - i32::from(count) + 1) * 4 + i32::from(scale);
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let units = match (units, shift >= 0) {
        (0, _) => 0,
        (units, true) => units.checked_mul(power?)?,
        (units, false) => {
            let power = power?;
            (units % power == 0).then_some(units / power)?
        }
    };
    match sign {
        0 => Some(units),
        0x4000 => Some(-units),
        _ => None,
    }
}

/// A bound value as a literal of SQL.
pub(crate) fn literal(bound: &Bound<'_>, ty: &PgType) -> String {
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = match bound {
        Bound::Null => return format!("NULL::{}", ty.name()),
        Bound::Boolean(value) => return if *value { "TRUE".into() } else { "FALSE".into() },
        Bound::Integer(number) => number.to_string(),
        Bound::Double(number) => format!("{number:?}"),
        Bound::Numeric(number) => Value::Decimal(*number).to_plain().to_string(),
        Bound::Text(text) | Bound::Json(text) => text.to_string(),
        Bound::Bytes(bytes) => format!("\\x{}", hexadecimal(bytes)),
        Bound::Uuid(bytes) => hexadecimal(bytes),
        Bound::Timestamp(micros) => Value::Timestamp(*micros).to_plain().to_string(),
        Bound::Date(days) => Value::Date(*days).to_plain().to_string(),
        Bound::Time(micros) => Value::Time(*micros).to_plain().to_string(),
        Bound::Interval(micros) => format!("{micros} microseconds"),
        // No constant of a program is a list in a place of its own.
        Bound::Array(_) => "{}".into(),
    };
    format!("'{}'::{}", text.replace('\'', "''"), ty.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_travel_there_and_back() {
        for (units, scale) in [
            (0, 0),
            (0, 4),
            (1, 0),
            (-1, 1),
            (15, 1),
            (10_000, 0),
            (10_000, 4),
            (123_456_789, 3),
            (-400, 2),
            (999_999_999_999_999_999, 18),
            (i128::from(i64::MIN), 0),
            (5, 18),
            (100, 2),
            (120_000_000, 2),
        ] {
            let mut out = BytesMut::new();
            put_numeric(Decimal { units, scale }, &mut out);
            assert_eq!(numeric(&out, scale), Some(units), "{units} {scale}");
            assert_eq!(numeric(&out, scale + 3), Some(units * 1000), "{units} {scale}");
        }
    }

    #[test]
    fn a_text_that_is_no_uuid_is_equal_to_none() {
        assert_eq!(bind(&Value::Text("x".into()), &Encode::As(Type::Uuid)), Ok(Bound::Null));
    }
}
