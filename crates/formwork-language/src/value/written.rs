//! A value exactly as it was written, for finding equal constants of a program: `1` and `1.0` are equal in the language
//! and still two constants.

use super::Value;
use std::hash::{Hash, Hasher};

/// A value that equals another one only when nothing tells them apart.
pub(crate) struct Written<'v>(pub(crate) &'v Value);

impl PartialEq for Written<'_> {
    fn eq(&self, other: &Self) -> bool {
        use Value as V;
        let both = |(one, other): (&Value, &Value)| Written(one) == Written(other);
        match (self.0, other.0) {
            (V::Absent, V::Absent) | (V::Null, V::Null) => true,
            (V::Boolean(one), V::Boolean(other)) => one == other,
            (V::Integer(one), V::Integer(other))
            | (V::Timestamp(one), V::Timestamp(other))
            | (V::Time(one), V::Time(other))
            | (V::Duration(one), V::Duration(other)) => one == other,
            (V::Unsigned(one), V::Unsigned(other)) => one == other,
            (V::Decimal(one), V::Decimal(other)) => one == other,
            (V::Double(one), V::Double(other)) => one.to_bits() == other.to_bits(),
            (V::Text(one), V::Text(other)) | (V::Json(one), V::Json(other)) => one == other,
            (V::Bytes(one), V::Bytes(other)) => one == other,
            (V::Uuid(one), V::Uuid(other)) => one == other,
            (V::Date(one), V::Date(other)) => one == other,
            (V::List(one), V::List(other)) => {
                one.len() == other.len() && one.iter().zip(other.iter()).all(both)
            }
            (V::Map(one), V::Map(other)) => {
                let same = |(one, other): (&(Value, Value), &(Value, Value))| {
                    both((&one.0, &other.0)) && both((&one.1, &other.1))
                };
                one.len() == other.len() && one.iter().zip(other.iter()).all(same)
            }
            (V::Row(one), V::Row(other)) => one == other,
            (V::Type(one), V::Type(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Written<'_> {}

impl Hash for Written<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        use Value as V;
        std::mem::discriminant(self.0).hash(state);
        match self.0 {
            V::Absent | V::Null => {}
            V::Boolean(value) => value.hash(state),
            V::Integer(value) | V::Timestamp(value) | V::Time(value) | V::Duration(value) => {
                value.hash(state)
            }
            V::Unsigned(value) => value.hash(state),
            V::Decimal(value) => (value.units, value.scale).hash(state),
            V::Double(value) => value.to_bits().hash(state),
            V::Text(value) | V::Json(value) => value.hash(state),
            V::Bytes(value) => value.hash(state),
            V::Uuid(value) => value.hash(state),
            V::Date(value) => value.hash(state),
            V::List(values) => values.iter().for_each(|value| Written(value).hash(state)),
            V::Map(entries) => entries.iter().for_each(|(key, value)| {
                Written(key).hash(state);
                Written(value).hash(state);
            }),
            V::Row(value) => value.hash(state),
            V::Type(value) => value.hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Decimal;

    #[test]
    fn what_the_language_takes_for_equal_can_be_written_in_several_ways() {
        let decimal = |units, scale| Value::Decimal(Decimal { units, scale });
        let list = |values: &[Value]| Value::List(values.into());
        let all = [
            Value::Absent,
            Value::Null,
            Value::Integer(1),
            Value::Unsigned(1),
            Value::Double(1.0),
            Value::Duration(1),
            decimal(1, 0),
            decimal(10, 1),
            Value::text("1"),
            Value::Json("1".into()),
            list(&[]),
            list(&[Value::Integer(1)]),
            list(&[Value::Double(1.0)]),
            Value::Map([(Value::text("a"), Value::Integer(1))].into()),
            Value::Map([(Value::text("a"), Value::Unsigned(1))].into()),
        ];
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                assert_eq!(Written(one) == Written(other), at == other_at, "{one:?} {other:?}");
            }
        }
    }
}
