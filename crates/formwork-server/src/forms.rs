//! The text forms of values at the edge: read from requests, written into answers.
//!
//! Each pair reads back what it wrote. Source: language reference, *Types*, column JSON.

use formwork_language::value::Decimal;

/// Writes an instant in UTC with as many digits behind the point as it needs: `2030-01-01T00:00:00Z`. Instants
/// outside the years -9999 to 9999 are written at the nearest bound.
pub(crate) fn format_timestamp(microseconds: i64) -> String {
    let bound = if microseconds < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(microseconds).unwrap_or(bound).to_string()
}

/// Reads an RFC 3339 instant with any offset and at most six digits behind the point.
pub(crate) fn parse_timestamp(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && text.is_ascii()
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't')
        && bytes[13] == b':'
        && bytes[16] == b':';
    if !shaped {
        return None;
    }
    let offset = text[19..].find(['Z', 'z', '+', '-'])? + 19;
    let fraction = &text[19..offset];
    let digits_fit = fraction.is_empty()
        || (fraction.starts_with('.')
            && (2..=7).contains(&fraction.len())
            && fraction[1..].bytes().all(|byte| byte.is_ascii_digit()));
    let zone = &text[offset..];
    let zone_fits = matches!(zone, "Z" | "z") || (zone.len() == 6 && zone.as_bytes()[3] == b':');
    if !digits_fit || !zone_fits {
        return None;
    }
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// Writes a date: `2026-11-23`.
pub(crate) fn format_date(days: i32) -> String {
    let date = jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().days(i64::from(days).clamp(-4_000_000, 2_900_000)));
    date.unwrap_or(jiff::civil::Date::MAX).to_string()
}

/// Reads a date.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    if text.len() != 10 {
        return None;
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let since = jiff::civil::date(1970, 1, 1).until(date).ok()?;
    Some(since.get_days())
}

/// Writes a time of day: `09:30:00`.
pub(crate) fn format_time(microseconds: i64) -> String {
    let seconds = microseconds.div_euclid(1_000_000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    clock + &fraction(microseconds.rem_euclid(1_000_000))
}

/// Reads a time of day; the seconds may be left out.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hours = two_digits(parts.next()?, 23)?;
    let minutes = two_digits(parts.next()?, 59)?;
    let mut microseconds = (hours * 60 + minutes) * 60_000_000;
    if let Some(rest) = parts.next() {
        let (seconds, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
        if fraction.is_empty() || fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        microseconds += two_digits(seconds, 59)? * 1_000_000;
        microseconds += format!("{fraction:0<6}").parse::<i64>().ok()?;
    }
    parts.next().is_none().then_some(microseconds)
}

fn two_digits(text: &str, most: i64) -> Option<i64> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
}

fn fraction(microseconds: i64) -> String {
    if microseconds == 0 {
        return String::new();
    }
    let digits = format!(".{microseconds:06}");
    digits.trim_end_matches('0').to_owned()
}

/// Writes a length of time in seconds: `90s`, `0.25s`.
pub(crate) fn format_duration(microseconds: i64) -> String {
    let sign = if microseconds < 0 { "-" } else { "" };
    let whole = microseconds.unsigned_abs();
    let rest = i64::try_from(whole % 1_000_000).unwrap_or_default();
    format!("{sign}{}{}s", whole / 1_000_000, fraction(rest))
}

/// Reads a length of time: one or more numbers with units, as in `90s`, `1.5 h`, `1h30m`, `10 minutes`.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim()),
    };
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !(character.is_ascii_digit() || character == '.'))?;
        let (number, tail) = rest.split_at(end);
        let tail = tail.trim_start();
        let end = tail.find(|character: char| !character.is_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let number = parse_decimal(number)?;
        let unit = unit_microseconds(unit)?;
        let product = number.units.checked_mul(i128::from(unit))?;
        let scale = 10_i128.checked_pow(u32::from(number.scale))?;
        if product % scale != 0 {
            return None;
        }
        total = total.checked_add(i64::try_from(product / scale).ok()?)?;
        rest = tail.trim_start();
        if rest.is_empty() {
            return Some(sign * total);
        }
    }
    None
}

fn unit_microseconds(unit: &str) -> Option<i64> {
    Some(match unit {
        "us" | "µs" => 1,
        "ms" => 1_000,
        "s" | "sec" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000,
        "h" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => 86_400_000_000,
        _ => return None,
    })
}

/// Reads a decimal as JSON or a text writes it, exactly; with an exponent too. At most 38 digits.
pub(crate) fn parse_decimal(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, mantissa),
    };
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || digits.ends_with('.') || !plain(whole) || !plain(behind) {
        return None;
    }
    let behind = behind.trim_end_matches('0');
    let units: i128 = format!("{whole}{behind}").parse().ok()?;
    let scale = i32::try_from(behind.len()).ok()?.checked_sub(exponent)?;
    if units == 0 {
        return Some(Decimal { units: 0, scale: 0 });
    }
    if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
        return Some(Decimal { units: sign * units.checked_mul(factor)?, scale: 0 });
    }
    Some(Decimal { units: sign * units, scale: u8::try_from(scale).ok().filter(|scale| *scale <= 38)? })
}

