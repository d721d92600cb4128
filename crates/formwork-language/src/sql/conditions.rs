//! Conditions in negation normal form.

use super::operands::{Fitted, fitted};
use super::{Lowering, Refused};
use crate::expression::{Ast, AstKind, BinaryOperator as Op, Expression, Kind, Typed, UnaryOperator};
use crate::program::{Comparison, Condition, Operand, TextTest};
use crate::value::{Rounding, Value};
use std::sync::Arc;

type Lowered = Result<Condition, Refused>;

impl Lowering<'_, '_> {
    /// The condition, or exactly its opposite when `holds` is false.
    pub(super) fn condition(&mut self, ast: &Ast, holds: bool) -> Lowered {
        let typed = self.typed(ast)?;
        if !typed.uses_fields {
            let operand = self.bound(typed.expression, ast.span)?;
            return Ok(signed(Condition::IsTrue(operand), holds));
        }
        match &ast.kind {
            AstKind::Unary(UnaryOperator::Not, inner) => self.condition(inner, !holds),
            AstKind::Binary { operator: Op::And, left, right, .. } => self.both(left, right, holds, holds),
            AstKind::Binary { operator: Op::Or, left, right, .. } => self.both(left, right, holds, !holds),
            AstKind::Binary { operator: Op::Equal, left, right, .. } => self.equality(left, right, holds),
            AstKind::Binary { operator: Op::NotEqual, left, right, .. } => self.equality(left, right, !holds),
            AstKind::Binary { operator: Op::In, left, right, .. } => {
                Ok(signed(self.membership(left, right, ast)?, holds))
            }
            AstKind::Binary { operator, left, right, .. } => match comparison(*operator) {
                Some(comparison) => Ok(signed(self.comparison(comparison, left, right)?, holds)),
                None => Ok(signed(Condition::IsTrue(self.operand(ast)?.0), holds)),
            },
            AstKind::Choose(condition, yes, no) => {
                let when =
                    Condition::All(vec![self.condition(condition, true)?, self.condition(yes, holds)?]);
                let otherwise =
                    Condition::All(vec![self.condition(condition, false)?, self.condition(no, holds)?]);
                Ok(Condition::Any(vec![when, otherwise]))
            }
            AstKind::Call { receiver: Some(text), name, arguments, .. } if text_test(name).is_some() => {
                let [part] = arguments.as_slice() else { return Err(refused_call(name, ast)) };
                let test = text_test(name).ok_or_else(|| refused_call(name, ast))?;
                let (text, _) = self.operand(text)?;
                let (part, _) = self.operand(part)?;
                Ok(signed(Condition::TextTest(test, text, part), holds))
            }
            AstKind::Call { receiver: None, name, arguments, .. } if &**name == "has" => {
                let [of] = arguments.as_slice() else { return Err(refused_call(name, ast)) };
                Err(Refused::new("`has`", of.span))
            }
            _ => Ok(signed(Condition::IsTrue(self.operand(ast)?.0), holds)),
        }
    }

    fn both(&mut self, left: &Ast, right: &Ast, holds: bool, all: bool) -> Lowered {
        let mut parts = Vec::new();
        for part in [self.condition(left, holds)?, self.condition(right, holds)?] {
            match part {
                Condition::All(inner) if all => parts.extend(inner),
                Condition::Any(inner) if !all => parts.extend(inner),
                other => parts.push(other),
            }
        }
        Ok(if all { Condition::All(parts) } else { Condition::Any(parts) })
    }

    fn equality(&mut self, left: &Ast, right: &Ast, holds: bool) -> Lowered {
        let tested = match (left.is_null(), right.is_null()) {
            (_, true) => left,
            (true, _) => right,
            _ => return Ok(signed(self.comparison(Comparison::Equal, left, right)?, holds)),
        };
        let (operand, _) = self.operand(tested)?;
        Ok(if holds { Condition::IsNull(operand) } else { Condition::IsNotNull(operand) })
    }

    fn comparison(&mut self, comparison: Comparison, left: &Ast, right: &Ast) -> Lowered {
        if comparison == Comparison::Equal {
            for (this, other) in [(left, right), (right, left)] {
                // `(a == b) == c` and `flag == true`: booleans that are conditions themselves.
                if is_condition(this) {
                    return self.truths(this, other);
                }
            }
        }
        let (first, second) = (self.typed(left)?, self.typed(right)?);
        comparable_in_sql(&first, left)?;
        comparable_in_sql(&second, right)?;
        let forms_differ = !super::operands::same_in_sql(&first.ty.kind, &second.ty.kind);
        if first.uses_fields && second.uses_fields && forms_differ {
            return Err(Refused::new(
                format!("{} beside {}", first.ty.kind, second.ty.kind),
                left.span.to(right.span),
            ));
        }
        let flipped = flip(comparison);
        let left_operand = self.side(&first, left, &second.ty.kind, flipped, second.uses_fields)?;
        let right_operand = self.side(&second, right, &first.ty.kind, comparison, first.uses_fields)?;
        let (left_operand, right_operand) = self.aligned((left_operand, &first), (right_operand, &second));
        Ok(Condition::Compare(comparison, left_operand, right_operand))
    }

    /// One side of a comparison; `comparison` reads `other ? this`.
    fn side(
        &mut self,
        typed: &Typed,
        ast: &Ast,
        other: &Kind,
        comparison: Comparison,
        other_has_fields: bool,
    ) -> Result<Operand, Refused> {
        if typed.uses_fields || !other_has_fields {
            return Ok(self.operand(ast)?.0);
        }
        let rounding = match comparison {
            Comparison::Equal | Comparison::NotEqual => Rounding::Exact,
            // `field < 0.005` with two digits is `field < 0.01`; `field <= 0.005` is `field <= 0.00`.
            Comparison::Less | Comparison::GreaterOrEqual => Rounding::Ceiling,
            Comparison::LessOrEqual | Comparison::Greater => Rounding::Floor,
        };
        match fitted(typed, other, rounding) {
            Fitted::Expression(expression) => self.bound(expression, ast.span),
            Fitted::Impossible => Err(Refused::new("a comparison of these types", ast.span)),
        }
    }

