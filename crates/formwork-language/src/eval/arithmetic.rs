//! `+ - * / %`: integers checked, decimals exact, doubles as IEEE 754 has them, times and durations, texts and lists.
//!
//! Source: language reference, *Numbers*; the CEL specification, *Overloads* of the operators.

use super::EvaluationError;
use crate::expression::BinaryOperator;
use crate::value::{DURATIONS, Decimal, MICROSECONDS_PER_DAY, Rounding, TIMESTAMPS, Value, timestamp_of};
use BinaryOperator as Op;
use std::sync::Arc;

type Evaluated = Result<Value, EvaluationError>;

const OVERFLOW: EvaluationError = EvaluationError::Arithmetic("overflow");
const BY_ZERO: EvaluationError = EvaluationError::Arithmetic("division by zero");
const NO_OVERLOAD: EvaluationError = EvaluationError::NoOverload("the operator does not take these values");

/// Computes; absent values give an absent one.
pub(crate) fn binary(operator: BinaryOperator, left: &Value, right: &Value) -> Evaluated {
    if left.is_absent() || right.is_absent() {
        return Ok(Value::Absent);
    }
    match (left, right) {
        (Value::Integer(left), Value::Integer(right)) => integers(operator, *left, *right),
        (Value::Unsigned(left), Value::Unsigned(right)) => unsigned(operator, *left, *right),
        (Value::Decimal(left), Value::Decimal(right)) => decimals(operator, *left, *right),
        (Value::Integer(left), Value::Decimal(right)) => decimals(operator, Decimal::whole(*left), *right),
        (Value::Decimal(left), Value::Integer(right)) => decimals(operator, *left, Decimal::whole(*right)),
        (Value::Double(left), Value::Double(right)) => doubles(operator, *left, *right),
        (Value::Double(left), Value::Decimal(right)) => doubles(operator, *left, right.to_double()),
        (Value::Decimal(left), Value::Double(right)) => doubles(operator, left.to_double(), *right),
        _ => match operator {
            Op::Add => add(left, right),
            Op::Subtract => subtract(left, right),
            Op::Multiply => multiply(left, right),
            _ => Err(NO_OVERLOAD),
        },
    }
}

fn integers(operator: BinaryOperator, left: i64, right: i64) -> Evaluated {
    if right == 0 && matches!(operator, Op::Divide | Op::Quotient | Op::Remainder) {
        return Err(BY_ZERO);
    }
    let result = match operator {
        Op::Add => left.checked_add(right),
        Op::Subtract => left.checked_sub(right),
        Op::Multiply => left.checked_mul(right),
        Op::Divide | Op::Quotient => left.checked_div(right),
        Op::Remainder => left.checked_rem(right),
        _ => return Err(NO_OVERLOAD),
    };
    result.map(Value::Integer).ok_or(OVERFLOW)
}

fn unsigned(operator: BinaryOperator, left: u64, right: u64) -> Evaluated {
    if right == 0 && matches!(operator, Op::Divide | Op::Quotient | Op::Remainder) {
        return Err(BY_ZERO);
    }
    let result = match operator {
        Op::Add => left.checked_add(right),
        Op::Subtract => left.checked_sub(right),
        Op::Multiply => left.checked_mul(right),
        Op::Divide | Op::Quotient => left.checked_div(right),
        Op::Remainder => left.checked_rem(right),
        _ => return Err(NO_OVERLOAD),
    };
    result.map(Value::Unsigned).ok_or(OVERFLOW)
}

fn decimals(operator: BinaryOperator, left: Decimal, right: Decimal) -> Evaluated {
    if right.units == 0 && matches!(operator, Op::Divide | Op::Quotient | Op::Remainder) {
        return Err(BY_ZERO);
    }
    let result = match operator {
        Op::Add => left.checked_add(right),
        Op::Subtract => left.checked_sub(right),
        Op::Multiply => left.checked_mul(right),
        Op::Remainder => left.checked_rem(right),
        Op::Divide | Op::Quotient => return exact_quotient(left, right),
        _ => return Err(NO_OVERLOAD),
    };
    result.map(Value::Decimal).ok_or(OVERFLOW)
}

