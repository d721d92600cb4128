//! Walks a compiled expression.
//!
//! Absent values follow the language reference, *Absent values*; errors beside a deciding `&&`, `||`, `exists` or
//! `all` are absorbed as the CEL specification has it.

use super::{EvaluationError, Work, arithmetic};
use crate::expression::{BinaryOperator, Comprehension, Expression, UnaryOperator};
use crate::functions::FUNCTIONS;
use crate::value::{Decimal, Rounding, Row, Value, equal, json, order, same};
use std::cmp::Ordering;
use std::sync::Arc;

type Evaluated = Result<Value, EvaluationError>;

pub(super) struct Evaluator<'s> {
    pub(super) slots: &'s [Value],
    pub(super) rows: &'s [Row],
    pub(super) work: Work<'s>,
    pub(super) locals: Vec<Value>,
}

impl Evaluator<'_> {
    pub(super) fn value(&mut self, expression: &Expression) -> Evaluated {
        self.work.charge(1)?;
        match expression {
            Expression::Constant(value) => Ok(value.clone()),
            Expression::Slot(slot) => Ok(self.slots.get(usize::from(*slot)).cloned().unwrap_or_default()),
            Expression::Local(local) => Ok(self.locals.get(usize::from(*local)).cloned().unwrap_or_default()),
            Expression::Field { row, field, .. } => self.field(row, *field),
            Expression::Searched(_) => {
                Err(EvaluationError::NoOverload("a field of a searched row has no value here"))
            }
            Expression::Member { of, name } => {
                let of = self.value(of)?;
                member(&of, &Value::Text(name.clone()))
            }
            Expression::Index { of, index } => self.index(of, index),
            Expression::List(items) => {
                let items = items.iter().map(|item| self.value(item)).collect::<Result<Arc<[_]>, _>>()?;
                Ok(Value::List(items))
            }
            Expression::Map(entries) => self.map(entries),
            Expression::Unary(operator, inner) => {
                let inner = self.value(inner)?;
                unary(*operator, inner)
            }
            Expression::Binary { operator, left, right, .. } => self.binary(*operator, left, right),
            Expression::Choose(condition, yes, no) => {
                let condition = self.value(condition)?;
                if truth(&condition)? { self.value(yes) } else { self.value(no) }
            }
            Expression::Has(inner) => self.has(inner),
            Expression::Matches { text, pattern } => match self.value(text)? {
                Value::Absent | Value::Null => Ok(Value::Absent),
                Value::Text(text) => {
                    self.work.charge(text.len() / 16)?;
                    Ok(Value::Boolean(pattern.is_match(&text)))
                }
                _ => Err(EvaluationError::NoOverload("`matches` tests a text")),
            },
            Expression::Convert { value, to } => {
                let value = self.value(value)?;
                crate::constraint::converted(to, value).map_err(EvaluationError::Invalid)
            }
            Expression::Call { function, arguments, .. } => self.call(*function, arguments),
            Expression::Comprehension { kind, over, local, body, filter } => {
                self.comprehension(*kind, over, *local, body, filter.as_deref())
            }
        }
    }

    fn field(&mut self, row: &Expression, field: u16) -> Evaluated {
        match self.value(row)? {
            Value::Row(index) => {
                let row = self.rows.get(index as usize);
                Ok(row.and_then(|row| row.values.get(usize::from(field))).cloned().unwrap_or_default())
            }
            Value::Absent | Value::Null => Ok(Value::Absent),
            _ => Err(EvaluationError::NoOverload("only a row has fields")),
        }
    }

    fn index(&mut self, of: &Expression, index: &Expression) -> Evaluated {
        let of = self.value(of)?;
        let index = self.value(index)?;
        if of.is_absent() || index.is_absent() {
            return Ok(Value::Absent);
        }
        member(&of, &index)
    }

    fn map(&mut self, entries: &[(Expression, Expression)]) -> Evaluated {
        let mut map: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.value(key)?;
            if !matches!(key, Value::Boolean(_) | Value::Integer(_) | Value::Unsigned(_) | Value::Text(_)) {
                return Err(EvaluationError::NoOverload("a key is a boolean, an integer or a text"));
            }
            self.work.charge(map.len() / 8)?;
            if map.iter().any(|(known, _)| same(known, &key)) {
                return Err(EvaluationError::Invalid(format!("the key `{}` occurs twice", key.to_plain())));
            }
            let value = self.value(value)?;
            map.push((key, value));
        }
        Ok(Value::Map(map.into()))
    }

    fn has(&mut self, inner: &Expression) -> Evaluated {
        let value = self.value(inner)?;
        let there = match inner {
            // A row keeps null where a field is absent.
            Expression::Field { .. } => !value.is_absent(),
            _ => !matches!(value, Value::Absent),
        };
        Ok(Value::Boolean(there))
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression) -> Evaluated {
        match operator {
            BinaryOperator::And => self.decided_by(false, left, right),
            BinaryOperator::Or => self.decided_by(true, left, right),
            BinaryOperator::Coalesce => {
                let left = self.value(left)?;
                if left.is_absent() { self.value(right) } else { Ok(left) }
            }
            BinaryOperator::Equal => self.equality(left, right).map(Value::Boolean),
            BinaryOperator::NotEqual => self.equality(left, right).map(|equal| Value::Boolean(!equal)),
            _ => {
                let left = self.value(left)?;
                let right = self.value(right)?;
                self.work.charge(weight(&left) + weight(&right))?;
                strict(operator, &left, &right)
            }
        }
    }

    /// `&&` and `||`: an operand with the deciding value decides, whatever the other one is or fails with.
    fn decided_by(&mut self, deciding: bool, left: &Expression, right: &Expression) -> Evaluated {
        let first = self.value(left).and_then(|value| truth(&value));
        if first == Ok(deciding) || first == Err(EvaluationError::TooMuchWork) {
            return first.map(Value::Boolean);
        }
        let second = self.value(right).and_then(|value| truth(&value));
        match (first, second) {
            (_, Ok(second)) if second == deciding => Ok(Value::Boolean(deciding)),
            (_, Err(EvaluationError::TooMuchWork)) => Err(EvaluationError::TooMuchWork),
            (Err(error), _) | (Ok(_), Err(error)) => Err(error),
            (Ok(_), Ok(second)) => Ok(Value::Boolean(second)),
        }
    }

    /// `==`: beside a literal null it asks whether the value is absent.
    fn equality(&mut self, left: &Expression, right: &Expression) -> Result<bool, EvaluationError> {
        let null = |expression: &Expression| matches!(expression, Expression::Constant(Value::Null));
        if null(right) {
            return Ok(self.value(left)?.is_absent());
        }
        if null(left) {
            return Ok(self.value(right)?.is_absent());
        }
        let left = self.value(left)?;
        let right = self.value(right)?;
        self.work.charge(weight(&left) + weight(&right))?;
        Ok(equal(&left, &right))
    }

    fn call(&mut self, function: u16, arguments: &[Expression]) -> Evaluated {
        let Some(function) = FUNCTIONS.get(usize::from(function)) else {
            return Err(EvaluationError::NoOverload("no such function"));
        };
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let value = self.value(argument)?;
            self.work.charge(weight(&value))?;
            values.push(value);
        }
        if !function.takes_absent && values.iter().any(Value::is_absent) {
            return Ok(Value::Absent);
        }
        let value = (function.run)(&mut self.work, &values)?;
        self.work.charge(weight(&value))?;
        Ok(value)
    }

    fn comprehension(
        &mut self,
        kind: Comprehension,
        over: &Expression,
        local: u16,
        body: &Expression,
        filter: Option<&Expression>,
    ) -> Evaluated {
        let items = match self.value(over)? {
            Value::Absent | Value::Null => return Ok(over_nothing(kind)),
            value => elements(&value)?,
        };
        let local = usize::from(local);
        if self.locals.len() <= local {
            self.locals.resize(local + 1, Value::Absent);
        }
        let mut round = Round { kind, found: 0, failed: None, gathered: Vec::new() };
        for item in items.iter() {
            self.locals[local] = item.clone();
            if let Some(filter) = filter {
                let wanted = self.value(filter)?;
                if !truth(&wanted)? {
                    continue;
                }
            }
            let result = self.value(body);
            if let Some(done) = round.take(item, result)? {
                return Ok(done);
            }
        }
        round.end()
    }
}

