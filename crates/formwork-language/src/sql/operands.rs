//! Values over fields: arithmetic, times, texts, `??` and `?:`.

use super::{Lowering, Refused};
use crate::expression::{
    Ast, AstKind, BinaryOperator as Op, Comprehension, Expression, Kind, Typed, UnaryOperator, folded,
};
use crate::functions::{self, FIT_NAMES, PARSE_UUID};
use crate::program::{ArithmeticOperator, Operand, SqlFunction};
use crate::value::{Decimal, Rounding, Value};
use formwork_model::values::Type;
use formwork_syntax::Span;

type Lowered = Result<(Operand, Kind), Refused>;

impl Lowering<'_, '_> {
    /// A value and what it is.
    pub(super) fn operand(&mut self, ast: &Ast) -> Lowered {
        let typed = self.typed(ast)?;
        let kind = typed.ty.kind.clone();
        if !typed.uses_fields {
            return Ok((self.bound(typed.expression, ast.span)?, kind));
        }
        if let Expression::Searched(field) = typed.expression {
            return Ok((Operand::Field(field), kind));
        }
        let operand = match &ast.kind {
            AstKind::Binary { operator: Op::Coalesce, left, right, .. } => {
                let (left, right) = (self.like(left, &kind)?, self.like(right, &kind)?);
                Operand::Coalesce(Box::new(left), Box::new(right))
            }
            AstKind::Binary { operator, left, right, operator_span } => {
                self.arithmetic(*operator, left, right, *operator_span)?
            }
            AstKind::Unary(UnaryOperator::Negate, inner) => {
                let (inner, kind) = self.operand(inner)?;
                let scale = exact_scale(&kind, ast.span)?;
                let zero = Operand::Constant(whole_zero(&kind, scale));
                Operand::Arithmetic {
                    operator: ArithmeticOperator::Subtract,
                    left: Box::new(zero),
                    right: Box::new(inner),
                    scales: (scale, scale, scale),
                }
            }
            AstKind::Choose(condition, yes, no) => {
                let condition = self.condition(condition, true)?;
                let (yes, no) = (self.like(yes, &kind)?, self.like(no, &kind)?);
                Operand::Choose(Box::new(condition), Box::new(yes), Box::new(no))
            }
            AstKind::Call { receiver, name, arguments, .. } => {
                let function =
                    sql_function(name).ok_or_else(|| Refused::new(format!("function `{name}`"), ast.span))?;
                let mut values = receiver.iter().map(|receiver| &**receiver).chain(arguments);
                let (Some(value), None) = (values.next(), values.next()) else {
                    return Err(Refused::new(format!("function `{name}`"), ast.span));
                };
                let (value, of) = self.operand(value)?;
                if !of.is_text() {
                    return Err(Refused::new(format!("`{name}` of {of}"), ast.span));
                }
                Operand::Function(function, Box::new(value))
            }
            AstKind::Member { .. } | AstKind::Index { .. } => {
                return Err(Refused::new("a member of a field", ast.span));
            }
            _ => return Err(Refused::new("this part", ast.span)),
        };
        Ok((operand, kind))
    }

    /// A value at the scale or in the form of a kind.
    fn like(&mut self, ast: &Ast, kind: &Kind) -> Result<Operand, Refused> {
        let typed = self.typed(ast)?;
        if typed.uses_fields {
            let (operand, from) = self.operand(ast)?;
            return match (scale(&from), scale(kind)) {
                (Some(from), Some(to)) => Ok(widened(operand, from, to)),
                _ if same_in_sql(&from, kind) => Ok(operand),
                _ => Err(Refused::new("values of these types", ast.span)),
            };
        }
        match fitted(&typed, kind, Rounding::Exact) {
            Fitted::Expression(expression) => self.bound(expression, ast.span),
            Fitted::Impossible => Err(Refused::new("values of these types", ast.span)),
        }
    }

