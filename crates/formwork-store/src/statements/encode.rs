//! How values become parameters: what a statement knows of the place that a value goes to, whichever the database.

use formwork_language::program::Comparison;
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;
use std::sync::Arc;

/// How a value becomes a parameter or literal of one place in a statement.
#[derive(Clone, Debug)]
pub(crate) enum Encode {
    /// By its own kind: nothing on the other side says more.
    Plain,
    /// As a field of this type keeps it.
    As(Type),
    /// As a number with so many digits behind the point, for a comparison or arithmetic with one: with digits that
    /// the scale does not hold, rounded so that the comparison means the same.
    Scaled(u8, Rounding),
    /// A list of such values.
    List(Box<Encode>),
    /// The place of an enum's text in its declaration.
    Rank(Arc<[Arc<str>]>),
    /// A number of rows: never negative.
    Limit,
}

/// What to do with digits that a scale does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// To the next value above.
    Up,
    /// To the next value below.
    Down,
    /// There is no equal value: to one that no column holds.
    NoEqual,
}

impl Rounding {
    /// For a number on the right of a comparison.
    pub(crate) const fn beside(comparison: Comparison) -> Self {
        match comparison {
            Comparison::Equal | Comparison::NotEqual => Self::NoEqual,
            Comparison::Less | Comparison::GreaterOrEqual => Self::Up,
            Comparison::LessOrEqual | Comparison::Greater => Self::Down,
        }
    }
}

/// The place of a text in an enum's declaration; unknown ones come last.
pub(crate) fn rank(order: &[Arc<str>], text: &str) -> i64 {
    order.iter().position(|one| **one == *text).unwrap_or(order.len()) as i64
}

/// An exact number with its scale; nothing for doubles and what is no number.
pub(crate) fn units(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some(Decimal { units: i128::from(*number), scale: 0 }),
        Value::Unsigned(number) => Some(Decimal { units: i128::from(*number), scale: 0 }),
        Value::Decimal(decimal) => Some(*decimal),
        _ => None,
    }
}

/// A number as a scaled integer. Beyond 64 bits it is clamped: no column holds more than 18 digits.
pub(crate) fn rounded(given: Decimal, scale: u8, rounding: Rounding) -> i64 {
    let beyond = if given.units < 0 { i64::MIN } else { i64::MAX };
    let clamp = |units: i128| i64::try_from(units).unwrap_or(beyond);
    if scale >= given.scale {
        let factor = 10_i128.checked_pow(u32::from(scale - given.scale));
        return factor.and_then(|factor| given.units.checked_mul(factor)).map_or(beyond, clamp);
    }
    // Beyond 38 digits the value is nearer to zero than any unit.
    let divisor = 10_i128.checked_pow(u32::from(given.scale - scale)).unwrap_or(i128::MAX);
    let down = given.units.div_euclid(divisor);
    match (given.units.rem_euclid(divisor), rounding) {
        (0, _) | (_, Rounding::Down) => clamp(down),
        (_, Rounding::Up) => clamp(down + 1),
        (_, Rounding::NoEqual) => i64::MIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_beyond_the_scale_are_rounded_so_that_the_comparison_means_the_same() {
        let value = Decimal { units: -15, scale: 1 };
        assert_eq!(rounded(value, 0, Rounding::Up), -1);
        assert_eq!(rounded(value, 0, Rounding::Down), -2);
        assert_eq!(rounded(value, 0, Rounding::NoEqual), i64::MIN);
        assert_eq!(rounded(value, 2, Rounding::NoEqual), -150);
        assert_eq!(rounded(Decimal { units: i128::MAX, scale: 0 }, 6, Rounding::Up), i64::MAX);
    }
}