/// A comprehension on its way.
struct Round {
    kind: Comprehension,
    found: u32,
    failed: Option<EvaluationError>,
    gathered: Vec<Value>,
}

impl Round {
    /// Takes the result for one item; a value ends the comprehension.
    fn take(&mut self, item: &Value, result: Evaluated) -> Result<Option<Value>, EvaluationError> {
        if self.kind == Comprehension::Map {
            self.gathered.push(result?);
            return Ok(None);
        }
        let result = result.and_then(|value| truth(&value));
        match (self.kind, result) {
            (_, Err(EvaluationError::TooMuchWork)) => return Err(EvaluationError::TooMuchWork),
            (Comprehension::Exists, Ok(true)) => return Ok(Some(Value::Boolean(true))),
            (Comprehension::All, Ok(false)) => return Ok(Some(Value::Boolean(false))),
            (Comprehension::Exists | Comprehension::All, Err(error)) => self.failed = Some(error),
            (_, Err(error)) => return Err(error),
            (Comprehension::First, Ok(true)) => return Ok(Some(item.clone())),
            (Comprehension::Filter, Ok(true)) => self.gathered.push(item.clone()),
            (Comprehension::ExistsOne, Ok(true)) => self.found += 1,
            _ => {}
        }
        Ok(None)
    }

