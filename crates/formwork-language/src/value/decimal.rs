//! Exact decimal arithmetic in 128 bits; what does not fit is [`None`], never wrong.
//!
//! Source: language reference, *Numbers*.

use super::{Decimal, MAX_SCALE};
use std::cmp::Ordering;

/// What happens to digits that a scale has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// They must be zero.
    Exact,
    /// To the nearest; half away from zero.
    HalfUp,
    /// To the nearest; half to the even neighbour.
    HalfEven,
    /// Towards negative infinity.
    Floor,
    /// Towards positive infinity.
    Ceiling,
    /// Towards zero.
    Truncate,
}

fn power_of_ten(exponent: u32) -> Option<i128> {
    10i128.checked_pow(exponent)
}

impl Decimal {
    /// A whole number.
    pub const fn whole(value: i64) -> Self {
        Self { units: value as i128, scale: 0 }
    }

    /// The same number without zeros at the end of its fraction.
    pub fn trimmed(self) -> Self {
        let mut trimmed = self;
        while trimmed.scale > 0 && trimmed.units % 10 == 0 {
            trimmed.units /= 10;
            trimmed.scale -= 1;
        }
        trimmed
    }

    /// The same number with another number of digits behind the point; [`None`] if it does not fit.
    pub fn rescaled(self, scale: u8, rounding: Rounding) -> Option<Self> {
        if scale > MAX_SCALE {
            return None;
        }
        let units = match scale.cmp(&self.scale) {
            Ordering::Equal => self.units,
            Ordering::Greater => self.units.checked_mul(power_of_ten(u32::from(scale - self.scale))?)?,
            Ordering::Less => match power_of_ten(u32::from(self.scale - scale)) {
                Some(divisor) => divide(self.units, divisor, rounding)?,
                None if rounding == Rounding::Exact && self.units != 0 => return None,
                None => 0,
            },
        };
        Some(Self { units, scale })
    }

    fn aligned(self, other: Self) -> Option<(i128, i128, u8)> {
        let scale = self.scale.max(other.scale);
        let left = self.rescaled(scale, Rounding::Exact)?;
        Some((left.units, other.rescaled(scale, Rounding::Exact)?.units, scale))
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other).or_else(|| self.trimmed().aligned(other.trimmed()))?;
        Some(Self { units: left.checked_add(right)?, scale })
    }

    /// The difference.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.checked_neg()?)
    }

    /// The number with the other sign.
    pub fn checked_neg(self) -> Option<Self> {
        Some(Self { units: self.units.checked_neg()?, scale: self.scale })
    }

    /// The product.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let multiply = |left: Self, right: Self| {
            let scale = left.scale.checked_add(right.scale).filter(|scale| *scale <= MAX_SCALE)?;
            Some(Self { units: left.units.checked_mul(right.units)?, scale })
        };
        multiply(self, other).or_else(|| multiply(self.trimmed(), other.trimmed()))
    }

    /// The quotient with `scale` digits behind the point; [`None`] for a division by zero, too.
    pub fn checked_div(self, divisor: Self, scale: u8, rounding: Rounding) -> Option<Self> {
        let (dividend, divisor) = (self.trimmed(), divisor.trimmed());
        if divisor.units == 0 || scale > MAX_SCALE {
            return None;
        }
        let shift = i32::from(scale) + i32::from(divisor.scale) - i32::from(dividend.scale);
        let (mut above, mut below) = (dividend.units, divisor.units);
        let factor = power_of_ten(shift.unsigned_abs())?;
        if shift >= 0 {
            above = above.checked_mul(factor)?;
        } else {
            below = below.checked_mul(factor)?;
        }
        Some(Self { units: divide(above, below, rounding)?, scale })
    }

    /// The remainder of the division that truncates towards zero; [`None`] for a division by zero, too.
    pub fn checked_rem(self, divisor: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(divisor)?;
        Some(Self { units: left.checked_rem(right)?, scale })
    }

    /// How two numbers compare, whatever their scales.
    pub fn compare(self, other: Self) -> Ordering {
        if let Some((left, right, _)) = self.aligned(other) {
            return left.cmp(&right);
        }
        // Aligning overflows only when the number with fewer digits behind the point is the larger in size.
        let wider = if self.scale < other.scale { self } else { other };
        let positive = wider.units > 0;
        let wider_first = self.scale < other.scale;
        if positive == wider_first { Ordering::Greater } else { Ordering::Less }
    }

    /// The nearest double.
    pub fn to_double(self) -> f64 {
        // Both are exact in a double, so one division rounds once.
        if self.units.unsigned_abs() < (1 << 53) && self.scale <= 22 {
            return self.units as f64 / 10f64.powi(i32::from(self.scale));
        }
        super::text::format_decimal(self).parse().unwrap_or(f64::NAN)
    }

    /// The decimal that a double prints as; [`None`] for NaN, infinities and what does not fit.
    pub fn from_double(value: f64) -> Option<Self> {
        if !value.is_finite() || value.abs() > 1e38 {
            return None;
        }
        super::text::parse_decimal(&format!("{value}"))
    }

    /// The whole number, if it is one of 64 bits.
    pub fn to_integer(self, rounding: Rounding) -> Option<i64> {
        i64::try_from(self.rescaled(0, rounding)?.units).ok()
    }
}

/// A rounded quotient; the divisor is not zero.
fn divide(dividend: i128, divisor: i128, rounding: Rounding) -> Option<i128> {
    let quotient = dividend.checked_div(divisor)?;
    let remainder = dividend.checked_rem(divisor)?;
    if remainder == 0 {
        return Some(quotient);
    }
    let away = if (remainder < 0) == (divisor < 0) { 1 } else { -1 };
    let rest = remainder.unsigned_abs();
    let half = rest.cmp(&(divisor.unsigned_abs() - rest));
    let moves = match rounding {
        Rounding::Exact => return None,
        Rounding::Truncate => false,
        Rounding::Floor => away < 0,
        Rounding::Ceiling => away > 0,
        Rounding::HalfUp => half != Ordering::Less,
        Rounding::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && quotient % 2 != 0),
    };
    if moves { quotient.checked_add(away) } else { Some(quotient) }
}
