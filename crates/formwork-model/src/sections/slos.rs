//! Service level objectives as people write them: `` `metric` ≤ 50 ms (p99)``, `p99 read latency < 50 ms`,
//! `Availability: 99.9% over 30 d`, a table, several targets in one line.
//!
//! Source: language reference, *Promises, protection, operation*.

use super::performance::{Slo, duration_at};
use crate::constraints;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries};
use crate::tables::{self, Columns};
use crate::tokens::{Token, TokenKind, closing, outer, split};
use crate::values::{parse_count, parse_number, parse_percentile};
use formwork_syntax::{Part, Row, Span, Spanned, Table, Text};

/// Reads every objective of a part and of the parts below it.
pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let is_told = !lists_objectives(reader.source, part);
    for entry in entries(reader.source, part) {
        let tokens = words(reader, entry.text);
        let told = if is_told { super::slo_sentences::read(reader, &entry) } else { Vec::new() };
        if !told.is_empty() {
            reader.class(&entry, Class::Understood);
            reader.model.slos.extend(told);
            continue;
        }
        let found = objectives(reader, entry.text, &tokens, entry.span);
        if !found.is_empty() && (entry.is_item || is_short(&tokens)) {
            reader.class(&entry, Class::Understood);
            reader.model.slos.extend(found);
        } else if entry.is_item {
            read_group(reader, &entry);
        } else {
            reader.class(&entry, Class::Narrative);
        }
    }
    for table in tables::tables(&part.children) {
        read_table(reader, table);
    }
    part.parts().for_each(|below| read_labelled(reader, below));
}

/// Whether a list or table stands in the part, so that its paragraphs only speak of what is listed.
fn lists_objectives(source: &str, part: &Part) -> bool {
    entries(source, part).iter().any(|entry| entry.is_item)
        || tables::tables(&part.children).next().is_some()
        || part.parts().any(|below| lists_objectives(source, below) || !below.inline.is_blank(source))
}

/// Reads an item that stands directly in the section, if it states an objective with a comparator.
pub(crate) fn read_item(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = words(reader, entry.text);
    let found = match target(&tokens) {
        Some(_) if entry.is_item => objectives(reader, entry.text, &tokens, entry.span),
        _ => Vec::new(),
    };
    if !found.is_empty() {
        reader.class(entry, Class::Understood);
    }
    let is_any = !found.is_empty();
    reader.model.slos.extend(found);
    is_any
}

/// The tokens of a text, with decimal commas (`99,9 %`, `0,5 s`) read as points.
pub(super) fn words<'t>(reader: &Reader<'t>, text: &'t Text) -> Vec<Token<'t>> {
    let all = reader.tokens(text);
    let is_digits = |token: &Token<'_>| {
        token.kind == TokenKind::Word && token.text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut found: Vec<Token<'t>> = Vec::with_capacity(all.len());
    let mut at = 0;
    while let Some(token) = all.get(at) {
        let is_grouped = |from: usize| {
            let digits = all[from].text.bytes().take_while(u8::is_ascii_digit).count();
            let is_chained = all
                .get(from + 1)
                .is_some_and(|next| next.is_mark(",") && next.span.start == all[from].span.end);
            matches!(digits, 1 | 2) && !is_chained
        };
        if let Some(comma) = all.get(at + 1)
            && comma.is_mark(",")
            && is_digits(token)
            && all
                .get(at + 2)
                .is_some_and(|next| next.span.start == comma.span.end && comma.span.start == token.span.end)
            && is_grouped(at + 2)
        {
            let span = token.span.to(all[at + 2].span);
            let text = format!("{}.{}", token.text, all[at + 2].text).into();
            found.push(Token { text, span, outer: span, ..token.clone() });
            at += 3;
            continue;
        }
        found.push(token.clone());
        at += 1;
    }
    found
}

/// Whether a table is one of objectives, wherever it stands: its columns speak of objectives or percentiles.
pub(crate) fn is_table(source: &str, table: &Table) -> bool {
    let titles = Columns::new(source, table);
    let speaks = titles.titles().any(|(_, title)| {
        ["sli", "slo", "objective", "target", "service level"].iter().any(|word| title.starts_with(word))
            || parse_percentile(title).is_some()
    });
    speaks && columns(source, table).is_some()
}