    fn end(self) -> Evaluated {
        if let Some(error) = self.failed {
            return Err(error);
        }
        Ok(match self.kind {
            Comprehension::Exists => Value::Boolean(false),
            Comprehension::All => Value::Boolean(true),
            Comprehension::ExistsOne => Value::Boolean(self.found == 1),
            Comprehension::First => Value::Absent,
            Comprehension::Filter | Comprehension::Map => Value::List(self.gathered.into()),
        })
    }
}

/// What a comprehension over an absent list gives: conditions are false, everything else is absent.
fn over_nothing(kind: Comprehension) -> Value {
    match kind {
        Comprehension::Exists | Comprehension::ExistsOne | Comprehension::All => Value::Boolean(false),
        Comprehension::Filter | Comprehension::Map | Comprehension::First => Value::Absent,
    }
}

/// The items of a list, or the keys of a map.
fn elements(value: &Value) -> Result<Arc<[Value]>, EvaluationError> {
    match value {
        Value::List(items) => Ok(items.clone()),
        Value::Map(entries) => Ok(entries.iter().map(|(key, _)| key.clone()).collect()),
        Value::Json(text) => elements(&parsed(text)?),
        _ => Err(EvaluationError::NoOverload("only a list or map has items")),
    }
}

fn parsed(text: &str) -> Evaluated {
    json::parse(text)
        .map_err(|problem| EvaluationError::Invalid(format!("JSON: expected {}", problem.expected)))
}

/// Whether a condition holds; an absent one does not.
fn truth(value: &Value) -> Result<bool, EvaluationError> {
    match value {
        Value::Boolean(value) => Ok(*value),
        Value::Absent | Value::Null => Ok(false),
        Value::Json(text) => truth(&parsed(text)?),
        _ => Err(EvaluationError::NoOverload("a condition is a boolean")),
    }
}

/// `a[b]` and `a.b`; what is not there is absent.
fn member(of: &Value, key: &Value) -> Evaluated {
    match of {
        Value::Absent | Value::Null => Ok(Value::Absent),
        Value::Map(entries)
            if is_number(key) || matches!(key, Value::Boolean(_) | Value::Text(_) | Value::Uuid(_)) =>
        {
            let found = entries.iter().find(|(candidate, _)| same(candidate, key));
            Ok(found.map(|(_, value)| value.clone()).unwrap_or_default())
        }
        Value::List(items) => {
            let at = match key {
                Value::Integer(at) => Some(*at),
                Value::Unsigned(at) => i64::try_from(*at).ok(),
                Value::Decimal(at) => at.to_integer(Rounding::Exact),
                Value::Double(at) => Decimal::from_double(*at).and_then(|at| at.to_integer(Rounding::Exact)),
                _ => return Err(EvaluationError::NoOverload("a list is indexed by integers")),
            };
            let at = at.ok_or(EvaluationError::NoOverload("a list is indexed by integers"))?;
            Ok(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or_default())
        }
        Value::Json(text) => member(&parsed(text)?, key),
        _ => Err(EvaluationError::NoOverload("only a map or list has members")),
    }
}

