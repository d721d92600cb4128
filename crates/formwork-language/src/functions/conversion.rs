//! Conversions: each refuses what it would have to change beyond the digits behind a point.

use super::{Function, Gives, NO_OVERLOAD, Style, Takes, invalid, pure};
use crate::eval::{EvaluationError, Work};
use crate::value::{Decimal, Rounding, Value, text};

type Evaluated = Result<Value, EvaluationError>;

const RANGE: EvaluationError = EvaluationError::Arithmetic("the number does not fit");

pub(super) fn functions() -> Vec<Function> {
    use Takes::{Any, Boolean, Bytes, Date, Duration, Integer, Number, Text, Time, Timestamp, Uuid};
    vec![
        pure(
            "int",
            Style::Call,
            &[
                overload!(&[Number], Gives::Integer),
                overload!(&[Text], Gives::Integer),
                overload!(&[Timestamp], Gives::Integer),
                overload!(&[Duration], Gives::Integer),
            ],
            int,
        ),
        pure(
            "uint",
            Style::Call,
            &[overload!(&[Number], Gives::Unsigned), overload!(&[Text], Gives::Unsigned)],
            uint,
        ),
        pure(
            "double",
            Style::Call,
            &[overload!(&[Number], Gives::Double), overload!(&[Text], Gives::Double)],
            double,
        ),
        pure(
            "decimal",
            Style::Call,
            &[overload!(&[Number], Gives::Decimal), overload!(&[Text], Gives::Decimal)],
            decimal,
        ),
        pure("string", Style::Call, &[overload!(&[Any], Gives::Text)], string),
        pure(
            "bytes",
            Style::Call,
            &[overload!(&[Text], Gives::Bytes), overload!(&[Bytes], Gives::Bytes)],
            bytes,
        ),
        pure(
            "bool",
            Style::Call,
            &[overload!(&[Boolean], Gives::Boolean), overload!(&[Text], Gives::Boolean)],
            boolean,
        ),
        pure(
            "timestamp",
            Style::Call,
            &[
                overload!(&[Text], Gives::Timestamp),
                overload!(&[Timestamp], Gives::Timestamp),
                overload!(&[Integer], Gives::Timestamp),
                overload!(&[Date], Gives::Timestamp),
            ],
            timestamp,
        ),
        pure(
            "duration",
            Style::Call,
            &[overload!(&[Text], Gives::Duration), overload!(&[Duration], Gives::Duration)],
            duration,
        ),
        pure("time", Style::Call, &[overload!(&[Text], Gives::Time), overload!(&[Time], Gives::Time)], time),
        Function {
            takes_absent: true,
            ..pure("type", Style::Call, &[overload!(&[Any], Gives::Type)], |_, values| {
                Ok(Value::Type(type_name(&values[0])))
            })
        },
        pure(
            PARSE_UUID,
            Style::Call,
            &[overload!(&[Uuid], Gives::Uuid), overload!(&[Text], Gives::Uuid)],
            uuid,
        ),
    ]
}

/// A name that no document can write: a text as a uuid, absent if it is none. For comparisons in SQL.
pub(crate) const PARSE_UUID: &str = "/uuid";

fn uuid(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Uuid(_)] => Ok(values[0].clone()),
        [Value::Text(text)] => Ok(text::parse_uuid(text).map_or(Value::Absent, Value::Uuid)),
        _ => Err(NO_OVERLOAD),
    }
}

fn int(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let number = match values {
        [Value::Integer(value)] => Some(*value),
        [Value::Unsigned(value)] => i64::try_from(*value).ok(),
        [Value::Decimal(value)] => value.to_integer(Rounding::Truncate),
        // 2^63 is a double and the first number that does not fit; -2^63 is excluded as CEL has it.
        [Value::Double(value)] => {
            let fits = *value > -9_223_372_036_854_775_808.0 && *value < 9_223_372_036_854_775_808.0;
            fits.then_some(*value as i64)
        }
        [Value::Timestamp(value) | Value::Duration(value)] => Some(value.div_euclid(1_000_000)),
        [Value::Text(text)] => {
            return text.parse().map(Value::Integer).map_err(|_| invalid("not an integer"));
        }
        _ => return Err(NO_OVERLOAD),
    };
    number.map(Value::Integer).ok_or(RANGE)
}

