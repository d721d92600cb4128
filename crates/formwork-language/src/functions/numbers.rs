//! Numbers: exact for integers and decimals, IEEE 754 for doubles.

use super::{Function, Gives, NO_OVERLOAD, OVERFLOW, Style, Takes, invalid, pure};
use crate::eval::{EvaluationError, Work, arithmetic};
use crate::expression::BinaryOperator;
use crate::value::{Decimal, Rounding, Value, order};
use std::cmp::Ordering;

type Evaluated = Result<Value, EvaluationError>;

pub(super) fn functions() -> Vec<Function> {
    use Takes::{Any, Double, Duration, Exact, Integer, List, Number, Numbers};
    const ROUND: &[super::Overload] = &[
        overload!(&[Exact], Gives::Rounded),
        overload!(&[Double], Gives::Double),
        overload!(&[Exact, Integer], Gives::Rounded),
        overload!(&[Double, Integer], Gives::Double),
    ];
    const EXTREME: &[super::Overload] = &[
        overload!(&[List], Gives::Element),
        overload!(&[Any, Any], Gives::Common),
        overload!(&[Any, Any, Any], Gives::Common),
        overload!(&[Any, Any, Any, Any], Gives::Common),
    ];
    const QUOTIENT: &[super::Overload] = &[overload!(&[Exact, Exact, Integer], Gives::Decimal)];
    vec![
        pure(
            "abs",
            Style::Call,
            &[overload!(&[Number], Gives::Same), overload!(&[Duration], Gives::Same)],
            abs,
        ),
        pure("round", Style::Call, ROUND, |_, values| round(values, Rounding::HalfUp)),
        pure("round_half_even", Style::Call, ROUND, |_, values| round(values, Rounding::HalfEven)),
        pure("floor", Style::Call, ROUND, |_, values| round(values, Rounding::Floor)),
        pure("ceil", Style::Call, ROUND, |_, values| round(values, Rounding::Ceiling)),
        pure(
            "pow",
            Style::Call,
            &[
                overload!(&[Integer, Integer], Gives::Integer),
                overload!(&[Exact, Integer], Gives::Decimal),
                overload!(&[Double, Number], Gives::Double,),
            ],
            pow,
        ),
        pure("min", Style::Call, EXTREME, |_, values| extreme(values, Ordering::Less)),
        pure("max", Style::Call, EXTREME, |_, values| extreme(values, Ordering::Greater)),
        pure("sum", Style::Call, &[overload!(&[Numbers], Gives::Sum)], sum),
        // The quotients that the compiler makes of `round(a / b, n)`.
        pure(QUOTIENT_NAMES[0], Style::Call, QUOTIENT, |_, values| quotient(values, Rounding::HalfUp)),
        pure(QUOTIENT_NAMES[1], Style::Call, QUOTIENT, |_, values| quotient(values, Rounding::HalfEven)),
        pure(QUOTIENT_NAMES[2], Style::Call, QUOTIENT, |_, values| quotient(values, Rounding::Floor)),
        pure(QUOTIENT_NAMES[3], Style::Call, QUOTIENT, |_, values| quotient(values, Rounding::Ceiling)),
        pure(FIT_NAMES[0], Style::Call, &[overload!(&[Exact, Integer], Gives::Decimal)], |_, values| {
            fit(values, Rounding::Exact)
        }),
        pure(FIT_NAMES[1], Style::Call, &[overload!(&[Exact, Integer], Gives::Decimal)], |_, values| {
            fit(values, Rounding::Floor)
        }),
        pure(FIT_NAMES[2], Style::Call, &[overload!(&[Exact, Integer], Gives::Decimal)], |_, values| {
            fit(values, Rounding::Ceiling)
        }),
    ]
}

/// Names that no document can write, for the quotients of `round`, `round_half_even`, `floor` and `ceil`.
pub(crate) const QUOTIENT_NAMES: [&str; 4] = ["/round", "/round_half_even", "/floor", "/ceil"];

/// Names that no document can write: a number with exactly so many digits behind the point, absent if that is not
/// possible; the next one below; the next one above.
pub(crate) const FIT_NAMES: [&str; 3] = ["/fit", "/fit_below", "/fit_above"];

fn exact(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(value) => Some(Decimal::whole(*value)),
        Value::Decimal(value) => Some(*value),
        _ => None,
    }
}

fn places(value: &Value) -> Result<u8, EvaluationError> {
    match value {
        Value::Integer(places @ 0..=30) => Ok(*places as u8),
        Value::Integer(_) => Err(invalid("0 to 30 digits behind the point")),
        _ => Err(NO_OVERLOAD),
    }
}

fn abs(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Integer(value)] => value.checked_abs().map(Value::Integer).ok_or(OVERFLOW),
        [Value::Duration(value)] => value.checked_abs().map(Value::Duration).ok_or(OVERFLOW),
        [Value::Decimal(value)] if value.units < 0 => value.checked_neg().map(Value::Decimal).ok_or(OVERFLOW),
        [Value::Decimal(_) | Value::Unsigned(_)] => Ok(values[0].clone()),
        [Value::Double(value)] => Ok(Value::Double(value.abs())),
        _ => Err(NO_OVERLOAD),
    }
}

