//! Brings a computed value to the type of a field, or says why it does not fit.
//! Source: language reference, *Types* and *Numbers*.

use formwork_language::constraint::{converted, fits};
use formwork_language::value::Value;
use formwork_model::values::Type;

/// Why a value does not fit a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// `422 invalid`: a stable code and a sentence.
    Invalid(&'static str, String),
    /// `500 arithmetic`: NaN or infinity.
    Arithmetic(&'static str),
}

/// The value as a field of this type keeps it; `Absent` and `Null` are given back as `Null`.
pub fn fit(value: Value, ty: &Type) -> Result<Value, Misfit> {
    match &value {
        Value::Absent | Value::Null => return Ok(Value::Null),
        Value::Double(number) if !number.is_finite() => {
            return Err(Misfit::Arithmetic("a number is not finite"));
        }
        // A text of its type needs no second look at how it may be read.
        Value::Text(_) if matches!(ty, Type::String | Type::Uri | Type::Email | Type::Enum(_)) => {
            return fits(ty, &value).map(|()| value).map_err(broken);
        }
        _ => {}
    }
    let value = converted(ty, value).map_err(|detail| Misfit::Invalid("type", detail))?;
    fits(ty, &value).map_err(broken)?;
    Ok(value)
}

fn broken(violation: formwork_language::constraint::Violation) -> Misfit {
    Misfit::Invalid(violation.code, violation.detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_language::value::Decimal;

    #[test]
    fn computed_decimals_round_half_to_even() {
        let ty = Type::Decimal { precision: 5, scale: 1 };
        let stored = |units, scale| match fit(Value::Decimal(Decimal { units, scale }), &ty) {
            Ok(Value::Decimal(decimal)) => decimal.units,
            other => panic!("{other:?}"),
        };
        assert_eq!([stored(125, 2), stored(135, 2), stored(-125, 2), stored(126, 2)], [12, 14, -12, 13]);
        assert_eq!(stored(7, 0), 70);
        assert!(matches!(fit(Value::Integer(10_000), &ty), Err(Misfit::Invalid("type", _))));
    }

    #[test]
    fn a_number_that_is_not_finite_is_never_stored() {
        assert!(matches!(fit(Value::Double(f64::NAN), &Type::Double), Err(Misfit::Arithmetic(_))));
    }

    #[test]
    fn texts_with_a_zero_character_are_refused() {
        assert!(fit(Value::Text("a\0b".into()), &Type::String).is_err());
    }
}
