//! Decimal division inside `round(x, n)`: the expression is brought to one fraction, so that it is rounded once.
//!
//! `round(a / b * c + d, 2)` becomes the quotient of `a * c + d * b` and `b` with two digits. Source: language
//! reference, *Numbers*.

use crate::expression::{Ast, AstKind, BinaryOperator as Op, Expression, UnaryOperator};
use formwork_syntax::Span;

/// Whether a division below this node can be brought up to the rounding around it.
pub(super) fn is_transparent(ast: &Ast) -> bool {
    matches!(
        ast.kind,
        AstKind::Unary(UnaryOperator::Negate, _)
            | AstKind::Binary { operator: Op::Add | Op::Subtract | Op::Multiply | Op::Divide, .. }
    )
}

/// A fraction; without divisor the number alone.
struct Fraction {
    dividend: Expression,
    divisor: Option<Expression>,
}

/// Dividend and divisor of an expression that divides decimals somewhere in its sums and products.
pub(super) fn fraction(expression: &Expression) -> Option<(Expression, Expression)> {
    let fraction = split(expression);
    fraction.divisor.map(|divisor| (fraction.dividend, divisor))
}

fn split(expression: &Expression) -> Fraction {
    match expression {
        Expression::Unary(UnaryOperator::Negate, inner) => {
            let inner = split(inner);
            let dividend = Expression::Unary(UnaryOperator::Negate, Box::new(inner.dividend));
            Fraction { dividend, divisor: inner.divisor }
        }
        Expression::Binary { operator: operator @ (Op::Add | Op::Subtract), left, right, span } => {
            let (left, right) = (split(left), split(right));
            let dividend = join(
                *operator,
                scaled(left.dividend, right.divisor.as_ref(), *span),
                scaled(right.dividend, left.divisor.as_ref(), *span),
                *span,
            );
            Fraction { dividend, divisor: product(left.divisor, right.divisor, *span) }
        }
        Expression::Binary { operator: Op::Multiply, left, right, span } => {
            let (left, right) = (split(left), split(right));
            let dividend = join(Op::Multiply, left.dividend, right.dividend, *span);
            Fraction { dividend, divisor: product(left.divisor, right.divisor, *span) }
        }
        Expression::Binary { operator: Op::Quotient, left, right, span } => {
            let (left, right) = (split(left), split(right));
            let dividend = scaled(left.dividend, right.divisor.as_ref(), *span);
            Fraction { dividend, divisor: product(left.divisor, Some(right.dividend), *span) }
        }
        other => Fraction { dividend: other.clone(), divisor: None },
    }
}

fn join(operator: Op, left: Expression, right: Expression, span: Span) -> Expression {
    Expression::Binary { operator, left: Box::new(left), right: Box::new(right), span }
}

fn scaled(expression: Expression, by: Option<&Expression>, span: Span) -> Expression {
    match by {
        Some(by) => join(Op::Multiply, expression, by.clone(), span),
        None => expression,
    }
}

fn product(left: Option<Expression>, right: Option<Expression>, span: Span) -> Option<Expression> {
    match (left, right) {
        (Some(left), Some(right)) => Some(join(Op::Multiply, left, right, span)),
        (one, other) => one.or(other),
    }
}
