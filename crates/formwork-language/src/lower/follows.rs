//! Whether the condition of a conditional key follows from fields that are fixed to constants, so that a row is known
//! by that key. What cannot be told from constants does not follow. Source: language reference, *Finds*.

use crate::program::{Comparison, Condition, FieldId, Operand};
use crate::value::{Value, order, same};

/// Fields that have one known value.
pub(crate) type Fixed<'a> = [(FieldId, &'a Value)];

/// Whether a condition holds of every row with these values.
pub(crate) fn follows(condition: &Condition, fixed: &Fixed<'_>) -> bool {
    decided(condition, fixed) == Some(true)
}

/// The truth of a condition, where the constants decide it.
fn decided(condition: &Condition, fixed: &Fixed<'_>) -> Option<bool> {
    let value = |operand: &Operand| known(operand, fixed);
    match condition {
        Condition::All(all) => {
            let parts: Vec<_> = all.iter().map(|part| decided(part, fixed)).collect();
            if parts.contains(&Some(false)) {
                return Some(false);
            }
            parts.iter().all(|part| *part == Some(true)).then_some(true)
        }
        Condition::Any(any) => {
            let parts: Vec<_> = any.iter().map(|part| decided(part, fixed)).collect();
            if parts.contains(&Some(true)) {
                return Some(true);
            }
            parts.iter().all(|part| *part == Some(false)).then_some(false)
        }
        Condition::Not(inner) => decided(inner, fixed).map(|truth| !truth),
        Condition::Compare(comparison, left, right) => {
            Some(compare(*comparison, &value(left)?, &value(right)?))
        }
        Condition::IsNull(operand) => Some(is_null(&value(operand)?)),
        Condition::IsNotNull(operand) => Some(!is_null(&value(operand)?)),
        Condition::IsTrue(operand) => Some(matches!(value(operand)?, Value::Boolean(true))),
        Condition::InOperands(operand, members) => {
            let operand = value(operand)?;
            let members = members.iter().map(value).collect::<Option<Vec<_>>>()?;
            Some(!is_null(&operand) && members.iter().any(|member| same(member, &operand)))
        }
        Condition::InList(..) | Condition::TextTest(..) => None,
    }
}

fn known(operand: &Operand, fixed: &Fixed<'_>) -> Option<Value> {
    match operand {
        Operand::Constant(value) => Some(value.clone()),
        Operand::Field(field) => {
            fixed.iter().find(|(other, _)| other == field).map(|(_, value)| (*value).clone())
        }
        _ => None,
    }
}

/// A comparison with an absent value is false.
fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    if is_null(left) || is_null(right) {
        return false;
    }
    let ordered = order(left, right);
    match comparison {
        Comparison::Equal => same(left, right),
        Comparison::NotEqual => !same(left, right),
        Comparison::Less => ordered.is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => ordered.is_some_and(std::cmp::Ordering::is_le),
        Comparison::Greater => ordered.is_some_and(std::cmp::Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered.is_some_and(std::cmp::Ordering::is_ge),
    }
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Absent | Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unequal(text: &str) -> Condition {
        Condition::Compare(
            Comparison::NotEqual,
            Operand::Field(0),
            Operand::Constant(Value::Text(text.into())),
        )
    }

    #[test]
    fn a_condition_follows_only_from_what_is_fixed() {
        let (member, issuance) = (Value::Text("member".into()), Value::Text("issuance".into()));
        assert!(follows(&unequal("member"), &[(0, &issuance)]));
        assert!(!follows(&unequal("member"), &[(0, &member)]));
        assert!(!follows(&unequal("member"), &[(1, &issuance)]));
        assert!(!follows(&Condition::Not(Box::new(unequal("member"))), &[(1, &issuance)]));
        assert!(follows(&Condition::Any(vec![unequal("x"), unequal("issuance")]), &[(0, &issuance)]));
        assert!(!follows(&Condition::All(vec![unequal("x"), unequal("issuance")]), &[(0, &issuance)]));
    }

    #[test]
    fn absent_values_are_null_and_unequal_to_nothing() {
        assert!(follows(&Condition::IsNull(Operand::Field(2)), &[(2, &Value::Null)]));
        assert!(!follows(&unequal("x"), &[(0, &Value::Null)]));
    }
}
