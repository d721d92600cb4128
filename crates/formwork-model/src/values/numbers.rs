//! Counts, percentages, money, sizes, percentiles and comparators. Source: language reference, *Values and names*.

/// A number as written, without grouping: `1,000` gives `1000`, `-0.50` stays. Exact, never a float.
pub fn parse_number(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '−']).unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let whole = ungrouped(whole)?;
    if fraction.is_some_and(|fraction| fraction.is_empty() || !is_digits(fraction)) {
        return None;
    }
    let sign = if digits.len() < text.len() { "-" } else { "" };
    Some(fraction.map_or_else(|| format!("{sign}{whole}"), |fraction| format!("{sign}{whole}.{fraction}")))
}

/// A count: `1,000`, `10k`, `2M`.
pub fn parse_count(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, zeros) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 3),
        (at, 'm' | 'M') => (&text[..at], 6),
        _ => (text, 0),
    };
    scaled(&parse_number(digits)?, zeros)
}

/// A percentage: `99.9%` gives `99.9`.
pub fn parse_percent(text: &str) -> Option<String> {
    parse_number(text.trim().strip_suffix('%')?)
}

/// An amount of money: `0.02 USD`, `$5`, `€1.50` give the exact decimal and the ISO 4217 currency.
pub fn parse_money(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    for (sign, currency) in [("$", "USD"), ("€", "EUR"), ("£", "GBP")] {
        if let Some(amount) = text.strip_prefix(sign).or_else(|| text.strip_suffix(sign)) {
            return Some((parse_number(amount)?, currency.to_owned()));
        }
    }
    let (amount, currency) = text.split_once(char::is_whitespace)?;
    let currency = currency.trim();
    is_currency(currency).then(|| parse_number(amount))?.map(|amount| (amount, currency.to_owned()))
}

/// Whether a word is written like an ISO 4217 currency.
pub fn is_currency(word: &str) -> bool {
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A size in bytes: `64 KiB`, `1 MB`, `512 bytes`.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|character: char| character.is_alphabetic())?;
    let number = parse_number(&text[..split])?;
    let (base, power) = match &*text[split..].to_ascii_lowercase() {
        "b" | "byte" | "bytes" => (1000u64, 0),
        "kb" => (1000, 1),
        "mb" => (1000, 2),
        "gb" => (1000, 3),
        "tb" => (1000, 4),
        "kib" => (1024, 1),
        "mib" => (1024, 2),
        "gib" => (1024, 3),
        "tib" => (1024, 4),
        _ => return None,
    };
    times(&number, base.checked_pow(power)?)
}

/// A percentile as `p99`: from `p99`, `P99.9`, `99th`, `99th percentile`, `median`.
pub fn parse_percentile(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    if text == "median" {
        return Some("p50".to_owned());
    }
    let digits = match text.strip_prefix('p') {
        Some(digits) => digits,
        None => {
            let ordinal = text.strip_suffix("percentile").unwrap_or(&text).trim_end();
            ["st", "nd", "rd", "th"].iter().find_map(|ending| ordinal.strip_suffix(ending))?
        }
    };
    let number = parse_number(digits)?;
    (!number.starts_with('-') && digits.split('.').next().is_some_and(|whole| whole.len() <= 2))
        .then(|| format!("p{number}"))
}

/// A comparator in words or as a sign, as one of `<=`, `<`, `>=`, `>`, `=`.
pub fn parse_comparator(text: &str) -> Option<&'static str> {
    Some(match &*text.trim().to_ascii_lowercase() {
        "≤"
        | "⩽"
        | "≦"
        | "<="
        | "< ="
        | "at most"
        | "up to"
        | "max"
        | "within"
        | "no more than"
        | "not more than"
        | "not exceed"
        | "never exceed"
        | "not exceeding"
        | "less than or equal to" => "<=",
        "<" | "under" | "below" | "less than" | "fewer than" => "<",
        "≥"
        | "⩾"
        | "≧"
        | ">="
        | "> ="
        | "at least"
        | "min"
        | "no less than"
        | "not less than"
        | "greater than or equal to" => ">=",
        ">" | "over" | "above" | "more than" | "greater than" => ">",
        "=" | "==" | "exactly" => "=",
        _ => return None,
    })
}