/// A label that is a metric (`**Availability:** 99.9%`), or the title of a group of objectives.
fn read_labelled(reader: &mut Reader<'_>, part: &Part) {
    let whole = tables::joined(&[&part.title, &part.inline]);
    let tokens = words(reader, &part.inline);
    let title = words(reader, &part.title);
    let found = match tokens.is_empty() {
        true => Vec::new(),
        false => below_label(reader, part, &title, &tokens),
    };
    if found.is_empty() {
        return read(reader, part);
    }
    reader.model.classes.push((whole.span, Class::Understood));
    reader.model.slos.extend(found);
    let rest = Part { inline: Text::empty(part.inline.span.end), ..part.clone() };
    read(reader, &rest);
}

/// The objectives behind a label; what has no name of its own is named by the label.
fn below_label(reader: &Reader<'_>, part: &Part, title: &[Token<'_>], tokens: &[Token<'_>]) -> Vec<Slo> {
    let (text, span) = (&part.inline, part.span);
    let named = phrase(reader, &part.title, title).unwrap_or_else(|| reader.prose(&part.title));
    let mut found = objectives_of(reader, text, tokens, span, Some(&named));
    let percentile = percentile(title);
    for slo in &mut found {
        slo.percentile = slo.percentile.take().or_else(|| percentile.clone());
    }
    found
}

/// A list item without a target of its own: the items below it are about it.
fn read_group(reader: &mut Reader<'_>, entry: &Entry<'_>) {
    let below = crate::reader::node_entries(entry.children);
    let name = entry.label.map_or_else(|| reader.prose(entry.text), |label| reader.prose(&label.title));
    let mut any = false;
    for inner in &below {
        let tokens = words(reader, inner.text);
        let found = objectives_of(reader, inner.text, &tokens, inner.span, Some(&name));
        any |= !found.is_empty();
        let class = if found.is_empty() { Class::Narrative } else { Class::Understood };
        reader.class(inner, class);
        reader.model.slos.extend(found);
    }
    if any {
        reader.class(entry, Class::Understood);
    } else {
        reader.not_understood(entry, "SLO");
    }
}

/// A paragraph is an objective only when it is one line of facts, not prose that mentions a number.
fn is_short(tokens: &[Token<'_>]) -> bool {
    tokens.len() <= 16
}

pub(super) fn objectives(reader: &Reader<'_>, text: &Text, tokens: &[Token<'_>], span: Span) -> Vec<Slo> {
    objectives_of(reader, text, tokens, span, None)
}

/// One objective for each target of a text; a clause that names no metric is about the one before it.
fn objectives_of(
    reader: &Reader<'_>,
    text: &Text,
    tokens: &[Token<'_>],
    span: Span,
    of: Option<&Spanned<String>>,
) -> Vec<Slo> {
    if let Some(slo) = super::slo_sentences::share(reader, text, tokens).filter(|_| of.is_none()) {
        return vec![slo];
    }
    let mut found: Vec<Slo> = Vec::new();
    let is_separator = |token: &Token<'_>| {
        token.is_mark(",") || token.is_mark(";") || token.is_mark("/") || token.is_word("and")
    };
    let mut clauses = split(tokens, is_separator);
    // A comma before the comparator belongs to the name.
    if clauses.iter().filter(|clause| target(clause).is_some()).count() < 2 {
        clauses = vec![tokens];
    }
    for clause in clauses {
        let before = found.last().map(|slo| slo.metric.clone());
        let about = subject(reader, text, tokens);
        let fallback = before.as_ref().or(of).or(about.as_ref());
        found.extend(objective(reader, text, clause, span, fallback));
    }
    if found.is_empty() {
        found.extend(bare(reader, text, tokens, span, of));
    }
    if let [only] = found.as_mut_slice() {
        only.window_seconds = only.window_seconds.or_else(|| window(tokens));
        only.percentile = only.percentile.take().or_else(|| percentile(tokens));
    }
    found
}

/// Where a comparator and its quantity stand, outside parentheses.
pub(super) struct Target {
    pub(super) at: usize,
    pub(super) comparator: &'static str,
    pub(super) value: String,
    pub(super) unit: Option<String>,
    pub(super) end: usize,
}

