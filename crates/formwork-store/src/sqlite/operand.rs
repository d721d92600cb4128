//! Operands as SQL: fields, parameters, constants, and what may be computed over fields.

use super::compile::Sql;
use super::schema::quoted;
use super::values::{Encode, Rounding, bind, literal};
use formwork_language::program::{ArithmeticOperator, Comparison, Operand, SqlFunction};
use formwork_language::value::Value;
use formwork_model::values::Type;

/// The type of an operand as far as the statement itself tells it; parameters have none.
pub(crate) fn type_of(sql: &Sql<'_>, operand: &Operand) -> Option<Type> {
    match operand {
        Operand::Field(field) => sql.field(*field).map(|field| field.ty.clone()),
        Operand::Parameter(_) | Operand::Constant(_) => None,
        Operand::Arithmetic { scales: (_, _, 0), .. } | Operand::Function(SqlFunction::Size, _) => {
            Some(Type::Integer)
        }
        Operand::Arithmetic { scales: (_, _, scale), .. } => {
            Some(Type::Decimal { precision: 18, scale: *scale })
        }
        Operand::ShiftTime { .. } => Some(Type::Timestamp),
        Operand::Function(..) => Some(Type::String),
        Operand::Coalesce(left, right) | Operand::Choose(_, left, right) => {
            type_of(sql, left).or_else(|| type_of(sql, right))
        }
    }
}

/// How a parameter or constant beside something of this type is written.
pub(crate) fn beside(ty: Option<&Type>) -> Encode {
    ty.map_or(Encode::Plain, |ty| Encode::As(ty.clone()))
}

/// How a parameter on the right of a comparison with something of this type is written.
pub(crate) fn compared(ty: Option<&Type>, comparison: Comparison) -> Encode {
    let scale = match ty {
        Some(Type::Decimal { scale, .. }) => *scale,
        Some(Type::Integer) => 0,
        _ => return beside(ty),
    };
    let rounding = match comparison {
        Comparison::Equal | Comparison::NotEqual => Rounding::NoEqual,
        Comparison::Less | Comparison::GreaterOrEqual => Rounding::Up,
        Comparison::LessOrEqual | Comparison::Greater => Rounding::Down,
    };
    Encode::Scaled(scale, rounding)
}

/// The comparison with its sides exchanged.
pub(crate) const fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

/// Writes an operand; `encode` says how a parameter or constant in its place is written.
pub(crate) fn push(sql: &mut Sql<'_>, operand: &Operand, encode: &Encode) {
    match operand {
        Operand::Field(field) => sql.push_field(*field),
        Operand::Parameter(parameter) => sql.push_parameter(*parameter, encode.clone()),
        Operand::Constant(value) => push_constant(sql, value, encode),
        Operand::Arithmetic { operator, left, right, scales } => {
            let name = match operator {
                ArithmeticOperator::Add => "fw_add(",
                ArithmeticOperator::Subtract => "fw_subtract(",
                ArithmeticOperator::Multiply => "fw_multiply(",
            };
            sql.text.push_str(name);
            for (side, scale) in [(left, scales.0), (right, scales.1)] {
                push(sql, side, &Encode::Scaled(scale, Rounding::Down));
                sql.text.push_str(", ");
            }
            sql.text.push_str(&format!("{}, {}, {})", scales.0, scales.1, scales.2));
        }
        Operand::ShiftTime { timestamp, duration, minus } => {
            sql.text.push_str(if *minus { "fw_subtract(" } else { "fw_add(" });
            push(sql, timestamp, &Encode::As(Type::Timestamp));
            sql.text.push_str(", ");
            push(sql, duration, &Encode::As(Type::Duration));
            sql.text.push_str(", 0, 0, 0)");
        }
        Operand::Function(function, of) => {
            // Both letter functions of SQLite change ASCII letters only, which is what the language says.
            sql.text.push_str(match function {
                SqlFunction::Lower => "lower(",
                SqlFunction::Upper => "upper(",
                SqlFunction::Size => "length(",
            });
            push(sql, of, &Encode::As(Type::String));
            sql.text.push(')');
        }
        Operand::Coalesce(left, right) => {
            sql.text.push_str("coalesce(");
            push(sql, left, encode);
            sql.text.push_str(", ");
            push(sql, right, encode);
            sql.text.push(')');
        }
        Operand::Choose(condition, left, right) => {
            sql.text.push_str("CASE WHEN ");
            super::condition::push(sql, condition);
            sql.text.push_str(" THEN ");
            push(sql, left, encode);
            sql.text.push_str(" ELSE ");
            push(sql, right, encode);
            sql.text.push_str(" END");
        }
    }
}

fn push_constant(sql: &mut Sql<'_>, value: &Value, encode: &Encode) {
    match bind(value, encode) {
        Ok(bound) => sql.text.push_str(&literal(&bound)),
        Err(error) => sql.fail(format!("a constant cannot be written as SQL: {error:?}")),
    }
}

/// The order of an enum's values as an expression over a field.
pub(crate) fn push_rank(sql: &mut Sql<'_>, column: &str, order: &[std::sync::Arc<str>]) {
    sql.text.push_str(&format!("CASE {} ", quoted(column)));
    for (place, value) in order.iter().enumerate() {
        let text = literal(&super::values::Bound::Text(value));
        sql.text.push_str(&format!("WHEN {text} THEN {place} "));
    }
    sql.text.push_str(&format!("ELSE iif({} IS NULL, NULL, {}) END", quoted(column), order.len()));
}