fn unary(operator: UnaryOperator, value: Value) -> Evaluated {
    let overflow = || EvaluationError::Arithmetic("overflow");
    match (operator, value) {
        (UnaryOperator::Not, value) => Ok(Value::Boolean(!truth(&value)?)),
        (UnaryOperator::Negate, Value::Absent | Value::Null) => Ok(Value::Absent),
        (UnaryOperator::Negate, Value::Integer(value)) => {
            value.checked_neg().map(Value::Integer).ok_or_else(overflow)
        }
        (UnaryOperator::Negate, Value::Decimal(value)) => {
            value.checked_neg().map(Value::Decimal).ok_or_else(overflow)
        }
        (UnaryOperator::Negate, Value::Double(value)) => Ok(Value::Double(-value)),
        (UnaryOperator::Negate, Value::Duration(value)) => {
            value.checked_neg().map(Value::Duration).ok_or_else(overflow)
        }
        (UnaryOperator::Negate, _) => Err(EvaluationError::NoOverload("`-` negates numbers and durations")),
    }
}

/// The operators that need both values.
fn strict(operator: BinaryOperator, left: &Value, right: &Value) -> Evaluated {
    use BinaryOperator as Op;
    let ordered =
        |wanted: fn(Ordering) -> bool| Ok(Value::Boolean(comparison(left, right)?.is_some_and(wanted)));
    match operator {
        Op::Less => ordered(Ordering::is_lt),
        Op::LessOrEqual => ordered(Ordering::is_le),
        Op::Greater => ordered(Ordering::is_gt),
        Op::GreaterOrEqual => ordered(Ordering::is_ge),
        Op::In => contains(left, right).map(Value::Boolean),
        _ => arithmetic::binary(operator, left, right),
    }
}

fn comparison(left: &Value, right: &Value) -> Result<Option<Ordering>, EvaluationError> {
    let ordering = order(left, right);
    let comparable = ordering.is_some()
        || left.is_absent()
        || right.is_absent()
        || matches!((left, right), (Value::Double(_), _) | (_, Value::Double(_)) if is_number(left) && is_number(right))
        || (is_parsable(left) && is_parsable(right));
    if comparable { Ok(ordering) } else { Err(EvaluationError::NoOverload("these values have no order")) }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Unsigned(_) | Value::Decimal(_) | Value::Double(_))
}

/// Whether it is a text, or of a type that texts are compared with.
fn is_parsable(value: &Value) -> bool {
    use Value as V;
    matches!(
        value,
        V::Text(_) | V::Uuid(_) | V::Timestamp(_) | V::Date(_) | V::Time(_) | V::Duration(_) | V::Decimal(_)
    )
}

fn contains(item: &Value, of: &Value) -> Result<bool, EvaluationError> {
    if item.is_absent() {
        return Ok(false);
    }
    match of {
        Value::Absent | Value::Null => Ok(false),
        Value::List(items) => Ok(items.iter().any(|candidate| same(candidate, item))),
        Value::Map(entries) => Ok(entries.iter().any(|(key, _)| same(key, item))),
        Value::Json(text) => contains(item, &parsed(text)?),
        _ => Err(EvaluationError::NoOverload("`in` looks into a list or map")),
    }
}

/// How many steps it costs to look through a value.
fn weight(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Json(text) => text.len() / 64,
        Value::Bytes(bytes) => bytes.len() / 64,
        Value::List(items) => items.len() / 8,
        Value::Map(entries) => entries.len() / 8,
        _ => 0,
    }
}
