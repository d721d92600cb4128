//! Section 10: metrics, trace spans, events.

use crate::facts::Prose;
use crate::labels::{begins_with, unnumbered};
use crate::model::Class;
use crate::reader::{Entry, Reader, entries, node_entries};
use crate::shapes;
use crate::tables::{self, Columns};
use crate::titles;
use crate::tokens::{Token, TokenKind, prose, split};
use formwork_syntax::{Part, Span, Spanned, Table};

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
    let title = unnumbered(&part.title.plain(reader.source));
    if begins_with(&title, &["metrics", "metric", "key metrics"]) || title.ends_with(" metrics") {
        let group = title.strip_suffix(" metrics").filter(|group| *group != "key");
        read_metrics(reader, part, group);
    } else if begins_with(&title, &["tracing", "traces", "trace", "distributed tracing"]) {
        read_traces(reader, part);
    } else if begins_with(&title, &["events", "event", "domain events", "business events"]) {
        read_events(reader, part);
    } else {
        let is_subtitle = |title: &str| {
            begins_with(title, &["metrics", "tracing", "traces", "events", "domain events"])
                || title.ends_with(" metrics")
        };
        let part = shapes::promote(reader.source, part, &is_subtitle);
        for entry in entries(reader.source, &part) {
            let is_fact = !entry.is_item && read_told(reader, &entry);
            reader.class(&entry, if is_fact { Class::Understood } else { Class::Narrative });
        }
        for table in tables::tables(&part.children) {
            read_untitled_table(reader, table);
        }
        part.parts().for_each(|below| read(reader, below));
    }
}

/// Sentences that name metrics or events in code: ``We watch `a` and `b`.``, ``The service emits `x.made`.``
fn read_told(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    const WATCHES: [&str; 6] = ["watch", "track", "monitor", "metrics", "measure", "export"];
    const EMITS: [&str; 4] = ["emits", "emit", "publishes", "events"];
    let tokens = reader.tokens(entry.text);
    let mut is_any = false;
    for sentence in split(&tokens, |token| token.is_mark(".") || token.is_mark(";")) {
        let says = |words: &[&str]| sentence.iter().any(|token| words.iter().any(|word| token.is_word(word)));
        let is_listed = |token: &&Token<'_>| {
            token.is_code() && token.text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        };
        let named = sentence.iter().filter(is_listed).map(|token| (token.spanned(), token.outer));
        for (name, span) in named.collect::<Vec<_>>() {
            if says(&EMITS) && name.value.contains('.') {
                add_event(reader, Event { name, when: None, data: Vec::new(), span });
                is_any = true;
            } else if says(&WATCHES) && !says(&EMITS) && name.value.contains('_') {
                add_metric(reader, Metric { name, kind: None, description: None, group: None, span });
                is_any = true;
            }
        }
    }
    is_any
}

/// A table directly below the section: its first column says what it lists.
fn read_untitled_table(reader: &mut Reader<'_>, table: &Table) {
    let columns = Columns::new(reader.source, table);
    if columns.exactly(&METRIC_COLUMNS).is_some_and(|at| at == 0) {
        read_metric_table(reader, table, None);
    } else if columns.exactly(&EVENT_COLUMNS).is_some_and(|at| at == 0) {
        read_event_table(reader, table);
    } else {
        reader.narrative_rows(table);
    }
}

fn read_traces(reader: &mut Reader<'_>, part: &Part) {
    let part = tables::as_lists(reader.source, part, &[]);
    for entry in entries(reader.source, &part) {
        match trace(reader, &entry) {
            Some(trace) => {
                reader.class(&entry, Class::Understood);
                reader.model.traces.push(trace);
            }
            None => reader.class(&entry, Class::Narrative),
        }
    }
    part.parts().for_each(|below| read_traces(reader, below));
}

const METRIC_COLUMNS: [&str; 5] = ["metric", "name", "metric name", "signal", "measure"];
const EVENT_COLUMNS: [&str; 5] = ["event", "name", "event name", "type", "topic"];

/// Metrics in the part and in the groups below it (`**System Metrics:**`).
fn read_metrics(reader: &mut Reader<'_>, part: &Part, group: Option<&str>) {
    for entry in entries(reader.source, part) {
        read_metric(reader, &entry, group);
    }
    for table in tables::tables(&part.children) {
        read_metric_table(reader, table, group);
    }
    for below in part.parts() {
        let title = reader.title(&below.title);
        let group = title.strip_suffix(" metrics").unwrap_or(&title);
        read_metrics(reader, below, Some(group));
    }
}

