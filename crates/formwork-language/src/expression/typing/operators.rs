//! Unary and binary operators: which types they take, and what they give.
//!
//! Source: language reference, *Numbers* (an integer widens to decimal, a decimal beside a double becomes one, nothing
//! else mixes) and *Absent values*.

use super::{Compiler, Typed, folded, join, literal_as};
use crate::expression::types::{Kind, StaticType};
use crate::expression::{Ast, BinaryOperator as Op, Expression, UnaryOperator};
use crate::notes::{Note, NoteKind};
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::sync::Arc;

impl Compiler<'_, '_> {
    pub(super) fn unary(&mut self, operator: UnaryOperator, inner: &Ast, span: Span) -> Option<Typed> {
        let typed = self.typed(inner)?;
        let ty = match operator {
            UnaryOperator::Not => {
                if !self.condition(&typed, "`!`", inner.span) {
                    return None;
                }
                Kind::Boolean.required()
            }
            UnaryOperator::Negate => {
                let fits = matches!(
                    typed.ty.kind,
                    Kind::Integer | Kind::Decimal(_) | Kind::Double | Kind::Duration | Kind::Dynamic
                );
                if !fits {
                    self.mismatch("number", &typed.ty, "`-`", span);
                    return None;
                }
                typed.ty.clone()
            }
        };
        let expression = folded(Expression::Unary(operator, Box::new(typed.expression)));
        Some(Typed { expression, ty, uses_fields: typed.uses_fields })
    }

