//! Section 8: SLOs (read in `slos`), cache layers, optimisations.

use super::slos;
use crate::facts::Prose;
use crate::labels::{begins_with, normal, unnumbered};
use crate::model::Class;
use crate::reader::{Entry, Reader, entries, node_entries};
use crate::shapes;
use crate::tables::{self, Columns};
use crate::titles;
use crate::tokens::Token;
use crate::values::parse_duration;
use formwork_syntax::{Node, Part, PartKind, Span, Spanned, Table, Text};

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
    /// *Size*: how much is kept at most.
    pub size: Option<Prose>,
    /// Label to last line.
    pub span: Span,
}

/// The labels of a cache layer.
const WHAT: [&str; 8] = ["what", "content", "contents", "data", "cached", "holds", "keeps", "stores"];
const TTL: [&str; 4] = ["ttl", "lifetime", "expiry", "time to live"];
const INVALIDATION: [&str; 6] =
    ["invalidation", "invalidated", "eviction", "cleared", "cleared by", "purged"];
const SIZE: [&str; 4] = ["size", "capacity", "max size", "maximum size"];

fn is_layer_label(title: &str) -> bool {
    [&WHAT[..], &TTL, &INVALIDATION, &SIZE].iter().any(|names| begins_with(title, names))
}

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let title = unnumbered(&part.title.plain(reader.source));
    if is_layer_title(&title) && !part.inline.is_blank(reader.source) {
        return read_layer(reader, part);
    }
    let is_slos = begins_with(&title, &SLO_TITLES) || title.ends_with(" slos") || title.ends_with(" targets");
    if is_slos && !title.contains("caching") {
        // What stands below under a title of its own is no objective.
        let (others, own): (Vec<Node>, Vec<Node>) =
            part.children.iter().cloned().partition(|node| match node {
                Node::Part(below) => is_other_subtitle(&unnumbered(&below.title.plain(reader.source))),
                Node::Block(_) => false,
            });
        let own = Part { children: own, ..shapes::without_children(part) };
        slos::read(reader, &own);
        for node in &others {
            if let Node::Part(below) = node {
                read(reader, below);
            }
        }
    } else if begins_with(&title, &["optimization", "optimisation", "optimizations", "optimisations"]) {
        let part = tables::as_lists(reader.source, part, &[]);
        let items = reader.prose_list(&part, Class::Narrative);
        reader.model.optimizations.extend(items);
        part.parts().for_each(|below| {
            let items = reader.prose_list(below, Class::Narrative);
            reader.model.optimizations.extend(items);
        });
    } else if begins_with(&title, &["caching", "cache", "caches"]) && !title.contains("slo") {
        read_caches(reader, part);
    } else {
        let part = shapes::promote(reader.source, part, &is_subtitle);
        read_caching_entries(reader, &part, false);
        for table in tables::tables(&part.children) {
            match slos::is_table(reader.source, table) {
                true => slos::read_table(reader, table),
                false => read_layer_table(reader, table),
            }
        }
        part.parts().for_each(|below| read(reader, below));
    }
}

/// The titles of the parts of the section, where they are items of a list.
fn is_subtitle(title: &str) -> bool {
    begins_with(title, &SLO_TITLES)
        || begins_with(title, &["caching", "caching strategy", "optimization strategies", "optimisations"])
}

/// Titles of what is no objective.
fn is_other_subtitle(title: &str) -> bool {
    const TITLES: [&str; 9] = [
        "caching",
        "cache",
        "caches",
        "layer",
        "optimization",
        "optimisation",
        "optimizations",
        "optimisations",
        "cache layer",
    ];
    begins_with(title, &TITLES)
}

const SLO_TITLES: [&str; 8] = [
    "slo targets",
    "slo",
    "slos",
    "targets",
    "service level objectives",
    "performance targets",
    "objectives",
    "service levels",
];

fn is_layer_title(title: &str) -> bool {
    begins_with(title, &["layer", "cache layer", "cache"])
}

/// *Caching Strategy*: layers as labels, headings, list items or rows.
fn read_caches(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let is_title = |below: &Part| {
        let title = normal(&below.title.plain(source));
        below.kind == PartKind::Emphasized
            && !is_layer_label(&title)
            && (is_layer_title(&title) || below.inline.is_blank(source) || holds_labels(source, below))
    };
    let part = shapes::regroup(reader.source, part, &is_title);
    if !part.parts().any(is_title) && holds_labels(source, &part) {
        return read_only_layer(reader, &part);
    }
    read_caching_entries(reader, &part, true);
    for table in tables::tables(&part.children) {
        read_layer_table(reader, table);
    }
    for below in part.parts() {
        let title = normal(&below.title.plain(source));
        if (is_layer_title(&title) && !below.inline.is_blank(source)) || holds_labels(source, below) {
            read_layer(reader, below);
        } else {
            read_caches(reader, below);
        }
    }
}