/// A quotient outside `round(…)`, which only values of unknown type reach: it must come out even.
fn exact_quotient(left: Decimal, right: Decimal) -> Evaluated {
    (0..=30)
        .find_map(|scale| left.checked_div(right, scale, Rounding::Exact))
        .map(Value::Decimal)
        .ok_or(EvaluationError::Arithmetic("the quotient has no end: round it"))
}

fn doubles(operator: BinaryOperator, left: f64, right: f64) -> Evaluated {
    Ok(Value::Double(match operator {
        Op::Add => left + right,
        Op::Subtract => left - right,
        Op::Multiply => left * right,
        Op::Divide | Op::Quotient => left / right,
        _ => return Err(NO_OVERLOAD),
    }))
}

fn add(left: &Value, right: &Value) -> Evaluated {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(Value::Text([&**left, &**right].concat().into())),
        (Value::Bytes(left), Value::Bytes(right)) => Ok(Value::Bytes([&**left, &**right].concat().into())),
        (Value::List(left), Value::List(right)) => {
            Ok(Value::List(left.iter().chain(right.iter()).cloned().collect::<Arc<[_]>>()))
        }
        (Value::Timestamp(time), Value::Duration(by)) | (Value::Duration(by), Value::Timestamp(time)) => {
            timestamp(time.checked_add(*by))
        }
        (Value::Date(date), Value::Duration(by)) | (Value::Duration(by), Value::Date(date)) => {
            shifted(*date, Some(*by))
        }
        (Value::Duration(left), Value::Duration(right)) => duration(left.checked_add(*right)),
        _ => Err(NO_OVERLOAD),
    }
}

fn subtract(left: &Value, right: &Value) -> Evaluated {
    match (left, right) {
        (Value::Timestamp(left), Value::Timestamp(right)) => duration(left.checked_sub(*right)),
        (Value::Timestamp(time), Value::Duration(by)) => timestamp(time.checked_sub(*by)),
        (Value::Date(left), Value::Date(right)) => {
            duration(Some(timestamp_of(*left, 0).saturating_sub(timestamp_of(*right, 0))))
        }
        (Value::Date(date), Value::Duration(by)) => shifted(*date, by.checked_neg()),
        (Value::Time(left), Value::Time(right)) => duration(left.checked_sub(*right)),
        (Value::Duration(left), Value::Duration(right)) => duration(left.checked_sub(*right)),
        _ => Err(NO_OVERLOAD),
    }
}

fn multiply(left: &Value, right: &Value) -> Evaluated {
    match (left, right) {
        (Value::Duration(duration), Value::Integer(by)) | (Value::Integer(by), Value::Duration(duration)) => {
            self::duration(duration.checked_mul(*by))
        }
        _ => Err(NO_OVERLOAD),
    }
}

fn duration(microseconds: Option<i64>) -> Evaluated {
    microseconds.filter(|length| DURATIONS.contains(length)).map(Value::Duration).ok_or(OVERFLOW)
}

fn timestamp(microseconds: Option<i64>) -> Evaluated {
    let fits = microseconds.filter(|time| TIMESTAMPS.contains(time));
    fits.map(Value::Timestamp)
        .ok_or(EvaluationError::Arithmetic("the timestamp lies outside the years 1 to 9999"))
}

/// A date moves by whole days.
fn shifted(date: i32, by: Option<i64>) -> Evaluated {
    let by = by.ok_or(OVERFLOW)?;
    if by % MICROSECONDS_PER_DAY != 0 {
        return Err(EvaluationError::Arithmetic("a date moves by whole days"));
    }
    let days = i32::try_from(by / MICROSECONDS_PER_DAY).ok().and_then(|days| date.checked_add(days));
    days.map(Value::Date).ok_or(OVERFLOW)
}
