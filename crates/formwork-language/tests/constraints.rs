//! Constraints of single values, formats, conversions, and the laws of exact numbers.

use formwork_language::constraint::{FieldRules, converted, fits, from_input, is_email, is_uri, pattern};
use formwork_language::value::{Decimal, Rounding, Value, text};
use formwork_model::values::Type;
use proptest::prelude::*;
use std::cmp::Ordering;

fn codes(rules: &FieldRules, value: &Value) -> Vec<&'static str> {
    rules.violations(value).into_iter().map(|violation| violation.code).collect()
}

fn decimal(text: &str) -> Decimal {
    text::parse_decimal(text).expect("a decimal")
}

#[test]
fn a_range_tells_whether_its_bound_belongs_to_it() {
    let rules = FieldRules {
        min: Some((decimal("0"), true)),
        max: Some((decimal("9.5"), false)),
        ..FieldRules::default()
    };
    assert_eq!(codes(&rules, &Value::Integer(0)), ["min"]);
    assert_eq!(codes(&rules, &Value::Decimal(decimal("0.01"))), [""; 0]);
    assert_eq!(codes(&rules, &Value::Decimal(decimal("9.50"))), [""; 0]);
    assert_eq!(codes(&rules, &Value::Double(9.500001)), ["max"]);
    assert_eq!(codes(&rules, &Value::Double(f64::NAN)), ["min", "max"]);
    assert_eq!(codes(&rules, &Value::Null), [""; 0]);
    assert_eq!(rules.violations(&Value::Integer(0))[0].detail, "must be more than 0");
}

#[test]
fn lengths_count_code_points_and_every_broken_rule_is_told() {
    let rules = FieldRules {
        length: (Some(2), Some(4)),
        pattern: Some(pattern("^[a-z]+$").expect("a pattern")),
        one_of: Some(["ab".into(), "abc".into()].into()),
        ..FieldRules::default()
    };
    assert_eq!(codes(&rules, &Value::text("ab")), [""; 0]);
    assert_eq!(codes(&rules, &Value::text("ß🙂ßß")), ["one_of", "pattern"]);
    assert_eq!(codes(&rules, &Value::text("A")), ["min_length", "one_of", "pattern"]);
    let rules = FieldRules { items: (Some(1), Some(2)), ..FieldRules::default() };
    assert_eq!(codes(&rules, &Value::List([].into())), ["min_items"]);
    assert_eq!(codes(&rules, &Value::List(vec![Value::Null; 3].into())), ["max_items"]);
}

#[test]
fn patterns_know_ascii_classes_and_take_linear_time() {
    let matches = |source: &str, text: &str| pattern(source).expect("a pattern").is_match(text);
    assert!(matches(r"^\d+$", "123"));
    assert!(!matches(r"^\d+$", "١٢٣"));
    assert!(!matches(r"^\w$", "é"));
    assert!(matches(r"^[\w-]+$", "a-b_1"));
    assert!(matches(r"^\W$", "é"));
    assert!(!matches(r"^\s$", "\u{a0}"));
    assert!(matches(r"\bcat\b", "a cat."));
    assert!(matches("^a\\/b$", "a/b"));
    assert!(matches(r"^(a+)+$", &"a".repeat(100_000)));
    assert!(pattern("(").is_err());
    assert!(pattern("a{1000000}{1000000}").is_err());
    assert!(pattern(r"(a)\1").is_err(), "a reference back cannot be matched in linear time");
}

#[test]
fn uris_are_absolute() {
    for uri in [
        "https://example.com",
        "https://example.com:8443/a/b?c=d&e=%20#f",
        "http://user@example.com/",
        "http://[::1]:80/",
        "mailto:a@example.com",
        "urn:isbn:0451450523",
        "file:///tmp/x",
        "HTTPS://EXAMPLE.COM",
    ] {
        assert!(is_uri(uri), "{uri}");
    }
    for text in [
        "",
        "not a url",
        "example.com",
        "/relative",
        "//example.com",
        "http:",
        "http://",
        "https:///path",
        "http:example.com",
        "1http://example.com",
        "https://exa mple.com",
        "https://example.com/\u{e9}",
        "https://example.com/%zz",
        "https://example.com/<>",
        "https://example.com:port/",
        "https://example.com/#a#b",
        "http://[::1/",
        "http://]/",
        "javascript",
    ] {
        assert!(!is_uri(text), "{text}");
    }
}

