//! Section 10: metrics, trace spans, events.

use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Entry, Reader, entries};
use crate::tokens::{Token, TokenKind, prose, split};
use formwork_syntax::{Part, Span, Spanned};

/// A metric.
#[derive(Clone, Debug)]
pub struct Metric {
    /// Its name.
    pub name: Spanned<String>,
    /// What it is, if the document says so.
    pub kind: Option<MetricKind>,
    /// What it measures.
    pub description: Option<Prose>,
    /// The group: `system`, `infrastructure`, or another label.
    pub group: Option<String>,
    /// The whole item.
    pub span: Span,
}

/// The kinds of [`Metric`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Distribution.
    Histogram,
}

/// A chain of trace spans.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The spans' names, outermost first.
    pub spans: Vec<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: Spanned<String>,
    /// When it is emitted.
    pub when: Option<Prose>,
    /// The fields of its data.
    pub data: Vec<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    if begins_with(&title, &["metrics", "metric"]) || title.ends_with(" metrics") {
        read_metrics(reader, part, None);
    } else if begins_with(&title, &["tracing", "traces", "trace"]) {
        read_items(reader, part, "trace", |reader, entry| {
            trace(reader, entry).map(|trace| reader.model.traces.push(trace)).is_some()
        });
    } else if begins_with(&title, &["events", "event", "domain events"]) {
        read_items(reader, part, "event", read_event);
    } else {
        reader.prose_list(part, Class::Narrative);
        part.parts().for_each(|below| read(reader, below));
    }
}

fn read_items(
    reader: &mut Reader<'_>,
    part: &Part,
    expected: &'static str,
    read: fn(&mut Reader<'_>, &Entry<'_>) -> bool,
) {
    for entry in entries(reader.source, part) {
        if read(reader, &entry) {
            reader.class(&entry, Class::Understood);
        } else if entry.is_item {
            reader.not_understood(&entry, expected);
        } else {
            reader.class(&entry, Class::Narrative);
        }
    }
    part.parts().for_each(|below| read_items(reader, below, expected, read));
}

/// Metrics in the part and in the groups below it (`**System Metrics:**`).
fn read_metrics(reader: &mut Reader<'_>, part: &Part, group: Option<&str>) {
    for entry in entries(reader.source, part) {
        match metric(reader, &entry, group) {
            Some(metric) => {
                reader.class(&entry, Class::Understood);
                reader.declared_twice("metric", &metric.name);
                reader.model.metrics.push(metric);
            }
            None if entry.is_item => reader.not_understood(&entry, "metric"),
            None => reader.class(&entry, Class::Narrative),
        }
    }
    for below in part.parts() {
        let title = reader.title(&below.title);
        let group = title.strip_suffix(" metrics").unwrap_or(&title);
        read_metrics(reader, below, Some(group));
    }
}

fn metric(reader: &Reader<'_>, entry: &Entry<'_>, group: Option<&str>) -> Option<Metric> {
    let tokens = reader.tokens(entry.text);
    let name = tokens.first().filter(|token| token.is_code())?.spanned();
    let rest = behind_separator(&tokens[1..]);
    let kind = rest.first().and_then(|word| match &*word.text.to_ascii_lowercase() {
        "counter" => Some(MetricKind::Counter),
        "gauge" => Some(MetricKind::Gauge),
        "histogram" => Some(MetricKind::Histogram),
        _ => None,
    });
    let described = match (kind, rest) {
        (Some(_), [_, of, others @ ..]) if of.is_word("of") => others,
        _ => rest,
    };
    Some(Metric {
        name,
        kind,
        description: prose(reader.source, entry.text, described),
        group: group.map(str::to_owned),
        span: entry.span,
    })
}

fn trace(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<Trace> {
    let tokens = reader.tokens(entry.text);
    let chain = split(&tokens, |token| token.is_mark("→") || token.is_mark("->"));
    let spans: Vec<_> = chain
        .iter()
        .filter_map(|part| part.iter().find(|token| token.is_code()).or_else(|| part.first()))
        .map(Token::spanned)
        .collect();
    let is_trace = tokens.first().is_some_and(Token::is_code) || chain.len() > 1;
    (is_trace && !spans.is_empty()).then_some(Trace { spans, span: entry.span })
}

fn read_event(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let Some(name) = tokens.first().filter(|token| token.is_code()).map(Token::spanned) else { return false };
    let rest = behind_separator(&tokens[1..]);
    let mut event = Event { name, when: None, data: Vec::new(), span: entry.span };
    for part in split(rest, |token| token.is_mark(";")) {
        match part {
            [data, fields @ ..] if data.is_word("data") || data.is_word("payload") => {
                event.data.extend(fields.iter().filter(|token| token.is_code()).map(Token::spanned));
            }
            _ => event.when = event.when.or_else(|| prose(reader.source, entry.text, part)),
        }
    }
    reader.declared_twice("event", &event.name);
    reader.model.events.push(event);
    true
}

fn behind_separator<'a, 't>(tokens: &'a [Token<'t>]) -> &'a [Token<'t>] {
    match tokens {
        [mark, rest @ ..]
            if mark.kind == TokenKind::Mark && matches!(&*mark.text, ":" | "—" | "–" | "-" | "|") =>
        {
            rest
        }
        _ => tokens,
    }
}
