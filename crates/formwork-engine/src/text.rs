//! The text of values: what a message shows for `{expr}`, and the strings inside JSON.
//! Source: language reference, *Types* (column JSON).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_language::value::{Decimal, Value};
use std::fmt::Write;

/// Appends a value as text; nothing for an absent one. Lists, maps and rows have no text of their own: see
/// [`crate::json`].
pub fn push_text(out: &mut String, value: &Value) {
    match value {
        Value::Absent | Value::Null | Value::List(_) | Value::Map(_) | Value::Row(_) => {}
        Value::Boolean(value) => push(out, value),
        Value::Integer(value) => push(out, value),
        Value::Unsigned(value) => push(out, value),
        Value::Decimal(value) => push_decimal(out, *value),
        Value::Double(value) => push(out, value),
        Value::Text(value) | Value::Json(value) => out.push_str(value),
        Value::Bytes(value) => STANDARD.encode_string(value, out),
        Value::Uuid(value) => push_uuid(out, *value),
        Value::Timestamp(value) => push_timestamp(out, *value),
        Value::Date(value) => push_date(out, i64::from(*value)),
        Value::Time(value) => push_time(out, *value),
        Value::Duration(value) => push_duration(out, *value),
        Value::Type(name) => out.push_str(name),
    }
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String does not fail.
    let _ = write!(out, "{value}");
}

/// `-12.50`: always as many digits behind the point as the scale says.
pub fn push_decimal(out: &mut String, value: Decimal) {
    if value.units < 0 {
        out.push('-');
    }
    let digits = value.units.unsigned_abs().to_string();
    let scale = usize::from(value.scale);
    match digits.len().checked_sub(scale) {
        _ if scale == 0 => out.push_str(&digits),
        Some(0) | None => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', scale - digits.len()));
            out.push_str(&digits);
        }
        Some(whole) => {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
    }
}

/// Lower case with hyphens (RFC 9562, 4).
pub fn push_uuid(out: &mut String, value: [u8; 16]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in value.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// Reads a UUID as text with hyphens, in either case.
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let mut nibbles = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = char::from(*byte).to_digit(16)?;
        out[nibbles / 2] = out[nibbles / 2] << 4 | digit as u8;
        nibbles += 1;
    }
    Some(out)
}

/// RFC 3339 in UTC with `Z`; a fraction only when there is one.
pub fn push_timestamp(out: &mut String, micros: i64) {
    const DAY: i64 = 86_400_000_000;
    push_date(out, micros.div_euclid(DAY));
    out.push('T');
    push_time(out, micros.rem_euclid(DAY));
    out.push('Z');
}

/// `2026-11-23`, from days since 1970-01-01.
pub fn push_date(out: &mut String, days: i64) {
    let (year, month, day) = civil(days);
    if year < 0 {
        let _ = write!(out, "-{:04}-{month:02}-{day:02}", -year);
    } else {
        let _ = write!(out, "{year:04}-{month:02}-{day:02}");
    }
}

/// `09:30:00`, from microseconds since midnight; a fraction only when there is one.
pub fn push_time(out: &mut String, micros: i64) {
    let seconds = micros / 1_000_000;
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    push_fraction(out, (micros % 1_000_000).unsigned_abs());
}

/// `90s`, `0.25s`, `-1.5s`, from microseconds.
pub fn push_duration(out: &mut String, micros: i64) {
    if micros < 0 {
        out.push('-');
    }
    let micros = micros.unsigned_abs();
    push(out, micros / 1_000_000);
    push_fraction(out, micros % 1_000_000);
    out.push('s');
}