fn read_metric(reader: &mut Reader<'_>, entry: &Entry<'_>, group: Option<&str>) {
    let tokens = reader.tokens(entry.text);
    let (names, rest) = names(&tokens, entry, reader);
    // An item that holds a group: `- **System:**` with its metrics below.
    let below = node_entries(entry.children);
    if names.is_empty()
        || (!tokens.first().is_some_and(Token::is_code) && below.iter().any(|inner| inner.is_item))
    {
        let is_group = below.iter().any(|inner| inner.is_item);
        let title = entry.label.map(|label| reader.title(&label.title));
        let group = title.as_deref().map(|title| title.strip_suffix(" metrics").unwrap_or(title)).or(group);
        below.iter().for_each(|inner| read_metric(reader, inner, group));
        return match entry.is_item && !is_group && tokens.first().is_some_and(Token::is_code) {
            true => reader.not_understood(entry, "metric"),
            false => reader.class(entry, Class::Narrative),
        };
    }
    reader.class(entry, Class::Understood);
    for name in names {
        let (kind, described) = kind_of(rest);
        let description = prose(reader.source, entry.text, described);
        add_metric(
            reader,
            Metric { name, kind, description, group: group.map(str::to_owned), span: entry.span },
        );
    }
}

fn kind_of<'a, 't>(rest: &'a [Token<'t>]) -> (Option<MetricKind>, &'a [Token<'t>]) {
    let inner = match rest {
        [open, word, close, ..] if open.is_mark("(") && close.is_mark(")") => Some(word),
        [word, ..] => Some(word),
        [] => None,
    };
    let kind = inner.and_then(|word| metric_kind(&word.text));
    match (kind, rest) {
        (Some(_), [_, of, others @ ..]) if of.is_word("of") => (kind, others),
        (Some(_), [open, _, _, others @ ..]) if open.is_mark("(") => (kind, behind_separator(others)),
        _ => (kind, rest),
    }
}

fn metric_kind(word: &str) -> Option<MetricKind> {
    match &*word.to_ascii_lowercase() {
        "counter" => Some(MetricKind::Counter),
        "gauge" => Some(MetricKind::Gauge),
        "histogram" | "summary" | "timer" => Some(MetricKind::Histogram),
        _ => None,
    }
}

fn add_metric(reader: &mut Reader<'_>, metric: Metric) {
    reader.declared_twice("metric", &metric.name);
    reader.model.metrics.push(metric);
}

/// The names at the start of an item, and what is said of them: code spans joined by commas, a bold or plain label, or
/// a word with the signs of an identifier.
fn names<'a, 't>(
    tokens: &'a [Token<'t>],
    entry: &Entry<'_>,
    reader: &Reader<'_>,
) -> (Vec<Spanned<String>>, &'a [Token<'t>]) {
    let is_joint = |token: &Token<'_>| {
        [",", "/"].iter().any(|mark| token.is_mark(mark)) || token.is_word("and") || token.is_word("or")
    };
    let mut at = 0;
    let mut found = Vec::new();
    while let Some(token) = tokens.get(at).filter(|token| token.is_code()) {
        found.push(token.spanned());
        at += 1;
        let joins = tokens.get(at).is_some_and(is_joint) && tokens.get(at + 1).is_some_and(Token::is_code);
        at += usize::from(joins);
        if !joins {
            break;
        }
    }
    if !found.is_empty() {
        return (found, behind_separator(&tokens[at..]));
    }
    if !entry.is_item {
        return (Vec::new(), tokens);
    }
    let is_identifier = |token: &&Token<'_>| {
        token.kind == TokenKind::Word
            && token.text.contains(['_', '.'])
            && token
                .text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "_.".contains(character))
            && token.text.starts_with(|first: char| first.is_ascii_alphabetic())
    };
    if let Some(first) = tokens.first().filter(is_identifier) {
        return (vec![first.spanned()], behind_separator(&tokens[1..]));
    }
    match entry.label.filter(|label| !label.rest.is_blank(reader.source)) {
        Some(label) => {
            let name = reader.prose(&label.title);
            let from = tokens
                .iter()
                .position(|token| token.span.start >= label.rest.span.start)
                .unwrap_or(tokens.len());
            (vec![name], &tokens[from..])
        }
        None => {
            // `**Bookings** (counter): `bookings_total`` names it in code behind its title.
            let codes: Vec<&Token<'_>> = tokens.iter().filter(|token| token.is_code()).collect();
            let is_titled = entry.text.pieces.first().is_some_and(|piece| piece.strong);
            match codes.as_slice() {
                [only] if is_titled => (vec![only.spanned()], tokens),
                _ => (Vec::new(), tokens),
            }
        }
    }
}