    pub(super) fn binary(&mut self, operator: Op, left: &Ast, right: &Ast, span: Span) -> Option<Typed> {
        let compares = matches!(operator, Op::Equal | Op::NotEqual);
        self.comparing = compares;
        let first = self.typed(left);
        self.comparing = compares;
        // The right side of `&&` runs only where the left holds, that of `||` only where it does not.
        let second = match operator {
            Op::And => self.knowing(left, true, right),
            Op::Or => self.knowing(left, false, right),
            _ => self.typed(right),
        };
        let (mut first, mut second) = (first?, second?);
        let ty = match operator {
            Op::And | Op::Or => {
                let context = format!("`{}`", symbol(operator));
                let fits = self.condition(&first, &context, left.span)
                    & self.condition(&second, &context, right.span);
                fits.then(|| Kind::Boolean.required())?
            }
            Op::Coalesce => self.coalesced(&first, &second, right.span)?,
            Op::In => self.membership(&mut first, &mut second, left.span, right.span)?,
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                self.compared(operator, &mut first, &mut second, left.span, right.span)?
            }
            _ => self.arithmetic(operator, &first, &second, span)?,
        };
        let decimals = matches!(ty.kind, Kind::Decimal(_) | Kind::Dynamic);
        let operator =
            if operator == Op::Divide && self.dividing && decimals { Op::Quotient } else { operator };
        let uses_fields = first.uses_fields || second.uses_fields;
        let expression = Expression::Binary {
            operator,
            left: Box::new(first.expression),
            right: Box::new(second.expression),
            span,
        };
        let expression = folded(expression);
        Some(Typed { expression, ty, uses_fields })
    }

    fn coalesced(&mut self, first: &Typed, second: &Typed, span: Span) -> Option<StaticType> {
        let Some(ty) = join(&first.ty, &second.ty) else {
            self.mismatch(&first.ty.kind.to_string(), &second.ty, "`??`", span);
            return None;
        };
        Some(StaticType { optional: second.ty.optional, ..ty })
    }

    fn compared(
        &mut self,
        operator: Op,
        first: &mut Typed,
        second: &mut Typed,
        left: Span,
        right: Span,
    ) -> Option<StaticType> {
        match (&first.ty.kind, &second.ty.kind) {
            (Kind::Secret, Kind::Secret) => {}
            (Kind::Secret, _) => digest(second),
            (_, Kind::Secret) => digest(first),
            _ => {}
        }
        self.adapt(first, &second.ty.kind, left)?;
        self.adapt(second, &first.ty.kind, right)?;
        let ordered = !matches!(operator, Op::Equal | Op::NotEqual);
        if ordered && (first.ty.kind == Kind::Secret || second.ty.kind == Kind::Secret) {
            // That a secret has no order was said where it is read.
            return None;
        }
        let fits = comparable(&first.ty.kind, &second.ty.kind)
            && (!ordered || (has_order(&first.ty.kind) && has_order(&second.ty.kind)));
        if !fits {
            self.mismatch(&first.ty.kind.to_string(), &second.ty, &format!("`{}`", symbol(operator)), right);
            return None;
        }
        Some(Kind::Boolean.required())
    }

    /// A secret as one side of a comparison only.
    pub(super) fn readable(&mut self, ty: &StaticType, compared: bool, name: &str, span: Span) -> bool {
        let fits = ty.kind != Kind::Secret || compared;
        if !fits {
            self.note(NoteKind::Other { entry: "secret_read", subject: name.to_owned() }, span);
        }
        fits
    }

    fn membership(
        &mut self,
        first: &mut Typed,
        second: &mut Typed,
        left: Span,
        right: Span,
    ) -> Option<StaticType> {
        let element = match &second.ty.kind {
            Kind::List(element) => element.kind.clone(),
            Kind::Map(key, _) => key.kind.clone(),
            Kind::Object(_) => Kind::Text,
            Kind::Dynamic | Kind::Null => Kind::Dynamic,
            _ => {
                self.mismatch("list", &second.ty, "`in`", right);
                return None;
            }
        };
        if let Kind::Enum(values) = &first.ty.kind
            && let Some(Value::List(items)) = second.constant()
        {
            for item in items.iter() {
                self.enum_value(values, item, right)?;
            }
        }
        if let Some(Value::List(items)) = second.constant()
            && let Some(items) =
                items.iter().map(|item| literal_as(item, &first.ty.kind)).collect::<Option<Vec<_>>>()
        {
            second.expression = Expression::Constant(Value::List(items.into()));
            return Some(Kind::Boolean.required());
        }
        self.adapt(first, &element, left)?;
        if !comparable(&first.ty.kind, &element) {
            self.mismatch(&element.to_string(), &first.ty, "`in`", left);
            return None;
        }
        Some(Kind::Boolean.required())
    }

    /// Reads a text literal as the type that it is compared with, and tests that an enum has it.
    fn adapt(&mut self, literal: &mut Typed, other: &Kind, span: Span) -> Option<()> {
        let Some(value @ Value::Text(_)) = literal.constant() else { return Some(()) };
        if let Kind::Enum(values) = other {
            return self.enum_value(values, &value.clone(), span);
        }
        if !matches!(other, Kind::Uuid | Kind::Timestamp | Kind::Date | Kind::Time | Kind::Duration) {
            return Some(());
        }
        match literal_as(value, other) {
            Some(value) => {
                *literal = Typed::new(Expression::Constant(value), other.clone().required());
                Some(())
            }
            None => {
                self.mismatch(&other.to_string(), &literal.ty.clone(), "the literal", span);
                None
            }
        }
    }

    fn enum_value(&mut self, values: &Arc<[Arc<str>]>, value: &Value, span: Span) -> Option<()> {
        let Value::Text(text) = value else { return Some(()) };
        // An enum without values is one whose values the document gives in prose.
        if values.is_empty() || values.iter().any(|known| known == text) {
            return Some(());
        }
        let near = nearest(text, values.iter().map(|known| &**known)).map(str::to_owned);
        let kind = NoteKind::UnknownName { what: "value", name: text.to_string(), nearest: near };
        self.notes.push(Note { kind, span, related: None, fix: None });
        None
    }

    fn arithmetic(&mut self, operator: Op, first: &Typed, second: &Typed, span: Span) -> Option<StaticType> {
        let optional = first.ty.optional || second.ty.optional;
        let Some(kind) = result(operator, &first.ty.kind, &second.ty.kind) else {
            let context = format!("`{}`", symbol(operator));
            self.mismatch(&first.ty.kind.to_string(), &second.ty, &context, span);
            return None;
        };
        if operator == Op::Divide && matches!(kind, Kind::Decimal(_)) && !self.dividing {
            self.note(NoteKind::Other { entry: "division_not_rounded", subject: "/".to_owned() }, span);
            return None;
        }
        Some(StaticType { kind, optional })
    }
}

/// Whether two kinds may be compared for equality.
pub(super) fn comparable(left: &Kind, right: &Kind) -> bool {
    match (left, right) {
        (Kind::Dynamic | Kind::Null, _) | (_, Kind::Dynamic | Kind::Null) => true,
        (Kind::Integer | Kind::Decimal(_), Kind::Integer | Kind::Decimal(_))
        | (Kind::Double | Kind::Decimal(_), Kind::Double | Kind::Decimal(_))
        | (Kind::Object(_) | Kind::Map(..), Kind::Object(_) | Kind::Map(..)) => true,
        (left, right) if left.is_text() && right.is_text() => true,
        (Kind::Uuid, other) | (other, Kind::Uuid) => *other == Kind::Uuid || other.is_text(),
        (Kind::List(left), Kind::List(right)) => comparable(&left.kind, &right.kind),
        (Kind::Row(left, _), Kind::Row(right, _)) => left == right,
        (left, right) => left == right,
    }
}

