//! Portable conditions over a row in memory, so that what a store's SQL makes of them is not taken on trust.
//!
//! Source: language reference, *SQL* and *Absent values*.

use formwork_language::program::{Comparison, Condition, Operand, TextTest};
use formwork_language::value::{Value, order, same};
use std::cmp::Ordering;

/// Whether a row fits; nothing when the condition computes, which only a store does.
pub(crate) fn holds(condition: &Condition, row: &[Value], parameters: &[Value]) -> Option<bool> {
    let of = |operand: &Operand| value(operand, row, parameters);
    Some(match condition {
        Condition::All(all) => {
            let each: Option<Vec<bool>> = all.iter().map(|one| holds(one, row, parameters)).collect();
            each?.into_iter().all(|one| one)
        }
        Condition::Any(any) => {
            let each: Option<Vec<bool>> = any.iter().map(|one| holds(one, row, parameters)).collect();
            each?.into_iter().any(|one| one)
        }
        Condition::Not(one) => !holds(one, row, parameters)?,
        Condition::Compare(comparison, left, right) => {
            let (left, right) = (of(left)?, of(right)?);
            if left.is_absent() || right.is_absent() {
                return Some(false);
            }
            let ordering = order(&left, &right);
            match comparison {
                Comparison::Equal => same(&left, &right),
                Comparison::NotEqual => !same(&left, &right),
                Comparison::Less => ordering? == Ordering::Less,
                Comparison::LessOrEqual => ordering? != Ordering::Greater,
                Comparison::Greater => ordering? == Ordering::Greater,
                Comparison::GreaterOrEqual => ordering? != Ordering::Less,
            }
        }
        Condition::IsNull(operand) => of(operand)?.is_absent(),
        Condition::IsNotNull(operand) => !of(operand)?.is_absent(),
        Condition::InList(operand, parameter) => {
            let (one, all) = (of(operand)?, parameters.get(usize::from(*parameter))?);
            match all {
                Value::List(items) => items.iter().any(|item| same(item, &one)),
                _ => return None,
            }
        }
        Condition::InOperands(operand, among) => {
            let one = of(operand)?;
            let among: Option<Vec<Value>> = among.iter().map(of).collect();
            !one.is_absent() && among?.iter().any(|item| same(item, &one))
        }
        Condition::TextTest(test, text, part) => match (of(text)?, of(part)?) {
            (Value::Text(text), Value::Text(part)) => match test {
                TextTest::StartsWith => text.starts_with(&*part),
                TextTest::EndsWith => text.ends_with(&*part),
                TextTest::Contains => text.contains(&*part),
            },
            _ => false,
        },
        Condition::IsTrue(operand) => matches!(of(operand)?, Value::Boolean(true)),
    })
}

fn value(operand: &Operand, row: &[Value], parameters: &[Value]) -> Option<Value> {
    match operand {
        Operand::Field(field) => row.get(usize::from(*field)).cloned(),
        Operand::Parameter(number) => parameters.get(usize::from(*number)).cloned(),
        Operand::Constant(value) => Some(value.clone()),
        Operand::Coalesce(left, right) => {
            let left = value(left, row, parameters)?;
            if left.is_absent() { value(right, row, parameters) } else { Some(left) }
        }
        Operand::Choose(condition, yes, no) => {
            let chosen = if holds(condition, row, parameters)? { yes } else { no };
            value(chosen, row, parameters)
        }
        Operand::Arithmetic { .. } | Operand::ShiftTime { .. } | Operand::Function(..) => None,
    }
}