fn uint(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let number = match values {
        [Value::Unsigned(value)] => Some(*value),
        [Value::Integer(value)] => u64::try_from(*value).ok(),
        [Value::Decimal(value)] => {
            value.rescaled(0, Rounding::Truncate).and_then(|value| u64::try_from(value.units).ok())
        }
        [Value::Double(value)] => (*value > -1.0 && *value < 18_446_744_073_709_551_616.0)
            .then_some(*value as u64)
            .filter(|_| *value >= 0.0),
        [Value::Text(text)] => {
            return text.parse().map(Value::Unsigned).map_err(|_| invalid("not an unsigned integer"));
        }
        _ => return Err(NO_OVERLOAD),
    };
    number.map(Value::Unsigned).ok_or(RANGE)
}

fn double(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    Ok(Value::Double(match values {
        [Value::Double(value)] => *value,
        [Value::Integer(value)] => *value as f64,
        [Value::Unsigned(value)] => *value as f64,
        [Value::Decimal(value)] => value.to_double(),
        [Value::Text(text)] => text.parse().map_err(|_| invalid("not a number"))?,
        _ => return Err(NO_OVERLOAD),
    }))
}

fn decimal(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let number = match values {
        [Value::Decimal(value)] => Some(*value),
        [Value::Integer(value)] => Some(Decimal::whole(*value)),
        [Value::Unsigned(value)] => Some(Decimal { units: i128::from(*value), scale: 0 }),
        [Value::Double(value)] => Decimal::from_double(*value),
        [Value::Text(text)] => {
            return text::parse_decimal(text).map(Value::Decimal).ok_or(invalid("not a decimal"));
        }
        _ => return Err(NO_OVERLOAD),
    };
    number.map(Value::Decimal).ok_or(RANGE)
}

fn string(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Text(_)] => Ok(values[0].clone()),
        [Value::Bytes(bytes)] => {
            std::str::from_utf8(bytes).map(Value::text).map_err(|_| invalid("the bytes are not UTF-8"))
        }
        [Value::List(_) | Value::Map(_) | Value::Row(_)] => Err(NO_OVERLOAD),
        [value] => Ok(Value::Text(value.to_plain().into())),
        _ => Err(NO_OVERLOAD),
    }
}

fn bytes(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Bytes(_)] => Ok(values[0].clone()),
        [Value::Text(text)] => Ok(Value::Bytes(text.as_bytes().into())),
        _ => Err(NO_OVERLOAD),
    }
}

fn boolean(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Boolean(_)] => Ok(values[0].clone()),
        [Value::Text(text)] => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Boolean(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Boolean(false)),
            _ => Err(invalid("not a boolean")),
        },
        _ => Err(NO_OVERLOAD),
    }
}

/// `timestamp("2026-11-23T12:00:00Z")`, of an integer: seconds since the epoch, of a date: its first instant in UTC.
fn timestamp(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let time = match values {
        [Value::Timestamp(time)] => Some(*time),
        [Value::Text(text)] => Some(text::parse_timestamp(text).ok_or_else(|| invalid("not a timestamp"))?),
        [Value::Integer(seconds)] => seconds.checked_mul(1_000_000),
        [Value::Date(days)] => Some(crate::value::timestamp_of(*days, 0)),
        _ => return Err(NO_OVERLOAD),
    };
    time.map(Value::Timestamp).ok_or(RANGE)
}

fn duration(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Duration(_)] => Ok(values[0].clone()),
        [Value::Text(text)] => {
            text::parse_duration(text).map(Value::Duration).ok_or_else(|| invalid("not a duration"))
        }
        _ => Err(NO_OVERLOAD),
    }
}

fn time(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Time(_)] => Ok(values[0].clone()),
        [Value::Text(text)] => {
            text::parse_time(text).map(Value::Time).ok_or_else(|| invalid("not a time of day"))
        }
        _ => Err(NO_OVERLOAD),
    }
}

/// The name of a value's type, as CEL calls it.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Absent | Value::Null => "null_type",
        Value::Boolean(_) => "bool",
        Value::Integer(_) => "int",
        Value::Unsigned(_) => "uint",
        Value::Decimal(_) => "decimal",
        Value::Double(_) => "double",
        Value::Text(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Uuid(_) => "uuid",
        Value::Timestamp(_) => "google.protobuf.Timestamp",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Duration(_) => "google.protobuf.Duration",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Json(_) => "json",
        Value::Row(_) => "row",
        Value::Type(_) => "type",
    }
}