    fn arithmetic(&mut self, operator: Op, left: &Ast, right: &Ast, span: Span) -> Result<Operand, Refused> {
        let (first, second) = (self.typed(left)?, self.typed(right)?);
        let minus = operator == Op::Subtract;
        match (operator, &first.ty.kind, &second.ty.kind) {
            (Op::Add | Op::Subtract, Kind::Timestamp, Kind::Duration) => {
                let (timestamp, duration) = (self.operand(left)?.0, self.operand(right)?.0);
                return Ok(Operand::ShiftTime {
                    timestamp: Box::new(timestamp),
                    duration: Box::new(duration),
                    minus,
                });
            }
            (Op::Add, Kind::Duration, Kind::Timestamp) => {
                let (duration, timestamp) = (self.operand(left)?.0, self.operand(right)?.0);
                return Ok(Operand::ShiftTime {
                    timestamp: Box::new(timestamp),
                    duration: Box::new(duration),
                    minus,
                });
            }
            _ => {}
        }
        let operator = match operator {
            Op::Add => ArithmeticOperator::Add,
            Op::Subtract => ArithmeticOperator::Subtract,
            Op::Multiply => ArithmeticOperator::Multiply,
            _ => return Err(Refused::new("this operator", span)),
        };
        let (left, left_scale) = self.number(&first, left)?;
        let (right, right_scale) = self.number(&second, right)?;
        let result = match operator {
            ArithmeticOperator::Multiply => left_scale.checked_add(right_scale),
            _ => Some(left_scale.max(right_scale)),
        };
        let result =
            result.filter(|scale| *scale <= 18).ok_or_else(|| Refused::new("so many digits", span))?;
        let scales = (left_scale, right_scale, result);
        Ok(Operand::Arithmetic { operator, left: Box::new(left), right: Box::new(right), scales })
    }

    /// A side of an arithmetic operator with its scale; a parameter is brought to exactly that scale.
    fn number(&mut self, typed: &Typed, ast: &Ast) -> Result<(Operand, u8), Refused> {
        let scale = exact_scale(&typed.ty.kind, ast.span)?;
        if typed.uses_fields {
            return Ok((self.operand(ast)?.0, scale));
        }
        match fitted(typed, &typed.ty.kind, Rounding::Exact) {
            Fitted::Expression(expression) => Ok((self.bound(expression, ast.span)?, scale)),
            Fitted::Impossible => Err(Refused::new("values of these types", ast.span)),
        }
    }

    /// The right side of an assignment that has fields in it, at the scale of the field that is set.
    pub(super) fn assigned(&mut self, ast: &Ast, ty: &Type) -> Result<Operand, Refused> {
        let (operand, kind) = self.operand(ast)?;
        let target = Kind::of(ty, self.names.schema);
        match (scale(&kind), scale(&target)) {
            (Some(from), Some(to)) if from <= to => Ok(widened(operand, from, to)),
            (Some(_), Some(_)) => Err(Refused::new("a value with more digits than the field has", ast.span)),
            _ if same_in_sql(&kind, &target) => Ok(operand),
            _ => Err(Refused::new(format!("a value of {kind} for {target}"), ast.span)),
        }
    }
}

fn sql_function(name: &str) -> Option<SqlFunction> {
    Some(match name {
        "lower" | "lowerAscii" => SqlFunction::Lower,
        "upper" | "upperAscii" => SqlFunction::Upper,
        "size" => SqlFunction::Size,
        _ => return None,
    })
}

/// Digits behind the point of a number whose digits are known; 0 of an integer.
pub(super) fn scale(kind: &Kind) -> Option<u8> {
    match kind {
        Kind::Integer => Some(0),
        Kind::Decimal(scale) => *scale,
        _ => None,
    }
}

fn exact_scale(kind: &Kind, span: Span) -> Result<u8, Refused> {
    scale(kind).ok_or_else(|| match kind {
        Kind::Decimal(_) => Refused::new("a decimal whose digits are not known: round it", span),
        kind => Refused::new(format!("arithmetic of {kind}"), span),
    })
}

fn whole_zero(kind: &Kind, scale: u8) -> Value {
    match kind {
        Kind::Integer => Value::Integer(0),
        _ => Value::Decimal(Decimal { units: 0, scale }),
    }
}

/// The operand with more digits behind the point: multiplied by one at the scale that is missing.
pub(super) fn widened(operand: Operand, from: u8, to: u8) -> Operand {
    if from >= to {
        return operand;
    }
    let scale = to - from;
    let one = Decimal { units: 10i128.saturating_pow(u32::from(scale)), scale };
    Operand::Arithmetic {
        operator: ArithmeticOperator::Multiply,
        left: Box::new(operand),
        right: Box::new(Operand::Constant(Value::Decimal(one))),
        scales: (from, scale, to),
    }
}