    /// Two decimals over fields at one scale.
    fn aligned(&self, left: (Operand, &Typed), right: (Operand, &Typed)) -> (Operand, Operand) {
        if !(left.1.uses_fields && right.1.uses_fields) {
            return (left.0, right.0);
        }
        match (super::operands::scale(&left.1.ty.kind), super::operands::scale(&right.1.ty.kind)) {
            (Some(first), Some(second)) => {
                let scale = first.max(second);
                (
                    super::operands::widened(left.0, first, scale),
                    super::operands::widened(right.0, second, scale),
                )
            }
            _ => (left.0, right.0),
        }
    }

    /// Equality of two booleans of which one is a condition: both hold, or neither, and both are there.
    fn truths(&mut self, condition: &Ast, other: &Ast) -> Lowered {
        let typed = self.typed(other)?;
        if let Some(Value::Boolean(wanted)) = typed.constant() {
            return self.condition(condition, *wanted);
        }
        if typed.uses_fields && !is_condition(other) {
            return Err(Refused::new("a condition compared with a field", condition.span));
        }
        let both = Condition::All(vec![self.condition(condition, true)?, self.condition(other, true)?]);
        let mut neither = vec![self.condition(condition, false)?, self.condition(other, false)?];
        if typed.ty.optional {
            let there = self.bound(typed.expression, other.span)?;
            neither.push(Condition::IsNotNull(there));
        }
        Ok(Condition::Any(vec![both, Condition::All(neither)]))
    }

    fn membership(&mut self, item: &Ast, list: &Ast, ast: &Ast) -> Lowered {
        let typed = self.typed(item)?;
        comparable_in_sql(&typed, item)?;
        let list_typed = self.typed(list)?;
        let elements = match &list_typed.ty.kind {
            Kind::List(element) => element.kind.clone(),
            Kind::Dynamic => Kind::Dynamic,
            _ => return Err(Refused::new("`in` a map", ast.span)),
        };
        if list_typed.uses_fields {
            let AstKind::List(items) = &list.kind else {
                return Err(Refused::new("`in` a field's list", list.span));
            };
            let equal = items.iter().map(|other| self.comparison(Comparison::Equal, item, other));
            return equal.collect::<Result<_, _>>().map(Condition::Any);
        }
        if let AstKind::List(items) = &list.kind {
            let operand = self.operand(item)?.0;
            let operands = items.iter().map(|other| {
                let other_typed = self.typed(other)?;
                self.side(&other_typed, other, &typed.ty.kind, Comparison::Equal, true)
            });
            return Ok(Condition::InOperands(operand, operands.collect::<Result<_, _>>()?));
        }
        let operand = self.operand(item)?.0;
        let fitted = super::operands::fitted_list(list_typed.expression, &elements, &typed.ty.kind);
        let fitted = fitted.ok_or_else(|| Refused::new("a comparison of these types", list.span))?;
        Ok(Condition::InList(operand, self.parameter(fitted, list.span)?))
    }
}

/// The condition or its opposite; the opposite of nothing and of null tests is plain.
fn signed(condition: Condition, holds: bool) -> Condition {
    match condition {
        condition if holds => condition,
        Condition::IsNull(operand) => Condition::IsNotNull(operand),
        Condition::IsNotNull(operand) => Condition::IsNull(operand),
        Condition::Not(inner) => *inner,
        condition => Condition::Not(Box::new(condition)),
    }
}

fn comparison(operator: Op) -> Option<Comparison> {
    Some(match operator {
        Op::Less => Comparison::Less,
        Op::LessOrEqual => Comparison::LessOrEqual,
        Op::Greater => Comparison::Greater,
        Op::GreaterOrEqual => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn flip(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

/// Whether an expression is a comparison, a test, or made of such.
fn is_condition(ast: &Ast) -> bool {
    match &ast.kind {
        AstKind::Unary(UnaryOperator::Not, _) => true,
        AstKind::Binary { operator, .. } => matches!(
            operator,
            Op::And
                | Op::Or
                | Op::Equal
                | Op::NotEqual
                | Op::Less
                | Op::LessOrEqual
                | Op::Greater
                | Op::GreaterOrEqual
                | Op::In
        ),
        AstKind::Call { receiver: Some(_), name, .. } => text_test(name).is_some(),
        _ => false,
    }
}

fn text_test(name: &Arc<str>) -> Option<TextTest> {
    match &**name {
        "startsWith" => Some(TextTest::StartsWith),
        "endsWith" => Some(TextTest::EndsWith),
        "contains" => Some(TextTest::Contains),
        _ => None,
    }
}

fn refused_call(name: &Arc<str>, ast: &Ast) -> Refused {
    Refused::new(format!("function `{name}`"), ast.span)
}

/// Lists, maps, JSON and rows are no values that SQL compares.
fn comparable_in_sql(typed: &Typed, ast: &Ast) -> Result<(), Refused> {
    let whole = matches!(typed.ty.kind, Kind::List(_) | Kind::Map(..) | Kind::Object(_) | Kind::Row(..));
    let json = typed.uses_fields && typed.ty.kind == Kind::Dynamic;
    if whole || json || matches!(typed.expression, Expression::Constant(Value::Type(_))) {
        return Err(Refused::new(format!("a comparison of {}", typed.ty.kind), ast.span));
    }
    Ok(())
}
