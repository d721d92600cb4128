//! Operands as SQL: fields, parameters, constants, and what may be computed over fields.

use super::encode::{Encode, Rounding};
use super::sql::Sql;
use formwork_language::program::{Comparison, Operand, SqlFunction};
use formwork_language::value::Value;
use formwork_model::values::Type;
use std::sync::Arc;

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
pub(crate) fn write(sql: &mut Sql<'_>, operand: &Operand, encode: &Encode) -> String {
    match operand {
        Operand::Field(field) => {
            let column = sql.column(*field);
            match sql.field(*field) {
                Some(found) => sql.dialect.column(column, &found.ty, encode),
                None => column,
            }
        }
        Operand::Parameter(parameter) => sql.parameter(*parameter, encode.clone()),
        Operand::Constant(value) => constant(sql, value, encode),
        Operand::Arithmetic { operator, left, right, scales } => {
            let left = write(sql, left, &Encode::Scaled(scales.0, Rounding::Down));
            let right = write(sql, right, &Encode::Scaled(scales.1, Rounding::Down));
            sql.dialect.arithmetic(*operator, &left, &right, *scales)
        }
        Operand::ShiftTime { timestamp, duration, minus } => {
            let timestamp = write(sql, timestamp, &Encode::As(Type::Timestamp));
            let duration = write(sql, duration, &Encode::As(Type::Duration));
            sql.dialect.shift_time(&timestamp, &duration, *minus)
        }
        Operand::Function(function, of) => {
            let of = write(sql, of, &Encode::As(Type::String));
            sql.dialect.text_function(*function, &of)
        }
        Operand::Coalesce(left, right) => {
            format!("coalesce({}, {})", write(sql, left, encode), write(sql, right, encode))
        }
        Operand::Choose(condition, left, right) => {
            let condition = super::condition::write(sql, condition);
            let (left, right) = (write(sql, left, encode), write(sql, right, encode));
            format!("CASE WHEN {condition} THEN {left} ELSE {right} END")
        }
    }
}

fn constant(sql: &mut Sql<'_>, value: &Value, encode: &Encode) -> String {
    match sql.dialect.literal(value, encode) {
        Ok(literal) => literal,
        Err(error) => {
            sql.fail(format!("a constant cannot be written as SQL: {error:?}"));
            String::new()
        }
    }
}

/// The order of an enum's values as an expression over a column; absent for an absent one.
pub(crate) fn rank_of(sql: &mut Sql<'_>, column: &str, order: &[Arc<str>]) -> String {
    let mut places = String::new();
    for (place, value) in order.iter().enumerate() {
        let text = constant(sql, &Value::Text(Arc::clone(value)), &Encode::As(Type::String));
        places.push_str(&format!("WHEN {text} THEN {place} "));
    }
    format!("CASE {column} {places}ELSE CASE WHEN {column} IS NOT NULL THEN {} END END", order.len())
}
