//! Made-up values that fit a type and its rules, always the same for the same seed.

use super::pattern::matching;
use formwork_language::constraint::FieldRules;
use formwork_language::value::{Decimal, Value};
use formwork_model::values::Type;

/// Noon of 2030-01-01 in UTC, in microseconds.
const NOON: i64 = 1_893_499_200_000_000;
const HOUR: i64 = 3_600_000_000;

/// A seed from another and a name (FNV-1a).
pub(super) fn seed(from: u64, name: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ from.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed =
        name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mixed ^ (mixed >> 31)
}

/// A value of a type within its rules. Where no rule can be met the type alone holds.
pub(super) fn sample(name: &str, ty: &Type, rules: &FieldRules, seed: u64) -> Value {
    if let Some(allowed) = rules.one_of.as_ref().filter(|allowed| !allowed.is_empty()) {
        return Value::Text(allowed[pick(seed, allowed.len())].clone());
    }
    let small = i64::try_from(seed % 97).unwrap_or(0) + 1;
    match ty {
        Type::String | Type::Unknown(_) => Value::Text(text(name, rules, seed).into()),
        Type::Integer => Value::Integer(i64::try_from(number(rules, small, 0)).unwrap_or(small)),
        Type::Decimal { scale, .. } => {
            Value::Decimal(Decimal { units: number(rules, small, *scale), scale: *scale })
        }
        Type::Double => {
            Value::Double(Decimal { units: number(rules, small * 10 + 5, 1), scale: 1 }.to_double())
        }
        Type::Boolean => Value::Boolean(seed.is_multiple_of(2)),
        Type::Uuid => Value::Uuid(uuid(seed)),
        Type::Timestamp => Value::Timestamp(NOON + small * HOUR),
        Type::Date => Value::Date(21_915 + i32::try_from(small).unwrap_or(0)),
        Type::Time => Value::Time(9 * HOUR + small * HOUR / 60),
        Type::Duration => Value::Duration(small * HOUR / 60),
        Type::Bytes => Value::Bytes(seed.to_be_bytes().as_slice().into()),
        Type::Uri => Value::Text(format!("https://example.com/{}/{small}", name.replace('_', "-")).into()),
        Type::Email => Value::Text(format!("{}{small}@example.com", name.replace('_', ".")).into()),
        Type::Enum(values) if !values.is_empty() => Value::Text(values[pick(seed, values.len())].clone()),
        Type::Enum(_) => Value::Text(name.into()),
        Type::List(of) => {
            let least = rules.items.0.unwrap_or(0).clamp(1, 100);
            let most = rules.items.1.unwrap_or(u64::MAX);
            let item = |at: u64| sample(name, of, &FieldRules::default(), seed.wrapping_add(at));
            Value::List((0..least.max(2).min(most)).map(item).collect())
        }
        Type::Object(members) => Value::Map(
            members
                .iter()
                .map(|(name, ty)| {
                    let value = sample(name, ty, &FieldRules::default(), self::seed(seed, name));
                    (Value::Text(name.clone()), value)
                })
                .collect(),
        ),
        Type::Json | Type::Named(_) => Value::Json("{}".into()),
    }
}

fn pick(seed: u64, among: usize) -> usize {
    usize::try_from(seed % u64::try_from(among).unwrap_or(1).max(1)).unwrap_or(0)
}

/// A number of that scale within the bounds, in units of the scale.
fn number(rules: &FieldRules, small: i64, scale: u8) -> i128 {
    let one = 10_i128.checked_pow(u32::from(scale)).unwrap_or(1);
    let bound = |bound: &(Decimal, bool), inwards: i128| {
        let kept = bound.0.rescaled(scale, formwork_language::value::Rounding::HalfEven)?;
        Some(kept.units.saturating_add(if bound.1 { inwards } else { 0 }))
    };
    let least = rules.min.as_ref().and_then(|min| bound(min, 1));
    let most = rules.max.as_ref().and_then(|max| bound(max, -1));
    let wanted = i128::from(small).saturating_mul(one);
    let shifted = least
        .filter(|least| *least > wanted)
        .map_or(wanted, |least| least.saturating_add(wanted % one.max(2)));
    most.map_or(shifted, |most| shifted.min(most)).max(least.unwrap_or(i128::MIN))
}

