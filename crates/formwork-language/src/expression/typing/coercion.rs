//! Brings an expression to the declared type of the place that its value goes to.

use super::Typed;
use crate::constraint::converted;
use crate::expression::Expression;
use crate::expression::types::{Kind, StaticType};
use crate::notes::NoteKind;
use crate::program::Schema;
use crate::value::{Decimal, Value, text};
use formwork_model::names::nearest;
use formwork_model::values::Type;

/// A text literal as a value of another kind, where its text says one.
pub(crate) fn literal_as(value: &Value, kind: &Kind) -> Option<Value> {
    let Value::Text(written) = value else { return None };
    match kind {
        Kind::Uuid => text::parse_uuid(written).map(Value::Uuid),
        Kind::Timestamp => text::parse_timestamp(written).map(Value::Timestamp),
        Kind::Date => text::parse_date(written).map(Value::Date),
        Kind::Time => text::parse_time(written).map(Value::Time),
        Kind::Duration => text::parse_duration(written).map(Value::Duration),
        _ => None,
    }
}

/// Brings a value to a declared type (text to uuid, integer to decimal, …), or says why it does not fit.
/// `context` is where the value goes: ``field `slug` ``. `optional`: whether the place takes an absent value.
pub fn coerce(
    typed: Typed,
    ty: &Type,
    optional: bool,
    schema: &Schema,
    context: &str,
) -> Result<Expression, NoteKind> {
    let target = StaticType::of(ty, optional, schema);
    if typed.ty.kind == Kind::Null {
        return if optional {
            Ok(typed.expression)
        } else {
            Err(NoteKind::MayBeAbsent { context: context.to_owned() })
        };
    }
    let mismatch = |found: String| NoteKind::TypeMismatch {
        expected: ty.to_string(),
        found,
        context: context.to_owned(),
    };
    if let Some(value) = typed.constant() {
        return constant(value.clone(), &typed.ty, ty, &target.kind).map(Expression::Constant).map_err(
            |problem| match problem {
                Some((name, nearest)) => NoteKind::UnknownName { what: "value", name, nearest },
                None => mismatch(typed.ty.kind.to_string()),
            },
        );
    }
    if typed.ty.optional && !optional {
        return Err(NoteKind::MayBeAbsent { context: context.to_owned() });
    }
    match assignable(&typed.ty.kind, &target.kind) {
        Fit::Same => Ok(typed.expression),
        Fit::Converted => Ok(Expression::Convert { value: Box::new(typed.expression), to: ty.clone() }),
        Fit::Not => Err(mismatch(typed.ty.kind.to_string())),
    }
}

/// A constant in the form of the type; the error is an enum's unknown value, or nothing.
fn constant(
    value: Value,
    from: &StaticType,
    ty: &Type,
    target: &Kind,
) -> Result<Value, Option<(String, Option<String>)>> {
    if let (Kind::Enum(values), Value::Text(written)) = (target, &value)
        // An enum without values is one whose values the document gives in prose.
        && !(values.is_empty() || values.contains(written))
    {
        let near = nearest(written, values.iter().map(|known| &**known)).map(str::to_owned);
        return Err(Some((written.to_string(), near)));
    }
    if let Some(read) = literal_as(&value, target) {
        return Ok(read);
    }
    let literal_number = matches!((&value, target), (Value::Integer(_) | Value::Decimal(_), Kind::Double));
    if literal_number || !matches!(assignable(&from.kind, target), Fit::Not) {
        let scale = if let Type::Decimal { scale, .. } = ty { Some(*scale) } else { None };
        if let (Some(scale), Value::Decimal(number)) = (scale, &value)
            && lost_digits(*number, scale)
        {
            return Err(None);
        }
        return converted(ty, value).map_err(|_| None);
    }
    Err(None)
}

/// Whether a literal has digits that the type has no room for.
fn lost_digits(number: Decimal, scale: u8) -> bool {
    number.trimmed().scale > scale
}

enum Fit {
    Same,
    Converted,
    Not,
}

fn assignable(from: &Kind, to: &Kind) -> Fit {
    match (from, to) {
        // Also of one type: a value that is a decimal or double beside another kind of number may still be that one.
        (Kind::Integer | Kind::Decimal(_), Kind::Decimal(_))
        | (Kind::Decimal(_) | Kind::Double, Kind::Double)
        | (Kind::Dynamic, _)
        | (_, Kind::Dynamic)
        | (Kind::Uuid, Kind::Text)
        | (Kind::Text, Kind::Uuid)
        | (Kind::Object(_) | Kind::Map(..), Kind::Object(_) | Kind::Map(..)) => Fit::Converted,
        (Kind::Enum(from), Kind::Enum(to)) => {
            if from.iter().all(|value| to.contains(value)) {
                Fit::Same
            } else {
                Fit::Not
            }
        }
        (from, to) if from.is_text() && to.is_text() => Fit::Same,
        (Kind::List(from), Kind::List(to)) => match assignable(&from.kind, &to.kind) {
            Fit::Not => Fit::Not,
            Fit::Same if !from.optional => Fit::Same,
            _ => Fit::Converted,
        },
        (from, to) if from == to => Fit::Same,
        _ => Fit::Not,
    }
}