pub(super) fn target(tokens: &[Token<'_>]) -> Option<Target> {
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].is_mark("(") {
            at = closing(tokens, at).map_or(at + 1, |end| end + 1);
            continue;
        }
        if let Some((comparator, used)) = constraints::comparator(&tokens[at..])
            // `max. 60 s`
            && let used = used + usize::from(tokens.get(at + used).is_some_and(|mark| mark.is_mark(".")))
            && let Some((value, unit, taken)) = quantity(&tokens[at + used..])
            && !is_window(&tokens[at], unit.as_deref())
        {
            return Some(Target { at, comparator, value, unit, end: at + used + taken });
        }
        at += 1;
    }
    None
}

/// `over 30 d` is the window of a target, not a target.
fn is_window(comparator: &Token<'_>, unit: Option<&str>) -> bool {
    let is_time = unit.is_some_and(|unit| crate::values::parse_duration(&format!("1 {unit}")).is_some());
    comparator.is_word("over") && is_time
}

fn objective(
    reader: &Reader<'_>,
    text: &Text,
    tokens: &[Token<'_>],
    span: Span,
    fallback: Option<&Spanned<String>>,
) -> Option<Slo> {
    let target = target(tokens)?;
    let (before, behind) = (&tokens[..target.at], &tokens[target.end..]);
    let named = phrase(reader, text, before)
        .or_else(|| fallback.cloned())
        .or_else(|| subject(reader, text, behind))?;
    let percentile = percentile(before).or_else(|| percentile(behind));
    let slo = Slo {
        operation: operation(&named, before, behind),
        metric: named,
        comparator: target.comparator,
        value: target.value,
        unit: target.unit,
        percentile,
        window_seconds: window(behind),
        span,
    };
    Some(slo)
}

/// An objective without a comparator: `Availability: 99.9%`, `99.9% availability`.
fn bare(
    reader: &Reader<'_>,
    text: &Text,
    tokens: &[Token<'_>],
    span: Span,
    of: Option<&Spanned<String>>,
) -> Option<Slo> {
    let is_separator =
        |token: &Token<'_>| token.kind == TokenKind::Mark && matches!(&*token.text, ":" | "—" | "–" | "|");
    let parts = split(tokens, is_separator);
    let (metric, rest) = match parts.as_slice() {
        [name, rest @ ..] if !rest.is_empty() => {
            let rest = rest.iter().find(|part| quantity(skip_percentile(part)).is_some())?;
            (phrase(reader, text, name).or_else(|| of.cloned())?, *rest)
        }
        _ => match of {
            Some(name) => (name.clone(), tokens),
            None => {
                let (_, unit, taken) = quantity(tokens)?;
                let words = &tokens[taken..];
                let end = words
                    .iter()
                    .position(|word| is_tail(&word.text) || word.is_mark("("))
                    .unwrap_or(words.len());
                if unit.as_deref() != Some("%") || !(1..=3).contains(&end) {
                    return None;
                }
                (phrase(reader, text, &words[..end])?, tokens)
            }
        },
    };
    let rest = skip_percentile(rest);
    let (value, unit, taken) = quantity(rest)?;
    let percentile = percentile(tokens);
    let comparator = implied(&metric.value, &value, unit.as_deref(), percentile.is_some())?;
    let operation = operation(&metric, &[], &rest[taken..]);
    let window_seconds = window(&rest[taken..]);
    Some(Slo { metric, comparator, value, unit, percentile, window_seconds, operation, span })
}

fn skip_percentile<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    match tokens {
        [first, second, rest @ ..]
            if parse_percentile(&format!("{} {}", first.text, second.text)).is_some() =>
        {
            rest
        }
        [first, rest @ ..] if parse_percentile(&first.text).is_some() => rest,
        _ => tokens,
    }
}

/// The comparator that a target without one means: less time, more availability.
fn implied(metric: &str, value: &str, unit: Option<&str>, has_percentile: bool) -> Option<&'static str> {
    const MORE: [&str; 14] = [
        "availability",
        "uptime",
        "success",
        "throughput",
        "durability",
        "hit",
        "coverage",
        "accuracy",
        "recall",
        "precision",
        "capacity",
        "completeness",
        "compliance",
        "sustained",
    ];
    const LESS: [&str; 14] = [
        "latency", "error", "loss", "fail", "lag", "delay", "time", "duration", "age", "miss", "drop", "rpo",
        "rto", "cost",
    ];
    let lower = metric.to_lowercase();
    let unit = unit.unwrap_or_default();
    let is_time = crate::values::parse_duration(&format!("1 {unit}")).is_some();
    let speaks_of = |word: &str| {
        let mut words = lower.split(|c: char| !c.is_alphanumeric());
        words.any(|own| own.starts_with(word) || (word.len() > 3 && own.ends_with(word)))
    };
    if MORE.iter().any(|word| speaks_of(word)) {
        return Some(">=");
    }
    let is_size = crate::values::parse_size(&format!("1 {unit}")).is_some();
    if LESS.iter().any(|word| speaks_of(word)) || is_time || is_size || has_percentile {
        return Some("<=");
    }
    match unit {
        "%" => Some(">="),
        _ if unit.contains('/') || unit.ends_with("ps") || unit.contains(" per ") => Some(">="),
        _ if value == "0" => Some("="),
        _ => None,
    }
}