/// `round(x)` and `round(x, n)`: of an integer the integer itself.
fn round(values: &[Value], rounding: Rounding) -> Evaluated {
    let digits = values.get(1).map_or(Ok(0), places)?;
    match values.first() {
        Some(Value::Integer(value)) if values.len() == 1 => Ok(Value::Integer(*value)),
        Some(Value::Double(value)) => Ok(Value::Double(round_double(*value, digits, rounding))),
        Some(value) => {
            let rounded = exact(value).ok_or(NO_OVERLOAD)?.rescaled(digits, rounding);
            rounded.map(Value::Decimal).ok_or(OVERFLOW)
        }
        None => Err(NO_OVERLOAD),
    }
}

/// A double is rounded as the decimal that it prints as, so that `round(2.675, 2)` is what one sees.
fn round_double(value: f64, digits: u8, rounding: Rounding) -> f64 {
    let rounded = Decimal::from_double(value).and_then(|value| value.rescaled(digits, rounding));
    rounded.map_or(value, Decimal::to_double)
}

fn quotient(values: &[Value], rounding: Rounding) -> Evaluated {
    let [dividend, divisor, digits] = values else { return Err(NO_OVERLOAD) };
    if let (Value::Double(dividend), Some(divisor)) = (dividend, double(divisor)) {
        return Ok(Value::Double(round_double(dividend / divisor, places(digits)?, rounding)));
    }
    if let (Some(dividend), Value::Double(divisor)) = (double(dividend), divisor) {
        return Ok(Value::Double(round_double(dividend / divisor, places(digits)?, rounding)));
    }
    let (dividend, divisor) = (exact(dividend).ok_or(NO_OVERLOAD)?, exact(divisor).ok_or(NO_OVERLOAD)?);
    if divisor.units == 0 {
        return Err(EvaluationError::Arithmetic("division by zero"));
    }
    dividend.checked_div(divisor, places(digits)?, rounding).map(Value::Decimal).ok_or(OVERFLOW)
}

fn fit(values: &[Value], rounding: Rounding) -> Evaluated {
    let [value, digits] = values else { return Err(NO_OVERLOAD) };
    let fitted = exact(value).ok_or(NO_OVERLOAD)?.rescaled(places(digits)?, rounding);
    Ok(fitted.map_or(Value::Absent, Value::Decimal))
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Double(value) => Some(*value),
        Value::Decimal(value) => Some(value.to_double()),
        Value::Integer(value) => Some(*value as f64),
        _ => None,
    }
}

fn pow(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [Value::Integer(base), Value::Integer(exponent)] => {
            let exponent = u32::try_from(*exponent).map_err(|_| invalid("an exponent is not negative"))?;
            base.checked_pow(exponent).map(Value::Integer).ok_or(OVERFLOW)
        }
        [Value::Decimal(base), Value::Integer(exponent)] => {
            let exponent = u32::try_from(*exponent).map_err(|_| invalid("an exponent is not negative"))?;
            decimal_power(work, *base, exponent)
        }
        [Value::Double(base), exponent] => {
            double(exponent).map(|exponent| Value::Double(base.powf(exponent))).ok_or(NO_OVERLOAD)
        }
        _ => Err(NO_OVERLOAD),
    }
}

fn decimal_power(work: &mut Work<'_>, base: Decimal, exponent: u32) -> Evaluated {
    let mut result = Decimal::whole(1);
    let base = base.trimmed();
    if matches!(base.units, 0 | 1) && base.scale == 0 {
        return Ok(Value::Decimal(if exponent == 0 { result } else { base }));
    }
    for _ in 0..exponent {
        work.charge(1)?;
        result = result.checked_mul(base).ok_or(OVERFLOW)?;
    }
    Ok(Value::Decimal(result))
}

/// The smallest or largest of a list or of the arguments; of an empty list absent.
fn extreme(values: &[Value], wanted: Ordering) -> Evaluated {
    let items = match values {
        [Value::List(items)] => items,
        values => values,
    };
    let mut best: Option<&Value> = None;
    for item in items.iter().filter(|item| !item.is_absent()) {
        let better = match best {
            None => true,
            Some(best) => order(item, best).ok_or(NO_OVERLOAD)? == wanted,
        };
        if better {
            best = Some(item);
        }
    }
    Ok(best.cloned().unwrap_or_default())
}

/// The sum of a list; absent items do not count, the sum of nothing is 0.
fn sum(_: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::List(items)] = values else { return Err(NO_OVERLOAD) };
    let mut total: Option<Value> = None;
    for item in items.iter().filter(|item| !item.is_absent()) {
        total = Some(match total {
            None => item.clone(),
            Some(total) => arithmetic(BinaryOperator::Add, &total, item)?,
        });
    }
    Ok(total.unwrap_or(Value::Integer(0)))
}