#[test]
fn emails_have_a_local_part_and_a_domain() {
    for email in ["a@example.com", "first.last+tag@sub.example.co", "o'brien@example.ie", "a@localhost"] {
        assert!(is_email(email), "{email}");
    }
    for text in [
        "",
        "a",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@exa mple.com",
        "a@-x.com",
        "a@x..com",
        "a@b@c d",
    ] {
        assert!(!is_email(text), "{text}");
    }
}

#[test]
fn a_value_fits_its_type_in_exactly_its_form() {
    let money = Type::Decimal { precision: 5, scale: 2 };
    assert!(fits(&money, &Value::Decimal(decimal("999.99"))).is_ok());
    assert!(fits(&money, &Value::Decimal(decimal("1000.00"))).is_err());
    assert!(fits(&money, &Value::Decimal(decimal("1.5"))).is_err());
    assert!(fits(&Type::Double, &Value::Double(f64::INFINITY)).is_err());
    assert!(fits(&Type::String, &Value::text("a\0b")).is_err());
    assert!(fits(&Type::Integer, &Value::Null).is_err());
    let states = Type::Enum(["open".into(), "closed".into()].into());
    assert_eq!(fits(&states, &Value::text("shut")).expect_err("unknown").code, "one_of");
    assert!(
        fits(&Type::List(Type::Integer.into()), &Value::List([Value::Integer(1), Value::text("x")].into()))
            .is_err()
    );
}

#[test]
fn input_is_parsed_and_nothing_is_rounded() {
    let money = Type::Decimal { precision: 12, scale: 2 };
    let input = |ty: &Type, value| {
        from_input(ty, value).map(|value| value.to_plain()).map_err(|broken| broken.detail)
    };
    assert_eq!(input(&money, Value::text("12.5")), Ok("12.50".to_owned()));
    assert_eq!(input(&money, Value::Double(0.1)), Ok("0.10".to_owned()));
    assert!(input(&money, Value::text("12.505")).is_err());
    assert_eq!(input(&Type::Integer, Value::Double(1.0)), Ok("1".to_owned()));
    assert!(input(&Type::Integer, Value::Double(1.5)).is_err());
    assert!(input(&Type::Integer, Value::text("1")).is_err());
    assert!(input(&Type::String, Value::Integer(1)).is_err());
    assert!(input(&Type::Uri, Value::text("not a url")).is_err());
    assert_eq!(
        input(&Type::Timestamp, Value::text("2026-11-23T12:00:00+02:00")),
        Ok("2026-11-23T10:00:00Z".to_owned())
    );
    assert!(input(&Type::Timestamp, Value::text("2026-11-23T12:00:00.0000001Z")).is_err());
    assert!(input(&Type::Uuid, Value::text("42")).is_err());
    assert_eq!(input(&Type::Bytes, Value::text("YWI=")), Ok("YWI=".to_owned()));
}

#[test]
fn computed_values_round_half_to_even() {
    let money = Type::Decimal { precision: 12, scale: 2 };
    let stored = |text: &str| converted(&money, Value::Decimal(decimal(text))).map(|value| value.to_plain());
    assert_eq!(stored("0.125"), Ok("0.12".to_owned()));
    assert_eq!(stored("0.135"), Ok("0.14".to_owned()));
    assert_eq!(stored("-0.125"), Ok("-0.12".to_owned()));
    assert_eq!(stored("7"), Ok("7.00".to_owned()));
}