fn push_fraction(out: &mut String, micros: u64) {
    if micros > 0 {
        let digits = format!("{micros:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

/// Reads `2026-11-23` into days since 1970-01-01.
pub fn parse_date(text: &str) -> Option<i32> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut parts = rest.splitn(3, '-');
    let year: i64 = parts.next().filter(|part| part.len() >= 4).and_then(digits)?;
    let month = parts.next().filter(|part| part.len() == 2).and_then(digits)?;
    let day = parts.next().filter(|part| part.len() == 2).and_then(digits)?;
    if year > 999_999 {
        return None;
    }
    let days = days(sign * year, month, day);
    (civil(days) == (sign * year, month, day)).then_some(days)?.try_into().ok()
}

/// Reads `09:30:00` or `09:30:00.25` into microseconds since midnight.
pub fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = clock.splitn(3, ':').map(|part| (part.len() == 2).then(|| digits(part)).flatten());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    if hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 6 {
        return None;
    }
    let fraction = digits(&format!("{fraction:0<6}"))?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

/// Reads `90s`, `-1.5s` into microseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = rest.strip_suffix('s')?.split_once('.').unwrap_or((rest.strip_suffix('s')?, "0"));
    if fraction.len() > 6 {
        return None;
    }
    let micros = digits(whole)?.checked_mul(1_000_000)?.checked_add(digits(&format!("{fraction:0<6}"))?)?;
    Some(sign * micros)
}

/// Reads RFC 3339 in UTC with `Z`, as [`push_timestamp`] writes it, into microseconds since the epoch.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    i64::from(parse_date(date)?).checked_mul(86_400_000_000)?.checked_add(parse_time(time)?)
}

/// Reads `-12.5` into a decimal with as many digits behind the point as are written.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if whole.is_empty() || fraction.len() > 18 || whole.len() > 20 {
        return None;
    }
    let joined = format!("{whole}{fraction}");
    if !joined.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let units: i128 = joined.parse().ok()?;
    Some(Decimal { units: if negative { -units } else { units }, scale: fraction.len() as u8 })
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// Year, month and day of a number of days since 1970-01-01 in the proleptic Gregorian calendar.
const fn civil(days: i64) -> (i64, i64, i64) {
    // Years are counted from March, so that the leap day is the last: then months have a linear formula.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The inverse of [`civil`].
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Value) -> String {
        let mut out = String::new();
        push_text(&mut out, &value);
        out
    }

    #[test]
    fn values_are_written_as_the_type_table_says() {
        let cases = [
            (Value::Decimal(Decimal { units: 1250, scale: 2 }), "12.50"),
            (Value::Decimal(Decimal { units: -5, scale: 2 }), "-0.05"),
            (Value::Decimal(Decimal { units: 7, scale: 0 }), "7"),
            (Value::Timestamp(0), "1970-01-01T00:00:00Z"),
            (Value::Timestamp(-1), "1969-12-31T23:59:59.999999Z"),
            (Value::Timestamp(1_893_456_000_250_000), "2030-01-01T00:00:00.25Z"),
            (Value::Date(20_780), "2026-11-23"),
            (Value::Time(34_200_000_000), "09:30:00"),
            (Value::Duration(90_000_000), "90s"),
            (Value::Duration(-1_500_000), "-1.5s"),
            (Value::Bytes(Arc::from(&b"abc"[..])), "YWJj"),
        ];
        for (value, text) in cases {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn every_date_is_read_back_as_it_was_written() {
        for day in (-800_000..2_900_000).step_by(17) {
            let text = shown(Value::Date(day));
            assert_eq!(parse_date(&text), Some(day), "{text}");
        }
        assert_eq!(parse_date("2026-02-29"), None);
        assert_eq!(parse_date("2028-02-29"), Some(21_243));
    }

    #[test]
    fn times_durations_and_identities_are_read_back() {
        assert_eq!(parse_time("23:59:59.000001"), Some(86_399_000_001));
        assert_eq!(parse_time("24:00:00"), None);
        assert_eq!(parse_duration("-1.5s"), Some(-1_500_000));
        assert_eq!(parse_timestamp("2030-01-01T00:00:00.25Z"), Some(1_893_456_000_250_000));
        let id = *b"0123456789abcdef";
        assert_eq!(parse_uuid(&shown(Value::Uuid(id))), Some(id));
        assert_eq!(parse_uuid("zz"), None);
        assert_eq!(parse_decimal("-0.05"), Some(Decimal { units: -5, scale: 2 }));
    }

    use std::sync::Arc;
}
