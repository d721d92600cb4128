//! Durations and rates: `250 ms`, `1.5s`, `10 minutes`, `60 requests per minute`, `5 rps`.
//!
//! `m` is minutes; months are no duration. Source: language reference, *Values and names*.

use super::numbers::{exact_product, parse_count, parse_number};

/// Microseconds of a unit of time, by its name in lower case.
fn unit(name: &str) -> Option<u64> {
    Some(match name {
        "us" | "µs" | "μs" | "microsecond" | "microseconds" => 1,
        "ms" | "millisecond" | "milliseconds" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => 86_400_000_000,
        "w" | "week" | "weeks" => 604_800_000_000,
        _ => return None,
    })
}

/// A duration in microseconds; none when it is finer than that, or too long for 64 bit.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(|character: char| character.is_alphabetic())?;
    let number = parse_number(&text[..split])?;
    let (product, scale) = exact_product(&number, unit(&text[split..].to_lowercase())?)?;
    let divisor = 10i128.checked_pow(scale)?;
    (product % divisor == 0).then(|| i64::try_from(product / divisor).ok())?
}

/// A rate: how many in how many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// The window, in seconds.
    pub window_seconds: u64,
}

/// The window of `per minute`, `/day`, `per 10 s`, in seconds.
pub fn parse_window(text: &str) -> Option<u64> {
    let text = text.trim();
    let micros = match text.starts_with(|character: char| character.is_ascii_digit()) {
        true => u64::try_from(parse_duration(text)?).ok()?,
        false => unit(&text.to_lowercase())?,
    };
    (micros > 0 && micros % 1_000_000 == 0).then_some(micros / 1_000_000)
}

/// A rate: `100 requests per minute`, `100 req/min`, `5 rps`, `1000/day`.
pub fn parse_rate(text: &str) -> Option<Rate> {
    let text = text.trim();
    let lower = text.to_lowercase();
    for (ending, window_seconds) in [("rps", 1), ("qps", 1), ("tps", 1), ("rpm", 60), ("rph", 3600)] {
        if let Some(count) = lower.strip_suffix(ending) {
            return Some(Rate { count: parse_count(count)?, window_seconds });
        }
    }
    let (amount, window) = lower.split_once(" per ").or_else(|| lower.split_once('/'))?;
    let mut words = amount.split_whitespace();
    let count = parse_count(words.next()?)?;
    match words.next() {
        None | Some("requests" | "request" | "req" | "reqs" | "calls" | "call") => {}
        Some(_) => return None,
    }
    words.next().is_none().then_some(Rate { count, window_seconds: parse_window(window)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_microseconds() {
        assert_eq!(parse_duration("250 ms"), Some(250_000));
        assert_eq!(parse_duration("1.5s"), Some(1_500_000));
        assert_eq!(parse_duration("10 minutes"), Some(600_000_000));
        assert_eq!(parse_duration("30 d"), Some(2_592_000_000_000));
        assert_eq!(parse_duration("1m"), Some(60_000_000));
    }

    #[test]
    fn what_is_no_duration_is_none() {
        for text in ["2 months", "", "s", "1", "0.0000001 s", "99999999999999 d", "1 s later"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn rates_in_every_spelling() {
        let rate = |count, window_seconds| Some(Rate { count, window_seconds });
        assert_eq!(parse_rate("60 requests per minute"), rate(60, 60));
        assert_eq!(parse_rate("100 req/min"), rate(100, 60));
        assert_eq!(parse_rate("5 rps"), rate(5, 1));
        assert_eq!(parse_rate("1000/day"), rate(1000, 86_400));
        assert_eq!(parse_rate("1,000 requests per 10 s"), rate(1000, 10));
        assert_eq!(parse_rate("10 apples per minute"), None);
        assert_eq!(parse_rate("10 per ms"), None);
    }
}