/// Writes a decimal with all of its digits: `12.50`.
pub(crate) fn format_decimal(decimal: Decimal) -> String {
    let sign = if decimal.units < 0 { "-" } else { "" };
    let scale = usize::from(decimal.scale);
    let digits = format!("{:0>width$}", decimal.units.unsigned_abs(), width = scale + 1);
    let (whole, behind) = digits.split_at(digits.len() - scale);
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") }
}

/// Writes a UUID in lower case.
pub(crate) fn format_uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (position, byte) in bytes.iter().enumerate() {
        if matches!(position, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
    }
    text
}

/// Reads a UUID with its four dashes, in any case.
pub(crate) fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|&at| bytes[at] != b'-') {
        return None;
    }
    let mut digits = bytes.iter().enumerate().filter(|(at, _)| ![8, 13, 18, 23].contains(at));
    let mut uuid = [0; 16];
    for byte in &mut uuid {
        for _ in 0..2 {
            let digit = char::from(*digits.next()?.1).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(digit).ok()?;
        }
    }
    Some(uuid)
}

/// Whether a text is an absolute URI (RFC 3986): a scheme, a colon, and only characters that a URI may have; with
/// an authority when the scheme is `http` or `https`.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !scheme_fits || !uri_characters(rest) {
        return false;
    }
    if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") {
        let Some(authority) = rest.strip_prefix("//") else { return false };
        let host = authority.split(['/', '?', '#']).next().unwrap_or_default();
        return !host.is_empty() && !host.starts_with(':');
    }
    !rest.is_empty()
}

fn uri_characters(text: &str) -> bool {
    let bytes = text.as_bytes();
    let hexadecimal = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b'%' => hexadecimal(at + 1) && hexadecimal(at + 2),
        _ => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte),
    })
}

/// Whether a text has the shape of an email address: one `@`, a local part, and a domain of labels.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local_fits = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let label_fits = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    local_fits && domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_any_offset_and_no_finer_than_a_microsecond() {
        let read = |text| parse_timestamp(text).map(format_timestamp);
        assert_eq!(read("2030-01-01T01:00:00+01:00").as_deref(), Some("2030-01-01T00:00:00Z"));
        assert_eq!(read("2030-01-01T00:00:00.123456Z").as_deref(), Some("2030-01-01T00:00:00.123456Z"));
        for bad in
            ["2030-01-01T00:00:00.1234567Z", "2030-01-01", "2030-02-30T00:00:00Z", "2030-01-01T00:00:00", ""]
        {
            assert_eq!(parse_timestamp(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_times_and_durations_read_back_what_they_write() {
        for days in [-719_162, -1, 0, 1, 20_780] {
            assert_eq!(parse_date(&format_date(days)), Some(days));
        }
        for time in [0, 34_200_000_000, 86_399_999_999] {
            assert_eq!(parse_time(&format_time(time)), Some(time));
        }
        for duration in [0, 90_000_000, -250_000, 1] {
            assert_eq!(parse_duration(&format_duration(duration)), Some(duration));
        }
        assert_eq!(format_duration(90_000_000), "90s");
        assert_eq!(parse_duration("1h30m"), Some(5_400_000_000));
        assert_eq!(parse_duration("2 min"), Some(120_000_000));
        assert_eq!(parse_duration("1"), None);
        assert_eq!(parse_duration("1 month"), None);
        assert_eq!(parse_duration("99999999999999999999 d"), None);
    }

    #[test]
    fn decimals_are_exact() {
        let read = |text| parse_decimal(text).map(format_decimal);
        assert_eq!(read("0.10").as_deref(), Some("0.1"));
        assert_eq!(read("-12.5e1").as_deref(), Some("-125"));
        assert_eq!(read("1e-3").as_deref(), Some("0.001"));
        for bad in ["", ".", "1.", ".5", "1e999", "--1", "1_0", "1e-99"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(format_decimal(Decimal { units: -5, scale: 2 }), "-0.05");
    }

    #[test]
    fn uuids_uris_and_addresses_are_told_from_other_texts() {
        let uuid = "0190a6e0-7f1c-7abc-8def-001122334455";
        assert_eq!(parse_uuid(&uuid.to_uppercase()).map(|bytes| format_uuid(&bytes)).as_deref(), Some(uuid));
        assert_eq!(parse_uuid("0190a6e07f1c7abc8def001122334455"), None);
        assert!(is_uri("https://example.com/a?b=%20#c") && is_uri("mailto:a@b.c"));
        for bad in
            ["not a url", "example.com", "https://", "https:///x", "http://a/%zz", "http://a b", "https://é/"]
        {
            assert!(!is_uri(bad), "{bad}");
        }
        assert!(is_email("a.b+c@example.com"));
        for bad in ["a", "@b.c", "a@b", "a b@c.d", "a@-b.c", "a@b..c"] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