/// Words at the ends of a name that are no part of it.
const FILLERS: [&str; 32] = [
    "the",
    "a",
    "an",
    "is",
    "are",
    "must",
    "be",
    "should",
    "stay",
    "stays",
    "remain",
    "remains",
    "kept",
    "keep",
    "shall",
    "will",
    "of",
    "for",
    "at",
    "with",
    "in",
    "to",
    "target",
    "does",
    "do",
    "has",
    "have",
    "completes",
    "answers",
    "responds",
    "returns",
    "takes",
];

/// The metric that tokens name: without percentiles, fillers, separators and remarks in parentheses.
pub(super) fn phrase(reader: &Reader<'_>, text: &Text, tokens: &[Token<'_>]) -> Option<Spanned<String>> {
    let mut from = 0;
    let mut to = tokens.iter().position(|token| token.is_mark("(")).unwrap_or(tokens.len());
    let is_skipped = |token: &Token<'_>| {
        token.kind == TokenKind::Mark
            || FILLERS.iter().any(|word| token.is_word(word))
            || is_percentile_word(token)
    };
    while from < to && is_skipped(&tokens[from]) {
        from += 1;
    }
    // A percentile or separator inside ends the name: `Latency: p99`.
    let is_end = |token: &Token<'_>| {
        is_percentile_word(token)
            || (token.kind == TokenKind::Mark && matches!(&*token.text, ":" | "—" | "–" | "|"))
    };
    to = (from..to).find(|at| is_end(&tokens[*at])).unwrap_or(to);
    while to > from && is_skipped(&tokens[to - 1]) {
        to -= 1;
    }
    // `A run is prepared in at most …`
    if to >= from + 3
        && tokens[to - 1].text.ends_with("ed")
        && (tokens[to - 2].is_word("is") || tokens[to - 2].is_word("are"))
    {
        to -= 2;
    }
    let own = &tokens[from..to];
    if let [word, of, code] = own
        && of.is_word("of")
        && code.is_code()
        && MEASURES.iter().any(|measure| word.is_word(measure))
    {
        return Some(word.spanned());
    }
    if let [only] = own {
        return Some(only.spanned());
    }
    let place = outer(own)?;
    let part = text.slice(reader.source, place.start, place.end);
    let value = part.plain(reader.source);
    (!value.is_empty()).then(|| Spanned::new(value, place))
}

/// What is measured of every operation.
const MEASURES: [&str; 6] =
    ["latency", "availability", "error_rate", "throughput", "cache_hit_ratio", "uptime"];

fn is_percentile_word(token: &Token<'_>) -> bool {
    parse_percentile(&token.text).is_some()
        || token.is_word("percentile")
        || parse_percentile(&format!("{} percentile", token.text)).is_some()
}