/// Whether two kinds are kept in one form, so that a database compares them as they are.
pub(super) fn same_in_sql(left: &Kind, right: &Kind) -> bool {
    left == right || (left.is_text() && right.is_text()) || (scale(left).is_some() && scale(right).is_some())
}

/// A value without fields in the form of another kind.
pub(super) enum Fitted {
    Expression(Expression),
    Impossible,
}

/// Brings a value without fields to the form of the kind that it meets. What has no such form becomes absent, so that
/// a comparison with it is false.
pub(super) fn fitted(typed: &Typed, kind: &Kind, rounding: Rounding) -> Fitted {
    let expression = typed.expression.clone();
    let expression = match (&typed.ty.kind, kind) {
        (Kind::Null, _) => expression,
        (Kind::Text | Kind::Enum(_) | Kind::Dynamic, Kind::Secret) => {
            folded(functions::digest_of(expression))
        }
        (Kind::Integer, Kind::Integer) => expression,
        (Kind::Decimal(_), Kind::Integer) => converted(fit(expression, 0, rounding), Type::Integer),
        (Kind::Integer | Kind::Decimal(_), Kind::Decimal(Some(scale))) => fit(expression, *scale, rounding),
        (Kind::Decimal(_) | Kind::Double, Kind::Double) => converted(expression, Type::Double),
        (Kind::Text | Kind::Enum(_), Kind::Uuid) => call(PARSE_UUID, vec![expression]),
        (Kind::Uuid, kind) if kind.is_text() => converted(expression, Type::String),
        (Kind::Dynamic, kind) => match declared(kind) {
            Some(ty) => converted(expression, ty),
            None => return Fitted::Impossible,
        },
        (from, to) if from == to || (from.is_text() && to.is_text()) => expression,
        _ => return Fitted::Impossible,
    };
    Fitted::Expression(expression)
}

/// A list without fields whose items are brought to the form of a kind.
pub(super) fn fitted_list(list: Expression, element: &Kind, kind: &Kind) -> Option<Expression> {
    let local =
        Typed { expression: Expression::Local(0), ty: element.clone().required(), uses_fields: false };
    let Fitted::Expression(body) = fitted(&local, kind, Rounding::Exact) else { return None };
    if matches!(body, Expression::Local(0)) {
        return Some(list);
    }
    Some(Expression::Comprehension {
        kind: Comprehension::Map,
        over: Box::new(list),
        local: 0,
        body: Box::new(body),
        filter: None,
    })
}

fn fit(expression: Expression, scale: u8, rounding: Rounding) -> Expression {
    let name = match rounding {
        Rounding::Floor => FIT_NAMES[1],
        Rounding::Ceiling => FIT_NAMES[2],
        _ => FIT_NAMES[0],
    };
    call(name, vec![expression, Expression::Constant(Value::Integer(i64::from(scale)))])
}

fn converted(expression: Expression, to: Type) -> Expression {
    folded(Expression::Convert { value: Box::new(expression), to })
}

fn call(name: &str, arguments: Vec<Expression>) -> Expression {
    // The registry has these names; a missing one would be an index that no function has, an error when computed.
    let function = functions::find(name, false).unwrap_or(u16::MAX);
    folded(Expression::Call { function, arguments, span: Span::default() })
}

/// A declared type of a kind, for values whose type shows at run time.
pub(crate) fn declared(kind: &Kind) -> Option<Type> {
    Some(match kind {
        Kind::Boolean => Type::Boolean,
        Kind::Integer => Type::Integer,
        Kind::Decimal(Some(scale)) => Type::Decimal { precision: 18, scale: *scale },
        Kind::Double => Type::Double,
        Kind::Text | Kind::Enum(_) => Type::String,
        Kind::Bytes => Type::Bytes,
        Kind::Uuid => Type::Uuid,
        Kind::Timestamp => Type::Timestamp,
        Kind::Date => Type::Date,
        Kind::Time => Type::Time,
        Kind::Duration => Type::Duration,
        _ => return None,
    })
}
