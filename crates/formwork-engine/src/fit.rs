//! Brings a computed value to the type of a field, or says why it does not fit.
//! Source: language reference, *Types* and *Numbers*.

use crate::json;
use formwork_language::program::Schema;
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;
use std::sync::Arc;

/// Why a value does not fit a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// `422 invalid`: a stable code and a sentence.
    Invalid(&'static str, &'static str),
    /// `500 arithmetic`: NaN, infinity, or beyond 128 bits.
    Arithmetic(&'static str),
}

const TYPE: &str = "type";

/// The value as a field of this type keeps it; `Absent` and `Null` are given back as `Null`.
pub fn fit(value: Value, ty: &Type) -> Result<Value, Misfit> {
    if matches!(value, Value::Absent | Value::Null) {
        return Ok(Value::Null);
    }
    match ty {
        Type::String => text(value),
        Type::Uri => checked_text(value, is_absolute_uri, "must be an absolute URI"),
        Type::Email => checked_text(value, is_email, "must be an email address"),
        Type::Enum(allowed) => match value {
            Value::Text(text) if allowed.iter().any(|one| **one == *text) => Ok(Value::Text(text)),
            Value::Text(_) => Err(Misfit::Invalid("one_of", "must be one of the values that are allowed")),
            _ => Err(Misfit::Invalid(TYPE, "must be a text")),
        },
        Type::Integer => match value {
            Value::Integer(_) => Ok(value),
            Value::Unsigned(number) => i64::try_from(number)
                .map(Value::Integer)
                .map_err(|_| Misfit::Arithmetic("an integer is beyond 64 bits")),
            _ => Err(Misfit::Invalid(TYPE, "must be an integer")),
        },
        Type::Decimal { precision, scale } => decimal(&value, *precision, *scale),
        Type::Double => double(&value),
        Type::Boolean => keep(value, |value| matches!(value, Value::Boolean(_)), "must be true or false"),
        Type::Bytes => keep(value, |value| matches!(value, Value::Bytes(_)), "must be bytes"),
        Type::Uuid => parsed(value, ty, |value| matches!(value, Value::Uuid(_)), "must be a UUID"),
        Type::Timestamp => {
            parsed(value, ty, |value| matches!(value, Value::Timestamp(_)), "must be a timestamp")
        }
        Type::Date => parsed(value, ty, |value| matches!(value, Value::Date(_)), "must be a date"),
        Type::Time => parsed(value, ty, |value| matches!(value, Value::Time(_)), "must be a time of day"),
        Type::Duration => {
            parsed(value, ty, |value| matches!(value, Value::Duration(_)), "must be a duration")
        }
        Type::Json | Type::Named(_) | Type::Unknown(_) => any_json(value),
        Type::List(of) => list(value, of, ty),
        Type::Object(members) => object(value, members, ty),
    }
}

fn keep(value: Value, fits: fn(&Value) -> bool, detail: &'static str) -> Result<Value, Misfit> {
    if fits(&value) { Ok(value) } else { Err(Misfit::Invalid(TYPE, detail)) }
}

/// A value of the type itself, or its text form.
fn parsed(value: Value, ty: &Type, fits: fn(&Value) -> bool, detail: &'static str) -> Result<Value, Misfit> {
    match &value {
        Value::Text(text) => json::read_text(text, ty).ok_or(Misfit::Invalid(TYPE, detail)),
        _ => keep(value, fits, detail),
    }
}

fn text(value: Value) -> Result<Value, Misfit> {
    match &value {
        Value::Text(text) if text.contains('\0') => {
            Err(Misfit::Invalid(TYPE, "must not hold the character U+0000"))
        }
        Value::Text(_) => Ok(value),
        _ => Err(Misfit::Invalid(TYPE, "must be a text")),
    }
}

fn checked_text(value: Value, fits: fn(&str) -> bool, detail: &'static str) -> Result<Value, Misfit> {
    match text(value)? {
        Value::Text(text) if !fits(&text) => Err(Misfit::Invalid("format", detail)),
        value => Ok(value),
    }
}

fn decimal(value: &Value, precision: u8, scale: u8) -> Result<Value, Misfit> {
    let given = match value {
        Value::Decimal(given) => *given,
        Value::Integer(number) => Decimal { units: i128::from(*number), scale: 0 },
        Value::Unsigned(number) => Decimal { units: i128::from(*number), scale: 0 },
        _ => return Err(Misfit::Invalid(TYPE, "must be a decimal number")),
    };
    let units = rescale(given, scale).ok_or(Misfit::Arithmetic("a decimal is beyond 128 bits"))?;
    let digits = 10_u128.checked_pow(u32::from(precision)).unwrap_or(u128::MAX);
    if units.unsigned_abs() >= digits {
        return Err(Misfit::Invalid("precision", "has more digits than the field keeps"));
    }
    Ok(Value::Decimal(Decimal { units, scale }))
}