/// A text that reads like what it stands for.
fn text(name: &str, rules: &FieldRules, seed: u64) -> String {
    let small = seed % 97 + 1;
    let words = name.replace('_', " ");
    let slug = format!("{}-{small}", name.replace('_', "-").to_lowercase());
    let plain = [format!("{words} {small}"), slug, format!("a{small}"), small.to_string()];
    let (least, most) = rules.length;
    let fitted = |text: &String| -> String {
        let most = usize::try_from(most.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        let mut text: String = text.chars().take(most).collect();
        let least = usize::try_from(least.unwrap_or(0)).unwrap_or(0).min(10_000);
        let missing = least.saturating_sub(text.chars().count());
        text.push_str(&"a".repeat(missing));
        text
    };
    let fits = |text: &String| rules.violations(&Value::Text(text.as_str().into())).is_empty();
    let from_pattern =
        || rules.pattern.as_ref().and_then(|pattern| matching(pattern.as_str())).map(|text| fitted(&text));
    let found = plain.iter().map(fitted).find(fits);
    found.or_else(from_pattern).unwrap_or_else(|| fitted(&plain[0]))
}

/// A UUID of version 7 whose time is that of the other samples.
fn uuid(seed: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    let milliseconds = u64::try_from(NOON / 1000).unwrap_or(0).to_be_bytes();
    bytes[..6].copy_from_slice(&milliseconds[2..]);
    bytes[6..8].copy_from_slice(&[0x70, 0]);
    bytes[8..].copy_from_slice(&seed.to_be_bytes());
    bytes[8] = bytes[8] & 0x3f | 0x80;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_within_their_bounds_and_seeds_tell_values_apart() {
        let decimal = |units| Decimal { units, scale: 0 };
        let rules = |min, max| FieldRules {
            min: Some((decimal(min), true)),
            max: Some((decimal(max), false)),
            ..FieldRules::default()
        };
        for at in 0..200 {
            let seed = seed(at, "n");
            for (min, max) in [(0, 1), (10, 12), (500, 1000), (-5, -3)] {
                let rules = rules(min, max);
                for ty in [Type::Integer, Type::Decimal { precision: 12, scale: 2 }, Type::Double] {
                    let value = sample("n", &ty, &rules, seed);
                    assert!(rules.violations(&value).is_empty(), "{ty} {min}..{max}: {value:?}");
                }
            }
        }
        let all: std::collections::BTreeSet<String> = (0..50)
            .map(|at| format!("{:?}", sample("id", &Type::Uuid, &FieldRules::default(), seed(at, "id"))))
            .collect();
        assert_eq!(all.len(), 50);
    }

    #[test]
    fn texts_fit_length_and_pattern() {
        for pattern in
            ["^[a-z0-9-]{3,32}$", r"^DE\d{6}$", "^(red|green)$", "^[A-Z]{2,4}[0-9]{3}$", "^x+y?z*$"]
        {
            let rules = FieldRules {
                pattern: Some(regex::Regex::new(pattern).expect("a pattern")),
                ..FieldRules::default()
            };
            let value = sample("slug_name", &Type::String, &rules, 5);
            assert!(rules.violations(&value).is_empty(), "{pattern}: {value:?}");
        }
        let rules = FieldRules { length: (Some(30), Some(40)), ..FieldRules::default() };
        assert!(rules.violations(&sample("a", &Type::String, &rules, 1)).is_empty());
        let rules = FieldRules { length: (None, Some(3)), ..FieldRules::default() };
        assert!(rules.violations(&sample("currency", &Type::String, &rules, 1)).is_empty());
    }
}