/// The one layer of a part that holds its labels and names none: it is called by what it keeps.
fn read_only_layer(reader: &mut Reader<'_>, part: &Part) {
    let promoted = shapes::promote(reader.source, part, &is_layer_label);
    let what = promoted.parts().find(|below| begins_with(&reader.title(&below.title), &WHAT));
    let name = what.map_or_else(|| reader.prose(&part.title), |what| reader.prose(&what.inline));
    let mut layer = new_layer(name, part.span);
    for entry in node_entries(&promoted.children) {
        reader.class(&entry, Class::Narrative);
    }
    for below in promoted.parts() {
        read_layer_label(reader, &mut layer, below);
    }
    reader.model.caches.push(layer);
}

/// Whether a part has the labels of a cache layer directly below it.
fn holds_labels(source: &str, part: &Part) -> bool {
    shapes::promote(source, part, &is_layer_label)
        .parts()
        .any(|below| is_layer_label(&normal(&below.title.plain(source))))
}

fn read_caching_entries(reader: &mut Reader<'_>, part: &Part, is_caching: bool) {
    for entry in entries(reader.source, part) {
        let is_layer = entry.label.is_some_and(|label| is_layer_title(&reader.title(&label.title)));
        let part = entry.is_item.then(|| item_part(reader.source, &entry)).flatten();
        if is_caching
            && !entry.is_item
            && let Some(layer) = told_layer(reader, &entry)
        {
            reader.class(&entry, Class::Understood);
            reader.model.caches.push(layer);
            continue;
        }
        match part.filter(|part| is_layer || (is_caching && says_layer(reader.source, part))) {
            Some(part) => read_layer(reader, &part),
            None if !is_caching && slos::read_item(reader, &entry) => {}
            None => reader.class(&entry, Class::Narrative),
        }
    }
}

fn item_part(source: &str, entry: &Entry<'_>) -> Option<Part> {
    let (title, inline) = match entry.label {
        Some(label) => (label.title.clone(), label.rest.clone()),
        None => shapes::bold_head(source, entry.text).or_else(|| plain_head(source, entry.text))?,
    };
    Some(shapes::labelled(title, inline, entry.children.to_vec(), entry.span))
}

/// The words before the first comma of `CDN for builds, immutable, TTL 1 d`.
fn plain_head(source: &str, text: &Text) -> Option<(Text, Text)> {
    let tokens = crate::tokens::tokens(source, text);
    let at = tokens.iter().position(|token| [",", ";", "—", "–"].iter().any(|mark| token.is_mark(mark)))?;
    let (head, behind) = (&tokens[..at], tokens.get(at + 1)?);
    let is_ttl = |token: &Token<'_>| TTL.iter().any(|word| token.is_word(word));
    ((1..=6).contains(&head.len()) && !head.iter().any(is_ttl)).then(|| {
        let title = text.slice(source, text.span.start, tokens[at].span.start);
        (title, text.slice(source, behind.outer.start, text.span.end))
    })
}

/// Whether an item tells of a layer: by labels below it, or by naming a lifetime in its sentence.
fn says_layer(source: &str, part: &Part) -> bool {
    let text = part.inline.plain(source).to_lowercase();
    holds_labels(source, part) || TTL.iter().any(|word| text.contains(word))
}

fn read_layer_table(reader: &mut Reader<'_>, table: &Table) {
    let source = reader.source;
    let columns = Columns::new(source, table);
    let ttl = columns.find(&TTL);
    let what = columns.find(&WHAT);
    let invalidation = columns.find(&INVALIDATION);
    let size = columns.find(&SIZE);
    let name = columns.find(&["layer", "cache", "name", "cache layer", "tier"]).unwrap_or(0);
    let is_layers = columns.find(&["layer", "cache", "cache layer", "tier"]).is_some() || ttl.is_some();
    if !is_layers || (ttl.is_none() && what.is_none() && invalidation.is_none()) {
        return reader.narrative_rows(table);
    }
    for row in &table.rows {
        let cell = |at: Option<usize>| tables::cell(source, row, at);
        let Some(name) = cell(Some(name)).and_then(|text| titles::words(source, text)) else { continue };
        let mut layer = new_layer(name, row.span);
        layer.what = cell(what).map(|text| reader.prose(text));
        layer.invalidation = cell(invalidation).map(|text| reader.prose(text));
        layer.size = cell(size).map(|text| reader.prose(text));
        set_ttl(&mut layer, cell(ttl).map(|text| reader.prose(text)));
        reader.model.classes.push((row.span, Class::Understood));
        reader.model.caches.push(layer);
    }
}

