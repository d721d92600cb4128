//! What sentences of prose promise: the sentences of a place, and the durations and percentages in them.
//!
//! Only what is written with a number and a unit counts; a comparator may stand before it in signs or words
//! (`< 1s`, `at most 50 ms`, `within one second`). Source: language reference, *Values and names*.

use formwork_model::values::{parse_comparator, parse_duration, parse_number, parse_percentile};
use formwork_syntax::Span;

/// A sentence with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sentence<'a> {
    pub(crate) text: &'a str,
    pub(crate) span: Span,
}

/// The sentences of a place; a point inside code or a number ends none.
pub(crate) fn sentences(source: &str, place: Span) -> Vec<Sentence<'_>> {
    let text = source.get(place.range()).unwrap_or_default();
    let mut found = Vec::new();
    let (mut start, mut in_code, mut ended) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        // Behind what ends a sentence, which is one byte, a character begins.
        if ended && text[at..].starts_with(char::is_whitespace) {
            push(text, place.start, start, at, &mut found);
            start = at;
        }
        in_code ^= byte == b'`';
        ended = !in_code && matches!(byte, b'.' | b'!' | b'?' | b';' | b'\n');
    }
    push(text, place.start, start, text.len(), &mut found);
    found
}

fn push<'a>(text: &'a str, base: u32, from: usize, to: usize, found: &mut Vec<Sentence<'a>>) {
    let piece = &text[from..to];
    let trimmed = piece.trim();
    if !trimmed.is_empty() {
        let start = base + (from + piece.len() - piece.trim_start().len()) as u32;
        found.push(Sentence { text: trimmed, span: Span::new(start, start + trimmed.len() as u32) });
    }
}

/// What a quantity measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dimension {
    /// In seconds.
    Time,
    /// In hundredths.
    Percent,
}

/// A number with a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quantity {
    /// `<=`, `<`, `>=`, `>`, `=`; absent when the sentence has none before the number.
    pub(crate) comparator: Option<&'static str>,
    /// In the unit of the dimension.
    pub(crate) value: f64,
    pub(crate) dimension: Dimension,
    /// The number with its unit.
    pub(crate) span: Span,
}

/// The quantities of a sentence, in order.
pub(crate) fn quantities(sentence: Sentence<'_>) -> Vec<Quantity> {
    let tokens = tokens(sentence);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let Some((value, dimension, used)) = quantity(&tokens[at..]) else { continue };
        let before = &tokens[at.saturating_sub(4)..at];
        let comparator = (0..before.len()).find_map(|from| {
            let words: Vec<&str> = before[from..].iter().map(|token| token.text).collect();
            parse_comparator(&words.join(" "))
        });
        let comparator = comparator.or_else(|| behind(&tokens[at + used..], dimension));
        let span = tokens[at].span.to(tokens[at + used - 1].span);
        found.push(Quantity { comparator, value, dimension, span });
    }
    found
}

