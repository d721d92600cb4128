//! What a document measures, by its words: people write one metric in several ways (`p99 ingest ack`,
//! `ingest_ack_seconds`, `search latency`).

use crate::context::Context;
use crate::lexicon::Kinds;
use crate::names;
use crate::words;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// Words of a metric's name that say that it is a time.
const TIMES: [&str; 7] = ["second", "millisecond", "m", "duration", "latency", "time", "s"];

/// Words of a metric's name that say how it is counted, not what.
const UNITS: [&str; 16] = [
    "second",
    "millisecond",
    "m",
    "s",
    "total",
    "count",
    "percent",
    "ratio",
    "p50",
    "p90",
    "p95",
    "p99",
    "median",
    "api",
    "max",
    "per",
];

/// Words that an operation's measurements have besides its name.
const OF_OPERATION: [&str; 5] = ["latency", "duration", "time", "error", "rate"];

/// As many things with a rare word of the metric are looked at.
const MOST: usize = 200;

/// What a document measures.
pub(crate) struct Measures<'c, 'a> {
    cx: &'c Context<'a>,
    /// Most metrics are known by their names, and nobody asks for the words of others.
    words: OnceCell<Words>,
}

/// Everything that measures, found by its words.
struct Words {
    entries: Vec<Entry>,
    /// Entries by each of their words.
    by_word: FxHashMap<String, Vec<u32>>,
}

struct Entry {
    stems: Vec<String>,
    is_operation: bool,
    is_metric: bool,
}

impl<'c, 'a> Measures<'c, 'a> {
    /// Looks at nothing yet.
    pub(crate) fn new(cx: &'c Context<'a>) -> Self {
        Self { cx, words: OnceCell::new() }
    }

    /// Whether something measures a metric: every operation, section 10, a test, or the system itself.
    pub(crate) fn has(&self, metric: &str) -> bool {
        let cx = self.cx;
        let of_operation = metric.rsplit_once('.').is_some_and(|(operation, suffix)| {
            names::OPERATION_METRICS.contains(&suffix) && names::is_operation(cx, operation)
        });
        let built_in = || {
            metric.starts_with("http.server.")
                || metric.starts_with("formwork.")
                || names::OPERATION_METRICS
                    .iter()
                    .chain(&["cache_hit_ratio"])
                    .any(|known| names::same(known, metric))
        };
        of_operation
            || cx.lexicon.is(Kinds::METRIC, metric)
            || built_in()
            || (!metric.contains('.') && self.words.get_or_init(|| Words::of(cx)).says(metric))
    }
}

impl Words {
    /// The metrics with their descriptions, the operations, and the tests of section 12.
    fn of(cx: &Context<'_>) -> Self {
        let mut this = Self { entries: Vec::new(), by_word: FxHashMap::default() };
        for metric in &cx.model.metrics {
            let name = words::stems(&metric.name.value);
            if let Some(description) = &metric.description {
                let mut stems = name.clone();
                stems.extend(words::stems(&description.value));
                this.add(Entry { stems, is_operation: false, is_metric: false });
            }
            this.add(Entry { stems: name, is_operation: false, is_metric: true });
        }
        for name in names::operations(cx) {
            this.add(Entry { stems: words::stems(name), is_operation: true, is_metric: false });
        }
        let testing = &cx.model.testing;
        let tests = [&testing.quality, &testing.load, &testing.resilience, &testing.unit];
        for test in tests.into_iter().flatten() {
            this.add(Entry { stems: words::stems(&test.value), is_operation: false, is_metric: false });
        }
        this
    }

    fn add(&mut self, entry: Entry) {
        let at = self.entries.len() as u32;
        for stem in &entry.stems {
            // Most words are known already, and looking one up needs no copy of it.
            match self.by_word.get_mut(stem) {
                Some(places) if places.last() == Some(&at) => {}
                Some(places) => places.push(at),
                None => {
                    self.by_word.insert(stem.clone(), vec![at]);
                }
            }
        }
        self.entries.push(entry);
    }

    fn says(&self, metric: &str) -> bool {
        let all = words::stems(metric);
        if all.iter().any(|word| matches!(word.as_str(), "availability" | "uptime" | "throughput")) {
            return true;
        }
        let subject = words::without(&all, &UNITS);
        let bare = words::without(&subject, &OF_OPERATION);
        let is_timed = bare.len() < subject.len();
        self.any(&subject, |entry| !entry.is_operation)
            || self.any(&bare, |entry| entry.is_operation && (entry.stems.len() > 1 || entry.stems == bare))
            // `search latency` is what `search_seconds` counts.
            || (is_timed
                && self.any(&bare, |entry| {
                    entry.is_metric && entry.stems.iter().any(|word| TIMES.contains(&word.as_str()))
                }))
    }

    /// Whether one of the entries that fit has all the words.
    fn any(&self, wanted: &[String], fits: impl Fn(&Entry) -> bool) -> bool {
        let rarest =
            wanted.iter().map(|word| self.by_word.get(word)).min_by_key(|places| places.map_or(0, Vec::len));
        let places = rarest.flatten().map_or(&[][..], Vec::as_slice);
        let mut entries = places.iter().take(MOST).filter_map(|at| self.entries.get(*at as usize));
        entries.any(|entry| fits(entry) && wanted.iter().all(|word| entry.stems.contains(word)))
    }
}
