//! Service level objectives told in sentences: `99.9% of redirects answer within 50 ms over 30 days`.
//!
//! A paragraph is read only where the part lists no objective: beside a list or table it introduces or repeats. A
//! sentence is an objective when it names what is measured and bounds it by a number with a unit. Source: language
//! reference, *Promises, protection, operation*.

use super::performance::Slo;
use super::slos;
use crate::reader::{Entry, Reader};
use crate::tokens::{Token, TokenKind, outer, split};
use crate::values::{parse_duration, parse_number, parse_percentile};
use formwork_syntax::{Spanned, Text};

/// The longest sentence that is looked at, in words and marks.
const LONGEST: usize = 28;

/// The objectives of a paragraph.
pub(super) fn read(reader: &Reader<'_>, entry: &Entry<'_>) -> Vec<Slo> {
    let tokens = slos::words(reader, entry.text);
    let sentences = split(&tokens, |token| token.is_mark(".") || token.is_mark(";"));
    let found =
        sentences.into_iter().filter(|sentence| sentence.len() <= LONGEST).flat_map(|sentence| match share(
            reader, entry.text, sentence,
        )
        .or_else(|| time_available(sentence))
        {
            Some(slo) => vec![slo],
            None => bounded(reader, entry.text, sentence),
        });
    found.collect()
}

/// The objective of an item or sentence that says how many calls meet a bound: ``99% of `get_link` calls are answered
/// within 50 ms``. What is measured is what the share is of.
pub(super) fn share(reader: &Reader<'_>, text: &Text, sentence: &[Token<'_>]) -> Option<Slo> {
    let lead = sentence
        .iter()
        .take_while(|token| ["at", "least", "more", "than"].iter().any(|word| token.is_word(word)));
    let lead = lead.count();
    let (number, of) = percent(&sentence[lead..])?;
    let behind = sentence.get(lead + of..).filter(|rest| rest.first().is_some_and(|of| of.is_word("of")))?;
    let target = slos::target(behind)?;
    let is_time = parse_duration(&format!("1 {}", target.unit.as_deref()?)).is_some();
    let metric = measured(reader, text, &behind[1..target.at]).filter(|_| is_time)?;
    let operation = behind[1..target.at].iter().find(|token| token.is_code()).map(Token::spanned);
    Some(Slo {
        operation: operation.filter(|operation| operation.span != metric.span),
        metric,
        comparator: target.comparator,
        value: target.value,
        unit: target.unit,
        percentile: parse_percentile(&format!("p{number}")),
        window_seconds: slos::window(&behind[target.end..]),
        span: outer(sentence)?,
    })
}

/// A percentage at the start, and how many tokens it takes.
fn percent<'t>(tokens: &'t [Token<'_>]) -> Option<(&'t str, usize)> {
    let first = tokens.first().filter(|first| first.kind == TokenKind::Word)?;
    let sign = tokens.get(1).is_some_and(|next| next.text == "%" || next.is_word("percent"));
    let (number, used) = match first.text.strip_suffix('%') {
        Some(number) => (number, 1),
        None => (&*first.text, if sign { 2 } else { return None }),
    };
    parse_number(number).map(|_| (number, used))
}

/// What a share is of: the code in it, else its words up to the verb.
fn measured(reader: &Reader<'_>, text: &Text, tokens: &[Token<'_>]) -> Option<Spanned<String>> {
    if let Some(code) = tokens.iter().find(|token| token.is_code()) {
        return Some(code.spanned());
    }
    const VERBS: [&str; 18] = [
        "is",
        "are",
        "must",
        "should",
        "shall",
        "will",
        "answer",
        "answers",
        "complete",
        "completes",
        "finish",
        "finishes",
        "return",
        "returns",
        "take",
        "takes",
        "arrive",
        "arrives",
    ];
    let verb = |token: &Token<'_>| VERBS.iter().any(|word| token.is_word(word));
    let end = tokens.iter().position(verb).unwrap_or(tokens.len());
    slos::phrase(reader, text, &tokens[..end])
}

/// `The service is available 99.5% of the time.`
fn time_available(sentence: &[Token<'_>]) -> Option<Slo> {
    let at = sentence.iter().position(|token| token.is_word("available") || token.is_word("up"))?;
    let (number, used) = percent(sentence.get(at + 1..)?)?;
    let behind = &sentence[at + 1 + used..];
    let is_time = crate::tokens::starts_with_words(behind, &["of", "the", "time"]);
    Some(Slo {
        operation: None,
        metric: Spanned::new("availability".to_owned(), sentence[at].span),
        comparator: ">=",
        value: parse_number(number).filter(|_| is_time)?,
        unit: Some("%".to_owned()),
        percentile: None,
        window_seconds: slos::window(behind),
        span: outer(sentence)?,
    })
}

/// A sentence with one comparator and a quantity in a unit: `A quote takes at most 800 ms at the 95th percentile.`
fn bounded(reader: &Reader<'_>, text: &Text, sentence: &[Token<'_>]) -> Vec<Slo> {
    const LONGEST_NAME: usize = 6;
    let Some(target) = slos::target(sentence) else { return Vec::new() };
    let Some(span) = outer(sentence).filter(|_| target.unit.is_some() && target.at <= LONGEST_NAME + 3)
    else {
        return Vec::new();
    };
    let mut found = slos::objectives(reader, text, sentence, span);
    found.retain(|slo| slo.metric.value.split_whitespace().count() <= LONGEST_NAME);
    found
}
