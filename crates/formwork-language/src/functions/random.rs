//! What comes from the host: the clock, uuids, chance and secrets.

use super::{Function, Gives, NO_OVERLOAD, OVERFLOW, Takes, invalid, varying};
use crate::eval::{EvaluationError, Work};
use crate::value::{MICROSECONDS_PER_DAY, Value, text};

type Evaluated = Result<Value, EvaluationError>;

/// Characters of a slug: letters and digits that are not mistaken for each other, in lower case.
const SLUG: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters of a token: RFC 4648's base64url alphabet.
const TOKEN: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn functions() -> Vec<Function> {
    use Takes::{Duration, Integer, Text};
    vec![
        varying("now", &[overload!(&[], Gives::Timestamp)], |work, _| Ok(Value::Timestamp(work.host.now()))),
        varying("today", &[overload!(&[], Gives::Date)], today),
        varying("uuid", &[overload!(&[], Gives::Uuid), overload!(&[Text], Gives::Uuid)], uuid),
        varying("random_slug", &[overload!(&[Integer], Gives::Text)], |work, values| {
            characters(work, values, SLUG)
        }),
        varying("random_token", &[overload!(&[Integer], Gives::Text)], |work, values| {
            characters(work, values, TOKEN)
        }),
        varying("random_integer", &[overload!(&[Integer, Integer], Gives::Integer)], integer),
        varying("secret", &[overload!(&[Text], Gives::Text)], secret),
        varying("backoff", &[overload!(&[Duration, Duration, Integer], Gives::Duration)], backoff),
    ]
}

/// The date in UTC.
fn today(work: &mut Work<'_>, _: &[Value]) -> Evaluated {
    i32::try_from(work.host.now().div_euclid(MICROSECONDS_PER_DAY)).map(Value::Date).map_err(|_| OVERFLOW)
}

/// `uuid()` makes one, `uuid("…")` reads one.
fn uuid(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    match values {
        [] => Ok(Value::Uuid(work.host.uuid())),
        [Value::Text(text)] => text::parse_uuid(text).map(Value::Uuid).ok_or_else(|| invalid("not a uuid")),
        _ => Err(NO_OVERLOAD),
    }
}

/// A secret of the environment. The compiler takes it only where a header is made.
fn secret(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Text(name)] = values else { return Err(NO_OVERLOAD) };
    Ok(work.host.secret(name).map_or(Value::Absent, Value::Text))
}

/// `n` characters, each equally likely, because both alphabets divide 256.
fn characters(work: &mut Work<'_>, values: &[Value], alphabet: &[u8]) -> Evaluated {
    let [Value::Integer(count)] = values else { return Err(NO_OVERLOAD) };
    let count = usize::try_from(*count).ok().filter(|count| (1..=1024).contains(count));
    let mut bytes = vec![0; count.ok_or_else(|| invalid("1 to 1024 characters"))?];
    work.host.random(&mut bytes);
    let text: String =
        bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect();
    Ok(Value::Text(text.into()))
}

/// An integer below a bound, each equally likely.
fn below(work: &mut Work<'_>, bound: u64) -> Result<u64, EvaluationError> {
    // What lies above the last multiple of the bound is drawn again, else small numbers would come more often.
    let last = u64::MAX - u64::MAX % bound;
    loop {
        work.charge(1)?;
        let mut bytes = [0; 8];
        work.host.random(&mut bytes);
        let drawn = u64::from_le_bytes(bytes);
        if drawn < last {
            return Ok(drawn % bound);
        }
    }
}

/// `random_integer(a, b)`: both bounds included.
fn integer(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Integer(from), Value::Integer(to)] = values else { return Err(NO_OVERLOAD) };
    if from > to {
        return Err(invalid("the first bound is not above the second"));
    }
    let bound = to.abs_diff(*from).checked_add(1).ok_or(OVERFLOW)?;
    let drawn = below(work, bound)?;
    from.checked_add_unsigned(drawn).map(Value::Integer).ok_or(OVERFLOW)
}

/// `backoff(base, cap, attempt)`: anything from 0 to `base · 2^(attempt - 1)`, at most `cap`.
fn backoff(work: &mut Work<'_>, values: &[Value]) -> Evaluated {
    let [Value::Duration(base), Value::Duration(cap), Value::Integer(attempt)] = values else {
        return Err(NO_OVERLOAD);
    };
    let doublings = u32::try_from((attempt - 1).clamp(0, 63)).unwrap_or(63);
    let size = base.saturating_mul(1i64.checked_shl(doublings).filter(|size| *size > 0).unwrap_or(i64::MAX));
    let size = size.min(*cap).max(0);
    let drawn = below(work, size.unsigned_abs() + 1)?;
    Ok(Value::Duration(drawn as i64))
}
