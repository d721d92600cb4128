//! The text forms of values at the edge, which are the language's own, and what only requests need.
//!
//! Source: language reference, *Types*, column JSON.

pub(crate) use formwork_language::constraint::{is_email, is_uri};
use formwork_language::value::Decimal;
use formwork_language::value::text::parse_decimal;
pub(crate) use formwork_language::value::text::{
    format_date, format_decimal, format_duration, format_time, format_timestamp, format_uuid, parse_date,
    parse_duration, parse_time, parse_timestamp, parse_uuid,
};

/// Reads a number exactly, without the zeros at the end of its fraction: `1.0` is the whole number 1.
pub(crate) fn parse_exact(text: &str) -> Option<Decimal> {
    parse_decimal(text).map(Decimal::trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_have_no_needless_digits() {
        let read = |text| parse_exact(text).map(format_decimal);
        assert_eq!(read("0.10").as_deref(), Some("0.1"));
        assert_eq!(read("-12.5e1").as_deref(), Some("-125"));
        assert_eq!(read("1e-3").as_deref(), Some("0.001"));
        for bad in ["", ".", "1.", ".5", "1e999", "--1", "1_0", "1e-99"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