/// The percentile among tokens, also in parentheses.
fn percentile(tokens: &[Token<'_>]) -> Option<String> {
    let pair =
        tokens.windows(2).find_map(|pair| parse_percentile(&format!("{} {}", pair[0].text, pair[1].text)));
    let written = tokens.iter().find_map(|token| parse_percentile(&token.text.to_lowercase())).or(pair);
    written.or_else(|| share_of_calls(tokens))
}

/// `for 95 % of requests`: the percentile in words.
fn share_of_calls(tokens: &[Token<'_>]) -> Option<String> {
    const CALLS: [&str; 8] =
        ["requests", "calls", "queries", "reads", "writes", "searches", "cases", "transactions"];
    let of = (1..tokens.len()).find(|at| {
        tokens[*at].is_word("of")
            && tokens[at + 1..].iter().take(3).any(|word| CALLS.iter().any(|call| word.is_word(call)))
    })?;
    let before = &tokens[..of];
    let number = match before {
        [.., number, sign] if sign.is_mark("%") || sign.is_word("percent") || sign.text == "%" => number,
        [.., number] if number.text.ends_with('%') => number,
        _ => return None,
    };
    let is_for = before.iter().rev().take(4).any(|word| word.is_word("for") || word.is_word("in"));
    parse_percentile(&format!("p{}", number.text.trim_end_matches('%'))).filter(|_| is_for)
}

/// What a target without a name before it is about: `< 1 s for dashboards`.
fn subject(reader: &Reader<'_>, text: &Text, behind: &[Token<'_>]) -> Option<Spanned<String>> {
    let at = behind.iter().position(|token| token.is_word("for") || token.is_word("of"))?;
    phrase(reader, text, &behind[at + 1..])
}

/// The operation that an objective names: before the point of its metric, or in code beside it.
fn operation(
    metric: &Spanned<String>,
    before: &[Token<'_>],
    behind: &[Token<'_>],
) -> Option<Spanned<String>> {
    let is_outside =
        |tokens: &[Token<'_>]| tokens.iter().position(|token| token.is_mark("(")).unwrap_or(tokens.len());
    let outside = before[..is_outside(before)].iter().chain(&behind[..is_outside(behind)]);
    let named = outside.filter(|token| token.is_code()).find(|token| token.span != metric.span);
    named.map(Token::spanned).or_else(|| {
        let name = MEASURES.iter().find_map(|measure| metric.value.strip_suffix(&format!(".{measure}")))?;
        Some(Spanned::new(name.to_owned(), metric.span.part(0, name.len() as u32)))
    })
}

/// A number with its unit, and how many tokens they take.
fn quantity(tokens: &[Token<'_>]) -> Option<(String, Option<String>, usize)> {
    let first = tokens.first().filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::Code))?;
    let text = &*first.text;
    let split = text
        .find(|character: char| !(character.is_ascii_digit() || matches!(character, '.' | ',')))
        .unwrap_or(text.len());
    let mut value = parse_number(&text[..split])?;
    let mut rest = text[split..].trim();
    if matches!(rest, "k" | "K" | "M") {
        value = parse_count(text)?.to_string();
        rest = "";
    }
    if !rest.is_empty() {
        // `99.9%/month`: the share, and over which time.
        let unit = if rest.starts_with("%/") { "%" } else { rest };
        return Some((value, Some(unit.to_owned()), 1));
    }
    let unit = tokens.get(1).filter(|token| token.kind == TokenKind::Word && !is_tail(&token.text));
    if unit.is_some_and(|unit| unit.is_word("percent")) {
        return Some((value, Some("%".to_owned()), 2));
    }
    let Some(unit) = unit else { return Some((value, None, 1)) };
    let slash = tokens.get(2).filter(|token| token.is_mark("/")).and_then(|_| tokens.get(3));
    let per = tokens.get(2).filter(|token| token.is_word("per")).and_then(|_| tokens.get(3));
    Some(match slash.or(per).filter(|token| token.kind == TokenKind::Word) {
        Some(per) => (value, Some(format!("{}/{}", unit.text, per.text)), 4),
        None => (value, Some(unit.text.to_string()), 2),
    })
}

/// Whether a word begins the tail of an objective, and so is no unit.
fn is_tail(word: &str) -> bool {
    const TAILS: [&str; 22] = [
        "for", "over", "at", "in", "of", "and", "per", "on", "when", "while", "under", "with", "from",
        "after", "always", "across", "monthly", "weekly", "daily", "behind", "during", "measured",
    ];
    TAILS.contains(&word.to_lowercase().as_str()) || parse_percentile(word).is_some()
}

/// `over 30 d`, `per 30 days`, in seconds; also in parentheses.
pub(super) fn window(tokens: &[Token<'_>]) -> Option<u64> {
    let heads = ["over", "per", "rolling", "within", "window", "in"];
    (0..tokens.len()).filter(|at| heads.iter().any(|head| tokens[*at].is_word(head))).find_map(|at| {
        let (micros, _) = tokens.get(at + 1..).and_then(duration_at)?;
        u64::try_from(micros / 1_000_000).ok().filter(|_| micros % 1_000_000 == 0)
    })
}

/// The columns of a table of objectives.
struct SloColumns {
    metric: usize,
    targets: Vec<usize>,
    percentile: Option<usize>,
    window: Option<usize>,
    operation: Option<usize>,
}

fn columns(source: &str, table: &Table) -> Option<SloColumns> {
    let columns = Columns::new(source, table);
    let metric = columns.find(&[
        "metric",
        "slo",
        "sli",
        "indicator",
        "objective",
        "name",
        "what",
        "measure",
        "promise",
    ]);
    let operation = columns.find(&["operation", "endpoint", "call", "path", "component", "service"]);
    let metric = metric.or(operation).unwrap_or(0);
    let is_target = |at: usize, title: &str| {
        let named =
            ["target", "threshold", "value", "goal", "limit", "objective", "slo", "bound", "requirement"];
        at != metric
            && (crate::labels::begins_with(title, &named)
                || title.ends_with(" target")
                || parse_percentile(title).is_some()
                || parse_percentile(&format!("{title} percentile")).is_some())
    };
    let targets: Vec<usize> =
        columns.titles().filter(|(at, title)| is_target(*at, title)).map(|(at, _)| at).collect();
    let window =
        columns.find(&["window", "period", "over", "measured over", "interval", "measurement window"]);
    let percentile = columns.find(&["percentile", "quantile", "statistic", "pct"]);
    let operation = operation.filter(|at| *at != metric);
    (!targets.is_empty()).then_some(SloColumns { metric, targets, percentile, window, operation })
}

pub(crate) fn read_table(reader: &mut Reader<'_>, table: &Table) {
    let Some(columns) = columns(reader.source, table) else { return reader.narrative_rows(table) };
    for row in &table.rows {
        let found = row_objectives(reader, table, row, &columns);
        let class = if found.is_empty() { Class::Narrative } else { Class::Understood };
        reader.model.classes.push((row.span, class));
        reader.model.slos.extend(found);
    }
}

fn row_objectives(reader: &Reader<'_>, table: &Table, row: &Row, columns: &SloColumns) -> Vec<Slo> {
    let source = reader.source;
    let Some(name) = tables::cell(source, row, Some(columns.metric)) else { return Vec::new() };
    let tokens = words(reader, name);
    let Some(metric) = phrase(reader, name, &tokens) else { return Vec::new() };
    let cell_percentile = |at: Option<usize>| {
        let text = tables::cell(source, row, at)?;
        percentile(&words(reader, text))
    };
    let mut found = Vec::new();
    for at in &columns.targets {
        let Some(text) = tables::cell(source, row, Some(*at)) else { continue };
        let header = table.header.get(*at).and_then(|title| percentile(&words(reader, title)));
        let inside = words(reader, text);
        for mut slo in objectives_of(reader, text, &inside, row.span, Some(&metric)) {
            slo.metric = metric.clone();
            slo.percentile = slo
                .percentile
                .or(header.clone())
                .or_else(|| cell_percentile(columns.percentile))
                .or_else(|| percentile(&tokens));
            let whole = tables::cell(source, row, columns.window).map(|text| words(reader, text));
            let cell_window = whole.and_then(|tokens| window(&tokens).or_else(|| whole_window(&tokens)));
            slo.window_seconds = slo.window_seconds.or(cell_window);
            let operation = tables::cell(source, row, columns.operation)
                .and_then(|text| crate::titles::name(source, text));
            slo.operation = slo.operation.or(operation);
            found.push(slo);
        }
    }
    found
}

/// `30 d` and nothing before it, in seconds.
fn whole_window(tokens: &[Token<'_>]) -> Option<u64> {
    let (micros, _) = duration_at(tokens)?;
    u64::try_from(micros / 1_000_000).ok()
}
