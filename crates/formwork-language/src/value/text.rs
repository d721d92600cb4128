//! The text forms of values, as JSON, headers and the store have them, both ways.
//!
//! A parser accepts exactly what the language reference lists under *Types* and gives [`None`] for anything else.

use super::calendar::{self, MICROSECONDS_PER_DAY};
use super::{Decimal, MAX_SCALE};
use std::fmt::Write as _;

const SECOND: i64 = 1_000_000;

/// `2026-11-23T12:00:00.25Z`: RFC 3339 in UTC, digits behind the second only where there are any.
pub fn format_timestamp(microseconds: i64) -> String {
    let days = microseconds.div_euclid(MICROSECONDS_PER_DAY);
    let time = microseconds.rem_euclid(MICROSECONDS_PER_DAY);
    let mut text = String::with_capacity("2030-01-01T00:00:00.000000Z".len());
    push_date(&mut text, days);
    text.push('T');
    push_time(&mut text, time);
    text.push('Z');
    text
}

/// A number in at least `width` digits. By hand, since most answers hold times and the formatting machinery of the
/// standard library was a tenth of the instructions of a point read.
fn push_digits(text: &mut String, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut rest, mut at) = (number, digits.len());
    while rest > 0 {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let from = at.min(digits.len() - width.min(digits.len()));
    text.push_str(std::str::from_utf8(&digits[from..]).unwrap_or_default());
}

fn push_date(text: &mut String, days: i64) {
    let (year, month, day) = calendar::civil(days);
    push_digits(text, u64::try_from(year).unwrap_or_default(), 4);
    text.push('-');
    push_digits(text, u64::from(month), 2);
    text.push('-');
    push_digits(text, u64::from(day), 2);
}

fn push_time(text: &mut String, microseconds: i64) {
    let seconds = (microseconds / SECOND).unsigned_abs();
    push_digits(text, seconds / 3600, 2);
    text.push(':');
    push_digits(text, seconds / 60 % 60, 2);
    text.push(':');
    push_digits(text, seconds % 60, 2);
    push_fraction(text, microseconds % SECOND);
}

/// Microseconds since the epoch of an RFC 3339 time with any offset; digits finer than a microsecond are refused.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let days = parse_date(date)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let end = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at_checked(end)?;
    let local = calendar::timestamp_of(days, parse_time(time)?);
    let offset = match zone {
        "Z" | "z" => 0,
        _ => parse_offset(zone)?,
    };
    local.checked_sub(offset).filter(|time| calendar::TIMESTAMPS.contains(time))
}

/// Microseconds of an offset such as `+01:00`.
fn parse_offset(zone: &str) -> Option<i64> {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60) * SECOND)
}

fn two_digits(text: &str) -> Option<i64> {
    let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// `2026-11-23`
pub fn format_date(days: i32) -> String {
    let mut text = String::with_capacity("2030-01-01".len());
    push_date(&mut text, i64::from(days));
    text
}

/// Days since 1970-01-01.
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = two_digits(text.get(0..2)?)? * 100 + two_digits(text.get(2..4)?)?;
    let month = two_digits(text.get(5..7)?)?;
    let day = two_digits(text.get(8..10)?)?;
    calendar::days_of(year, month as u8, day as u8)
}

/// `09:30:00`, with digits behind the second only where there are any.
pub fn format_time(microseconds: i64) -> String {
    let mut text = String::with_capacity("00:00:00.000000".len());
    push_time(&mut text, microseconds);
    text
}

fn push_fraction(text: &mut String, microseconds: i64) {
    if microseconds != 0 {
        text.push('.');
        push_digits(text, microseconds.unsigned_abs(), 6);
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// Microseconds since midnight of `09:30:00`, `09:30:00.5` or `09:30`.
pub fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours = two_digits(parts.next()?)?;
    let minutes = two_digits(parts.next()?)?;
    let (seconds, fraction) = match parts.next() {
        None => (0, 0),
        Some(rest) => match rest.split_once('.') {
            None => (two_digits(rest)?, 0),
            Some((seconds, digits)) => (two_digits(seconds)?, parse_fraction(digits)?),
        },
    };
    let fits = hours < 24 && minutes < 60 && seconds < 60;
    fits.then_some((hours * 3600 + minutes * 60 + seconds) * SECOND + fraction)
}

/// Microseconds of the digits behind a second's point; zeros may go on behind the sixth.
fn parse_fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (kept, finer) = digits.split_at_checked(6).unwrap_or((digits, ""));
    if finer.bytes().any(|byte| byte != b'0') {
        return None;
    }
    Some(kept.parse::<i64>().ok()? * 10i64.pow(6 - kept.len() as u32))
}