/// A comparator behind the number: `300 ms or less`.
fn behind(tokens: &[Token<'_>], dimension: Dimension) -> Option<&'static str> {
    match tokens {
        [or, word, ..] if or.text == "or" => match word.text {
            "better" if dimension == Dimension::Percent => Some(">="),
            "less" | "faster" | "better" | "below" | "fewer" => Some("<="),
            "more" | "longer" | "above" => Some(">="),
            _ => None,
        },
        _ => None,
    }
}

/// The percentile that a sentence names, as a number.
pub(crate) fn percentile(text: &str) -> Option<f64> {
    text.split_whitespace().find_map(|word| {
        let word = word.trim_matches(|character: char| !character.is_alphanumeric());
        as_percentile(&parse_percentile(word)?)
    })
}

/// `p99.9` as a number.
pub(crate) fn as_percentile(percentile: &str) -> Option<f64> {
    percentile.trim_start_matches(['p', 'P']).parse().ok()
}

/// A value of a unit as a quantity: `50` `ms`, `99.9` `%`.
pub(crate) fn measure(value: &str, unit: &str) -> Option<(f64, Dimension)> {
    if matches!(unit, "%" | "percent") {
        return Some((parse_number(value)?.parse().ok()?, Dimension::Percent));
    }
    let micros = parse_duration(&format!("{value} {unit}"))?;
    Some((micros as f64 / 1e6, Dimension::Time))
}

#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    span: Span,
}

const SIGNS: [char; 5] = ['<', '>', '≤', '≥', '='];

/// Words, numbers and comparing signs; marks and punctuation around them are left out.
fn tokens(sentence: Sentence<'_>) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut begin: Option<usize> = None;
    let mut finish = |from: usize, to: usize| {
        let piece = &sentence.text[from..to];
        let is_around = |it: char| !it.is_alphanumeric() && it != '%' && !SIGNS.contains(&it);
        let begun = piece.trim_start_matches(is_around);
        let kept = begun.trim_end_matches(is_around);
        if !kept.is_empty() {
            let lead = piece.len() - begun.len();
            let start = sentence.span.start + (from + lead) as u32;
            found.push(Token { text: kept, span: Span::new(start, start + kept.len() as u32) });
        }
    };
    let mut was_sign = false;
    for (at, character) in sentence.text.char_indices() {
        let is_sign = SIGNS.contains(&character);
        if let Some(from) = begin
            && (character.is_whitespace() || is_sign != was_sign)
        {
            finish(from, at);
            begin = None;
        }
        if !character.is_whitespace() && begin.is_none() {
            begin = Some(at);
        }
        was_sign = is_sign;
    }
    if let Some(from) = begin {
        finish(from, sentence.text.len());
    }
    found
}

/// A number with its unit at the start of the tokens, and how many tokens it takes.
fn quantity(tokens: &[Token<'_>]) -> Option<(f64, Dimension, usize)> {
    let first = tokens.first()?.text;
    let digits =
        first.find(|it: char| !(it.is_ascii_digit() || matches!(it, '.' | ','))).unwrap_or(first.len());
    let (number, unit) = first.split_at(digits);
    if !number.is_empty() && !unit.is_empty() {
        let (value, dimension) = measure(number, unit)?;
        return Some((value, dimension, 1));
    }
    let word =
        NUMBERS.iter().position(|word| word.eq_ignore_ascii_case(first)).map(|at| (at + 1).to_string());
    let number = if number.is_empty() { word? } else { number.to_owned() };
    let (value, dimension) = measure(&number, tokens.get(1)?.text)?;
    Some((value, dimension, 2))
}

const NUMBERS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Option<&'static str>, f64, Dimension)> {
        let found = sentences(text, Span::new(0, text.len() as u32));
        let quantities = found.into_iter().flat_map(quantities);
        quantities.map(|it| (it.comparator, it.value, it.dimension)).collect()
    }

    #[test]
    fn quantities_are_found_with_their_comparator_in_signs_and_words() {
        use Dimension::{Percent, Time};
        assert_eq!(all("range queries < 1s for dashboards"), [(Some("<"), 1.0, Time)]);
        assert_eq!(
            all("p95 query_range <=1.5 s (7 days)"),
            [(Some("<="), 1.5, Time), (None, 604_800.0, Time)]
        );
        assert_eq!(
            all("answers within one second. 99.9 % of the time"),
            [(Some("<="), 1.0, Time), (None, 99.9, Percent)]
        );
        assert_eq!(all("in at most **50 ms**"), [(Some("<="), 0.05, Time)]);
        assert_eq!(all("in 300 ms or less"), [(Some("<="), 0.3, Time)]);
        assert_eq!(all("10k samples/s, version 2.1, 24 of them"), []);
    }

    #[test]
    fn a_sentence_ends_at_a_point_before_a_blank_and_not_in_code_or_numbers() {
        let text = "Keeps `a. b` for 1.5 s. Then stops; ends";
        let found: Vec<&str> =
            sentences(text, Span::new(0, text.len() as u32)).iter().map(|it| it.text).collect();
        assert_eq!(found, ["Keeps `a. b` for 1.5 s.", "Then stops;", "ends"]);
    }
}
