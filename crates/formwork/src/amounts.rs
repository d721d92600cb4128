//! Amounts on the command line, written as documents write them: `64 MiB`, `90 s`.

use formwork_model::values;
use std::time::Duration;

/// Reads a size in bytes, of at least one.
pub(crate) fn parse_bytes(text: &str) -> Result<usize, String> {
    let bytes = values::parse_size(text).and_then(|bytes| usize::try_from(bytes).ok());
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| "a size looks like 64MiB or 500kB".to_owned())
}

/// Reads a duration; `0s` is none at all.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    let micros = values::parse_duration(text).and_then(|micros| u64::try_from(micros).ok());
    micros.map(Duration::from_micros).ok_or_else(|| "a time looks like 90s or 2min".to_owned())
}

/// Reads a duration that is more than none.
pub(crate) fn parse_some_time(text: &str) -> Result<Duration, String> {
    parse_time(text).and_then(|time| match time.is_zero() {
        true => Err("a time of more than 0 is needed, such as 90s".to_owned()),
        false => Ok(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_in_documents() {
        assert_eq!(parse_bytes("64 MiB"), Ok(64 * 1024 * 1024));
        assert_eq!(parse_time("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_time("0s"), Ok(Duration::ZERO));
        assert!(parse_bytes("0 B").is_err() && parse_bytes("64").is_err() && parse_bytes("-1 MiB").is_err());
        assert!(parse_time("-1s").is_err() && parse_time("soon").is_err() && parse_some_time("0s").is_err());
    }
}
