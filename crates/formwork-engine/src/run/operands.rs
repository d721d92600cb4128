//! Conditions and values over the fields of a row, as statements have them, computed for one row at hand.
//!
//! It has the meaning of the SQL that stores make of them. Source: language reference, *SQL*.

use crate::outcome::Refusal;
use formwork_language::program::{ArithmeticOperator, Comparison, Condition, Operand, SqlFunction, TextTest};
use formwork_language::value::{Decimal, Value, equal, order};
use std::cmp::Ordering;

/// A row and the parameters of its statement.
pub(super) struct Operands<'r> {
    /// The row's values.
    pub(super) row: &'r [Value],
    /// The parameters.
    pub(super) parameters: &'r [Value],
}

const OVERFLOW: Refusal = Refusal::Arithmetic("a number is beyond what its field keeps");

impl Operands<'_> {
    /// The value of an operand; null when a part of it is.
    pub(super) fn value(&self, operand: &Operand) -> Result<Value, Refusal> {
        Ok(match operand {
            Operand::Field(field) => self.row.get(usize::from(*field)).cloned().unwrap_or(Value::Null),
            Operand::Parameter(at) => self.parameters.get(usize::from(*at)).cloned().unwrap_or(Value::Null),
            Operand::Constant(value) => value.clone(),
            Operand::Arithmetic { operator, left, right, scales } => {
                return arithmetic(*operator, &self.value(left)?, &self.value(right)?, *scales);
            }
            Operand::ShiftTime { timestamp, duration, minus } => {
                match (self.value(timestamp)?, self.value(duration)?) {
                    (Value::Timestamp(at), Value::Duration(by)) => {
                        let moved = if *minus { at.checked_sub(by) } else { at.checked_add(by) };
                        Value::Timestamp(moved.ok_or(OVERFLOW)?)
                    }
                    _ => Value::Null,
                }
            }
            Operand::Function(function, of) => match self.value(of)? {
                Value::Text(text) => match function {
                    SqlFunction::Lower => Value::Text(text.to_ascii_lowercase().into()),
                    SqlFunction::Upper => Value::Text(text.to_ascii_uppercase().into()),
                    SqlFunction::Size => {
                        Value::Integer(i64::try_from(text.chars().count()).unwrap_or(i64::MAX))
                    }
                },
                _ => Value::Null,
            },
            Operand::Coalesce(left, right) => match self.value(left)? {
                value if value.is_absent() => return self.value(right),
                value => value,
            },
            Operand::Choose(condition, yes, no) => {
                return self.value(if self.holds(condition)? { yes } else { no });
            }
        })
    }

    fn holds(&self, condition: &Condition) -> Result<bool, Refusal> {
        Ok(match condition {
            Condition::All(parts) => {
                for part in parts {
                    if !self.holds(part)? {
                        return Ok(false);
                    }
                }
                true
            }
            Condition::Any(parts) => {
                for part in parts {
                    if self.holds(part)? {
                        return Ok(true);
                    }
                }
                false
            }
            Condition::Not(inner) => !self.holds(inner)?,
            Condition::Compare(how, left, right) => compare(*how, &self.value(left)?, &self.value(right)?),
            Condition::IsNull(operand) => self.value(operand)?.is_absent(),
            Condition::IsNotNull(operand) => !self.value(operand)?.is_absent(),
            Condition::InList(operand, list) => {
                let value = self.value(operand)?;
                match self.parameters.get(usize::from(*list)) {
                    Some(Value::List(items)) => items.iter().any(|item| equal(&value, item)),
                    _ => false,
                }
            }
            Condition::InOperands(operand, items) => {
                let value = self.value(operand)?;
                for item in items {
                    if equal(&value, &self.value(item)?) {
                        return Ok(true);
                    }
                }
                false
            }
            Condition::TextTest(test, text, part) => match (self.value(text)?, self.value(part)?) {
                (Value::Text(text), Value::Text(part)) => match test {
                    TextTest::StartsWith => text.starts_with(&*part),
                    TextTest::EndsWith => text.ends_with(&*part),
                    TextTest::Contains => text.contains(&*part),
                },
                _ => false,
            },
            Condition::IsTrue(operand) => matches!(self.value(operand)?, Value::Boolean(true)),
        })
    }
}

fn compare(how: Comparison, left: &Value, right: &Value) -> bool {
    if left.is_absent() || right.is_absent() {
        return false;
    }
    let ordering = order(left, right);
    match how {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => !equal(left, right),
        Comparison::Less => ordering.is_some_and(Ordering::is_lt),
        Comparison::LessOrEqual => ordering.is_some_and(Ordering::is_le),
        Comparison::Greater => ordering.is_some_and(Ordering::is_gt),
        Comparison::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
    }
}

fn arithmetic(
    operator: ArithmeticOperator,
    left: &Value,
    right: &Value,
    (_, _, scale): (u8, u8, u8),
) -> Result<Value, Refusal> {
    let decimal = |value: &Value| match value {
        Value::Integer(number) => Some(Decimal::whole(*number)),
        Value::Decimal(number) => Some(*number),
        _ => None,
    };
    let (Some(first), Some(second)) = (decimal(left), decimal(right)) else { return Ok(Value::Null) };
    let aligned = |number: Decimal| {
        number.rescaled(first.scale.max(second.scale), formwork_language::value::Rounding::Exact)
    };
    let result = match operator {
        ArithmeticOperator::Multiply => first
            .units
            .checked_mul(second.units)
            .map(|units| Decimal { units, scale: first.scale.saturating_add(second.scale) }),
        ArithmeticOperator::Add | ArithmeticOperator::Subtract => {
            let (first, second) = (aligned(first).ok_or(OVERFLOW)?, aligned(second).ok_or(OVERFLOW)?);
            let units = match operator {
                ArithmeticOperator::Add => first.units.checked_add(second.units),
                _ => first.units.checked_sub(second.units),
            };
            units.map(|units| Decimal { units, scale: first.scale })
        }
    };
    let result = result.ok_or(OVERFLOW)?;
    if matches!((left, right), (Value::Integer(_), Value::Integer(_))) && scale == 0 {
        return i64::try_from(result.units).map(Value::Integer).map_err(|_| OVERFLOW);
    }
    let result = result.rescaled(scale, formwork_language::value::Rounding::HalfEven).ok_or(OVERFLOW)?;
    Ok(Value::Decimal(result))
}