/// The units at another scale, rounded half to even; nothing beyond 128 bits.
fn rescale(value: Decimal, scale: u8) -> Option<i128> {
    if scale >= value.scale {
        return value.units.checked_mul(10_i128.checked_pow(u32::from(scale - value.scale))?);
    }
    let Some(divisor) = 10_i128.checked_pow(u32::from(value.scale - scale)) else {
        return Some(0);
    };
    let (whole, rest) = (value.units / divisor, value.units % divisor);
    let up = match (rest.unsigned_abs()).cmp(&(divisor.unsigned_abs() - rest.unsigned_abs())) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => whole % 2 != 0,
        std::cmp::Ordering::Less => false,
    };
    Some(if up { whole + value.units.signum() } else { whole })
}

fn double(value: &Value) -> Result<Value, Misfit> {
    let number = match value {
        Value::Double(number) => *number,
        Value::Integer(number) => *number as f64,
        Value::Unsigned(number) => *number as f64,
        Value::Decimal(number) => number.units as f64 / 10_f64.powi(i32::from(number.scale)),
        _ => return Err(Misfit::Invalid(TYPE, "must be a number")),
    };
    if number.is_finite() {
        Ok(Value::Double(number))
    } else {
        Err(Misfit::Arithmetic("a number is not finite"))
    }
}

fn any_json(value: Value) -> Result<Value, Misfit> {
    match value {
        Value::Json(_) => Ok(value),
        Value::Row(_) | Value::Type(_) => Err(Misfit::Invalid(TYPE, "must be JSON")),
        value => {
            let mut out = String::new();
            json::push_json(&mut out, &value, &Schema::default(), &[]);
            Ok(Value::Json(out.into()))
        }
    }
}

fn list(value: Value, of: &Type, ty: &Type) -> Result<Value, Misfit> {
    let misfit = Misfit::Invalid(TYPE, "must be a list of the right type");
    match value {
        Value::List(items) => {
            let fitted = items.iter().map(|item| fit(item.clone(), of)).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::List(fitted.into()))
        }
        Value::Json(json) => json::read_typed(&json, ty).ok_or(misfit),
        _ => Err(misfit),
    }
}

fn object(value: Value, members: &[(Arc<str>, Type)], ty: &Type) -> Result<Value, Misfit> {
    let misfit = Misfit::Invalid(TYPE, "must be an object with the right members");
    match value {
        Value::Map(given) => {
            let mut fitted = Vec::with_capacity(members.len());
            for (key, value) in given.iter() {
                let known = members.iter().find(|(name, _)| matches!(key, Value::Text(key) if key == name));
                let Some((name, ty)) = known else { return Err(misfit) };
                fitted.push((Value::Text(Arc::clone(name)), fit(value.clone(), ty)?));
            }
            Ok(Value::Map(fitted.into()))
        }
        Value::Json(json) => json::read_typed(&json, ty).ok_or(misfit),
        _ => Err(misfit),
    }
}

/// Whether a text is an absolute URI (RFC 3986, 4.3 with an optional fragment): a scheme, a colon, then only
/// characters that a URI may hold.
pub fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    // An authority may not be empty for schemes that have one: `http://` leads nowhere.
    let leads_somewhere = rest.strip_prefix("//").map_or(!rest.is_empty(), |authority| {
        scheme.eq_ignore_ascii_case("file")
            || !authority.starts_with(['/', '?', '#']) && !authority.is_empty()
    });
    scheme_fits && leads_somewhere && uri_characters(rest.as_bytes())
}

fn uri_characters(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let hex = bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
            if !hex {
                return false;
            }
        } else if !byte.is_ascii_alphanumeric() && !b"-._~:/?#[]@!$&'()*+,;=".contains(byte) {
            return false;
        }
        at += 1;
    }
    true
}

/// Whether a text has the shape of an email address as HTML has it: one `@`, a local part, a host of labels.
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let local_fits = (1..=64).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    let host_fits = host.len() <= 253
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    local_fits && host_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_decimals_round_half_to_even() {
        let ty = Type::Decimal { precision: 5, scale: 1 };
        let stored = |units, scale| match fit(Value::Decimal(Decimal { units, scale }), &ty) {
            Ok(Value::Decimal(decimal)) => decimal.units,
            other => panic!("{other:?}"),
        };
        assert_eq!([stored(125, 2), stored(135, 2), stored(-125, 2), stored(126, 2)], [12, 14, -12, 13]);
        assert_eq!(stored(7, 0), 70);
        assert!(matches!(fit(Value::Integer(10_000), &ty), Err(Misfit::Invalid("precision", _))));
    }

    #[test]
    fn a_number_that_is_not_finite_is_never_stored() {
        assert!(matches!(fit(Value::Double(f64::NAN), &Type::Double), Err(Misfit::Arithmetic(_))));
    }

    #[test]
    fn texts_with_a_zero_character_are_refused() {
        assert!(fit(Value::Text("a\0b".into()), &Type::String).is_err());
    }

    #[test]
    fn uris_and_addresses_are_told_from_other_texts() {
        for good in ["https://example.com/a?b#c", "mailto:a@b.c", "urn:isbn:1", "http://[::1]:80/%20"] {
            assert!(is_absolute_uri(good), "{good}");
        }
        for bad in ["not a url", "/path", "http://", "http:// x", "1a:b", "http://a/%zz", ""] {
            assert!(!is_absolute_uri(bad), "{bad}");
        }
        assert!(is_email("a.b+c@example.org"));
        assert!(!is_email("a@b@c") && !is_email("a") && !is_email("@b") && !is_email("a@-b"));
    }
}
