//! SQL functions of our own: exact arithmetic. SQLite turns an integer overflow of `+` into a double and goes on;
//! these fail.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::{Connection, Error, Result};

/// What the error of an overflow says; see `errors.rs`.
pub(crate) const OVERFLOW: &str = "fw: integer overflow";

fn overflow() -> Error {
    Error::UserFunctionError(OVERFLOW.into())
}

/// Adds the functions to a connection.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("fw_add", 5, flags, |context| {
        scaled(context, |left, right| left.checked_add(right), false)
    })?;
    connection.create_scalar_function("fw_subtract", 5, flags, |context| {
        scaled(context, |left, right| left.checked_sub(right), false)
    })?;
    connection.create_scalar_function("fw_multiply", 5, flags, |context| {
        scaled(context, |left, right| left.checked_mul(right), true)
    })?;
    connection.create_aggregate_function("fw_sum", 1, flags, Sum)?;
    connection.create_aggregate_function("fw_average", 2, flags, Average)
}

/// `f(left, right, scale of left, scale of right, scale of the result)` over scaled integers.
fn scaled(
    context: &Context<'_>,
    operate: fn(i128, i128) -> Option<i128>,
    multiplies: bool,
) -> Result<Option<i64>> {
    let (Some(left), Some(right)) = (context.get::<Option<i64>>(0)?, context.get::<Option<i64>>(1)?) else {
        return Ok(None);
    };
    let (left_scale, right_scale, scale): (u32, u32, u32) =
        (context.get(2)?, context.get(3)?, context.get(4)?);
    let common = left_scale.max(right_scale);
    let (left, right, from) = if multiplies {
        (Some(i128::from(left)), Some(i128::from(right)), left_scale + right_scale)
    } else {
        (raise(left, common - left_scale), raise(right, common - right_scale), common)
    };
    let result = left.zip(right).and_then(|(left, right)| operate(left, right));
    let result =
        result.and_then(|units| rescale(units, from, scale)).and_then(|units| i64::try_from(units).ok());
    result.map(Some).ok_or_else(overflow)
}

fn raise(units: i64, by: u32) -> Option<i128> {
    i128::from(units).checked_mul(10_i128.checked_pow(by)?)
}

/// Units at another scale, rounded half to even.
fn rescale(units: i128, from: u32, to: u32) -> Option<i128> {
    if to >= from {
        return units.checked_mul(10_i128.checked_pow(to - from)?);
    }
    Some(divide_half_even(units, 10_i128.checked_pow(from - to)?))
}

fn divide_half_even(units: i128, divisor: i128) -> i128 {
    let (down, rest) = (units.div_euclid(divisor), units.rem_euclid(divisor));
    match rest.cmp(&(divisor - rest)) {
        std::cmp::Ordering::Greater => down + 1,
        std::cmp::Ordering::Equal => down + (down & 1),
        std::cmp::Ordering::Less => down,
    }
}

/// The sum of scaled integers in 128 bits, as text, since SQLite has no wider integer.
struct Sum;

impl Aggregate<i128, Option<String>> for Sum {
    fn init(&self, _: &mut Context<'_>) -> Result<i128> {
        Ok(0)
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut i128) -> Result<()> {
        if let Some(units) = context.get::<Option<i64>>(0)? {
            *sum = sum.checked_add(i128::from(units)).ok_or_else(overflow)?;
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<i128>) -> Result<Option<String>> {
        Ok(Some(sum.unwrap_or(0).to_string()))
    }
}

/// `fw_average(units, scale)`: the average with six digits behind the point, as text of its units.
struct Average;

impl Aggregate<(i128, i128, u32), Option<String>> for Average {
    fn init(&self, _: &mut Context<'_>) -> Result<(i128, i128, u32)> {
        Ok((0, 0, 0))
    }

    fn step(&self, context: &mut Context<'_>, (sum, count, scale): &mut (i128, i128, u32)) -> Result<()> {
        *scale = context.get(1)?;
        if let Some(units) = context.get::<Option<i64>>(0)? {
            *sum = sum.checked_add(i128::from(units)).ok_or_else(overflow)?;
            *count += 1;
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, state: Option<(i128, i128, u32)>) -> Result<Option<String>> {
        let Some((sum, count, scale)) = state.filter(|(_, count, _)| *count > 0) else { return Ok(None) };
        // One division, so that nothing is rounded twice.
        let (numerator, divisor) = if scale <= 6 {
            (10_i128.checked_pow(6 - scale).and_then(|factor| sum.checked_mul(factor)), Some(count))
        } else {
            (Some(sum), 10_i128.checked_pow(scale - 6).and_then(|factor| count.checked_mul(factor)))
        };
        let (numerator, divisor) = numerator.zip(divisor).ok_or_else(overflow)?;
        Ok(Some(divide_half_even(numerator, divisor).to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer<T: rusqlite::types::FromSql>(sql: &str) -> Result<T> {
        let connection = Connection::open_in_memory().unwrap();
        register(&connection).unwrap();
        connection.query_row(sql, [], |row| row.get(0))
    }

    #[test]
    fn overflow_is_an_error_and_never_a_double() {
        let error = answer::<i64>("SELECT fw_add(9223372036854775807, 1, 0, 0, 0)").unwrap_err();
        assert!(error.to_string().contains(OVERFLOW), "{error}");
        assert_eq!(answer::<i64>("SELECT fw_subtract(5, 7, 0, 0, 0)").unwrap(), -2);
    }

    #[test]
    fn decimals_of_different_scales_are_exact_and_rounded_half_to_even() {
        assert_eq!(answer::<i64>("SELECT fw_add(15, 25, 1, 2, 2)").unwrap(), 175);
        assert_eq!(answer::<i64>("SELECT fw_multiply(15, 15, 1, 1, 1)").unwrap(), 22);
        assert_eq!(answer::<i64>("SELECT fw_multiply(25, 15, 1, 1, 1)").unwrap(), 38);
        assert_eq!(answer::<Option<i64>>("SELECT fw_add(NULL, 1, 0, 0, 0)").unwrap(), None);
    }

    #[test]
    fn averages_have_six_digits() {
        let sql = "SELECT fw_average(column1, 2) FROM (VALUES (100), (100), (101))";
        assert_eq!(answer::<String>(sql).unwrap(), "1003333");
        assert_eq!(answer::<Option<String>>("SELECT fw_average(1, 2) WHERE 0").unwrap(), None);
        assert_eq!(answer::<String>("SELECT fw_sum(1) WHERE 0").unwrap(), "0");
    }
}