/// `90s`, `0.25s`
pub fn format_duration(microseconds: i64) -> String {
    let mut text = String::new();
    if microseconds < 0 {
        text.push('-');
    }
    let size = microseconds.unsigned_abs();
    let _ = write!(text, "{}", size / SECOND.unsigned_abs());
    push_fraction(&mut text, (size % SECOND.unsigned_abs()) as i64);
    text.push('s');
    text
}

/// Microseconds of `90s`, `1h30m`, `-1.5h` (CEL's forms), and of `1 h`, `10 minutes`, `30 d` (the form's own).
/// What is finer than a microsecond is refused.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1i128, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanoseconds = 0i128;
    loop {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, unit_on) = rest.split_at_checked(digits)?;
        let unit_on = unit_on.trim_start_matches(' ');
        let letters = unit_on.find(|character: char| !character.is_alphabetic()).unwrap_or(unit_on.len());
        let (unit, behind) = unit_on.split_at_checked(letters)?;
        let number = parse_decimal(number)?;
        let part = number.checked_mul(Decimal { units: i128::from(unit_nanoseconds(unit)?), scale: 0 })?;
        nanoseconds = nanoseconds.checked_add(part.rescaled(0, super::Rounding::Exact)?.units)?;
        rest = behind.trim_start_matches(' ');
        if rest.is_empty() {
            break;
        }
    }
    if nanoseconds % 1000 != 0 {
        return None;
    }
    i64::try_from(sign * nanoseconds / 1000).ok().filter(|length| calendar::DURATIONS.contains(length))
}

fn unit_nanoseconds(unit: &str) -> Option<i64> {
    let second = 1_000_000_000;
    Some(match unit {
        "ns" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "μs" | "microsecond" | "microseconds" => 1_000,
        "ms" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => second,
        "m" | "min" | "mins" | "minute" | "minutes" => 60 * second,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600 * second,
        "d" | "day" | "days" => 86_400 * second,
        "w" | "week" | "weeks" => 604_800 * second,
        _ => return None,
    })
}

/// Lower case with hyphens.
pub fn format_uuid(uuid: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in uuid.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(HEXADECIMAL[usize::from(byte >> 4)]));
        text.push(char::from(HEXADECIMAL[usize::from(byte & 15)]));
    }
    text
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// A UUID with hyphens, in either case.
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut uuid = [0; 16];
    let mut filled = 0;
    let mut at = 0;
    while at < 36 {
        if matches!(at, 8 | 13 | 18 | 23) {
            if bytes[at] != b'-' {
                return None;
            }
            at += 1;
            continue;
        }
        let high = char::from(bytes[at]).to_digit(16)?;
        let low = char::from(bytes[at + 1]).to_digit(16)?;
        uuid[filled] = (high * 16 + low) as u8;
        filled += 1;
        at += 2;
    }
    Some(uuid)
}

/// `-12.50`, with as many digits behind the point as the scale says.
pub fn format_decimal(decimal: Decimal) -> String {
    let digits = decimal.units.unsigned_abs().to_string();
    let scale = usize::from(decimal.scale);
    let sign = if decimal.units < 0 { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

/// A decimal as JSON writes numbers, exponent included; the scale is the number of digits behind the point.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => {
            (&text[..at], text[at + 1..].parse::<i32>().ok().filter(|exponent| exponent.abs() <= 400)?)
        }
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let point_without_digits = digits.contains('.') && fraction.is_empty();
    if whole.is_empty() || point_without_digits || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let units: i128 = format!("{sign}{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()? - exponent;
    if units == 0 {
        return Some(Decimal { units, scale: scale.clamp(0, i32::from(MAX_SCALE)) as u8 });
    }
    if scale < 0 {
        return Some(Decimal {
            units: units.checked_mul(10i128.checked_pow(scale.unsigned_abs())?)?,
            scale: 0,
        });
    }
    let scale = u8::try_from(scale).ok()?;
    if scale <= MAX_SCALE {
        return Some(Decimal { units, scale });
    }
    Some(Decimal { units, scale }.trimmed()).filter(|trimmed| trimmed.scale <= MAX_SCALE)
}

/// A double as JSON and ECMAScript write it: the shortest digits that read back the same.
pub fn format_double(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    if size.is_finite() && !(1e-6..1e21).contains(&size) {
        return format!("{value:e}");
    }
    format!("{value}")
}