/// A number with `zeros` more digits before the point, if that makes it whole.
fn scaled(number: &str, zeros: u32) -> Option<u64> {
    times(number, 10u64.checked_pow(zeros)?)
}

/// An exact decimal times a factor, if the product is whole and fits.
fn times(number: &str, factor: u64) -> Option<u64> {
    let (product, scale) = exact_product(number, factor)?;
    let divisor = 10i128.checked_pow(scale)?;
    (product % divisor == 0).then(|| u64::try_from(product / divisor).ok())?
}

/// An exact decimal times a factor, as an integer and how many of its digits stand behind the point.
pub(crate) fn exact_product(number: &str, factor: u64) -> Option<(i128, u32)> {
    let fraction = number.split_once('.').map_or("", |(_, fraction)| fraction);
    let digits: i128 = number.replace('.', "").parse().ok()?;
    Some((digits.checked_mul(i128::from(factor))?, u32::try_from(fraction.len()).ok()?))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits without grouping commas or underscores; none if the groups are not of three.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split([',', '_']);
    let first = groups.next().filter(|first| !first.is_empty() && is_digits(first))?;
    let mut whole = first.to_owned();
    for group in groups {
        if group.len() != 3 || !is_digits(group) || first.len() > 3 {
            return None;
        }
        whole.push_str(group);
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grouping_is_dropped_and_digits_stay_exact() {
        assert_eq!(parse_number("10,000").as_deref(), Some("10000"));
        assert_eq!(parse_number("-0.50").as_deref(), Some("-0.50"));
        assert_eq!(parse_number("1,00"), None);
        assert_eq!(parse_number("1."), None);
        assert_eq!(parse_number("p99"), None);
    }

    #[test]
    fn counts_may_be_short() {
        assert_eq!(parse_count("1,000"), Some(1000));
        assert_eq!(parse_count("10k"), Some(10_000));
        assert_eq!(parse_count("1.5k"), Some(1500));
        assert_eq!(parse_count("1.0005k"), None);
        assert_eq!(parse_count("-1"), None);
        assert_eq!(parse_count("k"), None);
    }

    #[test]
    fn money_is_exact_and_has_a_currency() {
        let money = |text| parse_money(text).map(|(amount, currency)| format!("{amount} {currency}"));
        assert_eq!(money("0.02 USD").as_deref(), Some("0.02 USD"));
        assert_eq!(money("$5").as_deref(), Some("5 USD"));
        assert_eq!(money("€1.50").as_deref(), Some("1.50 EUR"));
        assert_eq!(money("5 apples"), None);
    }

    #[test]
    fn sizes_know_both_thousands() {
        assert_eq!(parse_size("64 KiB"), Some(65_536));
        assert_eq!(parse_size("1 MB"), Some(1_000_000));
        assert_eq!(parse_size("1.5kb"), Some(1500));
        assert_eq!(parse_size("1 m"), None);
    }

    #[test]
    fn percentiles_have_one_spelling() {
        assert_eq!(parse_percentile("p99.9").as_deref(), Some("p99.9"));
        assert_eq!(parse_percentile("99th percentile").as_deref(), Some("p99"));
        assert_eq!(parse_percentile("median").as_deref(), Some("p50"));
        assert_eq!(parse_percentile("p100"), None);
        assert_eq!(parse_percentile("path"), None);
    }

    #[test]
    fn comparators_in_words_and_signs() {
        assert_eq!(parse_comparator("at most"), Some("<="));
        assert_eq!(parse_comparator("Under"), Some("<"));
        assert_eq!(parse_comparator("≥"), Some(">="));
        assert_eq!(parse_comparator("about"), None);
    }

    #[test]
    fn percentages_keep_their_digits() {
        assert_eq!(parse_percent("99.90%").as_deref(), Some("99.90"));
        assert_eq!(parse_percent("99.9"), None);
    }
}