fn has_order(kind: &Kind) -> bool {
    kind.is_number()
        || matches!(
            kind,
            Kind::Dynamic
                | Kind::Null
                | Kind::Boolean
                | Kind::Text
                | Kind::Bytes
                | Kind::Uuid
                | Kind::Timestamp
                | Kind::Date
                | Kind::Time
                | Kind::Duration
        )
}

/// What an arithmetic operator gives for two kinds.
fn result(operator: Op, left: &Kind, right: &Kind) -> Option<Kind> {
    Some(match (operator, left, right) {
        (_, Kind::Dynamic, _) | (_, _, Kind::Dynamic) => Kind::Dynamic,
        (_, Kind::Integer, Kind::Integer) => Kind::Integer,
        (_, Kind::Unsigned, Kind::Unsigned) => Kind::Unsigned,
        (_, Kind::Integer | Kind::Decimal(_), Kind::Integer | Kind::Decimal(_)) => {
            Kind::Decimal(result_scale(operator, left, right))
        }
        (Op::Remainder, ..) => return None,
        (_, Kind::Double | Kind::Decimal(_), Kind::Double | Kind::Decimal(_)) => Kind::Double,
        (Op::Add, Kind::Timestamp, Kind::Duration) | (Op::Add, Kind::Duration, Kind::Timestamp) => {
            Kind::Timestamp
        }
        (Op::Subtract, Kind::Timestamp, Kind::Duration) => Kind::Timestamp,
        (Op::Add, Kind::Date, Kind::Duration) | (Op::Add, Kind::Duration, Kind::Date) => Kind::Date,
        (Op::Subtract, Kind::Date, Kind::Duration) => Kind::Date,
        (Op::Subtract, Kind::Timestamp, Kind::Timestamp)
        | (Op::Subtract, Kind::Date, Kind::Date)
        | (Op::Subtract, Kind::Time, Kind::Time)
        | (Op::Add | Op::Subtract, Kind::Duration, Kind::Duration)
        | (Op::Multiply, Kind::Duration, Kind::Integer)
        | (Op::Multiply, Kind::Integer, Kind::Duration) => Kind::Duration,
        (Op::Add, left, right) if left.is_text() && right.is_text() => Kind::Text,
        (Op::Add, Kind::Bytes, Kind::Bytes) => Kind::Bytes,
        (Op::Add, Kind::List(left), Kind::List(right)) => {
            Kind::List(Box::new(super::element(left, right).unwrap_or(Kind::Dynamic.required())))
        }
        _ => return None,
    })
}

/// Digits behind the point of a sum, difference or product, where both sides' are known.
fn result_scale(operator: Op, left: &Kind, right: &Kind) -> Option<u8> {
    let scale = |kind: &Kind| match kind {
        Kind::Decimal(scale) => *scale,
        _ => Some(0),
    };
    let (left, right) = (scale(left)?, scale(right)?);
    match operator {
        Op::Add | Op::Subtract | Op::Remainder => Some(left.max(right)),
        Op::Multiply => left.checked_add(right),
        _ => None,
    }
}

/// The operator as it is written.
pub(super) fn symbol(operator: Op) -> &'static str {
    match operator {
        Op::And => "&&",
        Op::Or => "||",
        Op::Equal => "==",
        Op::NotEqual => "!=",
        Op::Less => "<",
        Op::LessOrEqual => "<=",
        Op::Greater => ">",
        Op::GreaterOrEqual => ">=",
        Op::In => "in",
        Op::Add => "+",
        Op::Subtract => "-",
        Op::Multiply => "*",
        Op::Divide | Op::Quotient => "/",
        Op::Remainder => "%",
        Op::Coalesce => "??",
    }
}

/// A text as the digest that a secret is kept as; anything else stays and does not compare.
fn digest(typed: &mut Typed) {
    if typed.ty.kind.is_text() || typed.ty.kind == Kind::Dynamic {
        let plain = std::mem::replace(&mut typed.expression, Expression::Constant(Value::Null));
        typed.expression = folded(crate::functions::digest_of(plain));
        typed.ty.kind = Kind::Secret;
    }
}