#[test]
fn values_have_the_texts_of_the_reference() {
    assert_eq!(text::format_timestamp(1_795_435_200_250_000), "2026-11-23T12:00:00.25Z");
    assert_eq!(text::format_timestamp(-1), "1969-12-31T23:59:59.999999Z");
    assert_eq!(text::parse_timestamp("1969-12-31T23:59:59.999999Z"), Some(-1));
    assert_eq!(text::parse_timestamp("2026-02-29T00:00:00Z"), None);
    assert_eq!(text::parse_timestamp("2026-11-23T12:00:00"), None);
    assert_eq!(text::parse_timestamp("0000-01-01T00:00:00Z"), None);
    assert_eq!(text::format_duration(90_000_000), "90s");
    assert_eq!(text::format_duration(-250_000), "-0.25s");
    for (written, length) in [
        ("1h30m", 5_400_000_000),
        ("1 h", 3_600_000_000),
        ("10 minutes", 600_000_000),
        ("250 ms", 250_000),
        ("30 d", 2_592_000_000_000),
        ("1.5s", 1_500_000),
        ("-1m", -60_000_000),
    ] {
        assert_eq!(text::parse_duration(written), Some(length), "{written}");
    }
    for written in ["", "1", "h", "1x", "1 month", "1h 2", "0.1us", "--1s", "1s-"] {
        assert_eq!(text::parse_duration(written), None, "{written}");
    }
    assert_eq!(text::format_decimal(Decimal { units: -5, scale: 3 }), "-0.005");
    assert_eq!(text::parse_decimal("1.5e2").map(text::format_decimal), Some("150".to_owned()));
    assert_eq!(text::parse_decimal("1e-3").map(text::format_decimal), Some("0.001".to_owned()));
    for written in ["", "-", "1.", ".5", "+1", "1_000", "1e", "NaN", "1e999999999"] {
        assert_eq!(text::parse_decimal(written), None, "{written}");
    }
    assert_eq!(text::parse_time("09:30").map(text::format_time), Some("09:30:00".to_owned()));
    assert_eq!(text::parse_time("24:00"), None);
    let uuid = "0192f0c1-2b3c-7d4e-8f50-617283940abc";
    assert_eq!(
        text::parse_uuid(&uuid.to_uppercase()).map(|uuid| text::format_uuid(&uuid)),
        Some(uuid.to_owned())
    );
    assert_eq!(text::parse_uuid("0192f0c1-2b3c-7d4e-8f50-61728394é0ab"), None);
}

fn small() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_000i128..1_000_000_000_000, 0u8..7).prop_map(|(units, scale)| Decimal { units, scale })
}

fn wild() -> impl Strategy<Value = Decimal> {
    (any::<i128>(), 0u8..=38).prop_map(|(units, scale)| Decimal { units, scale })
}

fn is_equal(left: Option<Decimal>, right: Option<Decimal>) -> bool {
    matches!((left, right), (Some(left), Some(right)) if left.compare(right) == Ordering::Equal)
}

proptest! {
    #[test]
    fn sums_and_products_keep_the_laws_of_arithmetic(a in small(), b in small(), c in small()) {
        prop_assert!(is_equal(a.checked_add(b), b.checked_add(a)));
        prop_assert!(is_equal(a.checked_mul(b), b.checked_mul(a)));
        let left = a.checked_add(b).and_then(|sum| sum.checked_mul(c));
        let right = a.checked_mul(c).zip(b.checked_mul(c)).and_then(|(one, other)| one.checked_add(other));
        prop_assert!(is_equal(left, right));
        prop_assert!(is_equal(a.checked_add(b).and_then(|sum| sum.checked_sub(b)), Some(a)));
    }

    #[test]
    fn a_rounded_quotient_is_off_by_half_a_unit_at_most(a in small(), b in small()) {
        prop_assume!(b.units != 0);
        let quotient = a.checked_div(b, 4, Rounding::HalfEven).expect("fits");
        let back = quotient.checked_mul(b).and_then(|product| product.checked_sub(a)).expect("fits");
        let size = Decimal { units: back.units.abs(), scale: back.scale };
        let half = Decimal { units: b.units.abs() * 5, scale: b.scale + 5 };
        prop_assert!(size.compare(half) != Ordering::Greater, "{:?} / {:?} = {:?}", a, b, quotient);
    }

    #[test]
    fn the_order_of_decimals_is_one_and_survives_rescaling(a in wild(), b in wild()) {
        prop_assert_eq!(a.compare(b), b.compare(a).reverse());
        prop_assert_eq!(a.compare(a.trimmed()), Ordering::Equal);
        if let (Some(one), Some(other)) = (a.rescaled(38, Rounding::Exact), b.rescaled(38, Rounding::Exact)) {
            prop_assert_eq!(a.compare(b), one.units.cmp(&other.units));
        }
        let (one, other) = (a.to_double(), b.to_double());
        if (one - other).abs() > one.abs().max(other.abs()) * 1e-9 {
            prop_assert_eq!(Some(a.compare(b)), one.partial_cmp(&other));
        }
    }

    #[test]
    fn decimals_read_back_what_they_write(a in wild()) {
        prop_assert_eq!(text::parse_decimal(&text::format_decimal(a)), Some(a));
    }

    #[test]
    fn what_conversion_gives_from_input_fits(units in -100_000i128..100_000, scale in 0u8..6) {
        let money = Type::Decimal { precision: 6, scale: 2 };
        if let Ok(value) = from_input(&money, Value::Decimal(Decimal { units, scale })) {
            prop_assert!(fits(&money, &value).is_ok());
            let sent = Value::Decimal(Decimal { units, scale });
            prop_assert!(formwork_language::value::equal(&value, &sent));
        }
    }
}
