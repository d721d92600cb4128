//! Section 8: SLOs, cache layers, optimisations.

use crate::constraints;
use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries, node_entries};
use crate::titles;
use crate::tokens::{Token, TokenKind};
use crate::values::{parse_duration, parse_number, parse_percentile};
use formwork_syntax::{Label, Part, Span, Spanned};

/// A service level objective.
#[derive(Clone, Debug)]
pub struct Slo {
    /// The metric, as written (`follow_link.latency`).
    pub metric: Spanned<String>,
    /// `<=`, `<`, `>=`, `>` or `=`.
    pub comparator: &'static str,
    /// The target, as an exact decimal without grouping.
    pub value: String,
    /// Its unit (`ms`, `%`, `requests/s`), absent when none is written.
    pub unit: Option<String>,
    /// `p99`, `p99.9`, `median` becomes `p50`; absent when none is written.
    pub percentile: Option<String>,
    /// `30 d`, in seconds.
    pub window_seconds: Option<u64>,
    /// The operation that it is about, when it names one.
    pub operation: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// A cache layer.
#[derive(Clone, Debug)]
pub struct CacheLayer {
    /// Its name.
    pub name: Spanned<String>,
    /// *What*.
    pub what: Option<Prose>,
    /// *TTL*, as written.
    pub ttl: Option<Prose>,
    /// *TTL* in seconds, when it is a duration.
    pub ttl_seconds: Option<f64>,
    /// *Invalidation*.
    pub invalidation: Option<Prose>,
    /// Label to last line.
    pub span: Span,
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    if title == "layer" || title.starts_with("cache layer") {
        return read_layer(reader, part);
    }
    if begins_with(&title, &["slo targets", "slo", "slos", "targets", "service level objectives"]) {
        read_slos(reader, part);
    } else if begins_with(&title, &["optimization", "optimisation", "optimizations"]) {
        let items = reader.prose_list(part, Class::Narrative);
        reader.model.optimizations.extend(items);
    } else {
        for entry in entries(reader.source, part) {
            let layer = entry.label.filter(|label| reader.title(&label.title) == "layer");
            match layer {
                Some(label) => read_layer_item(reader, label, &entry),
                None => reader.class(&entry, Class::Narrative),
            }
        }
    }
    part.parts().for_each(|below| read(reader, below));
}

fn read_slos(reader: &mut Reader<'_>, part: &Part) {
    for entry in entries(reader.source, part) {
        match slo(reader, &entry) {
            Some(slo) => {
                reader.class(&entry, Class::Understood);
                reader.model.slos.push(slo);
            }
            None if entry.is_item => reader.not_understood(&entry, "SLO"),
            None => reader.class(&entry, Class::Narrative),
        }
    }
}

fn slo(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<Slo> {
    let tokens = reader.tokens(entry.text);
    let (at, comparator, used) = (0..tokens.len()).find_map(|at| {
        let (comparator, used) = constraints::comparator(&tokens[at..])?;
        quantity(&tokens[at + used..]).map(|_| (at, comparator, used))
    })?;
    let (value, unit, taken) = quantity(&tokens[at + used..])?;
    let (before, behind) = (&tokens[..at], &tokens[at + used + taken..]);
    let metric = metric(reader, entry, before)?;
    let around = || before.iter().chain(behind);
    let named =
        before.iter().skip(1).chain(behind).find(|token| token.is_code() && token.span != metric.span);
    Some(Slo {
        operation: named.map(Token::spanned).or_else(|| operation_of(&metric)),
        metric,
        comparator,
        value,
        unit,
        percentile: around()
            .filter(|token| token.kind == TokenKind::Word)
            .find_map(|token| parse_percentile(&token.text)),
        window_seconds: window(behind),
        span: entry.span,
    })
}

/// The metric before the comparator: a code span, a label, or the word for it (`p95 latency of …`).
fn metric(reader: &Reader<'_>, entry: &Entry<'_>, before: &[Token<'_>]) -> Option<Spanned<String>> {
    const WORDS: [&str; 6] =
        ["latency", "availability", "error_rate", "throughput", "cache_hit_ratio", "uptime"];
    let word = || before.iter().find(|token| WORDS.iter().any(|word| token.is_word(word)));
    let first_code = before.first().filter(|token| token.is_code());
    let named =
        first_code.or_else(word).or_else(|| before.iter().find(|token| token.is_code())).map(Token::spanned);
    named.or_else(|| {
        let label = entry.label?;
        Some(Spanned::new(label.title.plain(reader.source), label.title.span))
    })
}

/// `follow_link` of `follow_link.latency`.
fn operation_of(metric: &Spanned<String>) -> Option<Spanned<String>> {
    const SUFFIXES: [&str; 5] =
        [".latency", ".availability", ".error_rate", ".throughput", ".cache_hit_ratio"];
    let name = SUFFIXES.iter().find_map(|suffix| metric.value.strip_suffix(suffix))?;
    Some(Spanned::new(name.to_owned(), metric.span.part(0, name.len() as u32)))
}

/// A number with its unit, and how many tokens they take.
fn quantity(tokens: &[Token<'_>]) -> Option<(String, Option<String>, usize)> {
    let first = tokens.first().filter(|token| token.kind == TokenKind::Word)?;
    let text = &*first.text;
    let split = text
        .find(|character: char| !(character.is_ascii_digit() || matches!(character, '.' | ',')))
        .unwrap_or(text.len());
    let value = parse_number(&text[..split])?;
    if split < text.len() {
        return Some((value, Some(text[split..].to_owned()), 1));
    }
    let unit = tokens.get(1).filter(|token| token.kind == TokenKind::Word && !is_tail(&token.text));
    let Some(unit) = unit else { return Some((value, None, 1)) };
    let per = tokens.get(2).filter(|token| token.is_word("per")).and_then(|_| tokens.get(3));
    Some(match per {
        Some(per) => (value, Some(format!("{}/{}", unit.text, per.text)), 4),
        None => (value, Some(unit.text.to_string()), 2),
    })
}

/// Whether a word begins the tail of an SLO, and so is no unit.
fn is_tail(word: &str) -> bool {
    ["for", "over", "at", "in", "of", "and", "per"].contains(&word) || parse_percentile(word).is_some()
}

/// `over 30 d`, in seconds.
fn window(tokens: &[Token<'_>]) -> Option<u64> {
    let at = tokens.iter().position(|token| token.is_word("over"))?;
    let micros = duration_at(&tokens[at + 1..])?.0;
    u64::try_from(micros / 1_000_000).ok().filter(|_| micros % 1_000_000 == 0)
}

/// The duration that the tokens begin with, in microseconds, and how many tokens it takes.
pub(crate) fn duration_at(tokens: &[Token<'_>]) -> Option<(i64, usize)> {
    let first = tokens.first()?;
    if let Some(unit) = tokens.get(1)
        && let Some(found) = parse_duration(&format!("{} {}", first.text, unit.text))
    {
        return Some((found, 2));
    }
    parse_duration(&first.text).map(|found| (found, 1))
}

/// `**Layer:** Link cache (in memory)` with its list below.
fn read_layer(reader: &mut Reader<'_>, part: &Part) {
    let title = if part.inline.is_blank(reader.source) { &part.title } else { &part.inline };
    let Some(name) = titles::name(reader.source, title) else { return };
    if !part.inline.is_blank(reader.source) {
        reader.model.classes.push((part.inline.span, Class::Understood));
    }
    let mut layer = new_layer(name, part.span);
    for entry in node_entries(&part.children) {
        read_layer_label(reader, &mut layer, &entry);
    }
    reader.model.caches.push(layer);
}

fn read_layer_item(reader: &mut Reader<'_>, label: &Label, entry: &Entry<'_>) {
    let Some(name) = titles::name(reader.source, &label.rest) else {
        return reader.not_understood(entry, "cache layer");
    };
    reader.class(entry, Class::Understood);
    let mut layer = new_layer(name, entry.span);
    for below in node_entries(entry.children) {
        read_layer_label(reader, &mut layer, &below);
    }
    reader.model.caches.push(layer);
}

fn new_layer(name: Spanned<String>, span: Span) -> CacheLayer {
    CacheLayer { name, what: None, ttl: None, ttl_seconds: None, invalidation: None, span }
}

fn read_layer_label(reader: &mut Reader<'_>, layer: &mut CacheLayer, entry: &Entry<'_>) {
    let Some(label) = entry.label else { return reader.class(entry, Class::Narrative) };
    let text = reader.prose(&label.rest);
    match &*reader.title(&label.title) {
        "what" => layer.what = Some(text),
        "ttl" => {
            layer.ttl_seconds = parse_duration(&text.value).map(|micros| micros as f64 / 1e6);
            layer.ttl = Some(text);
        }
        "invalidation" => layer.invalidation = Some(text),
        _ => return reader.not_understood(entry, "what, TTL or invalidation"),
    }
    reader.class(entry, Class::Understood);
}