fn set_ttl(layer: &mut CacheLayer, ttl: Option<Prose>) {
    layer.ttl_seconds =
        ttl.as_ref().and_then(|ttl| parse_duration(&ttl.value)).map(|micros| micros as f64 / 1e6);
    layer.ttl = ttl;
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

/// `**Layer:** Link cache (in memory)` with its list or labels below; also a heading with these labels.
fn read_layer(reader: &mut Reader<'_>, part: &Part) {
    let source = reader.source;
    let is_named_behind = is_layer_title(&reader.title(&part.title)) && !part.inline.is_blank(source);
    // `**Cache:** search results; TTL 60 s`: what follows the name stands behind a semicolon.
    let sentence_end =
        reader.tokens(&part.inline).iter().find(|token| token.is_mark(";")).map(|token| token.span.start);
    let title = if is_named_behind {
        let end = sentence_end.unwrap_or(part.inline.span.end);
        part.inline.slice(source, part.inline.span.start, end)
    } else {
        titles::without_kind(source, &part.title, &["layer", "cache layer", "cache"])
    };
    let Some(name) = titles::words(source, &title) else { return };
    let mut layer = new_layer(name, part.span);
    if !part.inline.is_blank(source) {
        reader.model.classes.push((part.inline.span, Class::Understood));
    }
    let says_more = !is_named_behind || sentence_end.is_some();
    if says_more && !part.inline.is_blank(source) {
        layer.what = Some(reader.prose(&part.inline));
        let sentence = reader.tokens(&part.inline);
        let at = sentence.iter().position(|token| TTL.iter().any(|word| token.is_word(word)));
        let ttl = at
            .and_then(|at| (at + 1..sentence.len().min(at + 4)).find_map(|at| duration_at(&sentence[at..])));
        layer.ttl_seconds = ttl.map(|(micros, _)| micros as f64 / 1e6);
    }
    let promoted = shapes::promote(source, part, &is_layer_label);
    for entry in node_entries(&promoted.children) {
        match entry.label {
            Some(_) => reader.not_understood(&entry, "what, TTL or invalidation"),
            None => reader.class(&entry, Class::Narrative),
        }
    }
    for below in promoted.parts() {
        read_layer_label(reader, &mut layer, below);
    }
    reader.model.caches.push(layer);
}

fn new_layer(name: Spanned<String>, span: Span) -> CacheLayer {
    CacheLayer { name, what: None, ttl: None, ttl_seconds: None, invalidation: None, size: None, span }
}

/// `Prices are cached for 15 minutes; a new price list clears them.`
fn told_layer(reader: &Reader<'_>, entry: &Entry<'_>) -> Option<CacheLayer> {
    let tokens = reader.tokens(entry.text);
    let at = tokens.iter().position(|token| token.is_word("cached"))?;
    let verb =
        at.checked_sub(1).filter(|verb| tokens[*verb].is_word("is") || tokens[*verb].is_word("are"))?;
    let (micros, used) = duration_at(tokens.get(at + 2..)?).filter(|_| tokens[at + 1].is_word("for"))?;
    let named = &tokens[tokens[..verb].iter().take_while(|token| token.is_word("the")).count()..verb];
    let name = crate::tokens::prose(reader.source, entry.text, named).filter(|_| named.len() <= 5)?;
    let mut layer = new_layer(name, entry.span);
    layer.what = Some(reader.prose(entry.text));
    layer.ttl = crate::tokens::prose(reader.source, entry.text, &tokens[at + 2..at + 2 + used]);
    layer.ttl_seconds = Some(micros as f64 / 1e6);
    let behind = tokens.iter().position(|token| token.is_mark(";")).map(|at| &tokens[at + 1..]);
    layer.invalidation = behind.and_then(|behind| crate::tokens::prose(reader.source, entry.text, behind));
    Some(layer)
}

fn read_layer_label(reader: &mut Reader<'_>, layer: &mut CacheLayer, part: &Part) {
    let title = reader.title(&part.title);
    let class = if is_layer_label(&title) { Class::Understood } else { Class::Narrative };
    let text = reader.prose_of(part, class);
    if begins_with(&title, &WHAT) {
        layer.what = text;
    } else if begins_with(&title, &TTL) {
        set_ttl(layer, text);
    } else if begins_with(&title, &INVALIDATION) {
        layer.invalidation = text;
    } else if begins_with(&title, &SIZE) {
        layer.size = text;
    }
}