fn read_metric_table(reader: &mut Reader<'_>, table: &Table, group: Option<&str>) {
    let source = reader.source;
    let columns = Columns::new(source, table);
    let name = columns.exactly(&METRIC_COLUMNS).unwrap_or(0);
    let kind = columns.find(&["type", "kind", "instrument"]).filter(|at| *at != name);
    let about = columns.find(&[
        "description",
        "meaning",
        "measures",
        "what",
        "purpose",
        "why",
        "what it measures",
        "notes",
    ]);
    let group_at = columns.find(&["group", "category", "scope"]);
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let Some(title) = cell(Some(name)) else { continue };
        let named = title.codes().map(|(_, code)| Spanned::new(code.text(source).into_owned(), code.span()));
        let mut named: Vec<_> = named.collect();
        if named.is_empty() {
            named.extend(titles::words(source, title));
        }
        let row_group = cell(group_at).map(|text| text.plain(source).to_lowercase());
        for name in named {
            let metric = Metric {
                name,
                kind: cell(kind).and_then(|text| metric_kind(text.plain(source).trim())),
                description: cell(about).map(|text| reader.prose(text)),
                group: row_group.clone().or_else(|| group.map(str::to_owned)),
                span: row.span,
            };
            add_metric(reader, metric);
        }
        reader.model.classes.push((row.span, Class::Understood));
    }
}

fn read_events(reader: &mut Reader<'_>, part: &Part) {
    for entry in entries(reader.source, part) {
        let is_event = read_event(reader, &entry);
        reader.class(&entry, if is_event { Class::Understood } else { Class::Narrative });
    }
    for table in tables::tables(&part.children) {
        read_event_table(reader, table);
    }
    part.parts().for_each(|below| read_events(reader, below));
}

/// Events in one line: ``Events: `scene.received` (scene_id), `scene.lost` (scene_id, reason)``.
fn read_events_in_line(reader: &mut Reader<'_>, entry: &Entry<'_>, tokens: &[Token<'_>]) -> bool {
    let pieces = split(tokens, |token| token.is_mark(",") || token.is_mark(";") || token.is_mark("."));
    let pieces: Vec<&[Token<'_>]> = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
    let is_one = |piece: &&[Token<'_>]| match piece {
        [name] => name.is_code(),
        [name, open, .., close] => name.is_code() && open.is_mark("(") && close.is_mark(")"),
        _ => false,
    };
    if entry.is_item || pieces.len() < 2 || !pieces.iter().all(is_one) {
        return false;
    }
    for piece in pieces {
        let [name, rest @ ..] = piece else { continue };
        let is_name = |token: &&Token<'_>| token.is_code() || token.kind == TokenKind::Word;
        let data = rest.iter().filter(is_name).map(Token::spanned).collect();
        add_event(reader, Event { name: name.spanned(), when: None, data, span: entry.span });
    }
    true
}

fn read_event(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    if read_events_in_line(reader, entry, &tokens) {
        return true;
    }
    let (names, rest) = names(&tokens, entry, reader);
    let is_code = tokens.first().is_some_and(Token::is_code);
    if names.is_empty() || (!entry.is_item && !is_code) {
        return false;
    }
    for name in names {
        let mut event = Event { name, when: None, data: Vec::new(), span: entry.span };
        for part in split(rest, |token| token.is_mark(";")) {
            match part {
                [data, fields @ ..]
                    if ["data", "payload", "carries", "fields"].iter().any(|word| data.is_word(word)) =>
                {
                    event.data.extend(fields.iter().filter(|token| token.is_code()).map(Token::spanned));
                }
                _ => event.when = event.when.or_else(|| prose(reader.source, entry.text, part)),
            }
        }
        for below in node_entries(entry.children) {
            read_event_label(reader, &mut event, &below);
        }
        add_event(reader, event);
    }
    true
}

/// *When* and *Data* as labels below an event.
fn read_event_label(reader: &mut Reader<'_>, event: &mut Event, entry: &Entry<'_>) {
    let Some(label) = entry.label else { return reader.class(entry, Class::Narrative) };
    let title = reader.title(&label.title);
    if begins_with(&title, &["data", "payload", "fields"]) {
        let codes = label.rest.codes();
        event
            .data
            .extend(codes.map(|(_, code)| Spanned::new(code.text(reader.source).into_owned(), code.span())));
    } else if begins_with(&title, &["when", "trigger", "emitted"]) {
        event.when = Some(reader.prose(&label.rest));
    }
    reader.class(entry, Class::Understood);
}

fn add_event(reader: &mut Reader<'_>, event: Event) {
    reader.declared_twice("event", &event.name);
    reader.model.events.push(event);
}

fn read_event_table(reader: &mut Reader<'_>, table: &Table) {
    let source = reader.source;
    let columns = Columns::new(source, table);
    let name = columns.exactly(&EVENT_COLUMNS).unwrap_or(0);
    let when = columns.find(&["when", "trigger", "emitted", "description", "meaning", "fired"]);
    let data = columns.find(&["data", "payload", "fields", "contents", "carries"]);
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let Some(name) = cell(Some(name)).and_then(|text| titles::name(source, text)) else { continue };
        let codes = cell(data).into_iter().flat_map(|text| text.codes());
        let event = Event {
            name,
            when: cell(when).map(|text| reader.prose(text)),
            data: codes.map(|(_, code)| Spanned::new(code.text(source).into_owned(), code.span())).collect(),
            span: row.span,
        };
        reader.model.classes.push((row.span, Class::Understood));
        add_event(reader, event);
    }
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
